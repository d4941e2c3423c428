/* SPDX-License-Identifier: MIT */
/* Which system calls of a program change nothing that anybody else could see, or only wait for a change. */
#ifndef TESTS_FAULTS_LOOKS_H
#define TESTS_FAULTS_LOOKS_H

#include <stdbool.h>
#include <stdint.h>

/* At the entry: number and the six arguments. */
bool looks_only(long number, const void *arguments);

/* At the exit: remembers descriptors that were opened for looking, so that closing them counts as looking too. */
void looks_done(long result);

#endif
