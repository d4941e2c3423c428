/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_SERVICE_SUPERVISE_H
#define TINYCKPT_SERVICE_SUPERVISE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * From now on signals that are to be passed on wait until there is who gets them: who stands for a child is not to end, and leave it
 * without anybody, before that.  What takes the tool's place gets them, too, when it clears its mask.
 */
void supervise_soon(void);

/* Does one wait? */
bool supervise_asked(void);

/* Stands for a child until it ends: passes signals on to it.  Reaps what comes along.  Returns its exit status, or 128 + signal. */
int supervise_child(pid_t pid);

#endif
