/* SPDX-License-Identifier: MIT */
/* Users, groups and capabilities of a thread that is being reborn (credentials(7), capabilities(7)). */
#ifndef TINYCKPT_TREE_CREDENTIALS_H
#define TINYCKPT_TREE_CREDENTIALS_H

#include "job/restore.h"
#include "kernel/program.h"
#include "thread.pb.h"

/*
 * Adds to a program of the thread what leads from root with everything, which it inherited, to what it had; nothing where
 * both are the same.  0 or a negative errno, said: tinyckpt itself lacks a capability that it had.
 */
int credentials_add(struct program *p, const struct inheritance *in, const Thread *m);

#endif
