/* SPDX-License-Identifier: MIT */
/* A subcommand: one file cmd_NAME.c, one entry that the linker collects. */
#ifndef TINYCKPT_COMMAND_H
#define TINYCKPT_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

/* Options and help texts that are there only with a toggle. */
#define IF_ON(toggle, ...) IF_ON_VALUE(IS_ON_##toggle, __VA_ARGS__)
#define IF_ON_VALUE(value, ...) IF_ON_TOKENS(value, __VA_ARGS__)
#define IF_ON_TOKENS(value, ...) IF_ON_##value(__VA_ARGS__)
#define IF_ON_0(...)
#define IF_ON_1(...) __VA_ARGS__

/* Options that several commands take in the same way: entries of their tables, and where next_option() puts what is given. */
#define KEY_OPTION IF_ON(TRUST, { "key", required_argument, NULL, 'k' },)
#define KEY_HELP \
	IF_ON(TRUST, "      --key FILE       the key that images are encrypted with, in place of /etc/tinyckpt/key\n")
#define RULES_OPTION IF_ON(RULES, { "rules", required_argument, NULL, 'u' },)
#define JSON_OPTION IF_ON(JSON, { "json", no_argument, NULL, 'j' },)
#define JSON_HELP IF_ON(JSON, "      --json           for programs\n")

struct given {
	const char *key;	/* a file, see image/key.h */
	const char *rules;	/* a file, or NULL */
	bool json;
};

struct option;

struct command {
	int order;		/* in --help */
	const char *name;
	const char *arguments;	/* for the usage line */
	const char *summary;	/* one line */
	const char *help;	/* the options' lines; the common ones are added */
	const char *notes;	/* lines below them, or NULL */
	const struct option *options;	/* that a service's file may name; NULL: it is none for services (cmd_services.h) */

	/* argv[0] is the command's name.  Returns the exit code. */
	int (*run)(int argc, char **argv);

	/* The same up to the last option, whose values may be wrong; NULL: nobody asks. */
	int (*try)(int argc, char **argv);
};

#define COMMAND(command_) \
	static const struct command *const command_##_entry __attribute__((used, section("command_table"))) = &command_

enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_HOLDS = 3, EXIT_IMAGE = 4 };

int exit_code(int err);		/* of base/error.h */

/*
 * getopt_long(3) with a command's own options and the common ones: letter, or -1 at the end, or '?' after a message.  Those
 * above go to `given`, which may be NULL where the table has none of them.
 */
int next_option(int argc, char **argv, const char *letters, const struct option *options, struct given *given);

/* The command of that name, or NULL. */
const struct command *command_named(const char *name);

/* Runs argv[0] of the table, from the first argument on.  Returns the exit code, or -1, silently: there is no such command. */
int run_command(int argc, char **argv);

/* Has it tried.  There is such a command, and it can be. */
int try_command(int argc, char **argv);

/* Where images lie that have no other name: $TINYCKPT_DIR or its default. */
const char *image_directory(void);

/* Reads a PID.  0 after a message when it is none. */
int parse_pid(const char *text);

/* Reads a number of bytes, 1 or more; K, M, G behind it multiply by 1024.  False after a message when it is none. */
bool parse_bytes(const char *text, uint64_t *bytes);

int usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
