// SPDX-License-Identifier: MIT
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const step_names[STEPS] = { "save", "restore" };

enum { PEAK_LIMIT_KIB = 1024, OVERHEAD_LIMIT_KIB = 16 };

void progress(const char *format, ...)
{
	va_list values;

	if (!isatty(STDERR_FILENO))
		return;
	fputs("\r\033[K", stderr);
	if (!format)
		return;
	va_start(values, format);
	vfprintf(stderr, format, values);
	va_end(values);
	fflush(stderr);
}

static int ascending(const void *a, const void *b)
{
	int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;

	return (first > second) - (first < second);
}

// In milliseconds.
static double median(const int64_t *ns, int n)
{
	int64_t sorted[MAX_RUNS];

	memcpy(sorted, ns, (size_t)n * sizeof(*ns));
	qsort(sorted, (size_t)n, sizeof(*sorted), ascending);
	return (double)(sorted[n / 2] + sorted[(n - 1) / 2]) / 2e6;
}

// A limit is what was reached once, not what is usual.
static double fastest(const int64_t *ns, int n)
{
	int64_t least = ns[0];

	for (int i = 1; i < n; i++)
		if (ns[i] < least)
			least = ns[i];
	return (double)least / 1e6;
}

static bool measured(const char *failure, const int64_t *ns)
{
	return !*failure && ns[0] > 0;
}

static const char *verdict(bool met)
{
	return met ? "ok" : "over";
}

static void print_number(bool known, const char *format, double value, int width)
{
	char text[32];

	snprintf(text, sizeof(text), format, value);
	printf("%*s", width, known ? text : "-");
}

static void print_times(const struct report *report)
{
	printf("%-20s %-8s %10s %12s %8s %8s %-5s %11s\n", "workload", "step", "criu ms", "tinyckpt ms", "ratio",
	       "target", "", "copy ms");
	for (int i = 0; i < report->n_rows; i++) {
		const struct row *row = &report->rows[i];

		for (int step = 0; step < STEPS; step++) {
			bool theirs = measured(row->failure[CRIU], row->time[CRIU][step]);
			bool ours = measured(row->failure[TINYCKPT], row->time[TINYCKPT][step]);
			double criu = median(row->time[CRIU][step], report->runs);
			double tinyckpt = median(row->time[TINYCKPT][step], report->runs);
			double ratio = theirs && ours ? tinyckpt / criu : 0;

			printf("%-20s %-8s ", step == SAVE ? row->title : "", step_names[step]);
			print_number(theirs, "%.1f", criu, 10);
			print_number(ours, "%.1f", tinyckpt, 13);
			print_number(theirs && ours, "%.2f", ratio, 9);
			printf(" %8.2f %-5s", row->target[step],
			       theirs && ours ? verdict(ratio <= row->target[step]) : "");
			print_number(row->copy[step][0] > 0, "%.1f", fastest(row->copy[step], report->runs), 12);
			putchar('\n');
		}
	}
}

static void print_memory(const struct report *report)
{
	printf("\n%-20s %16s %16s %26s %-5s\n", "", "image KiB", "", "peak KiB, save/restore", "");
	printf("%-20s %8s %8s %8s %12s %12s\n", "workload", "criu", "tinyckpt", "", "criu", "tinyckpt");
	for (int i = 0; i < report->n_rows; i++) {
		const struct row *row = &report->rows[i];
		const int64_t *criu = row->peak_kib[CRIU], *tinyckpt = row->peak_kib[TINYCKPT];
		char peaks[TOOLS][40];

		for (int tool = 0; tool < TOOLS; tool++)
			snprintf(peaks[tool], sizeof(peaks[tool]), "%lld/%lld",
				 (long long)row->peak_kib[tool][SAVE], (long long)row->peak_kib[tool][RESTORE]);
		printf("%-20s ", row->title);
		print_number(row->image[CRIU], "%.0f", (double)row->image[CRIU] / 1024, 8);
		print_number(row->image[TINYCKPT], "%.0f", (double)row->image[TINYCKPT] / 1024, 9);
		printf(" %8s %12s %12s %s\n", "", *criu ? peaks[CRIU] : "-", *tinyckpt ? peaks[TINYCKPT] : "-",
		       !*tinyckpt ? "" :
				    verdict(tinyckpt[SAVE] <= PEAK_LIMIT_KIB && tinyckpt[RESTORE] <= PEAK_LIMIT_KIB));
	}
	for (int i = 0; i < report->n_rows; i++) {
		const struct row *row = &report->rows[i];
		double over = ((double)row->image[TINYCKPT] - (double)row->pages) / 1024;

		if (row->pages && row->image[TINYCKPT])
			printf("%s: image beyond its %zu pages: %.1f KiB (limit %d) %s\n", row->title,
			       row->pages / (size_t)sysconf(_SC_PAGESIZE), over, OVERHEAD_LIMIT_KIB,
			       verdict(over <= OVERHEAD_LIMIT_KIB));
	}
}

static void print_stills(const struct report *report)
{
	if (report->n_stills)
		printf("\n%-20s %10s %12s %12s\n", "--leave-running", "criu ms", "tinyckpt ms", "idle ms");
	for (int i = 0; i < report->n_stills; i++) {
		const struct still *still = &report->stills[i];
		char title[32];

		snprintf(title, sizeof(title), "stands still, %ld MiB", still->mib);
		printf("%-20s", title);
		for (int tool = 0; tool < TOOLS; tool++)
			print_number(measured(still->failure[tool], still->gap[tool]), "%.1f",
				     median(still->gap[tool], report->runs), tool == CRIU ? 11 : 13);
		print_number(still->quiet[0] > 0, "%.1f", median(still->quiet, report->runs), 13);
		putchar('\n');
	}
}

// Binaries, each with what it may weigh, and the code that runs inside a workload.
static void print_sizes(const struct report *report)
{
	if (report->n_sizes)
		printf("\n%-40s %10s %8s\n", "file", "KiB", "limit");
	for (int i = 0; i < report->n_sizes; i++) {
		const struct size *size = &report->sizes[i];

		printf("%-40s %10.1f %8d %s\n", size->name, (double)size->bytes / 1024, size->limit_kib,
		       verdict(size->bytes <= (size_t)size->limit_kib << 10));
	}
}

void report_print(const struct report *report)
{
	double load;

	printf("Medians of %d runs each, interleaved; images on tmpfs. copy: the pages moved and nothing else, best run.\n",
	       report->runs);
	if (getloadavg(&load, 1) == 1 && load > 1.5)
		printf("The load of this machine is %.1f: others are at work on it, the times are worth less.\n", load);
	putchar('\n');
	if (report->n_rows) {
		print_times(report);
		print_memory(report);
	}
	print_stills(report);
	print_sizes(report);
	for (int tool = 0; tool < TOOLS; tool++) {
		if (!tool_present(tool))
			printf("\n%s is not there: its columns are empty.\n", tool_names[tool]);
		for (int i = 0; i < report->n_rows; i++)
			if (*report->rows[i].failure[tool])
				printf("\n%s: %s: %s\n", tool_names[tool], report->rows[i].title,
				       report->rows[i].failure[tool]);
		for (int i = 0; i < report->n_stills; i++)
			if (*report->stills[i].failure[tool])
				printf("\n%s: --leave-running, %ld MiB: %s\n", tool_names[tool],
				       report->stills[i].mib, report->stills[i].failure[tool]);
	}
}

static void json_string(FILE *file, const char *text)
{
	putc('"', file);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(file, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			fprintf(file, "\\u%04x", *text);
		else
			putc(*text, file);
	}
	putc('"', file);
}

// All runs, not only the median: spread tells how far a figure can be trusted. null: not measured.
static void json_runs(FILE *file, const char *key, bool known, const int64_t *ns, int n)
{
	fprintf(file, ",\n      \"%s\": ", key);
	if (!known) {
		fputs("null", file);
		return;
	}
	for (int i = 0; i < n; i++)
		fprintf(file, "%s%.3f", i ? ", " : "[", (double)ns[i] / 1e6);
	fprintf(file, "],\n      \"%s_median\": %.3f", key, median(ns, n));
}

static void json_row(FILE *file, const struct row *row, int runs)
{
	char key[64];

	fprintf(file, "    {\n      \"name\": \"%s\",\n      \"title\": \"%s\"", row->name, row->title);
	for (int step = 0; step < STEPS; step++) {
		for (int tool = 0; tool < TOOLS; tool++) {
			snprintf(key, sizeof(key), "%s_%s_ms", tool_names[tool], step_names[step]);
			json_runs(file, key, measured(row->failure[tool], row->time[tool][step]),
				  row->time[tool][step], runs);
		}
		snprintf(key, sizeof(key), "copy_%s_ms", step_names[step]);
		json_runs(file, key, row->copy[step][0] > 0, row->copy[step], runs);
		fprintf(file, ",\n      \"%s_target_ratio\": %.2f", step_names[step], row->target[step]);
	}
	for (int tool = 0; tool < TOOLS; tool++) {
		fprintf(file, ",\n      \"%s_image_bytes\": %zu", tool_names[tool], row->image[tool]);
		for (int step = 0; step < STEPS; step++)
			fprintf(file, ",\n      \"%s_%s_peak_kib\": %lld", tool_names[tool], step_names[step],
				(long long)row->peak_kib[tool][step]);
		fprintf(file, ",\n      \"%s_failure\": ", tool_names[tool]);
		json_string(file, row->failure[tool]);
	}
	fprintf(file, ",\n      \"page_bytes\": %zu,\n      \"tree_bytes\": %zu\n    }", row->pages, row->bytes);
}

bool report_json(const struct report *report, const char *name)
{
	FILE *file = fopen(name, "we");
	bool good;

	if (!file)
		return false;
	fprintf(file, "{\n  \"runs\": %d,\n  \"rows\": [\n", report->runs);
	for (int i = 0; i < report->n_rows; i++) {
		json_row(file, &report->rows[i], report->runs);
		fputs(i + 1 < report->n_rows ? ",\n" : "\n", file);
	}
	fputs("  ],\n  \"stands_still\": [\n", file);
	for (int i = 0; i < report->n_stills; i++) {
		const struct still *still = &report->stills[i];

		fprintf(file, "    {\n      \"mib\": %ld", still->mib);
		for (int tool = 0; tool < TOOLS; tool++) {
			char key[64];

			snprintf(key, sizeof(key), "%s_gap_ms", tool_names[tool]);
			json_runs(file, key, measured(still->failure[tool], still->gap[tool]), still->gap[tool],
				  report->runs);
		}
		json_runs(file, "idle_gap_ms", still->quiet[0] > 0, still->quiet, report->runs);
		fprintf(file, "\n    }%s\n", i + 1 < report->n_stills ? "," : "");
	}
	fputs("  ],\n  \"sizes\": [\n", file);
	for (int i = 0; i < report->n_sizes; i++) {
		const struct size *size = &report->sizes[i];

		fputs("    { \"file\": ", file);
		json_string(file, size->name);
		fprintf(file, ", \"bytes\": %zu, \"limit_bytes\": %d }%s\n", size->bytes, size->limit_kib << 10,
			i + 1 < report->n_sizes ? "," : "");
	}
	fputs("  ]\n}\n", file);
	good = !ferror(file);
	return fclose(file) == 0 && good;
}
