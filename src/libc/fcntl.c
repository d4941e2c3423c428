/* SPDX-License-Identifier: MIT */
/*
 * fcntl(2) as the kernel has it, linked in place of the C library's, which knows kernels long gone and waits so that threads
 * can be cancelled: 0.3 KB less.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_fcntl64	/* there are no smaller file offsets */
#define SYS_fcntl64 SYS_fcntl
#endif

int fcntl(int fd, int command, ...)
{
	va_list args;
	unsigned long argument;

	va_start(args, command);
	argument = va_arg(args, unsigned long);
	va_end(args);
	return (int)syscall(SYS_fcntl64, fd, command, argument);
}
