/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_SERVICE_FIND_H
#define TINYCKPT_SERVICE_FIND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "service/conf.h"

/*
 * The root process of a service that runs: the one that its pidfile names, or that is called so, or is in the cgroup; of
 * several, those count whose parent does not fit, and of these the oldest.  A cgroup must have one such alone, as the others
 * would not be saved (-EHOLDS).  Neither tinyckpt nor threads of the kernel nor zombies are looked at.  0: it does not run;
 * a negative error: that could not be told, which was said.  directory: where images lie, open, or -1.
 */
pid_t service_find(const struct service *s, int directory);

/* Does the process live (a zombie does not) that came to be at that time (proc_stat.start_time; 0: whenever)? */
bool process_lives(pid_t pid, uint64_t since);

#endif
