/* SPDX-License-Identifier: MIT */
/* A scenario under way: what its steps (scenario.c) and the order in which a mode takes them (modes.c) share. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "fingerprint.h"
#include "subreaper.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { SECONDS_PER_TEST = 20 /* unless the environment says otherwise */ };

extern struct scenario {
	const char *mode, *tool, *directory, *number, *label, *program, *argument;
	char image[PATH_MAX + 16];
	pid_t root;
	pid_t tree[MAX_TREE];
	int tree_size;
	char failure[4096];
	bool show_difference;
	char refusal[1024]; /* that the program had said may come */
	long peak; /* KiB of the tool's memory */
	long cached; /* KiB of the image in the page cache, when the save has ended */
	bool show_memory;
} test;

/* Steps: false, with the reason noted, when one fails. */
const char *in_directory(const char *name);
bool file_exists(const char *name);
char *file_text(const char *name, char *text, size_t size);
bool failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
int open_output(const char *name);
bool start_program(int standard_input, int standard_output, int standard_error);
const char *skip_reason(void);
bool finish_program(const char *when);
void take_fingerprint(const char *name, bool exact);
bool looks_as_before(const char *when, bool exact);
int run_tool_on(int standard_input, int standard_output, const char *const *arguments);
int run_tool(const char *command, const char *option, const char *operand);
const char *root_text(void);
bool tree_is_gone(void);
bool save_tree(const char *option);
bool restored_tree_exists(int code);
bool save_and_restore(void);

/* Plays the mode that test.mode names. */
bool play(void);

#endif
