/* SPDX-License-Identifier: MIT */
/* What stands in for another kernel's vDSO is built in the test itself, from this kernel's, and called; and hostile ones are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/log.h has a function of that name */

#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "arch.h"
#include "base/log.h"
#include "kernel/procfs.h"
#include "tree/mapped.h"
#include "tree/vdso.h"
#include "vma.pb.h"

static struct owns here;
static uint8_t *text;
static size_t len;

static int see(void *arg, struct vma *v)
{
	(void)arg;
	if (vma_is_kernels_own(v) && strcmp(v->name, "[sigpage]"))
		assert_int_equal(own_note(&here, v), 0);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	if (!getauxval(AT_SYSINFO_EHDR) || proc_vmas(getpid(), false, see, NULL))
		return 0;
	for (size_t i = 0; i < here.n; i++) {
		here.own[i].to = here.own[i].start;
		if (!strcmp(here.own[i].name, "[vdso]"))
			len = here.own[i].end - here.own[i].start;
	}
	text = malloc(len);
	memcpy(text, (const void *)getauxval(AT_SYSINFO_EHDR), len);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(text);
	return 0;
}

/* The function of that name in a vDSO at that place. */
static void *function(const char *name, const uint8_t *at)
{
	const ElfW(Ehdr) *e = (const void *)at;
	const ElfW(Shdr) *section = (const void *)(at + e->e_shoff);

	for (int i = 0; i < e->e_shnum; i++) {
		const ElfW(Sym) *symbol = (const void *)(at + section[i].sh_offset);

		for (size_t k = 0; section[i].sh_type == SHT_DYNSYM && k < section[i].sh_size / sizeof(*symbol); k++)
			if (!strcmp((const char *)at + section[section[i].sh_link].sh_offset + symbol[k].st_name, name))
				return (void *)(uintptr_t)(at + symbol[k].st_value);
	}
	return NULL;
}

/* Lays out what stands in for this kernel's, as if that were another's. */
static const uint8_t *stand_in(const struct owns *o, int64_t monotonic, int64_t boottime)
{
	struct restore r = { .pid = getpid(), .told = { monotonic, boottime } };
	const struct born born = { .pid = getpid() };
	const size_t page = (size_t)getpagesize(), all = page + len;
	uint8_t *at = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct mapped want[] = {
		{ .start = (uintptr_t)at, .end = (uintptr_t)at + page, .kind = VmaKind_VDSO, .name = "[vvar]" },
		{ .start = (uintptr_t)at + page, .end = (uintptr_t)at + all, .kind = VmaKind_VDSO, .name = "[vdso]", .crc = 1, .text = 1 },
	};
	const struct mapped *own;
	size_t n;

	assert_int_equal(buffer_append(&r.born, &born, sizeof(born)), 0);
	r.born_box[r.pid % 64u] = 1;
	assert_int_equal(vdso_keep(&r, &want[1], text, len), 0);
	assert_int_equal(mapped_add(&r.memory, &want[0]) | mapped_add(&r.memory, &want[1]), 0);
	assert_int_equal(vdso_stand_in(&r, 0), 0);
	own = mapped_own(&r.memory, &n);
	assert_int_equal(n, 1);
	assert_int_equal(own->kind, VmaKind_ANONYMOUS);
	assert_int_equal(own->end - own->start, all);
	assert_int_equal(vdso_fill(&r, o), 0);
	assert_int_equal(mprotect(at, all, PROT_READ | PROT_EXEC), 0);
	buffer_free(&r.born);
	buffer_free(&r.texts);
	buffer_free(&r.stand_ins);
	buffer_free(&r.memory.own);
	return at + page;
}

static int64_t ns(const struct timespec *t)
{
	return t->tv_sec * 1000000000LL + t->tv_nsec;
}

static void compare(const uint8_t *at, int64_t monotonic, int64_t boottime)
{
	static const struct {
		clockid_t id;
		char by;	/* which offset it has */
	} clocks[] = {
		{ CLOCK_REALTIME, 0 }, { CLOCK_MONOTONIC, 'm' }, { CLOCK_MONOTONIC_RAW, 'm' }, { CLOCK_MONOTONIC_COARSE, 'm' },
		{ CLOCK_REALTIME_COARSE, 0 }, { CLOCK_BOOTTIME, 'b' }, { CLOCK_BOOTTIME_ALARM, 'b' }, { CLOCK_TAI, 0 },
		{ CLOCK_PROCESS_CPUTIME_ID, 0 },
	};
	long (*get)(long, struct timespec *) = (long (*)(long, struct timespec *))(uintptr_t)function("__vdso_clock_gettime", at);
	long (*day)(struct timeval *, void *) = (long (*)(struct timeval *, void *))(uintptr_t)function("__vdso_gettimeofday", at);
	long (*cpu)(unsigned *, unsigned *, void *) = (long (*)(unsigned *, unsigned *, void *))(uintptr_t)function("__vdso_getcpu", at);
	long (*seconds)(long *) = (long (*)(long *))(uintptr_t)function("__vdso_time", at);
	struct timespec before, got, after;
	struct timeval now;
	unsigned number = 1 << 30;

	assert_non_null(get);
	for (size_t i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
		const clockid_t c = clocks[i].id;
		int64_t by = clocks[i].by == 'b' ? boottime : clocks[i].by ? monotonic : 0;

		if (syscall(SYS_clock_gettime, c, &before)) {	/* an alarm's, where nothing wakes the machine */
			const int error = errno;

			assert_int_equal(get(c, &got), -error);
			continue;
		}
		assert_int_equal(get(c, &got), 0);
		syscall(SYS_clock_gettime, c, &after);
		assert_in_range(got.tv_nsec, 0, 999999999);
		assert_true(ns(&before) + by <= ns(&got) && ns(&got) <= ns(&after) + by);
	}
	assert_int_equal(get(77, &got), -EINVAL);
	assert_int_equal(day(&now, NULL), 0);
	assert_in_range(now.tv_sec, time(NULL) - 1, time(NULL) + 1); /* which is of the last tick */
	assert_int_equal(cpu(&number, NULL, NULL), 0);
	assert_in_range(number, 0, 4095);
	if (seconds)
		assert_in_range(seconds(NULL), time(NULL) - 1, time(NULL) + 1);
}

static void want_text(void)
{
	if (text)
		return;
	print_message("skip reason: this kernel gives programs no vDSO whose functions are known\n");
	skip();
}

static void test_led_to_this_kernels(void **state)
{
	(void)state;
	want_text();
	compare(stand_in(&here, 0, 0), 0, 0);
}

static void test_system_calls_alone(void **state)
{
	const struct owns none = { .n = 0 };
	const uint8_t *at;
	long (*get)(long, struct timespec *);
	long (*enter)(long, long, long, long, long, long);

	(void)state;
	want_text();
	compare(stand_in(&none, 0, 0), 0, 0);
	at = stand_in(&none, -1, 999999999);
	compare(at, -1, 999999999);
	/* an error is no time that anything is added to */
	get = (long (*)(long, struct timespec *))(uintptr_t)function("__vdso_clock_gettime", at);
	assert_int_equal(get(CLOCK_MONOTONIC, NULL), -EFAULT);
	/* what no system call does */
	enter = (long (*)(long, long, long, long, long, long))(uintptr_t)function("__vdso_sgx_enter_enclave", at);
	if (enter)
		assert_int_equal(enter(0, 0, 0, 0, 0, 0), -ENOSYS);
}

static void test_clocks_go_on(void **state)
{
	static const int64_t offsets[][2] = { { 3600000000001, 7200999999999 }, { -1, 0 }, { 0, -999999999 }, { 123456789, 1 } };

	(void)state;
	want_text();
	for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++)
		for (int k = 0; k < 100; k++)
			compare(stand_in(&here, offsets[i][0], offsets[i][1]), offsets[i][0], offsets[i][1]);
}

/* Bytes of the ELF headers are others; every access is watched. */
static void test_hostile(void **state)
{
	(void)state;
	want_text();
	srandom(1);
	log_init(NULL, LOG_QUIET, 2);
	for (int i = 0; i < 50000; i++) {
		const size_t cut = i % 7 ? len : (size_t)random() % len;
		const ElfW(Ehdr) *e = (const void *)text;
		uint8_t *copy = malloc(cut + 1);

		memcpy(copy, text, cut);
		for (int k = 0; k < 3; k++) {
			size_t at = (size_t)random() % sizeof(*e);

			if (k)
				at = e->e_shoff + (size_t)random() % (e->e_shnum * (size_t)e->e_shentsize);
			if (at < cut)
				copy[at] = random() & 1 ? (uint8_t)random() : 0xff;
		}
		(void)vdso_check(copy, cut);
		free(copy);
	}
	log_init(NULL, LOG_NOTICE, 2);
}

static jmp_buf behind;
static int in_frame;

static void __attribute__((noinline)) interrupted(void)
{
	__builtin_trap();
}

/* Words of the frame that are addresses in that function. */
static void on_trap(int signal, siginfo_t *info, void *context)
{
	const uintptr_t lo = (uintptr_t)interrupted & ~1UL;
	const unsigned long *word = context;

	(void)signal;
	(void)info;
	for (size_t i = 2; i < sizeof(ucontext_t) / sizeof(*word) - 2; i++)
		in_frame += word[i] >= lo && word[i] < lo + 64 && arch_may_be_frame_pc(&word[i]);
	longjmp(behind, 1);
}

/* The kernel's own frame has one; what calls leave on a stack, and nothing, are none. */
static void test_frame_pc(void **state)
{
	const struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER };
	struct sigaction was;
	unsigned long left[5];

	(void)state;
	assert_int_equal(sigaction(SIGILL, &action, &was), 0);
	if (!setjmp(behind))
		interrupted();
	assert_int_equal(sigaction(SIGILL, &was, NULL), 0);
	assert_int_equal(in_frame, 1);
	memset(left, 0, sizeof(left));
	left[2] = (uintptr_t)interrupted;
	assert_false(arch_may_be_frame_pc(&left[2]));
	for (size_t i = 0; i < 5; i++)
		if (i != 2)
			left[i] = ((uintptr_t)left & ~15UL) + 8;
	assert_false(arch_may_be_frame_pc(&left[2]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_led_to_this_kernels),
		cmocka_unit_test(test_system_calls_alone),
		cmocka_unit_test(test_clocks_go_on),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_frame_pc),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
