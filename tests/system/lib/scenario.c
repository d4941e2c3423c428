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
 * cycles        the same five times in a row
 * away          once, with a while between save and restore; the program finds DIR/freeze
 * advance       the same, with restore --clock=advance and DIR/advance
 * foreign       the same five times, each image being made one of a kernel with another vDSO
 * small         once, and the memory of the tool, and of the image in the page cache, are told: at most PEAK_KIB and CACHE_KIB, if
 *               the environment has those
 * update        save --embed; files are replaced (update.h): an image without them is refused, the other restores, five times;
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
#include "../../input/image.h"
#include "fingerprint.h"
#include "subreaper.h"
#include "update.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CYCLES = 5, AWAY_MS = 1500, SECONDS_PER_TEST = 20 /* unless the environment says otherwise */ };

static struct {
	const char *mode, *tool, *directory, *number, *label, *program, *argument;
	char image[PATH_MAX + 8];
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

static const char *in_directory(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", test.directory, name);
	return path;
}

static bool file_exists(const char *name)
{
	return access(in_directory(name), F_OK) == 0;
}

static char *file_text(const char *name, char *text, size_t size)
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
static bool failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool failed(const char *format, ...)
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

static int open_output(const char *name)
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

static bool start_program(int standard_input, int standard_output, int standard_error)
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

static const char *skip_reason(void)
{
	static char text[2048];

	file_text("result", text, sizeof text);
	return strncmp(text, "skip: ", 6) ? NULL : text + 6;
}

/* Opens the gate; true when the program says pass and exits with 0. */
static bool finish_program(const char *when)
{
	char text[2048];
	int status;

	close(open(in_directory("go"), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	while (!has_ended(test.root, &status)) {
		reap();
		if (deadline_passed())
			return failed("%s: the program did not finish in time", when);
	}
	if (strcmp(file_text("result", text, sizeof text), "pass"))
		return failed("%s: %s (status 0x%x)", when, *text ? text : "the program left no result", status);
	if (status)
		return failed("%s: the program passed but ended with status 0x%x", when, status);
	return true;
}

static void take_fingerprint(const char *name, bool exact)
{
	FILE *out = fopen(in_directory(name), "we");

	if (!out)
		return;
	fingerprint(out, test.root, exact);
	fclose(out);
}

/* Threads that were let go need a moment to be back in their calls (sigsuspend shows another mask until then). */
static bool looks_as_before(const char *when, bool exact)
{
	char command[3 * PATH_MAX];

	snprintf(command, sizeof command,
		 "cd '%s' && cmp -s before after || { diff -U0 before after | sed '1,2d;/^@@/d' >difference; false; }",
		 test.directory);
	for (int tries = 0; tries < 5; tries++) {
		take_fingerprint("after", exact);
		if (system(command) == 0)
			return true;
		for (int i = 0; i < 5; i++)
			reap();
	}
	test.show_difference = true;
	return failed("%s: seen from outside, the tree differs", when);
}

/* The tool */

static int run_tool_on(int standard_input, int standard_output, const char *const *arguments)
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

static int run_tool(const char *command, const char *option, const char *operand)
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

static const char *root_text(void)
{
	static char text[16];

	snprintf(text, sizeof text, "%d", test.root);
	return text;
}

static bool tree_is_gone(void)
{
	for (int i = 0; i < test.tree_size; i++)
		for (int tries = 0; process_exists(test.tree[i]); tries++) {
			reap();
			if (tries > 1000)
				return failed("after save, process %d (of root %d) still exists", test.tree[i], test.root);
		}
	return true;
}

static bool save_tree(const char *option)
{
	test.tree_size = tree_list(test.root, test.tree);
	int code = run_tool("save", option, root_text());

	if (code == 0)
		return true;
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

static bool restored_tree_exists(int code)
{
	if (code != 0) {
		int strays = kill_all_descendants();

		return failed("restore exited with %d%s", code, strays ? ", and left processes behind" : "");
	}
	if (!process_exists(test.root))
		return failed("restore succeeded but process %d does not exist", test.root);
	return true;
}

static bool save_and_restore(void)
{
	if (!save_tree(NULL) || !tree_is_gone())
		return false;
	test.cached = cached_kib(test.image);
	forget_endings();
	return restored_tree_exists(run_tool("restore", "-d", test.image));
}

/* The modes */

static bool play_none(void)
{
	return finish_program("alone");
}

static bool play_break(void)
{
	char text[2048];

	finish_program("broken");
	test.failure[0] = '\0';
	if (strncmp(file_text("result", text, sizeof text), "fail: ", 6))
		return failed("broken on purpose, the program should fail, but says: %s", text);
	return true;
}

static bool play_cycles(int cycles)
{
	take_fingerprint("before", false);
	for (int i = 0; i < cycles; i++)
		if (!save_and_restore())
			return *test.refusal ? false : failed("in cycle %d of %d", i + 1, cycles);
	bool same = looks_as_before("after restore", false);

	return finish_program("after restore") && same;
}

static bool play_once(void)
{
	return play_cycles(1);
}

static bool play_small(void)
{
	const char *limit = getenv("PEAK_KIB"), *cache_limit = getenv("CACHE_KIB");
	long before = killed_for_memory();
	bool good = play_cycles(1);

	test.show_memory = true;
	if (killed_for_memory() != before)
		good = failed("the kernel has killed processes for their memory");
	if (limit && test.peak > atol(limit))
		good = failed("the tool had %ld KiB of memory, and may have %s", test.peak, limit);
	if (cache_limit && test.cached > atol(cache_limit))
		good = failed("the image had %ld KiB of page cache, and may have %s", test.cached, cache_limit);
	return good;
}

static bool play_five_cycles(void)
{
	return play_cycles(CYCLES);
}

static bool play_while_away(const char *clock)
{
	const struct timespec away = {AWAY_MS / 1000, AWAY_MS % 1000 * 1000000L};
	char option[32];

	snprintf(option, sizeof option, "--clock=%s", clock);
	const char *arguments[] = {test.tool, "restore", "-d", option, test.image, NULL};

	close(open(in_directory(clock), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	if (!save_tree(NULL) || !tree_is_gone())
		return false;
	forget_endings();
	nanosleep(&away, NULL);
	return restored_tree_exists(run_tool_on(-1, -1, arguments)) && finish_program("after restore");
}

static bool play_away(void)
{
	return play_while_away("freeze");
}

static bool play_advance(void)
{
	return play_while_away("advance");
}

/* The checksums of the kernel's own mappings, in the records of mappings, are those of another's. */
static bool make_foreign(void)
{
	enum { RECORD_VMA = 12, VMA_CRC = 19 };
	static struct image image;
	unsigned changed = 0;

	if (!image_read(&image, test.image))
		return failed("the image cannot be taken apart");
	for (unsigned k = 0; k < image.frames; k++) {
		struct field field;

		for (unsigned j = 0; image.frame[k].type == RECORD_VMA && message_field(&image.frame[k].message, j, &field); j++)
			if (field.number == VMA_CRC) {
				message_set(&image.frame[k].message, &field, (field.value ^ 0x5a5a5a) | 1);
				changed++;
				break;
			}
	}
	return changed ? image_write(&image, test.image) || failed("the image cannot be written")
		       : failed("the image has no vDSO");
}

static bool play_foreign(void)
{
	for (int i = 0; i < CYCLES; i++) {
		if (!save_tree(NULL) || !tree_is_gone() || !make_foreign())
			return *test.refusal ? false : failed("in cycle %d of %d", i + 1, CYCLES);
		forget_endings();
		if (!restored_tree_exists(run_tool("restore", "-d", test.image)))
			return failed("in cycle %d of %d", i + 1, CYCLES);
	}
	return finish_program("after restore");
}

static bool play_leave(void)
{
	take_fingerprint("before", true);
	int verdict = run_tool("check", NULL, root_text());

	if (!save_tree("--leave-running"))
		return false;
	if (verdict != 0)
		failed("save succeeds, but check exits with %d", verdict);
	bool same = looks_as_before("after save --leave-running", true);

	if (!file_exists("img"))
		return failed("save --leave-running made no image");
	return finish_program("after save --leave-running") && same && verdict == 0;
}

static bool play_foreground(void)
{
	if (!save_tree(NULL) || !tree_is_gone())
		return false;
	forget_endings();
	/* The gate opens first: restore stays until the program has ended. */
	close(open(in_directory("go"), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	int code = run_tool("restore", NULL, test.image);
	char text[2048];

	if (code != 7)
		return failed("the program exits with 7, restore in the foreground with %d", code);
	if (process_exists(test.root))
		return failed("restore has ended, process %d has not", test.root);
	file_text("result", text, sizeof text);
	return strcmp(text, "pass") == 0 || failed("after restore: %s", text);
}

static bool pipe_holds(int fd, const char *text)
{
	char got[4096];
	ssize_t length = read(fd, got, sizeof got - 1);

	got[length > 0 ? length : 0] = '\0';
	return strstr(got, text) || failed("expected \"%s\" in the pipe, found \"%s\"", text, got);
}

/* The program writes "before" at once; after restore it reads "input" and writes "after" and, to stderr, "aftererr". */
static bool play_inherit(int standard_output)
{
	int input[2], output[2];
	char text[4096];

	if (pipe2(input, O_CLOEXEC) || pipe2(output, O_CLOEXEC | O_NONBLOCK) || !pipe_holds(standard_output, "before"))
		return failed("inherit: set-up");
	if (!save_tree("--inherit-stdio") || !tree_is_gone())
		return false;
	forget_endings();
	const char *arguments[] = {test.tool, "restore", "-d", test.image, NULL};

	fcntl(output[1], F_SETFL, 0);
	if (write(input[1], "input\n", 6) != 6 ||
	    !restored_tree_exists(run_tool_on(input[0], output[1], arguments)) || !finish_program("after restore"))
		return false;
	if (!pipe_holds(output[0], "after"))
		return false;
	return strstr(file_text("tool.err", text, sizeof text), "aftererr") ||
	       failed("standard error of the program is not that of restore");
}

/* Every line of DIR/expect must occur within the tool's words, on whichever stream. */
static bool says_what_is_expected(const char *when)
{
	char expected[4096], said[2 * 16384];
	char *state = NULL;
	bool all = true;

	file_text("tool.out", said, sizeof said / 2);
	file_text("tool.err", said + strlen(said), sizeof said / 2);
	file_text("expect", expected, sizeof expected);
	for (char *line = strtok_r(expected, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		if (!strstr(said, line))
			all = failed("%s does not say \"%s\"", when, line);
	return all;
}

static bool run_meanwhile(const char *which)
{
	const char *arguments[] = {test.program, test.directory, test.argument, NULL};
	char text[2048];

	setenv("MEANWHILE", which, 1);
	int code = run_tool_on(-1, -1, arguments);
	unsetenv("MEANWHILE");
	return code == 0 || failed("run with MEANWHILE=%s, the program says %s", which, file_text("result", text, sizeof text));
}

static bool play_meanwhile(void)
{
	if (!save_tree(NULL) || !tree_is_gone() || !run_meanwhile("1"))
		return false;
	forget_endings();
	int verdict = run_tool("verify", NULL, test.image);
	bool away = file_exists("stays-away");

	if (away)
		says_what_is_expected("verify");
	int code = run_tool("restore", "-d", test.image);

	if (verdict != (away ? 4 : 0))
		failed("verify exited with %d", verdict);
	if (!away)
		return restored_tree_exists(code) && finish_program("after restore") && !test.failure[0];
	if (code != 4)
		failed("restore should exit with 4 but exited with %d", code);
	says_what_is_expected("restore");
	if (process_exists(test.root))
		failed("process %d is there all the same", test.root);
	return run_meanwhile("2") && !test.failure[0];
}

static bool play_refuse(void)
{
	take_fingerprint("before", true);
	int code = run_tool("save", NULL, root_text());
	bool good = code == 3 || failed("save should refuse with 3 but exited with %d", code);

	if (code == 0)
		return false;
	good = says_what_is_expected("save") && good;
	if (file_exists("img"))
		good = failed("the refusal left an image behind");
	/* Room for check's own words; both are shown when something fails. */
	char saved_name[PATH_MAX];

	snprintf(saved_name, sizeof saved_name, "%s/save.err", test.directory);
	rename(in_directory("tool.err"), saved_name);
	code = run_tool("check", NULL, root_text());
	if (!file_exists("check-is-blind")) {
		good = (code == 3 || failed("check should exit with 3 but exited with %d", code)) && good;
		good = says_what_is_expected("check") && good;
	}
	good = looks_as_before("after the refusal", true) && good;
	return finish_program("after the refusal") && good;
}

/* An image without the files must be of no use now, and say so before it has made anything. */
static bool is_refused(const char *image)
{
	bool good = run_tool("verify", NULL, image) == 4 || failed("verify takes an image without the files");

	good = says_what_is_expected("verify") && good;
	good = (run_tool("restore", "-d", image) == 4 || failed("restore takes an image without the files")) && good;
	return (!process_exists(test.root) && !kill_all_descendants() && good) || failed("or has left processes behind");
}

static bool are_mapped(bool stand_ins, const char *when)
{
	char text[512];

	test.tree_size = tree_list(test.root, test.tree);
	return update_mapped(test.directory, test.tree, test.tree_size, stand_ins, text, sizeof text) || failed("%s: %s", when, text);
}

static bool lacks_embed(void)
{
	char help[16384];

	run_tool("save", "--help", NULL);
	return !strstr(file_text("tool.out", help, sizeof help), "--embed");
}

static bool play_update(void)
{
	char without[PATH_MAX + 16];

	if (lacks_embed()) {
		dprintf(open_output("result"), "skip: this tinyckpt was built without CONFIG_EMBED");
		return true;
	}
	snprintf(without, sizeof without, "%s.without", test.image);
	if (!are_mapped(false, "before") || !save_tree("--leave-running") || rename(test.image, without) ||
	    !save_tree("--embed") || !tree_is_gone() || !update_apply(test.directory))
		return failed("the images with and without the files");
	forget_endings();
	if (!is_refused(without))
		return false;
	unlink(without);
	forget_endings();
	if (run_tool("verify", NULL, test.image) || !restored_tree_exists(run_tool("restore", "-d", test.image)) ||
	    !are_mapped(true, "after the update"))
		return failed("the image with the files");
	for (int i = 1; i < CYCLES; i++)
		if (!save_and_restore() || !are_mapped(true, "in a later cycle"))
			return failed("in cycle %d of %d", i + 1, CYCLES);
	if (!update_undo(test.directory) || !save_and_restore() || !are_mapped(false, "after the rollback"))
		return failed("the rollback");
	return finish_program("after the rollback");
}

static bool play(void)
{
	static const struct {
		const char *name;
		bool (*play)(void);
	} modes[] = {
		{"none", play_none}, {"break", play_break}, {"once", play_once}, {"cycles", play_five_cycles}, {"small", play_small},
		{"foreign", play_foreign},
		{"away", play_away}, {"advance", play_advance},
		{"leave", play_leave}, {"foreground", play_foreground}, {"meanwhile", play_meanwhile}, {"refuse", play_refuse},
		{"refuse-stdio", play_refuse}, {"update", play_update},
	};
	int input[2] = {-1, -1}, output[2] = {-1, -1}, errors[2] = {-1, -1};
	bool inherit = strcmp(test.mode, "inherit") == 0;

	if ((inherit && (pipe2(input, O_CLOEXEC) || pipe2(errors, O_CLOEXEC))) ||
	    ((inherit || strcmp(test.mode, "refuse-stdio") == 0) && pipe2(output, O_CLOEXEC)))
		return failed("pipe: set-up");
	if (!start_program(input[0], output[1], errors[1]))
		return false;
	if (skip_reason())
		return true;
	if (file_exists("result"))
		return finish_program("in its set-up");
	if (inherit)
		return play_inherit(output[0]);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (strcmp(modes[i].name, test.mode) == 0)
			return modes[i].play();
	return failed("no mode is called %s", test.mode);
}

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
	snprintf(test.image, sizeof test.image, "%s/img", directory);
	umask(022);
	mkdir(directory, 0777);
	chmod(directory, 0777);
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
