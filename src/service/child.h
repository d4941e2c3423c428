/* SPDX-License-Identifier: MIT */
/* Children of the tool that it waits for within a time. */
#ifndef TINYCKPT_SERVICE_CHILD_H
#define TINYCKPT_SERVICE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"

/* CLOCK_MONOTONIC, milliseconds; deadlines are such moments. */
int64_t now_ms(void);

/* Sleeps a moment, longer from call to call; *nap starts as 0. */
void nap_ms(int *nap);

/* Waits for a child.  true, with its wait status; false when the deadline has come and it lives. */
bool child_ended(pid_t pid, int64_t deadline, int *status);

/*
 * Runs a command of the tool, in a child, so that one neither stops nor outlives its time, nor stops the others when it
 * breaks.  RUN is run_command(); argv ends with NULL.  Returns the exit code; what it said of a failure, in said.  At the
 * deadline the child is killed, which for a save and for a restore means that nothing has happened, or, at its end, all of it.
 */
int child_command(int (*run)(int argc, char **argv), char **argv, int64_t deadline, struct said *said);

/*
 * From now on SIGTERM, SIGINT and SIGHUP, but for those that were ignored, do not end this process: a command that is running gets
 * SIGTERM, and child_told_to_end() returns the signal's number from then on, before that 0.
 */
void child_heed_signals(void);
int child_told_to_end(void);

#endif
