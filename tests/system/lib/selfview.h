/* SPDX-License-Identifier: MIT */
/* What a process reads about itself in /proc. */
#ifndef SELFVIEW_H
#define SELFVIEW_H

#include "testlib.h"

/* The lines of /proc/PID/status (of the calling thread for pid 0) that begin with the prefix. */
void status_lines(pid_t pid, const char *prefix, char *text, size_t size);
/* VmFlags of the mapping that holds the address, with a space before and behind each: strstr(flags, " lo "). */
void mapping_flags(const void *address, char *flags, size_t size);
/* A "Name: 123 kB" value of the mapping that holds the address, in KiB; -1 when there is none. */
long mapping_value(const void *address, const char *name);
/* The same from /proc/PID/smaps_rollup, or /proc/PID/smaps added up where the kernel has no rollup. */
long process_value(pid_t pid, const char *name);
/* Whole file, NUL-terminated; returns the length. */
size_t file_content(const char *path, char *text, size_t size);
/* The n-th field of /proc/PID/stat, counted from 1 as in proc(5). */
unsigned long stat_value(pid_t pid, int field);
/* The letter of the task's state. */
char task_state(pid_t tid);

#endif
