/* SPDX-License-Identifier: MIT */
/*
 * The world: every open file description of the tree, in the restoring process by a descriptor.  It lies above all descriptors of
 * the tree, which are made of it, and above the tool's own.
 */
#ifndef TINYCKPT_JOB_WORLD_H
#define TINYCKPT_JOB_WORLD_H

#include <stdint.h>

/* Its first number, of a tree whose highest descriptor is this.  Description id has number begin + id. */
uint32_t world_begin(uint32_t highest_fd);

/* How many descriptors this process may have (RLIMIT_NOFILE), once that is raised as far as may be. */
uint64_t world_room(void);

#endif
