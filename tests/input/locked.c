/* SPDX-License-Identifier: MIT */
/*
 * A process with a MiB of memory that does not pack, and behind it much that is zero and locked: to lock it again takes a restore
 * more than a moment. It waits for ever.
 */
#include <sys/mman.h>
#include <unistd.h>

static volatile unsigned int words[1 << 18];
static char zeros[96 << 20];

int main(void)
{
	unsigned int state = 1;

	for (unsigned int i = 0; i < sizeof(words) / sizeof(*words); i++)
		words[i] = state = state * 1664525 + 1013904223;
	if (mlock(zeros, sizeof(zeros)))
		return 1;
	for (;;)
		pause();
}
