/* SPDX-License-Identifier: MIT */
#include "check_kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/lines.h"
#include "json.h"
#include "kernel/feature.h"
#include "kernel/lacking.h"
#include "kernel/probe.h"

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

static const char *why(const struct feature *f, const struct found *found)
{
	const char *known = IS_ON_BARE_KERNELS && f->try == probe_seize ? lacking_tracers() : NULL;

	return known ? known : strerror(-found->err);
}

static void put_field(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put_field(const char *label, const char *format, ...)
{
	char text[256];
	int len = snprintf(text, sizeof(text), "     %-8s ", label);
	va_list args;

	va_start(args, format);
	vsnprintf(text + len, sizeof(text) - (size_t)len, format, args);
	va_end(args);
	put_lines(text, "              ");
	putchar('\n');
}

/* An option that has brought something else is on, and no advice. */
static bool is_on(const struct kernel_option *option, const struct found *all)
{
	const struct feature *f;

	for (size_t i = 0; (f = feature_nth(i)) != NULL; i++)
		if (f->option == option && !all[i].err)
			return true;
	return false;
}

/* One line for what is there, more below it for what is not. */
static void put_text(size_t n, const struct found *all)
{
	const struct feature *f = feature_nth(n);
	const struct found *found = &all[n];
	const char *what = lost(f, found);

	printf("%-4s %-*s  %s\n", found->err ? "no" : "yes", FEATURE_NAME_MAX, f->name, f->use);
	if (!found->err)
		return;
	if (f->right)
		put_field("right", "tinyckpt was started without it");
	else
		put_field("error", "%s", why(f, found));
	if (f->instead && found->instead)
		put_field("instead", "%s: lacking, too (%s)", f->instead, strerror(-found->instead));
	else if (f->instead)
		put_field("instead", "%s", f->instead);
	if (what)
		put_field("lost", "%s", what);
	if (f->option && !is_on(f->option, all))
		put_field("option", "CONFIG_%s (%s)", f->option->name, f->option->note);
	if (f->since)
		put_field("since", "Linux %s", f->since);
}

static void put_json(struct json *j, const struct feature *f, const struct found *found)
{
	const char *what = lost(f, found);

	json_object(j, NULL);
	json_text(j, "name", f->name);
	json_text(j, "use", f->use);
	json_bool(j, "have", !found->err);
	if (found->err) {
		json_text(j, "error", why(f, found));
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
	struct found all[FEATURES_MAX];
	struct json j = { 0 };
	unsigned int prevented = 0;
	size_t n = 0;

	for (; (f = feature_nth(n)) != NULL; n++) {
		all[n] = feature_try(f);
		prevented |= feature_prevents(f, &all[n]);
	}
	if (IS_ON_JSON && json) {
		json_object(&j, NULL);
		json_array(&j, "features");
	}
	for (size_t i = 0; i < n; i++) {
		if (all[i].err == PROBE_MOOT)
			continue;
		if (IS_ON_JSON && json)
			put_json(&j, feature_nth(i), &all[i]);
		else
			put_text(i, all);
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
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s (Linux %s)", len ? ", " : "# ", f->name, f->since);
	puts("#");
	if (len) {
		put_lines(text, "# ");
		putchar('\n');
	}
	snprintf(text, sizeof(text), "# %s\nCONFIG_%s=y\n", option->note, option->name);
	put_lines(text, "# ");
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
