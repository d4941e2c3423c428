/* SPDX-License-Identifier: MIT */
/*
 * The smallest process that there is to save: no C library, one page of stack, it waits for ever. Its image is so small
 * that every byte of it can be tried.
 */
void _start(void);

static long call(long number, long a, long b, long c, long d)
{
#if defined(__x86_64__)
	register long r10 asm("r10") = d;
	long result;

	asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return result;
#else
#error "still.c needs this architecture's system call"
#endif
}

void _start(void)
{
	for (;;)
		call(271 /* ppoll */, 0, 0, 0, 0);
}
