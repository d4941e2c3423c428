/* SPDX-License-Identifier: MIT */
/*
 * ends CHILDREN FILE HOW: waits until there is a FILE, and ends at once: with the exit status HOW, or by the signal -HOW.
 * Its children end after it.
 */
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const struct timespec nap = { 0, 10000000 };
	pid_t self = getpid();
	int how;

	if (argc != 4)
		return 2;
	for (int i = atoi(argv[1]); i > 0; i--)
		if (!fork()) {
			while (getppid() == self)
				nanosleep(&nap, NULL);
			_exit(0);
		}
	while (access(argv[2], F_OK))
		;
	how = atoi(argv[3]);
	if (how < 0)
		kill(self, -how);
	_exit(how);
}
