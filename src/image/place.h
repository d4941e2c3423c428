/* SPDX-License-Identifier: MIT */
/* Where an image lies, and who could have put it there. */
#ifndef TINYCKPT_IMAGE_PLACE_H
#define TINYCKPT_IMAGE_PLACE_H

/* The directory of fd's file, open.  A negative error, said, when there is none. */
int place_directory(int fd);

/*
 * Whoever can write an image can do all that root can, once it is restored: fd's file and its directory must be root's or the
 * caller's, and not writable by others.  A directory as /tmp is one, where nobody can replace files that aren't theirs.
 * 0, or -EIMAGE, said.
 */
int place_check(int fd);

#endif
