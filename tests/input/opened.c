/* SPDX-License-Identifier: MIT */
/* opened FILE COMMAND [ARGUMENT...]: runs it, and tells whether somebody opened the file meanwhile: "opened", or nothing. */
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char events[4096];
	int status;

	if (argc < 3 || inotify_add_watch(watch, argv[1], IN_OPEN) < 0)
		return 125;
	if (!fork()) {
		execvp(argv[2], &argv[2]);
		_exit(126);
	}
	wait(&status);
	if (read(watch, events, sizeof(events)) > 0)
		puts("opened");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}
