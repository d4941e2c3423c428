/* SPDX-License-Identifier: MIT */
/*
 * The root of a service that was restored outside of its cgroup, as cgroups are the restore's: by that it would not be found, not
 * saved, and started a second time.  It is written down as .NAME.root beside the images, and counts in this boot alone.
 */
#ifndef TINYCKPT_SERVICE_ROOT_H
#define TINYCKPT_SERVICE_ROOT_H

#include <sys/types.h>

/* 0 or a negative errno, unsaid.  directory: where images lie, open. */
int root_keep(int directory, const char *name, pid_t root);

/* The process, which may be a zombie by now; 0: there is none. */
pid_t root_kept(int directory, const char *name);

#endif
