// SPDX-License-Identifier: MIT
// What was measured, and how it is shown: a table for people, JSON for programs.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools.h"

enum { SAVE, RESTORE, STEPS };

enum { MAX_RUNS = 101, MAX_ROWS = 8, MAX_SIZES = 24 };

struct row {
	const char *name, *title;
	double target[STEPS];
	int64_t time[TOOLS][STEPS][MAX_RUNS], copy[STEPS][MAX_RUNS]; // ns
	int64_t peak_kib[TOOLS][STEPS];
	size_t image[TOOLS], pages; // bytes; pages are known for the smallest workload only
	size_t bytes;		    // anonymous memory of the whole tree
	char failure[TOOLS][300];   // empty when every run went well
};

struct still {
	long mib;
	int64_t gap[TOOLS][MAX_RUNS], quiet[MAX_RUNS]; // ns
	char failure[TOOLS][300];
};

struct size {
	char name[256]; // below build/ARCH
	size_t bytes;
	int limit_kib;
};

struct report {
	int runs, n_rows, n_stills, n_sizes;
	struct row rows[MAX_ROWS];
	struct still stills[MAX_ROWS];
	struct size sizes[MAX_SIZES];
};

void report_print(const struct report *report);
bool report_json(const struct report *report, const char *file);

// One line on a terminal that is overwritten by the next; NULL takes it away.
__attribute__((format(printf, 1, 2))) void progress(const char *format, ...);
