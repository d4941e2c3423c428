/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_SERVICE_SUPERVISE_H
#define TINYCKPT_SERVICE_SUPERVISE_H

#include <sys/types.h>

/* Stands for a child until it ends: passes signals on to it.  Reaps what comes along.  Returns its exit status, or 128 + signal. */
int supervise_child(pid_t pid);

#endif
