/* SPDX-License-Identifier: MIT */
/* Which system calls of a program change nothing that anybody else could see, or only wait for a change. */
#ifndef TESTS_FAULTS_LOOKS_H
#define TESTS_FAULTS_LOOKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* At the entry of a call: its number and its six arguments. */
bool looks_only(pid_t pid, long number, const void *arguments);

/* Calls that a kernel has no reason to let fail. */
bool never_fails(long number);

/* For the program itself, before it starts: a filter that stops it for its tracer at nothing but calls that may change
 * something. Its children would inherit it. 0 or -1. */
int looks_install_filter(void);

#endif
