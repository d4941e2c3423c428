/* SPDX-License-Identifier: MIT */
/* Running a program and striking it at a chosen instant; killer.c tells what the options mean. */
#ifndef TESTS_FAULTS_KILLING_H
#define TESTS_FAULTS_KILLING_H

#include <stdbool.h>

struct killing {
	long stop;  /* at which system call stop; or */
	long micro; /* after how long */
	long limit_ms;
	bool changes_only, filter, count;
	int agent;	/* so many generations below the program is the one whose calls are counted */
	int signal, error;
	int bother;	/* this signal is sent at the entry of every call; 0: none */
};

struct killed {
	long stops;
	long last;   /* the last system call that it entered */
	long failed; /* the one that was made to fail, or -1 */
	long micros; /* how long it ran */
	const char *ended;
	int status; /* exit status, or 128 + signal */
};

/* Reads the options up to "--"; the index of the first argument behind them, or -1 with a usage line written. */
int killing_options(int argc, char **argv, struct killing *k);

/* 0, or -1 when the program could not be started or traced. */
int killing_run(const struct killing *k, char **argv, struct killed *result);

void killed_print(const struct killed *result);

#endif
