/* SPDX-License-Identifier: MIT */
/*
 * Opening what has a name, as root, where others may write: a symbolic link is followed only out of a directory that nobody but
 * root (or the caller) can write to.  So whoever owns the folder of a file can lead nobody to a file elsewhere.  Where such a
 * link leads is followed to the end, as whoever could put it there wanted it: through what others can write to, if it does.
 */
#ifndef TINYCKPT_BASE_PATH_H
#define TINYCKPT_BASE_PATH_H

#include <stdbool.h>
#include <sys/types.h>

/* As open(2), close-on-exec; flags with O_CREAT have O_EXCL and O_NOFOLLOW as well.  ELOOP: a link that is not followed. */
int path_open(const char *path, int flags, mode_t mode);

/* The directory that has the last name of a path, O_PATH, and that name, a part of path; -1 and errno. */
int path_parent(const char *path, const char **name);

/* Could nobody but root (or the caller) have put there what has this name? */
bool path_is_guarded(const char *path);

/* The name of what is open, as /proc tells it, with a NUL; empty and -1 with errno where it does not. */
int path_of(int fd, char *path, size_t cap);

/* Is what is open on a mount from which nothing may be executed? */
bool path_is_noexec(int fd);

/* As unlink(2). */
int path_unlink(const char *path);

#endif
