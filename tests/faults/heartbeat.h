/* SPDX-License-Identifier: MIT */
/* The page that the victim shares with whoever watches it: a file that both map shared. */
#ifndef TESTS_FAULTS_HEARTBEAT_H
#define TESTS_FAULTS_HEARTBEAT_H

#include <stdatomic.h>
#include <stdint.h>

enum { PROCESSES = 8, SLOTS = 96 };

struct slot {
	_Atomic uint64_t beats;
	_Atomic uint64_t signals; /* handlers that ran in this thread */
	uint64_t mask;		  /* SigBlk outside of handlers */
	int32_t pid, tid;
	char name[16];
};

struct heartbeat {
	_Atomic uint32_t ready;	    /* processes that have all their threads running */
	_Atomic uint32_t processes; /* how many there will be */
	_Atomic uint32_t slots;
	_Atomic uint32_t violations; /* the first one's text is in the report file */
	/* Asked for by the watcher, answered by every process once it has found its own mappings to be as they were. It
	 * happens on demand only, so that a save never meets an open file of /proc in the victim. */
	_Atomic uint32_t census_asked;
	_Atomic uint32_t census_done[PROCESSES];
	int32_t pid[PROCESSES];
	struct slot slot[SLOTS];
};

#endif
