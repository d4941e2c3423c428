/* SPDX-License-Identifier: MIT */
/* Keeping the numbers of saved trees free. */
#ifndef TINYCKPT_BOOT_H
#define TINYCKPT_BOOT_H

#include <sys/types.h>

struct kept {
	unsigned int images;	/* so many tell their numbers, */
	unsigned int others;	/* and so many, each named, do not */
	pid_t highest;		/* number in any of them */
	pid_t was, is;		/* the number that was given last, before and after */
};

/* Reads all images (NAME.tck) in the folder, by the file of the key (image/key.h); no folder, no images.  0 or a negative errno, said. */
int boot_look(const char *folder, const char *key, struct kept *kept);

/*
 * Has the kernel go on counting behind the highest number, and behind those that a boot needs: what starts from now on can be saved
 * and find its numbers free at any later boot.  0 or a negative errno, said.
 */
int boot_lift(struct kept *kept);

#endif
