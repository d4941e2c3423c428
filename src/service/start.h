/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_SERVICE_START_H
#define TINYCKPT_SERVICE_START_H

#include "service/conf.h"

/*
 * Starts a service by its start= line, the only program that tinyckpt ever runs: /bin/sh in a session of its own, in the root
 * directory, with standard input from /dev/null.  A line that ends at once, as it started a daemon, has to end well; one that
 * goes on after settle= seconds is left to itself.  0, or a negative errno, with the reason in why (cap bytes), unsaid.
 */
int service_start(const struct service *s, char *why, size_t cap);

#endif
