/* SPDX-License-Identifier: MIT */
/* Patterns, and files of rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/log.h has a function of that name */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/glob.h"
#include "base/log.h"
#include "objects/object.h"
#include "objects/rules.h"

static void wrong(const char *input, const char *result)
{
	print_error("\"%s\" and \"%s\"\n", input, result);
	assert_false(true);
}

static void test_matches(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{ "/a", "/a", true },
		{ "/a", "/ab", false },
		{ "/ab", "/a", false },
		{ "/a*", "/a", true },
		{ "/a*", "/abc", true },
		{ "/a*", "/abc/d", false },
		{ "/*/c", "/ab/c", true },
		{ "/*/c", "/a/b/c", false },
		{ "/*", "/", true },
		{ "*", "", true },
		{ "*", "127.0.0.1:80", true },
		{ "*", "/a", false },
		{ "**", "/a/b", true },
		{ "/var/log/**", "/var/log/a/b.log", true },
		{ "/var/log/**", "/var/log/", true },
		{ "/var/log/**", "/var/log", false },
		{ "/**/c", "/a/b/c", true },
		{ "/**/c", "/c", false },
		{ "/**c", "/c", true },
		{ "/a**b*c", "/a/x/b/c", false },
		{ "/a**b*c", "/a/x/by/bc", true },
		{ "***", "/a/b", true },
		{ "/a***b", "/a/b/b", true },
		{ "/a?c", "/abc", true },
		{ "/a?c", "/a/c", false },
		{ "/a?c", "/ac", false },
		{ "/*.db", "/x.db", true },
		{ "/*.db", "/x.db-wal", false },
		{ "/*a*a*b", "/xaxab", true },
		{ "/*a*a*b", "/xaxa", false },
		{ "/[abc]", "/b", true },
		{ "/[abc]", "/d", false },
		{ "/[a-c]x", "/bx", true },
		{ "/[!a-c]", "/d", true },
		{ "/[^a-c]", "/b", false },
		{ "/[!a]b", "//b", false },
		{ "/[]a]", "/]", true },
		{ "/[!]a]", "/]", false },
		{ "/[a-]", "/-", true },
		{ "/[a-]", "/b", false },
		{ "/[\\]]", "/]", true },
		{ "/[\\a-\\c]", "/b", true },
		{ "/[z-a]", "/m", false },
		{ "/a\\*", "/a*", true },
		{ "/a\\*", "/ab", false },
		{ "/a\\ b", "/a b", true },
		{ "/\\[", "/[", true },
		{ "/\303\244?", "/\303\244x", true },
		{ "/[\200-\377]", "/\303", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_null(glob_error(cases[i].pattern));
		if (glob_match(cases[i].pattern, cases[i].text) != cases[i].matches)
			wrong(cases[i].pattern, cases[i].text);
	}
}

static void test_no_patterns(void **state)
{
	static const char *const patterns[] = { "", "/[", "/[]", "/[!]", "/[a", "/[\\]", "/a\\" };
	char pattern[GLOB_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
		assert_non_null(glob_error(patterns[i]));
	memset(pattern, 'a', sizeof(pattern));
	pattern[GLOB_MAX] = '\0';
	assert_null(glob_error(pattern));
	assert_true(glob_match(pattern, pattern));
	pattern[GLOB_MAX] = 'a';
	pattern[GLOB_MAX + 1] = '\0';
	assert_non_null(glob_error(pattern));
}

/* A matcher that tries all ways would need longer than the world has. */
static void test_bounded(void **state)
{
	char pattern[GLOB_MAX + 1], text[4096];
	struct timespec from, to;

	(void)state;
	for (size_t i = 0; i < GLOB_MAX - 1; i++)
		pattern[i] = i % 3 == 2 ? 'a' : '*';
	pattern[GLOB_MAX - 1] = 'b';
	pattern[GLOB_MAX] = '\0';
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	assert_false(glob_match(pattern, text));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	assert_true(to.tv_sec - from.tv_sec < 5);
}

/* All short patterns and texts over a small alphabet, against the plainest matcher there is. */
static bool plainly(const char *p, const char *t)
{
	if (!*p)
		return !*t;
	if (p[0] == '*') {
		bool across = p[1] == '*';

		return plainly(p + 1 + across, t) || (*t && (across || *t != '/') && plainly(p, t + 1));
	}
	return *t && (*p == *t || (*p == '?' && *t != '/')) && plainly(p + 1, t + 1);
}

static void nth(char *text, const char *alphabet, unsigned int n)
{
	const unsigned int letters = (unsigned int)strlen(alphabet);

	for (; n; n = (n - 1) / letters)
		*text++ = alphabet[(n - 1) % letters];
	*text = '\0';
}

static void test_plainly(void **state)
{
	char pattern[16], text[16];

	(void)state;
	for (unsigned int i = 1; i < 4 * 4 * 4 * 4 * 4; i++) {
		nth(pattern, "*a/?", i);
		for (unsigned int k = 0; k < 3 * 3 * 3 * 3; k++) {
			nth(text, "a/b", k);
			if (glob_match(pattern, text) != plainly(pattern, text))
				wrong(pattern, text);
		}
	}
}

static int log_file;
static char path[64], said[2048];

static int set_up(void **state)
{
	int fd;

	(void)state;
	log_file = memfd_create("log", MFD_CLOEXEC);
	log_init(NULL, LOG_NOTICE, log_file);
	snprintf(path, sizeof(path), "/tmp/tinyckpt-rules.XXXXXX");
	fd = mkstemp(path);
	close(fd);
	return log_file < 0 || fd < 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	close(log_file);
	log_init(NULL, LOG_NOTICE, 2);
	return 0;
}

static int read_text(struct rules *rules, const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
	return rules_read(rules, path);
}

static const char *what_was_said(void)
{
	ssize_t n = pread(log_file, said, sizeof(said) - 1, 0);

	said[n > 0 ? n : 0] = '\0';
	assert_int_equal(ftruncate(log_file, 0), 0);
	assert_int_equal(lseek(log_file, 0, SEEK_SET), 0);
	return said;
}

static void test_first_wins(void **state)
{
	static const char text[] = "# logs\n"
				   "\n"
				   "  \t# nothing\n"
				   "file /var/log/audit exact   # this one not\n"
				   "\tfile\t/var/log/**\tappend\n"
				   "file /with\\ blank snapshot\n"
				   "file /\\#x grow\n"
				   "device /dev/i2c-* reopen\n"
				   "file ** recreate";
	static const struct {
		const char *kind, *name;
		uint32_t line;
		enum rule_action action;
	} cases[] = {
		{ "file", "/var/log/audit", 4, ACTION_EXACT },	  { "file", "/var/log/audit.1", 5, ACTION_APPEND },
		{ "file", "/with blank", 6, ACTION_SNAPSHOT },	  { "file", "/#x", 7, ACTION_GROW },
		{ "device", "/dev/i2c-3", 8, ACTION_REOPEN },	  { "file", "/dev/i2c-3", 9, ACTION_RECREATE },
		{ "device", "/var/log/x", 0, ACTION_EXACT },
	};
	struct rules rules;

	(void)state;
	assert_int_equal(read_text(&rules, text, sizeof(text) - 1), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct rule *rule = rules_find(&rules, cases[i].kind, cases[i].name);

		assert_int_equal(rule ? rule->line : 0, cases[i].line);
		if (rule)
			assert_int_equal(rule->action, cases[i].action);
	}
	rules_free(&rules);
	assert_null(rules_find(NULL, "file", "/x"));
	assert_int_equal(read_text(&rules, "", 0), 0);
	assert_null(rules_find(&rules, "file", "/x"));
	rules_free(&rules);
}

static void test_wrong(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "file\n", ":1: a rule is" },
		{ "file /x\n", ":1: a rule is" },
		{ "file /x exact now\n", ":1: a rule is" },
		{ "file /x # exact\n", ":1: a rule is" },
		{ "\n\nfiel /x exact\n", ":3: this tinyckpt knows no rules for fiel" },
		{ "unix /dev/log reconnect\n", ":1: this tinyckpt knows no rules for unix" },
		{ "file /x exactly", ":1: \"exactly\" is no action for file: exact, grow, append, recreate, snapshot" },
		{ "file /x exact\r\n", "\"exact\\x0d\" is no action" },
		{ "file /x reopen\n", ":1: \"reopen\" is no action for file" },
		{ "device /dev/x append\n", ":1: \"append\" is no action for device: reopen" },
		{ "file x exact\n", ":1: a path begins with /: x" },
		{ "file /[x exact\n", ":1: a [ without its ]" },
		{ "file /x\\", ":1: a rule is" },
	};
	struct rules rules;
	char line[3000];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int err = read_text(&rules, cases[i].text, strlen(cases[i].text));

		rules_free(&rules);
		if (err != -EUSAGE || !strstr(what_was_said(), cases[i].says) || !strstr(said, path))
			wrong(cases[i].text, said);
	}
	assert_int_equal(read_text(&rules, "file /x\0 exact\n", 15), -EUSAGE);
	assert_non_null(strstr(what_was_said(), ":1: a NUL byte"));
	rules_free(&rules);
	memset(line, ' ', sizeof(line));
	assert_int_equal(read_text(&rules, line, sizeof(line)), -EUSAGE);
	assert_non_null(strstr(what_was_said(), ":1: a line of more than"));
	rules_free(&rules);
	memset(line, 'a', sizeof(line));
	memcpy(line, "file /", 6);
	memcpy(line + 1100, " exact\n", 7);
	assert_int_equal(read_text(&rules, line, 1107), -EUSAGE);
	assert_non_null(strstr(what_was_said(), ":1: a pattern of more than"));
	rules_free(&rules);
}

static void test_not_used(void **state)
{
	struct rules rules;

	(void)state;
	assert_int_equal(read_text(&rules, "", 0), 0);
	rules_free(&rules);
	assert_int_equal(chmod(path, 0620), 0);
	assert_int_equal(rules_read(&rules, path), -EUSAGE);
	assert_non_null(strstr(what_was_said(), "others than its owner"));
	assert_int_equal(chmod(path, 0602), 0);
	assert_int_equal(rules_read(&rules, path), -EUSAGE);
	assert_int_equal(chmod(path, 0600), 0);
	if (!geteuid()) {
		assert_int_equal(chown(path, 1700, 0), 0);
		assert_int_equal(rules_read(&rules, path), -EUSAGE);
	}
	what_was_said();
	assert_int_equal(truncate(path, 65537), 0);
	if (!geteuid())
		assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(rules_read(&rules, path), -EUSAGE);
	assert_non_null(strstr(what_was_said(), "larger than"));
	assert_int_equal(rules_read(&rules, "/dev"), -EUSAGE);
	assert_int_equal(rules_read(&rules, "/nowhere/at/all"), -ENOENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_no_patterns),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_plainly),
		cmocka_unit_test_setup_teardown(test_first_wins, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_used, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
