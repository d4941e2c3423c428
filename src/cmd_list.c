/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buffer.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/scope.h"
#include "command.h"
#include "config.h"
#include "image/key.h"
#include "json.h"
#include "kernel/timens.h"
#include "service/outline.h"
#include "service/shelf.h"

struct listed {
	char file[256];
	size_t name_len;	/* the part of it that is the name */
	enum shelf shelf;
};

/* Whether the file is called as images are. */
static bool recognise(struct listed *l, const char *file)
{
	const size_t len = strlen(file);

	for (l->shelf = 0; l->shelf < SHELVES; l->shelf++) {
		const size_t suffix = strlen(shelf_suffix[l->shelf]);

		if (file[0] == '.' || len <= suffix || strcmp(file + len - suffix, shelf_suffix[l->shelf]))
			continue;
		memcpy(l->file, file, len + 1);
		l->name_len = len - suffix;
		return true;
	}
	return false;
}

/* In the order of file names. */
static int insert(struct buffer *images, const struct listed *new)
{
	size_t i = images->len / sizeof(*new);
	struct listed *all;

	if (!buffer_grow(images, sizeof(*new)))
		return fail(ENOMEM, "out of memory");
	all = (struct listed *)(void *)images->data;
	for (; i > 0 && strcmp(all[i - 1].file, new->file) > 0; i--)
		all[i] = all[i - 1];
	all[i] = *new;
	return 0;
}

static int collect(struct buffer *images, const char *dir)
{
	CLEANUP_DIR DIR *entries = opendir(dir);
	struct dirent *entry;
	struct listed l;
	int err = 0;

	if (!entries)
		return errno == ENOENT ? 0 : fail_errno("%s", dir);
	while (!err && (entry = readdir(entries)))
		if (recognise(&l, entry->d_name))
			err = insert(images, &l);
	return err;
}

/* "5 min"; a clock that was set back, or not set then or now, tells none. */
static void age_text(char *to, size_t cap, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	size_t i = 0;

	while (i < 3 && seconds < 2 * units[i].seconds)
		i++;
	if (seconds < 0)
		snprintf(to, cap, "?");
	else
		snprintf(to, cap, "%lld %s", (long long)(seconds / units[i].seconds), units[i].name);
}

static void size_text(char *to, size_t cap, uint64_t bytes)
{
	const uint64_t kib = (bytes + 1023) / 1024;

	if (kib < 10 * 1024)
		snprintf(to, cap, "%llu KiB", (unsigned long long)kib);
	else
		snprintf(to, cap, "%llu MiB", (unsigned long long)(kib / 1024));
}

static void print_line(const char *name, const char *state, const char *age, const char *size, const Header *h)
{
	char firmware[sizeof(h->firmware) + 4], kernel[sizeof(h->kernel_release) + 4], line[300];

	escape(line, sizeof(line), name, strlen(name));
	escape(firmware, sizeof(firmware), h->firmware, strlen(h->firmware));
	escape(kernel, sizeof(kernel), h->kernel_release, strlen(h->kernel_release));
	printf("%-20s %-9s %8s %10s  %s%s%s%s\n", line, state, age, size, firmware, *firmware && *kernel ? ", " : "",
	       *kernel ? "Linux " : "", kernel);
}

static void list_one(struct json *j, const char *dir, const struct listed *l, const char *key)
{
	char path[4400], name[256], age[32] = "?", size[32] = "?";
	struct outline o = { .restorable = l->shelf == SHELF_READY };
	int64_t seconds = -1;
	struct stat st;
	bool good;

	snprintf(name, sizeof(name), "%.*s", (int)l->name_len, l->file);
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, l->file) >= sizeof(path) || stat(path, &st))
		return;	/* it has just been removed */
	good = !outline_read(&o, path, key, NULL, NULL);
	if (good && o.header.created >= (uint64_t)CLOCK_NOT_SET)
		seconds = (int64_t)time(NULL) - (int64_t)(o.header.created / 1000000000u);
	if (IS_ON_JSON && j) {
		json_object(j, NULL);
		json_text(j, "name", name);
		json_text(j, "file", path);
		json_text(j, "state", good ? shelf_word[l->shelf] : "unusable");
		json_number(j, "bytes", (int64_t)st.st_size);
		if (good) {
			json_number(j, "created_ns", (int64_t)o.header.created);
			if (seconds >= 0)
				json_number(j, "age_seconds", seconds);
			json_text(j, "firmware", o.header.firmware);
			json_text(j, "kernel_release", o.header.kernel_release);
			json_number(j, "root", o.tree.root);
			json_number(j, "processes", o.tree.processes);
		}
		json_object_end(j);
		return;
	}
	if (good)
		age_text(age, sizeof(age), seconds);
	size_text(size, sizeof(size), (uint64_t)st.st_size);
	print_line(name, good ? shelf_word[l->shelf] : "unusable", age, size, good ? &o.header : &(Header)Header_init_zero);
}

static int list(const char *dir, const char *key, bool json)
{
	struct buffer images = { 0 };
	struct json j = { 0 };
	const struct listed *l;
	int err = collect(&images, dir);

	l = (const struct listed *)(const void *)images.data;
	if (!err && IS_ON_JSON && json)
		json_array(&j, NULL);
	else if (!err && images.len)
		print_line("NAME", "STATE", "AGE", "SIZE", &(Header){ .firmware = "FIRMWARE" });
	for (size_t i = 0; !err && i < images.len / sizeof(*l); i++)
		list_one(json ? &j : NULL, dir, &l[i], key);
	if (!err && IS_ON_JSON && json)
		json_array_end(&j);
	buffer_free(&images);
	return err;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		JSON_OPTION
		KEY_OPTION
		{ 0 },
	};
	struct given given = { .key = KEY_DEFAULT };

	if (next_option(argc, argv, "", options, &given) != -1)
		return EXIT_USAGE;
	if (argc != optind)
		return usage_error("nothing but options is taken: TINYCKPT_DIR tells where");
	return exit_code(list(image_directory(), given.key, given.json));
}

static const struct command list_command = {
	.order = 8,
	.name = "list",
	.arguments = "",
	.summary = "Tell what images there are in $TINYCKPT_DIR, and what became of them",
	.help = "" JSON_HELP
		KEY_HELP,
	.notes = "\nready: saved, and not tried by `restore --all` since; trying: being restored; restored; failed: it did not come "
		 "back, and is not tried again; unusable: damaged, or not to be trusted, as a message says.\n",
	.run = run,
};
COMMAND(list_command);
