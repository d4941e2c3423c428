/* SPDX-License-Identifier: MIT */
/* A thread that sits in one blocking call while the tree is saved and restored. */
#ifndef WAITER_H
#define WAITER_H

#include "testlib.h"

struct waiter {
	const char *name;
	/* Makes the call; its errno is taken. */
	long (*call)(struct waiter *self);
	void *arg;
	bool realtime; /* CLOCK_REALTIME ends it, which runs on while the tree is away */

	volatile pid_t tid;
	volatile bool done;
	long result;
	int error;
	int64_t started, ended;
	pthread_t thread;
};

/* Returns when the thread is inside its call. */
void waiter_start(struct waiter *self);
/* After save and restore: fails when the call came back although nothing had happened. */
void waiter_expect_waiting(struct waiter *self);
/* Waits for the end of the call and compares what it returned; error counts only for a result of -1. */
void waiter_expect(struct waiter *self, long result, int error);
/* Behind waiter_expect(): the call took at least this long, on its clock: CLOCK_MONOTONIC, if not realtime. */
void waiter_expect_lasted(struct waiter *self, int64_t nanoseconds);

#endif
