/* SPDX-License-Identifier: MIT */
/* The table of kernel features: every row is whole, and trying it leaves no trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/log.h has a function of that name */

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "kernel/feature.h"
#include "kernel/probe.h"

/* As fail_msg(), which the undefined name above has broken. */
#define wrong(...) (print_error(__VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__))

static void assert_words(const struct feature *f, const char *what, const char *text, size_t max)
{
	size_t len = text ? strlen(text) : 0;

	if (!len || len > max || text[0] == ' ' || text[len - 1] == ' ' || strstr(text, "  ") || strpbrk(text, "\n\t%"))
		wrong("%s: its %s: \"%s\"", f->name, what, text ? text : "none");
}

static void test_rows_are_whole(void **state)
{
	const struct feature *f;
	size_t n = 0;

	(void)state;
	for (; (f = feature_nth(n)) != NULL; n++) {
		assert_non_null(f->name);
		assert_words(f, "name", f->name, FEATURE_NAME_MAX);
		assert_words(f, "use", f->use, FEATURE_USE_MAX);
		if (!f->need && !f->lost && !f->instead)
			wrong("%s: what is lost without it?", f->name);
		if (f->lost)
			assert_words(f, "loss", f->lost, 200);
		if (f->instead)
			assert_words(f, "substitute", f->instead, 200);
		else if (f->try_instead)
			wrong("%s: a substitute without a name", f->name);
		if (f->since)
			assert_words(f, "first release", f->since, 7);
		if (!f->right && (!f->try || !f->since))
			wrong("%s: nothing to try, or no first release", f->name);
		if (f->option) {
			assert_words(f, "option", f->option->name, 30);
			assert_int_equal(strspn(f->option->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), strlen(f->option->name));
			assert_words(f, "option's note", f->option->note, 200);
			assert_null(strstr(f->option->note, "CONFIG_"));
		}
		for (size_t i = 0; i < n; i++)
			if (!strcmp(feature_nth(i)->name, f->name))
				wrong("%s: twice", f->name);
	}
	assert_true(n > 30);
}

static size_t descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void test_no_trace(void **state)
{
	const struct feature *f;
	sigset_t before = { 0 }, after = { 0 };

	(void)state;
	sigprocmask(SIG_SETMASK, NULL, &before);
	for (size_t i = 0; (f = feature_nth(i)) != NULL; i++) {
		struct found found = feature_try(f), again = feature_try(f);
		size_t open = descriptors();	/* kernel/procfs.c keeps folders that were asked for twice */

		feature_try(f);
		if (found.err != again.err || found.instead != again.instead)
			wrong("%s: %d, and then %d", f->name, found.err, again.err);
		if (found.err > PROBE_MOOT || found.err < -4095 || found.instead > 0)
			wrong("%s: %d is no answer", f->name, found.err);
		if (waitpid(-1, NULL, WNOHANG | __WALL) != -1 || errno != ECHILD)
			wrong("%s: a child is left", f->name);
		if (descriptors() != open)
			wrong("%s: a descriptor is left", f->name);
	}
	sigprocmask(SIG_SETMASK, NULL, &after);
	assert_memory_equal(&before, &after, sizeof(before));
}

static int broken(void)
{
	return -ENOSYS;
}

static int works(void)
{
	return 0;
}

static void test_prevents(void **state)
{
	struct feature f = { .need = NEED_RESTORE, .try = broken };
	struct found found = feature_try(&f);

	(void)state;
	assert_int_equal(found.err, -ENOSYS);
	assert_int_equal(feature_prevents(&f, &found), NEED_RESTORE);
	f.instead = "that";	/* always there */
	assert_int_equal(feature_prevents(&f, &found), 0);
	f.try_instead = broken;
	found = feature_try(&f);
	assert_int_equal(found.instead, -ENOSYS);
	assert_int_equal(feature_prevents(&f, &found), NEED_RESTORE);
	f.try_instead = works;
	found = feature_try(&f);
	assert_int_equal(feature_prevents(&f, &found), 0);
	f.try = works;
	f.try_instead = broken;
	found = feature_try(&f);
	assert_int_equal(found.err | found.instead, 0);
	assert_int_equal(feature_prevents(&f, &found), 0);
	found.err = PROBE_MOOT;
	f.instead = NULL;
	assert_int_equal(feature_prevents(&f, &found), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_whole),
		cmocka_unit_test(test_no_trace),
		cmocka_unit_test(test_prevents),
	};

	return cmocka_run_group_tests_name("feature", tests, NULL, NULL);
}
