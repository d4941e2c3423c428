/* SPDX-License-Identifier: MIT */
/* Looking at a victim from the outside; observe.c tells what each is for. Reasons go to standard output. */
#ifndef TESTS_FAULTS_WATCHING_H
#define TESTS_FAULTS_WATCHING_H

#include "heartbeat.h"

#include <stdbool.h>

enum fate { ALIVE, GONE, HALF };

/* How long the functions below may wait in all, from now. */
void watch_for(long milliseconds);

/* Waits for the file, and maps it; NULL when there is none. */
struct heartbeat *watch_open(const char *path);

bool watch_ready(void);
bool watch_snapshot(const char *path);
bool watch_intact(const char *snapshot);
enum fate watch_fate(void);
bool watch_gone(void);
void watch_beats(void);

/* Kills its processes, as far as they see the same mounts as this one, and waits until they are gone. */
void watch_put_down(void);

#endif
