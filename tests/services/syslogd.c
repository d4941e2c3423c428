/* SPDX-License-Identifier: MIT */
/* syslogd SOCKET: prints what is sent there, a line each, as it came. */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char line[2048];
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	ssize_t len;

	if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path))
		return 2;
	strcpy(address.sun_path, argv[1]);
	unlink(argv[1]);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return 1;
	while ((len = recv(fd, line, sizeof(line) - 1, 0)) >= 0) {
		line[len] = '\n';
		if (write(1, line, (size_t)len + 1) < 0)
			return 1;
	}
	return 1;
}
