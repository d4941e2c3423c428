/* SPDX-License-Identifier: MIT */
/* Watching a file whose content travels in the image, from outside: it is what it was or what was put in its place, whole. */
#ifndef TESTS_FAULTS_CARRIED_H
#define TESTS_FAULTS_CARRIED_H

#include <stdbool.h>

/* Remembers what is in the victim's file STEM.carried. Without one, all below do nothing and find everything well. */
void carried_open(const char *stem);

/* Puts something else in its place, or nothing. */
void carried_spoil(bool missing);

/* By one that is as it was, if it is not: for those who look next. */
void carried_put_back(void);

/* As it was, or, where it need not be back, whole all the same; if not, says so. */
bool carried_seen(bool back);

/* Is it as it was? */
bool carried_is_back(void);

#endif
