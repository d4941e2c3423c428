/* SPDX-License-Identifier: MIT */
#include "check_kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "kernel/feature.h"
#include "kernel/probe.h"

enum { CONSOLE = 79 };	/* columns: in the last one a serial console may wrap */

/* By what is not possible, of NEED_*. */
static const char *const nothing[] = {
	NULL, "nothing can be saved", "nothing can be restored", "nothing can be saved or restored",
};
static const char *const verdicts[] = {
	"Here trees can be saved and restored.", "Here no tree can be saved; one can be restored.",
	"Here no tree can be restored; one can be saved.", "Here no tree can be saved or restored.",
};

static const char *lost(const struct feature *f, const struct found *found)
{
	unsigned int prevents = feature_prevents(f, found);

	return prevents ? nothing[prevents] : f->lost;
}

/* The words of a text behind `first`, as many lines as it takes, each further one behind `again`. */
static void put_words(const char *first, const char *again, const char *text)
{
	int column = printf("%s", first), begin = column;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column > begin && column + 1 + len > CONSOLE)
			column = begin = printf("\n%s", again) - 1;
		column += printf("%s%.*s", column > begin ? " " : "", len, text);
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void put_field(const char *label, const char *format, const char *text, const char *more)
{
	char first[16], all[256];

	if (!text)
		return;
	snprintf(first, sizeof(first), "     %-8s ", label);
	snprintf(all, sizeof(all), format, text, more);
	put_words(first, "              ", all);
}

/* One line for what is there, more below it for what is not. */
static void put_text(const struct feature *f, const struct found *found)
{
	const struct kernel_option *option = f->option;

	printf("%-4s %-*s  %s\n", found->err ? "no" : "yes", FEATURE_NAME_MAX, f->name, f->use);
	if (!found->err)
		return;
	put_field(f->right ? "right" : "error", "%s", f->right ? "tinyckpt was started without it" : strerror(-found->err), NULL);
	put_field("instead", found->instead < 0 ? "%s: lacking, too (%s)" : "%s", f->instead, strerror(-found->instead));
	put_field("lost", "%s", lost(f, found), NULL);
	if (option)
		put_field("option", "CONFIG_%s (%s)", option->name, option->note);
	put_field("since", "Linux %s", f->since, NULL);
}

static void put_json(struct json *j, const struct feature *f, const struct found *found)
{
	const char *what = lost(f, found);

	json_object(j, NULL);
	json_text(j, "name", f->name);
	json_text(j, "use", f->use);
	json_bool(j, "have", !found->err);
	if (found->err) {
		json_text(j, "error", strerror(-found->err));
		if (what)
			json_text(j, "lost", what);
		if (f->instead && !found->instead)
			json_text(j, "instead", f->instead);
	}
	if (f->option) {
		char name[40];

		snprintf(name, sizeof(name), "CONFIG_%s", f->option->name);
		json_text(j, "option", name);
	}
	if (f->since)
		json_text(j, "since", f->since);
	json_object_end(j);
}

int check_kernel(bool json)
{
	const struct feature *f;
	struct json j = { 0 };
	unsigned int prevented = 0;

	json &= IS_ON_JSON;
	if (IS_ON_JSON && json) {
		json_object(&j, NULL);
		json_array(&j, "features");
	}
	for (size_t i = 0; (f = feature_nth(i)) != NULL; i++) {
		struct found found = feature_try(f);

		if (found.err == PROBE_MOOT)
			continue;
		prevented |= feature_prevents(f, &found);
		if (IS_ON_JSON && json)
			put_json(&j, f, &found);
		else
			put_text(f, &found);
	}
	if (IS_ON_JSON && json) {
		json_array_end(&j);
		json_bool(&j, "save", !(prevented & NEED_SAVE));
		json_bool(&j, "restore", !(prevented & NEED_RESTORE));
		json_object_end(&j);
	} else {
		puts(verdicts[prevented]);
	}
	return prevented ? -ENOTSUP : 0;
}

/* Was it told of for a row before the nth? */
static bool is_told(const struct kernel_option *option, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct kernel_option *told = feature_nth(i)->option;

		if (told && (told == option || told->takes == option))
			return true;
	}
	return false;
}

/* The option, with all that it brings; the nth row is the first with it. */
static void put_option(const struct kernel_option *option, size_t n)
{
	const struct feature *f;
	char text[512];
	size_t len = 0;

	if (is_told(option, n))
		return;
	if (option->takes)
		put_option(option->takes, n);
	for (size_t i = n; (f = feature_nth(i)) != NULL; i++)
		if (f->option == option && len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s (Linux %s)", len ? ", " : "", f->name, f->since);
	puts("#");
	if (len)
		put_words("# ", "# ", text);
	put_words("# ", "# ", option->note);
	printf("CONFIG_%s=y\n", option->name);
}

void check_kconfig(void)
{
	const struct feature *f;

	puts("# What tinyckpt can use of a kernel, for scripts/kconfig/merge_config.sh.\n"
	     "# Each option: what it brings, and the first Linux that has it.");
	for (size_t i = 0; (f = feature_nth(i)) != NULL; i++)
		if (f->option)
			put_option(f->option, i);
	puts("#\n# No option brings these:");
	for (size_t i = 0; (f = feature_nth(i)) != NULL; i++)
		if (!f->option && !f->right)
			printf("# %s (Linux %s)\n", f->name, f->since);
}
