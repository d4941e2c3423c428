/* SPDX-License-Identifier: MIT */
/*
 * Starts a real program, saves and restores it twice, and judges by the program's own log whether it noticed.
 *
 *     witness TOOL DIRECTORY LABEL REFUSED MOMENTARY PROGRAM [ARGUMENT...]
 *
 * The program appends a line "N ok" to standard output at every step, N counting from 1, or "N bad: why" when it finds
 * itself damaged. REFUSED is a pattern (extended, may be empty) of what may stand in the way of a save for good:
 * then save must exit with 3 and say so, and the program must run on. MOMENTARY is one of what a program holds now and
 * then, such as a lock during a transaction: save is tried again. Prints one TAP line without its number.
 */
#define _GNU_SOURCE
#include "fingerprint.h"
#include "subreaper.h"

#include <fcntl.h>
#include <limits.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CYCLES = 2, STEPS_BETWEEN = 3, SECONDS = 60, TRIES = 20 };

static struct {
	const char *tool, *directory, *label, *refused, *momentary;
	char image[PATH_MAX], failure[8192], obstacle[1024];
	pid_t root;
	double part;	/* of the private memory, that the image is */
} test;

/* Always false, so that "return failed(...)" reads well. */
static bool failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool failed(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(test.failure, sizeof test.failure, format, arguments);
	va_end(arguments);
	return false;
}

static int open_in_directory(const char *name, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", test.directory, name);
	return open(path, flags | O_CLOEXEC, 0644);
}

/* The whole file, NUL-terminated, to be freed by the caller. */
static char *file_text(const char *name)
{
	int fd = open_in_directory(name, O_RDONLY);
	struct stat st = {0};
	char *text;
	ssize_t length;

	if (fd >= 0)
		fstat(fd, &st);
	text = calloc(1, st.st_size + 1);
	length = text && fd >= 0 ? pread(fd, text, st.st_size, 0) : 0;
	if (text && length >= 0)
		text[length] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

/* How many whole lines the log has, or -1 with the first line that is not what it should be. */
static long log_lines(void)
{
	char *text = file_text("log"), *at = text, *end;
	long lines = 0;

	for (; at && (end = strchr(at, '\n')); at = end + 1) {
		char expected[32];

		*end = '\0';
		snprintf(expected, sizeof expected, "%ld ok", lines + 1);
		if (strcmp(at, expected)) {
			failed("line %ld of the log should be \"%s\" but is \"%.200s\"", lines + 1, expected, at);
			lines = -1;
			break;
		}
		lines++;
	}
	free(text);
	return lines;
}

static bool wait_for_lines(long wanted, const char *when)
{
	for (;;) {
		long lines = log_lines();

		reap();
		if (lines < 0)
			return false;
		if (lines >= wanted)
			return true;
		if (has_ended(test.root, NULL)) {
			char *said = file_text("stderr");

			failed("%s: the program ended after %ld steps\n%.4000s", when, lines, said ? said : "");
			free(said);
			return false;
		}
		if (deadline_passed())
			return failed("%s: the log stays at %ld steps", when, lines);
		usleep(5000);
	}
}

static bool start(const char *const *arguments)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int log = open_in_directory("log", O_WRONLY | O_CREAT | O_APPEND);
	int errors = open_in_directory("stderr", O_WRONLY | O_CREAT | O_APPEND);
	struct launch what = {
		.arguments = arguments,
		.directory = test.directory,
		.standard = {null, log, errors},
		.new_session = true,
	};

	test.root = launch(&what);
	close(null);
	close(log);
	close(errors);
	return wait_for_lines(STEPS_BETWEEN, "before save");
}

static int run_tool(const char *const *arguments)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int errors = open_in_directory("tool.err", O_WRONLY | O_CREAT | O_TRUNC);
	struct launch what = { .arguments = arguments, .standard = {null, null, errors} };
	long peak;
	int code = run_to_end(&what, &peak);

	close(null);
	close(errors);
	return code;
}

/* The first line of the tool's messages that matches goes to test.obstacle. */
static bool tool_names(const char *pattern)
{
	char *said = file_text("tool.err"), *state = NULL;
	bool found = false;
	regex_t regex;

	if (!said || !*pattern || regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB)) {
		free(said);
		return false;
	}
	for (char *line = strtok_r(said, "\n", &state); line && !found; line = strtok_r(NULL, "\n", &state))
		if (!regexec(&regex, line, 0, NULL, 0)) {
			static const char prefix[] = "tinyckpt: save: ";

			found = true;
			if (!strncmp(line, prefix, strlen(prefix)))
				line += strlen(prefix);
			snprintf(test.obstacle, sizeof test.obstacle, "%s", line);
		}
	regfree(&regex);
	free(said);
	return found;
}

static bool tool_failed(const char *command, int code)
{
	char *said = file_text("tool.err");

	failed("%s exited with %d\n%.4000s", command, code, said ? said : "");
	free(said);
	return false;
}

/* KiB of memory that the tree shares with nobody: a process's own, or its share of what forks have left in common. */
static long private_now(const pid_t *tree, int count)
{
	long sum = 0;

	for (int i = 0; i < count; i++) {
		long own = 0, share = 0, kib;
		char line[256], path[64];
		FILE *file;

		snprintf(path, sizeof path, "/proc/%d/smaps_rollup", tree[i]);
		file = fopen(path, "re");
		while (file && fgets(line, sizeof line, file)) {
			if (sscanf(line, "Private_%*[^:]: %ld", &kib) == 1)
				own += kib;
			if (sscanf(line, "Pss_Anon: %ld", &kib) == 1)
				share = kib;
		}
		if (file)
			fclose(file);
		sum += own > share ? own : share;
	}
	return sum;
}

/* The most of some looks: a shell that is just starting a program shares nearly all with what is not counted. */
static long private_kib(const pid_t *tree, int count)
{
	enum { LOOKS = 5 };
	long most = 0;

	for (int i = 0; i < LOOKS; i++) {
		long now = private_now(tree, count);

		most = now > most ? now : most;
		usleep(7000);
	}
	return most;
}

/* An image is packed: at most so much of the private memory, and what it has beside any memory. */
static bool small_enough(long private)
{
	struct stat st;

	if (stat(test.image, &st))
		return failed("save left no image");
	test.part = (double)st.st_size / 1024 / (double)private;
	return st.st_size / 1024 <= private * 35 / 100 + 16 ||
	       failed("an image of %ld KiB for %ld KiB of private memory", (long)st.st_size / 1024, private);
}

static bool save(bool *refused)
{
	char pid[16];
	const char *arguments[] = {test.tool, "save", "-o", test.image, pid, NULL};
	int code = 3;

	snprintf(pid, sizeof pid, "%d", test.root);
	for (int try = 0; try < TRIES; try++) {
		code = run_tool(arguments);
		if (code != 3 || !tool_names(test.momentary))
			break;
		usleep(20000);
	}
	*refused = code == 3 && tool_names(test.refused);
	if (*refused && access(test.image, F_OK) == 0)
		return failed("save refused (%s) but left an image", test.obstacle);
	return code == 0 || *refused || tool_failed("save", code);
}

/* LINES: of the log when it is sure that nobody writes any more. */
static bool gone(const pid_t *tree, int count, long *lines)
{
	for (int i = 0; i < count; i++)
		for (int tries = 0; process_exists(tree[i]); tries++) {
			reap();
			if (tries > 1000)
				return failed("after save, process %d (of root %d) still exists", tree[i], test.root);
		}
	*lines = log_lines();
	usleep(200000);
	if (*lines >= 0 && log_lines() != *lines)
		return failed("after save, somebody still writes to the log");
	return *lines >= 0;
}

static bool restore(void)
{
	const char *arguments[] = {test.tool, "restore", "-d", test.image, NULL};
	int code;

	forget_endings();
	code = run_tool(arguments);
	if (code)
		return tool_failed("restore", code);
	return process_exists(test.root) || failed("after restore, process %d does not exist", test.root);
}

static bool play(const char *const *program, bool *refused)
{
	pid_t tree[MAX_TREE];
	char when[64];
	long lines = 0;

	if (!start(program))
		return false;
	if (!strcmp(test.tool, "none"))
		return wait_for_lines(5 * STEPS_BETWEEN, "alone");
	for (int cycle = 1; cycle <= CYCLES; cycle++) {
		/* Short-lived children come and go; the root and whoever else is there must be gone after the save. */
		int count = tree_list(test.root, tree);
		long private = private_kib(tree, count);

		if (!save(refused))
			return false;
		if (!*refused && !small_enough(private))
			return false;
		if (*refused)
			return (lines = log_lines()) >= 0 && wait_for_lines(lines + STEPS_BETWEEN, "after the refusal");
		if (!gone(tree, count, &lines) || !restore())
			return false;
		unlink(test.image);
		snprintf(when, sizeof when, "after restore %d", cycle);
		if (!wait_for_lines(lines + STEPS_BETWEEN, when))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	bool refused = false, good;

	if (argc < 7) {
		fprintf(stderr, "usage: witness TOOL DIRECTORY LABEL REFUSED MOMENTARY PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	test.tool = argv[1];
	test.directory = argv[2];
	test.label = argv[3];
	test.refused = argv[4];
	test.momentary = argv[5];
	snprintf(test.image, sizeof test.image, "%s/image.tck", test.directory);
	subreaper_init(SECONDS);
	good = play((const char *const *)argv + 6, &refused);
	kill_all_descendants();
	if (refused && good)
		printf("ok - %s: refused: %s\n", test.label, test.obstacle);
	else
		printf("%s - %s # the image is %.2f of the private memory\n", good ? "ok" : "not ok", test.label, test.part);
	for (char *line = strtok(test.failure, "\n"); line; line = strtok(NULL, "\n"))
		printf("# %s\n", line);
	return !good;
}
