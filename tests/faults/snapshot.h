/* SPDX-License-Identifier: MIT */
/* What the kernel shows of a process that a checkpoint tool could leave changed, as lines of text. */
#ifndef TESTS_FAULTS_SNAPSHOT_H
#define TESTS_FAULTS_SNAPSHOT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Each line begins with the PID and a kind: map, fd, limit, oom, or thread and its TID. False: the process is gone. */
bool snapshot_write(FILE *f, pid_t pid);

/* Compares the file's processes with themselves now; tells the differences on stdout if asked to. */
bool snapshot_compare(const char *path, bool tell);

#endif
