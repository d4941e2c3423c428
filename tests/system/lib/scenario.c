/* SPDX-License-Identifier: MIT */
/*
 * Plays one scenario with one test program. Its TAP line, and what a failure needs to be understood as comment lines below
 * it, go to WORK/NUMBER.tap; then NUMBER itself is printed, so that a reader of several at once knows what is complete.
 *
 *     TINYCKPT=TOOL scenario WORK NUMBER MODE LABEL PROGRAM [ARGUMENT]
 *
 * none          no save and no restore at all: the program alone must pass
 * break         as none, with BREAK=1: the program must fail
 * once          save, the tree is gone, restore -d, the same seen from outside, pass
 * cycles        the same five times in a row, or as often as CYCLES in the environment says
 * away          once, with a while between save and restore; the program finds DIR/freeze
 * advance       the same, with restore --clock=advance and DIR/advance
 * foreign       the same twice as often as that, each image being made one of another kernel, with another vDSO: two of them in
 *               turn; what is mapped must not grow.  With DIR/stays-away restore must exit with 4 and say what DIR/expect has;
 *               with DIR/takes-time that may come after the first restore
 * small         once, and the memory of the tool, and of the image in the page cache, are told: at most PEAK_KIB and CACHE_KIB, if
 *               the environment has those
 * update        save --embed; files are replaced (update.h): an image without them is refused, the other restores, as often;
 *               then the old ones are back, and mapped again
 * leave         check finds nothing; save --leave-running; not the least thing has changed
 * foreground    restore without -d is the tree's parent and ends with its exit status
 * inherit       standard streams are pipes; save --inherit-stdio, restore gives its own
 * meanwhile     between save and restore the program is run once more, with MEANWHILE=1, to change the world; where it then
 *               leaves DIR/stays-away, verify and restore must exit with 4 and say what DIR/expect has; then it is run
 *               with MEANWHILE=2, to see that nothing else has changed
 * refuse        save exits with 3, says why, and has not touched anything; check says the same, unless this kernel does not
 *               let it see that
 * refuse-stdio  the same, standard output being a pipe to this process
 */
#define _GNU_SOURCE
#include "scenario.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct scenario test;

const char *in_directory(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", test.directory, name);
	return path;
}

bool file_exists(const char *name)
{
	return access(in_directory(name), F_OK) == 0;
}

char *file_text(const char *name, char *text, size_t size)
{
	int fd = open(in_directory(name), O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[length > 0 ? length : 0] = '\0';
	return text;
}

/* The first line with these words in it. */
static bool find_line(const char *name, const char *words, char *line, size_t size)
{
	FILE *file = fopen(in_directory(name), "re");
	bool found = false;

	while (file && !found && fgets(line, size, file))
		found = strstr(line, words) != NULL;
	if (file)
		fclose(file);
	line[found ? strcspn(line, "\n") : 0] = '\0';
	return found;
}

/* Always false, so that "return failed(...)" reads well; the first failure is kept and later ones are added. */
bool failed(const char *format, ...)
{
	size_t length = strlen(test.failure);
	va_list arguments;

	va_start(arguments, format);
	if (length)
		length += snprintf(test.failure + length, sizeof test.failure - length, "\n");
	if (length < sizeof test.failure)
		vsnprintf(test.failure + length, sizeof test.failure - length, format, arguments);
	va_end(arguments);
	return false;
}

int open_output(const char *name)
{
	return open(in_directory(name), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
}

static void print_comment(FILE *out, const char *title, const char *name)
{
	char text[16384];
	char *state = NULL;

	file_text(name, text, sizeof text);
	for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		fprintf(out, "# %s%s\n", title, line);
}

/* The workload */

bool start_program(int standard_input, int standard_output, int standard_error)
{
	const char *arguments[] = {test.program, test.directory, test.argument, NULL};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), log = open_output("log");
	struct launch what = {
		.arguments = arguments,
		.directory = test.directory,
		.standard = {
			standard_input >= 0 ? standard_input : null,
			standard_output >= 0 ? standard_output : log,
			/* A regular file is no stream from outside. */
			standard_error >= 0 ? standard_error : log,
		},
		.new_session = true,
	};

	test.root = launch(&what);
	close(null);
	close(log);
	while (!file_exists("ready") && !file_exists("result")) {
		reap();
		if (has_ended(test.root, NULL) && !file_exists("result"))
			return failed("the program ended before it was ready");
		if (deadline_passed())
			return failed("the program was not ready in time");
	}
	return true;
}

const char *skip_reason(void)
{
	static char text[2048];

	file_text("result", text, sizeof text);
	return strncmp(text, "skip: ", 6) ? NULL : text + 6;
}

/* Opens the gate; true when the program says pass and exits with 0. */
bool finish_program(const char *when)
{
	char text[2048];
	int status;

	close(open(in_directory("go"), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	while (!has_ended(test.root, &status)) {
		await_ending();
		if (deadline_passed())
			return failed("%s: the program did not finish in time", when);
	}
	if (strcmp(file_text("result", text, sizeof text), "pass"))
		return failed("%s: %s (status 0x%x)", when, *text ? text : "the program left no result", status);
	if (status)
		return failed("%s: the program passed but ended with status 0x%x", when, status);
	return true;
}

void take_fingerprint(const char *name, bool exact)
{
	FILE *out = fopen(in_directory(name), "we");

	if (!out)
		return;
	fingerprint(out, test.root, exact);
	fclose(out);
}

static bool same_files(const char *one, const char *other)
{
	FILE *a = fopen(in_directory(one), "re"), *b = fopen(in_directory(other), "re");
	int c = 0;

	while (a && b && (c = getc(a)) == getc(b) && c != EOF)
		;
	bool same = a && b && c == EOF && feof(b);

	if (a)
		fclose(a);
	if (b)
		fclose(b);
	return same;
}

/* Threads that were let go need a moment to be back in their calls (sigsuspend shows another mask until then). */
bool looks_as_before(const char *when, bool exact)
{
	static const char differ[] = "diff -U0 before after | sed '1,2d;/^@@/d' >difference";
	char command[2 * PATH_MAX];

	for (int tries = 0; tries < 5; tries++) {
		take_fingerprint("after", exact);
		if (same_files("before", "after"))
			return true;
		for (int i = 0; i < 5; i++)
			reap();
	}
	snprintf(command, sizeof command, "cd '%s' && %s", test.directory, differ);
	test.show_difference = system(command) == 0;
	return failed("%s: seen from outside, the tree differs", when);
}

/* The tool */

int run_tool_on(int standard_input, int standard_output, const char *const *arguments)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), out = open_output("tool.out"), err = open_output("tool.err");
	struct launch what = {
		.arguments = arguments,
		.standard = {standard_input >= 0 ? standard_input : null, standard_output >= 0 ? standard_output : out, err},
	};
	long peak = 0;
	int code = run_to_end(&what, &peak);

	if (peak > test.peak)
		test.peak = peak;

	close(null);
	close(out);
	close(err);
	return code;
}

int run_tool(const char *command, const char *option, const char *operand)
{
	const char *arguments[10];
	char rules[PATH_MAX];
	int count = 0;

	arguments[count++] = test.tool;
	arguments[count++] = command;
	if (option)
		arguments[count++] = option;
	if (strcmp(command, "save") == 0) {
		arguments[count++] = "-o";
		arguments[count++] = test.image;
	}
	if (strcmp(command, "restore") && strcmp(command, "verify") && file_exists("rules")) {
		arguments[count++] = "--rules";
		arguments[count++] = strcpy(rules, in_directory("rules"));
	}
	arguments[count++] = operand;
	arguments[count] = NULL;
	return run_tool_on(-1, -1, arguments);
}

const char *root_text(void)
{
	static char text[16];

	snprintf(text, sizeof text, "%d", test.root);
	return text;
}

bool tree_is_gone(void)
{
	for (int i = 0; i < test.tree_size; i++)
		for (int tries = 0; process_exists(test.tree[i]); tries++) {
			reap();
			if (tries > 1000)
				return failed("after save, process %d (of root %d) still exists", test.tree[i], test.root);
		}
	return true;
}

/* A run that has done what it was to do has nothing to tell but warnings. */
static bool complains(const char *command)
{
	char said[16384], *state = NULL;

	file_text("tool.err", said, sizeof said);
	for (char *line = strtok_r(said, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		if (!strstr(line, ": warning: "))
			return failed("%s succeeds, and says \"%s\"", command, line), true;
	return false;
}

bool save_tree(const char *option)
{
	test.tree_size = tree_list(test.root, test.tree);
	int code = run_tool("save", option, root_text());

	if (code == 0)
		return !complains("save");
	if (code == 3 && file_exists("may-be-refused")) {
		char words[1024];

		/* It says what is lacking, and the program then finds itself as it was. */
		if (!find_line("tool.err", file_text("may-be-refused", words, sizeof words), test.refusal, sizeof test.refusal))
			return failed("refused, but not with \"%s\"", words);
		finish_program("after the refusal");
		return false;
	}
	failed("save exited with %d", code);
	finish_program("after the failed save");
	return false;
}

bool restored_tree_exists(int code)
{
	if (code != 0) {
		int strays = kill_all_descendants();

		return failed("restore exited with %d%s", code, strays ? ", and left processes behind" : "");
	}
	if (!process_exists(test.root))
		return failed("restore succeeded but process %d does not exist", test.root);
	return !complains("restore");
}

bool save_and_restore(void)
{
	if (!save_tree(NULL) || !tree_is_gone())
		return false;
	test.cached = cached_kib(test.image);
	forget_endings();
	return restored_tree_exists(run_tool("restore", "-d", test.image));
}

/* The modes */

static void report(FILE *out, bool passed)
{
	const char *skipped = passed ? skip_reason() : NULL;
	char *state = NULL;

	if (*test.refusal && !*test.failure) {
		passed = true;
		skipped = test.refusal;
	}
	fprintf(out, "%s %s - %s%s%s\n", passed ? "ok" : "not ok", test.number, test.label, skipped ? " # SKIP " : "",
		skipped ? skipped : "");
	if (test.show_memory)
		fprintf(out, "# the tool had %ld KiB of memory, the image %ld KiB of page cache\n", test.peak, test.cached);
	if (passed)
		return;
	for (char *line = strtok_r(test.failure, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		fprintf(out, "# %s\n", line);
	if (test.show_difference)
		print_comment(out, "  ", "difference");
	print_comment(out, "tool: ", "save.err");
	print_comment(out, "tool: ", "tool.err");
	print_comment(out, "log: ", "log");
}

int main(int argc, char **argv)
{
	char directory[PATH_MAX];

	if (argc < 6 || !getenv("TINYCKPT")) {
		fprintf(stderr, "usage: TINYCKPT=TOOL %s WORK NUMBER MODE LABEL PROGRAM [ARGUMENT]\n", argv[0]);
		return 2;
	}
	test.tool = getenv("TINYCKPT");
	test.number = argv[2];
	test.mode = argv[3];
	test.label = argv[4];
	test.program = argv[5];
	test.argument = argc > 6 && *argv[6] ? argv[6] : NULL;
	snprintf(directory, sizeof directory, "%s/%s", argv[1], test.number);
	test.directory = directory;
	umask(022);
	mkdir(directory, 0777);
	chmod(directory, 0777);
	/* a folder of its own for the image: DIR is everybody's, for programs that are no longer root */
	snprintf(test.image, sizeof test.image, "%s/image", directory);
	mkdir(test.image, 0700);
	strcat(test.image, "/img");
	setenv("BREAK", strcmp(test.mode, "break") ? "0" : "1", 1);
	const char *seconds = getenv("SECONDS_PER_TEST");

	subreaper_init(seconds ? atoi(seconds) : SECONDS_PER_TEST);
	bool passed = play();

	kill_all_descendants();
	/* Images are large, and of no use once they came back. */
	if (passed)
		unlink(test.image);
	char output[PATH_MAX + 8];

	snprintf(output, sizeof output, "%s.tap", directory);
	FILE *out = fopen(output, "we");

	if (out) {
		report(out, passed);
		fclose(out);
	}
	printf("%s\n", test.number);
	return 0;
}
