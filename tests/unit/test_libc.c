/* SPDX-License-Identifier: MIT */
/* What is linked in place of the C library's says what that one says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#undef putchar
#define fflush own_fflush
#define putchar own_putchar
#define puts own_puts
#define printf own_printf
#define snprintf own_snprintf
#define vsnprintf own_vsnprintf
int fflush(FILE *file);
int putchar(int c);
int puts(const char *text);
int printf(const char *fmt, ...);
int snprintf(char *text, size_t cap, const char *fmt, ...);
int vsnprintf(char *text, size_t cap, const char *fmt, va_list args);
#include "libc/printf.c"
#undef fflush
#undef putchar
#undef puts
#undef printf
#undef snprintf
#undef vsnprintf

#define strtol own_strtol
#define strtoul own_strtoul
#define strtoll own_strtoll
#define strtoull own_strtoull
long strtol(const char *text, char **end, int base);
unsigned long strtoul(const char *text, char **end, int base);
long long strtoll(const char *text, char **end, int base);
unsigned long long strtoull(const char *text, char **end, int base);
#include "libc/strtol.c"
#undef strtol
#undef strtoul
#undef strtoll
#undef strtoull

#define strerror own_strerror
char *strerror(int number);
#include "libc/strerror.c"
#undef strerror

#define malloc own_malloc
#define calloc own_calloc
#define realloc own_realloc
#define free own_free
void *malloc(size_t n);
void *calloc(size_t count, size_t size);
void *realloc(void *p, size_t n);
void free(void *p);
#include "libc/malloc.c"
#undef malloc
#undef calloc
#undef realloc
#undef free

#define optarg own_optarg
#define optind own_optind
#define opterr own_opterr
#define getopt_long own_getopt_long
int getopt_long(int argc, char *const *argv, const char *letters, const struct option *options, int *index);
#include "libc/getopt.c"
#undef optarg
#undef optind
#undef opterr
#undef getopt_long

/* The same text, the same length, and nothing beyond the room that there is. */
#define SAME(...) \
	do { \
		char theirs[200], ours[200]; \
		int len = snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
		for (size_t room = 0; room <= sizeof(ours); room += room < 40 ? 1 : 20) { \
			memset(ours, '!', sizeof(ours)); \
			assert_int_equal(own_snprintf(room ? ours : NULL, room, __VA_ARGS__), len); \
			if (room) { \
				assert_int_equal(strlen(ours), (size_t)len < room ? (size_t)len : room - 1); \
				assert_memory_equal(ours, theirs, strlen(ours)); \
			} \
			for (size_t b = room; b < sizeof(ours); b++) \
				assert_int_equal(ours[b], '!'); \
		} \
	} while (0)

static void test_text(void **state)
{
	(void)state;
	SAME("plain");
	SAME("%s", "");
	SAME("%s and %s: %c%%", "this", "that", 'x');
	SAME("[%8s] [%-8s] [%2s] [%-2s]", "five", "five", "five", "five");
	SAME("[%.3s] [%.0s] [%.9s] [%8.3s] [%-8.3s]", "five", "five", "five", "five", "five");
	SAME("[%*s] [%-*s] [%.*s] [%*.*s]", 7, "five", 7, "five", 3, "five", 9, 2, "five");
	SAME("[%.4s]", (const char[]){ 'n', 'o', 'n', 'e' });
}

static void test_numbers(void **state)
{
	static const uint64_t values[] = { 0, 1, 7, 8, 10, 255, INT_MAX, (uint64_t)INT_MAX + 1, UINT_MAX, INT64_MAX,
					   (uint64_t)INT64_MAX + 1, UINT64_MAX, (uint64_t)-1234567 };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		uint64_t v = values[i];

		SAME("%d %u %x %o %#x %#o", (int)v, (unsigned int)v, (unsigned int)v, (unsigned int)v, (unsigned int)v, (unsigned int)v);
		SAME("%ld %lu %lx %lo %#lx", (long)v, (unsigned long)v, (unsigned long)v, (unsigned long)v, (unsigned long)v);
		SAME("%lld %llu %llx %#llx", (long long)v, (unsigned long long)v, (unsigned long long)v, (unsigned long long)v);
		SAME("%zu %zd %zx", (size_t)v, (ssize_t)v, (size_t)v);
		SAME("[%12d] [%-12d] [%012d] [%04x] [%#012x] [%-#12x]", (int)v, (int)v, (int)v, (unsigned int)v, (unsigned int)v,
		     (unsigned int)v);
	}
}

#define SAME_NUMBER(function, text, base) \
	do { \
		char *our_end, *their_end; \
		int our_errno; \
		uint64_t ours; \
\
		errno = 0; \
		ours = (uint64_t)own_##function(text, &our_end, base); \
		our_errno = errno; \
		errno = 0; \
		assert_true(ours == (uint64_t)function(text, &their_end, base)); \
		assert_int_equal(our_errno, errno); \
		assert_ptr_equal(our_end, their_end); \
		assert_true(ours == (uint64_t)own_##function(text, NULL, base)); \
	} while (0)

/* All of it arrives in order, whatever its length; what does not arrive is told from then on, with the reason. */
static void test_standard_output(void **state)
{
	int kept = dup(STDOUT_FILENO), fd = memfd_create("out", 0), none = open("/dev/full", O_WRONLY);
	char expected[9000], got[sizeof(expected)];
	size_t n = 0;

	(void)state;
	assert_true(kept >= 0 && fd >= 0 && none >= 0);
	dup2(fd, STDOUT_FILENO);
	for (int i = 0; n < 5000; i++) {
		n += (size_t)snprintf(expected + n, sizeof(expected) - n, "%*d\n%s\n!", i, i, "line");
		own_printf("%*d\n", i, i);
		own_puts("line");
		own_putchar('!');
	}
	assert_int_equal(own_fflush(NULL), 0);
	assert_int_equal(pread(fd, got, sizeof(got), 0), n);
	assert_memory_equal(got, expected, n);
	dup2(none, STDOUT_FILENO);
	own_printf("%2000s", "");
	dup2(fd, STDOUT_FILENO);
	own_puts("late");
	errno = 0;
	assert_int_equal(own_fflush(NULL), EOF);
	assert_int_equal(errno, ENOSPC);
	dup2(kept, STDOUT_FILENO);
	assert_int_equal(lseek(fd, 0, SEEK_END), n);
	close(kept);
	close(fd);
	close(none);
}

/* Wordings differ; these few do not. */
static void test_errors(void **state)
{
	static const int same[] = { EPERM, ENOENT, EACCES, EINVAL, ENOSPC, EROFS, ENOSYS,
				    ENOTTY /* an ioctl(2) that the kernel has not */, ENOLCK };

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
		assert_string_equal(own_strerror(same[i]), strerror(same[i]));
	assert_string_equal(own_strerror(EDQUOT), "Quota exceeded");
	assert_string_equal(own_strerror(ESRCH), "It was killed, or ended");	/* of a process that was there */
	assert_string_equal(own_strerror(ENOTUNIQ), "error 76");
	assert_string_equal(own_strerror(0), "error 0");
}

static void test_parsed(void **state)
{
	static const char *const texts[] = {
		"", " ", "-", "+", "x", "0", "00", "7", "8", "9", "a", "fF", "g", "0x", "0x1f", "0X1F", "0xg", "x1", "12 ", " \t\n12", "-12",
		"+12", "--12", "- 12", "-0x10", "0x-1", "12ab", "0777", "0779", "2147483647", "2147483648", "-2147483648", "-2147483649",
		"4294967295", "4294967296", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
		"18446744073709551615", "18446744073709551616", "-18446744073709551615", "-18446744073709551616",
		"99999999999999999999999999999999999999z", "7fffffffffffffff", "8000000000000000", "ffffffffffffffff", "10000000000000000",
		"-ffffffffffffffff", "1777777777777777777777", "2000000000000000000000", "08", "/", ":", "@", "G", "`",
	};
	static const int bases[] = { 0, 2, 8, 10, 16 };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		for (size_t j = 0; j < sizeof(bases) / sizeof(*bases); j++) {
			SAME_NUMBER(strtol, texts[i], bases[j]);
			SAME_NUMBER(strtoul, texts[i], bases[j]);
			SAME_NUMBER(strtoll, texts[i], bases[j]);
			SAME_NUMBER(strtoull, texts[i], bases[j]);
		}
	}
}

/* The words of a command line, apart by spaces. */
static int split(char *line, char **argv)
{
	int n = 0;

	for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
		argv[n++] = word;
	argv[n] = NULL;
	return n;
}

static void test_options(void **state)
{
	static const char *const lines[] = {
		"save", "save -", "save --", "save 1", "save -v 1", "save 1 -v", "save 1 2 -v 3 -q 4", "save -vq", "save -vo out 1", "save -oout 1",
		"save 1 -vo out 2", "save 1 -o out -- -v", "save -- -v 1", "save a -- b -v", "save -o", "save 1 -vo", "save -x", "save -vx 1",
		"save -v: 1", "save --quiet 1", "save --output out 1", "save 1 --output=out 2", "save --output= 1", "save --output", "save --out x",
		"save --o x", "save --quiet=1 2", "save --bad 1", "save --leave-running", "save --leave-runnin", "save --log f --l",
		"save ---", "save - -v",
		"save -o -v", "save --output -v -v", "save 1 2 3 --output x -vv 4 -ox 5 -- 6 -v", "save --=x",
	};
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "leave-running", no_argument, NULL, 'R' },
		{ "leave", no_argument, NULL, 'L' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "log", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};

	(void)state;
	opterr = 0;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char line[100], *ours[30], *theirs[30];
		int argc, c;

		strcpy(line, lines[i]);
		argc = split(line, ours);
		memcpy(theirs, ours, sizeof(ours));
		optind = 0;
		own_optind = 1;
		do {
			c = getopt_long(argc, theirs, ":o:vq", options, NULL);
			assert_int_equal(own_getopt_long(argc, ours, ":o:vq", options, NULL), c);
			if (c == 'o' || c == 'l')
				assert_ptr_equal(own_optarg, optarg);
			if (c == '?' || c == ':')
				assert_true(ours[own_optind - 1][0] == '-');
		} while (c != -1);
		assert_int_equal(own_optind, optind);
		for (int n = 0; n < argc; n++)
			assert_ptr_equal(ours[n], theirs[n]);
	}
}

static size_t some_size(void)
{
	static const size_t edges[] = { 0, 1, 15, 16, 17, 32752, 32753, 32768, 65519, 65520, 65521, 65536, 131072 };

	return random() % 4 ? (size_t)random() % (random() % 8 ? 300 : 200000) : edges[(size_t)random() % (sizeof(edges) / sizeof(*edges))];
}

/* Blocks of all sizes come and go; each keeps its bytes, and none overlaps another. */
static void test_memory(void **state)
{
	static struct {
		uint8_t *at;
		size_t len;
		uint8_t fill;
	} blocks[200];

	(void)state;
	srandom(1);
	for (int turn = 0; turn < 50000; turn++) {
		size_t i = (size_t)random() % 200, len = some_size();
		uint8_t *at = blocks[i].at;

		for (size_t k = 0; k < blocks[i].len; k++)
			assert_int_equal(at[k], blocks[i].fill);
		if (random() % 3) {
			own_free(at);
			at = random() % 2 ? own_malloc(len) : own_calloc(1, len);
		} else {
			at = own_realloc(at, len);
			for (size_t k = 0; k < (len < blocks[i].len ? len : blocks[i].len); k++)
				assert_int_equal(at[k], blocks[i].fill);
		}
		assert_non_null(at);
		assert_int_equal((uintptr_t)at % 16, 0);
		blocks[i].at = at;
		blocks[i].len = len;
		blocks[i].fill = (uint8_t)random();
		memset(at, blocks[i].fill, len);
	}
	for (size_t i = 0; i < 200; i++)
		own_free(blocks[i].at);
	for (int turn = 0; turn < 1000; turn++) {
		size_t len = some_size();
		uint8_t *at = own_calloc(len, 1);

		for (size_t k = 0; k < len; k++)
			assert_int_equal(at[k], 0);
		memset(at, 0xff, len);
		own_free(at);
	}
	assert_null(own_malloc(SIZE_MAX));
	assert_null(own_malloc(PTRDIFF_MAX));
	assert_null(own_calloc(SIZE_MAX / 2, 3));
	assert_null(own_calloc(SIZE_MAX / 16 + 2, 16));
	own_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_standard_output),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_parsed),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
