// SPDX-License-Identifier: MIT
// Save and restore, timed side by side: tinyckpt against criu, in one run, interleaved, images on
// tmpfs. The figures inform; they never decide whether a test passes. See the script "run".
//
//   BENCH_SCRATCH=DIR BENCH_WORKLOAD=FILE bench [-n RUNS] [--json FILE] [ROW...]
#include <getopt.h>
#include <glob.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copylimit.h"
#include "launch.h"
#include "report.h"
#include "sizes.h"
#include "tools.h"

static const struct workload {
	const char *name, *title, *mode;
	long n;
	double target[STEPS];
} workloads[] = {
	{ "1mib", "1 MiB, one thread", "mem", 1, { 0.30, 0.30 } },
	{ "64mib", "64 MiB random", "mem", 64, { 0.60, 0.25 } },
	{ "512mib", "512 MiB random", "mem", 512, { 0.75, 0.20 } },
	{ "threads", "100 threads", "threads", 100, { 0.40, 0.40 } },
	{ "files", "1,000 open files", "files", 1000, { 0.30, 0.50 } },
	{ "tree", "tree of 50 x 1 MiB", "tree", 50, { 0.30, 0.30 } },
};

// The workload stands still while it is saved with --leave-running; its size is what matters.
static const long still_mib[] = { 1, 64, 512 };

static const char *scratch, *program;
static char out[512];
static int runs = 7;

static bool wanted(char **names, const char *name)
{
	for (char **at = names; *at; at++)
		if (!strcmp(*at, name))
			return true;
	return !*names;
}

static bool failed(int tool, const char *step, char *why, size_t size)
{
	char said[512];

	tool_complaint(tool, said, sizeof(said));
	snprintf(why, size, "%s: %.200s", step, said);
	return false;
}

// One save and one restore of a fresh workload. PEAK wants the memory in KiB instead of the time.
static bool save_and_restore(const struct workload *w, int tool, bool peak, int64_t took[STEPS],
			     struct row *row)
{
	pid_t pid = workload_start(program, w->mode, w->n, out);
	struct command command;
	char line[64], *why = row->failure[tool];
	size_t size = sizeof(row->failure[tool]), pages;

	if (pid < 0)
		return snprintf(why, size, "the workload did not start"), false;
	pages = w->n == 1 ? page_bytes(pid) : 0;
	image_remove(tool);
	command_save(&command, tool, pid, false);
	took[SAVE] = peak ? tool_peak_kib(command.argv, tool_log(), false) : tool_time(command.argv, tool_log());
	if (took[SAVE] < 0)
		return failed(tool, "save", why, size);
	for (int64_t end = now_ns() + 5000000000LL; !reaped(pid); usleep(500))
		if (now_ns() > end)
			return snprintf(why, size, "save: the workload is still there"), false;
	row->image[tool] = image_bytes(tool);
	row->pages = pages;
	command_restore(&command, tool);
	took[RESTORE] = peak ? tool_peak_kib(command.argv, tool_log(), tool == TINYCKPT) :
			      tool_time(command.argv, tool_log());
	if (took[RESTORE] < 0)
		return failed(tool, "restore", why, size);
	// A restore that only looks like one is not worth timing.
	if (!workload_ask(pid, out, line, sizeof(line)))
		return snprintf(why, size, "restore: the workload does not answer"), false;
	if (strcmp(line, "ok") != 0)
		return snprintf(why, size, "restore: the workload says: %s", line), false;
	return true;
}

static void copy_limits(const struct workload *w, struct row *row, const char *file, int run)
{
	int64_t out_ns, in_ns;

	if (!row->bytes) {
		pid_t pid = workload_start(program, w->mode, w->n, out);

		if (pid > 0)
			row->bytes = tree_bytes(pid);
		clear_away();
	}
	out_ns = copy_out_ns(row->bytes, file);
	in_ns = copy_in_ns(row->bytes, file);
	if (run < 0)
		return;
	row->copy[SAVE][run] = out_ns;
	row->copy[RESTORE][run] = in_ns;
}

static void measure(const struct workload *w, struct row *row)
{
	int64_t took[STEPS];
	char file[600];

	snprintf(file, sizeof(file), "%s/copy", scratch);
	row->name = w->name;
	row->title = w->title;
	for (int step = 0; step < STEPS; step++)
		row->target[step] = w->target[step];
	for (int run = -1; run < runs; run++) {
		// The run before the first is not counted: it warms caches, criu's features among them.
		for (int tool = 0; tool < TOOLS; tool++) {
			if (!tool_present(tool) || *row->failure[tool])
				continue;
			if (save_and_restore(w, tool, false, took, row) && run >= 0)
				for (int step = 0; step < STEPS; step++)
					row->time[tool][step][run] = took[step];
			clear_away();
		}
		copy_limits(w, row, file, run);
		progress("%s: %d of %d", w->title, run + 1, runs);
	}
	unlink(file);
	for (int tool = 0; tool < TOOLS; tool++) {
		if (tool_present(tool) && !*row->failure[tool] &&
		    save_and_restore(w, tool, true, took, row))
			for (int step = 0; step < STEPS; step++)
				row->peak_kib[tool][step] = took[step];
		clear_away();
		image_remove(tool);
	}
}

// The longest gap that a spinning thread sees: first undisturbed, then with a save.
static bool stand_still(long mib, int tool, struct still *still, int run)
{
	pid_t pid = workload_start(program, "spin", mib, out);
	struct command command;
	char line[64], *why = still->failure[tool];
	size_t size = sizeof(still->failure[tool]);

	if (pid < 0 || !workload_ask(pid, out, line, sizeof(line)))
		return snprintf(why, size, "the workload did not start"), false;
	usleep(50000);
	if (!workload_ask(pid, out, line, sizeof(line)))
		return false;
	still->quiet[run] = atoll(line);
	image_remove(tool);
	command_save(&command, tool, pid, true);
	if (tool_time(command.argv, tool_log()) < 0)
		return failed(tool, "save", why, size);
	if (!workload_ask(pid, out, line, sizeof(line)))
		return snprintf(why, size, "save: the workload does not answer"), false;
	still->gap[tool][run] = atoll(line);
	return true;
}

static void measure_still(long mib, struct still *still)
{
	still->mib = mib;
	for (int run = 0; run < runs; run++) {
		for (int tool = 0; tool < TOOLS; tool++) {
			if (tool_present(tool) && !*still->failure[tool])
				stand_still(mib, tool, still, run);
			clear_away();
			image_remove(tool);
		}
		progress("stand-still with %ld MiB: %d of %d", mib, run + 1, runs);
	}
}

static void measure_sizes(struct report *report, const char *build)
{
	static const struct {
		const char *pattern;
		int limit_kib;
	} limits[] = { { "full/tinyckpt", 400 }, { "minimal/tinyckpt", 128 }, { "*/*.bin", 4 } };

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		char pattern[600];
		glob_t found;

		snprintf(pattern, sizeof(pattern), "%s/%s", build, limits[i].pattern);
		if (glob(pattern, 0, NULL, &found))
			continue;
		for (size_t k = 0; k < found.gl_pathc && report->n_sizes < MAX_SIZES; k++) {
			struct size *size = &report->sizes[report->n_sizes++];

			snprintf(size->name, sizeof(size->name), "%s", found.gl_pathv[k] + strlen(build) + 1);
			size->bytes = file_bytes(found.gl_pathv[k]);
			size->limit_kib = limits[i].limit_kib;
		}
		globfree(&found);
	}
}

static void stop(int signal)
{
	clear_away();
	_exit(128 + signal);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "json", required_argument, NULL, 'j' }, { 0 } };
	static struct report report;
	const char *json = NULL;
	char files[600];
	int c;

	while ((c = getopt_long(argc, argv, "n:", options, NULL)) != -1) {
		if (c == 'n')
			runs = atoi(optarg);
		else if (c == 'j')
			json = optarg;
		else
			return 2;
	}
	program = getenv("BENCH_WORKLOAD");
	scratch = getenv("BENCH_SCRATCH");
	if (!program || !scratch || runs < 1 || runs > MAX_RUNS) {
		fprintf(stderr, "usage: bench [-n 1..%d] [--json FILE] [ROW...]\n", MAX_RUNS);
		return 2;
	}
	launch_setup();
	tools_setup(scratch);
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	snprintf(out, sizeof(out), "%s/out", scratch);
	snprintf(files, sizeof(files), "%s/files", scratch);
	mkdir(files, 0700);
	setenv("BENCH_FILES", files, 1);

	report.runs = runs;
	for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); i++)
		if (wanted(argv + optind, workloads[i].name))
			measure(&workloads[i], &report.rows[report.n_rows++]);
	for (size_t i = 0; wanted(argv + optind, "still") && i < sizeof(still_mib) / sizeof(*still_mib); i++)
		measure_still(still_mib[i], &report.stills[report.n_stills++]);
	if (getenv("BENCH_BUILD") && wanted(argv + optind, "sizes"))
		measure_sizes(&report, getenv("BENCH_BUILD"));
	progress(NULL);
	report_print(&report);
	if (json && !report_json(&report, json))
		perror(json);
	return 0;
}
