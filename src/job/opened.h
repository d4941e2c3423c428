/* SPDX-License-Identifier: MIT */
/* Whatever a tree reaches the outside by: a descriptor, a mapped file, a directory that it stands in, its program. */
#ifndef TINYCKPT_JOB_OPENED_H
#define TINYCKPT_JOB_OPENED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "kernel/procfs.h"

struct opened {
	pid_t pid;
	int fd;			/* -1: no descriptor: mapped, a directory, a program */
	bool mapped;
	char what[48];		/* "fd 7", "mapping 7f00-7f10", "its working directory" */
	char access[80];	/* a path in /proc that leads to it, whatever became of its name */
	char path[4096];	/* its name as the kernel gives it, "(deleted)" taken off */
	bool deleted;
	uint64_t dev, ino;	/* of st, or as /proc/PID/maps has them (overlay and btrfs differ) */
	struct stat st;
	struct proc_fdinfo info;
};

#endif
