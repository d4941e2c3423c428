// SPDX-License-Identifier: MIT
// The two tools under comparison: how each is called, where its image lies, what it said last.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { CRIU, TINYCKPT, TOOLS };

enum { TOOL_WORDS = 20, TOOL_WORD = 512 };

struct command {
	char words[TOOL_WORDS][TOOL_WORD];
	char *argv[TOOL_WORDS + 1];
};

extern const char *const tool_names[TOOLS];

// Finds both tools by $BENCH_CRIU (the folder it was unpacked to) and $TINYCKPT; SCRATCH is a
// folder on tmpfs for the images and logs.
void tools_setup(const char *scratch);
bool tool_present(int tool);

// The image of the run before is gone after image_remove.
void command_save(struct command *command, int tool, pid_t pid, bool leave_running);
void command_restore(struct command *command, int tool);
void image_remove(int tool);
size_t image_bytes(int tool);
const char *tool_log(void);

// The last thing that the tool said about a failure, one line; for the reader of the table.
void tool_complaint(int tool, char *line, size_t size);
