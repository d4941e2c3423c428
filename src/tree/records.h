/* SPDX-License-Identifier: MIT */
/* The types of the records that make up a tree, in the order in which they come in an image. */
#ifndef TINYCKPT_TREE_RECORDS_H
#define TINYCKPT_TREE_RECORDS_H

enum record_tree {
	RECORD_TREE = 10,	/* once, first: what restore must know beforehand */
	RECORD_CLOCKS = 16,	/* once, behind it */
	RECORD_PIDS = 17,	/* behind those two; may be passed over */
	/* here: the openings (objects/object.h) */
	RECORD_PROCESS = 11,	/* first part: each process with its memory, a parent before its children */
	RECORD_SESSION = 15,	/* before the first process that it is about */
	RECORD_VMA = 12,
	/* here: RECORD_PAGES */
	RECORD_DROP = 13,
	RECORD_GUARD = 14,
	RECORD_TAGS = 18,	/* among the pages */
	RECORD_STATE = 20,	/* second part: each process with everything else */
	RECORD_ADVICE = 21,
	RECORD_SIGACTIONS = 22,
	RECORD_DESCRIPTORS = 23,
	RECORD_THREAD = 24,
	RECORD_PENDING = 25,
	RECORD_LOCK = 26,
	RECORD_TIMER = 27,
	RECORD_STOP = 28,
};

/* The advice that is none: the mapping is sealed (mseal(2)), after which nothing may change it. */
enum { ADVICE_SEAL = 1 << 16 };

#endif
