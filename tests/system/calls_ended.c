/* SPDX-License-Identifier: MIT */
/*
 * A stopped process whose threads wait in calls, each with a signal pending whose handler has no SA_RESTART: set going again, the
 * handler runs, and the call returns EINTR, rather than to wait for another one.
 */
#include "selfview.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449	/* 5.16 */
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif

static int empty[2], full[2], regular, locked;
static uint32_t word;
static char byte;
static struct iovec part = { &byte, 1 };

static long by_read(void) { return read(empty[0], &byte, 1); }
static long by_readv(void) { return readv(empty[0], &part, 1); }
static long by_preadv2(void) { return syscall(SYS_preadv2, empty[0], &part, 1, -1L, -1L, 0); }
static long by_write(void) { return write(full[1], &byte, 1); }
static long by_pwritev2(void) { return syscall(SYS_pwritev2, full[1], &part, 1, -1L, -1L, 0); }
static long by_splice(void) { return splice(empty[0], NULL, full[1], NULL, 1, 0); }
static long by_tee(void) { return tee(empty[0], full[1], 1, 0); }
static long by_vmsplice(void) { return vmsplice(full[1], &part, 1, 0); }
static long by_sendfile(void) { return sendfile(full[1], regular, NULL, 1); }
static long by_open(void) { return open(test_path("fifo"), O_RDONLY); }
static long by_flock(void) { return flock(open(test_path("locked"), O_RDWR | O_CLOEXEC), LOCK_EX); }
static long by_wait4(void) { return waitpid(-1, NULL, 0); }
static long by_waitid(void) { return waitid(P_ALL, 0, &(siginfo_t){ 0 }, WEXITED); }
#if defined(__x86_64__)
static long by_futex(void) { return syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0); }
static long by_nanosleep(void) { return nanosleep(&(struct timespec){ 3600, 0 }, NULL); }
#endif
static long by_pause(void) { return pause(); }

#ifdef SYS_open
static long by_open_itself(void) { return syscall(SYS_open, test_path("fifo"), O_RDONLY, 0); }
#endif

static long by_openat2(void)
{
	const uint64_t how[3] = { O_RDONLY };

	return syscall(SYS_openat2, AT_FDCWD, test_path("fifo"), how, sizeof(how));
}

static long by_waitv(void)
{
	const struct {
		uint64_t value, address;
		uint32_t flags, pad;
	} waiter = { 0, (uintptr_t)&word, 2 /* of 32 bits */ | FUTEX_PRIVATE_FLAG, 0 };

	return syscall(SYS_futex_waitv, &waiter, 1, 0, NULL, 0);
}

static const struct call {
	const char *name;
	long (*make)(void);
} calls[] = {
	{ "read", by_read }, { "readv", by_readv }, { "preadv2", by_preadv2 }, { "write", by_write },
	{ "pwritev2", by_pwritev2 }, { "splice", by_splice }, { "tee", by_tee },
	{ "vmsplice", by_vmsplice }, { "sendfile", by_sendfile }, { "open", by_open },
	{ "openat2", by_openat2 }, { "flock", by_flock }, { "wait4", by_wait4 },
	{ "waitid", by_waitid }, { "futex_waitv", by_waitv }, { "pause", by_pause },
#if defined(__x86_64__)
	/* Elsewhere threads in such calls take a step for the tool (kernel/restart.c), and their signals are delivered in it. */
	{ "futex", by_futex }, { "nanosleep", by_nanosleep },
#endif
#ifdef SYS_open
	{ "open itself", by_open_itself },
#endif
};
enum { CALLS = sizeof(calls) / sizeof(*calls), WAITS = -1 };
static struct state {
	volatile pid_t tid;
	volatile int error;
} *state;	/* both processes see it */
static pid_t child;

static void on_signal(int number)
{
	(void)number;
}

static void *body(void *arg)
{
	const intptr_t i = (intptr_t)arg;

	state[i].error = WAITS;
	state[i].tid = gettid();
	state[i].error = calls[i].make() == -1 ? errno : 0;
	return NULL;
}

static void wait_for_ever(void *arg)
{
	test_child_ready();
	for (;;)
		pause();
	(void)arg;
}

static bool all_returned(void)
{
	for (int i = 0; i < CALLS; i++)
		if (state[i].error == WAITS)
			return false;
	return true;
}

static void wait_in_calls(void *arg)
{
	const struct sigaction action = { .sa_handler = on_signal };
	pid_t own;

	sigaction(SIGUSR1, &action, NULL);
	own = test_child(wait_for_ever, arg);
	for (intptr_t i = 0; i < CALLS; i++) {
		test_thread(body, (void *)i);
		while (!state[i].tid)
			test_nap(1);
		/* a kernel may lack the call: that is as good as EINTR */
		for (int wait = 0; state[i].error == WAITS && task_state(state[i].tid) != 'S' && wait < 1000; wait++)
			test_nap(1);
	}
	test_nap(20);
	for (int i = 0; i < CALLS; i++)
		expect(state[i].error == WAITS || state[i].error == ENOSYS, "set-up: %s returned with errno %d", calls[i].name, state[i].error);
	test_child_ready();
	kill(getpid(), SIGSTOP);

	for (int wait = 0; !all_returned() && wait < 500; wait++)
		test_nap(10);
	for (int i = 0; i < CALLS; i++) {
		expect(state[i].error != WAITS, "%s goes on to wait, though a handler has run", calls[i].name);
		expect(state[i].error == (test_breaking() ? 0 : EINTR) || state[i].error == ENOSYS, "%s: errno %d", calls[i].name, state[i].error);
	}
	kill(own, SIGKILL);
}

void test_setup(void)
{
	int status, capacity;

	must(pipe(empty));
	must(pipe(full));
	capacity = must(fcntl(full[1], F_SETPIPE_SZ, 4096));	/* a page at least */
	for (int i = 0; i < capacity; i++)
		must(write(full[1], &byte, 1));
	must(mkfifo(test_path("fifo"), 0600));
	regular = must(open(test_path("regular"), O_RDWR | O_CREAT, 0600));
	must(write(regular, "text", 4));
	must(lseek(regular, 0, SEEK_SET));
	locked = must(open(test_path("locked"), O_RDWR | O_CREAT, 0600));
	must(flock(locked, LOCK_EX));
	state = must(mmap(NULL, sizeof(*state) * CALLS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	child = test_child(wait_in_calls, NULL);
	must(waitpid(child, &status, WUNTRACED));
	expect(WIFSTOPPED(status), "set-up: status 0x%x", status);
	for (int i = 0; i < CALLS; i++)
		if (state[i].error == WAITS)
			must(syscall(SYS_tgkill, child, state[i].tid, SIGUSR1));
}

void test_break(void)
{
}

void test_check(void)
{
	expect(task_state(child) == 'T', "the process is in state %c", task_state(child));
	must(kill(child, SIGCONT));
	test_join(child);
}
