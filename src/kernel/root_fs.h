/* SPDX-License-Identifier: MIT */
/* The file system of `/`, and paths that are resolved below another one that is to take its place. */
#ifndef TINYCKPT_KERNEL_ROOT_FS_H
#define TINYCKPT_KERNEL_ROOT_FS_H

#include <stdbool.h>

/*
 * Does an update of the firmware replace what the descriptor leads to?  It does when that lies on the file system mounted
 * at `/`, or on any that is mounted read-only (a /usr of its own): what a board keeps is on one that it can write.
 */
bool root_fs_has(int fd);

/*
 * A descriptor (O_PATH) of what PATH leads to when ROOT is the root directory: no symbolic link and no ".." gets out of it.
 * nofollow: of a symbolic link itself.  -1 and errno as open(2) has them.
 */
int root_fs_find(int root, const char *path, bool nofollow);

/* The same without openat2(2) (Linux 5.6), step by step; for the tests. */
int root_fs_walk(int root, const char *path, bool nofollow);

#endif
