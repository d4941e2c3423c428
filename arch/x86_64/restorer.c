/* SPDX-License-Identifier: MIT */
/* What the kernel has handlers return to: here it has no code of its own for that. */
#include <asm/unistd.h>

#include "arch.h"

#define TEXT(number) #number
#define CALL(number) "mov $" TEXT(number) ", %eax\n\tsyscall"

__attribute__((naked)) void arch_restorer(void)
{
	__asm__(CALL(__NR_rt_sigreturn));
}
