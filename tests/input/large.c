/* SPDX-License-Identifier: MIT */
/* A process of 6 MiB: two threads fill its memory when it is restored, where there are two processors. It waits for ever. */
#include <unistd.h>

static volatile unsigned int words[6 << 18];

int main(void)
{
	unsigned int state = 1;

	for (unsigned int i = 0; i < sizeof(words) / sizeof(*words); i++)
		words[i] = state = state * 1664525 + 1013904223;
	for (;;)
		pause();
}
