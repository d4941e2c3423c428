/* SPDX-License-Identifier: MIT */
/* Release at the end of a scope: CLEANUP_CLOSE int fd = -1; CLEANUP_FREE char *p = NULL; each must be initialised. */
#ifndef TINYCKPT_BASE_SCOPE_H
#define TINYCKPT_BASE_SCOPE_H

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP_CLOSE __attribute__((cleanup(scope_close)))  /* int: closed if not negative */
#define CLEANUP_FREE __attribute__((cleanup(scope_free)))    /* any pointer from malloc */
#define CLEANUP_DIR __attribute__((cleanup(scope_closedir))) /* DIR * */

/* All of them keep errno: `return fail_errno(...)` may still be evaluated by a caller that looks at errno. */
static inline void scope_close(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void scope_free(void *pointer)
{
	int saved = errno;

	free(*(void **)pointer);
	errno = saved;
}

static inline void scope_closedir(DIR *const *dir)
{
	int saved = errno;

	if (*dir)
		closedir(*dir);
	errno = saved;
}

/* Hands a descriptor on: returns it and leaves -1 behind, so that the scope does not close it. */
static inline int scope_keep(int *fd)
{
	int kept = *fd;

	*fd = -1;
	return kept;
}

#endif
