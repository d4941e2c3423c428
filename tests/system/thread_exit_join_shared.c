/* SPDX-License-Identifier: MIT */
/*
 * The same in a program that is linked to its C library as it starts.  Where a thread's end is to be told, musl has a variable
 * of its own for, hidden, and there in the loader: without CONFIG_CHECKPOINT_RESTORE that must be found.
 */
#include "thread_exit_join.c"

#include <sys/auxv.h>

/* gcc's library asks by this name for what atomics the processor has; musl's shows only the other one. */
unsigned long __getauxval(unsigned long type);
unsigned long __getauxval(unsigned long type)
{
	return getauxval(type);
}
