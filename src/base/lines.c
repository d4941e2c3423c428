/* SPDX-License-Identifier: MIT */
#include "base/lines.h"

#include <stdio.h>
#include <string.h>

enum { CONSOLE = 79 };	/* columns: in the last one a serial console may wrap */

void put_lines(const char *lines, const char *again)
{
	int column = 0;

	for (; *lines; lines++) {
		if (*lines == ' ' && column + 1 + (int)strcspn(lines + 1, " \n") > CONSOLE) {
			column = printf("\n%s", again) - 1;
			continue;
		}
		putchar(*lines);
		column = *lines == '\n' ? 0 : column + 1;
	}
}
