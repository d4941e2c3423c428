/* SPDX-License-Identifier: MIT */
/* The modes of a scenario, as the head of scenario.c tells them. */
#define _GNU_SOURCE
#include "../../input/image.h"
#include "scenario.h"
#include "update.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { AWAY_MS = 1500 };

/* How often a workload comes back in the modes that do it over and over. */
static int cycles(void)
{
	const char *wanted = getenv("CYCLES");

	return wanted && atoi(wanted) > 1 ? atoi(wanted) : 5;
}

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

static bool play_many_cycles(void)
{
	return play_cycles(cycles());
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

/* To flash that takes a mebibyte in a second. */
static bool play_slow(void)
{
	if (!save_tree("--rate=1M") || !tree_is_gone())
		return false;
	forget_endings();
	return restored_tree_exists(run_tool("restore", "-d", test.image)) && finish_program("after restore");
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

static bool restore_is_refused(int code)
{
	if (code != 4)
		failed("restore should exit with 4 but exited with %d", code);
	says_what_is_expected("restore");
	if (process_exists(test.root))
		failed("process %d is there all the same", test.root);
	return !test.failure[0];
}

/*
 * In the records of mappings, the checksums of the kernel's own are those of another's, and the other way round: what was this
 * kernel's is the other one's, as if the board went from the one to the other and back all the time.
 */
static bool make_foreign(void)
{
	enum { RECORD_VMA = 12, VMA_CRC = 19, OTHER = 0x5a5a5a };
	static struct image image;
	unsigned changed = 0;

	if (!image_read(&image, test.image))
		return failed("the image cannot be taken apart");
	for (unsigned k = 0; k < image.frames; k++) {
		struct field field;

		for (unsigned j = 0; image.frame[k].type == RECORD_VMA && message_field(&image.frame[k].message, j, &field); j++)
			if (field.number == VMA_CRC) {
				message_set(&image.frame[k].message, &field, field.value ^ OTHER);
				changed++;
				break;
			}
	}
	return changed ? image_write(&image, test.image) || failed("the image cannot be written")
		       : failed("the image has no vDSO");
}

static unsigned long mapped_kib(pid_t pid)
{
	char path[32], line[PATH_MAX + 128];
	unsigned long start, end, sum = 0;
	FILE *maps;

	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof line, maps))
		if (sscanf(line, "%lx-%lx", &start, &end) == 2)
			sum += (end - start) / 1024;
	if (maps)
		fclose(maps);
	return sum;
}

/* Once both kernels were there, nothing more is to be kept of either. */
static bool play_foreign(void)
{
	const int wanted = 2 * cycles();
	unsigned long most = 0;

	for (int i = 0; i < wanted; i++) {
		if (!save_tree(NULL) || !tree_is_gone() || !make_foreign())
			return *test.refusal ? false : failed("in cycle %d of %d", i + 1, wanted);
		forget_endings();
		bool away = file_exists("stays-away");
		int code = run_tool("restore", "-d", test.image);

		if (away)
			return restore_is_refused(code);
		if (!restored_tree_exists(code))
			return failed("in cycle %d of %d", i + 1, wanted);
		unsigned long mapped = mapped_kib(test.root);

		if (i > 1 && mapped > most)
			return failed("%lu KiB are mapped, and were %lu, in cycle %d of %d", mapped, most, i + 1, wanted);
		most = i > 1 || mapped < most ? most : mapped;
		/* then it has more to do before it is saved the next time */
		for (int naps = 0; naps < 10000 && file_exists("takes-time") && !file_exists("stays-away"); naps++)
			usleep(1000);
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

	if (!file_exists("image/img"))
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
	restore_is_refused(code);
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
	if (file_exists("image/img"))
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
	char without[PATH_MAX + 32];

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
	for (int i = 1; i < cycles(); i++)
		if (!save_and_restore() || !are_mapped(true, "in a later cycle"))
			return failed("in cycle %d of %d", i + 1, cycles());
	if (!update_undo(test.directory) || !save_and_restore() || !are_mapped(false, "after the rollback"))
		return failed("the rollback");
	return finish_program("after the rollback");
}

bool play(void)
{
	static const struct {
		const char *name;
		bool (*play)(void);
	} modes[] = {
		{"none", play_none}, {"break", play_break}, {"once", play_once}, {"cycles", play_many_cycles}, {"small", play_small},
		{"foreign", play_foreign},
		{"away", play_away}, {"advance", play_advance}, {"slow", play_slow},
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
