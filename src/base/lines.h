/* SPDX-License-Identifier: MIT */
/* Text that is read on a console. */
#ifndef TINYCKPT_BASE_LINES_H
#define TINYCKPT_BASE_LINES_H

/* Prints lines to standard output; what of one does not fit a console's goes on behind `again`, on as many as it takes. */
void put_lines(const char *lines, const char *again);

#endif
