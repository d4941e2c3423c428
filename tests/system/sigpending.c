/* SPDX-License-Identifier: MIT */
/* Pending signals of the process and of a thread come with all they carried, real-time ones in their order. */
#include "testlib.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_rt_sigtimedwait
#define SYS_rt_sigtimedwait SYS_rt_sigtimedwait_time64
#endif

enum { QUEUED = 6 };

static pthread_t thread;
static volatile pid_t thread_tid;

static sigset_t all_used(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTRAP);
	sigaddset(&set, SIGSEGV);
	sigaddset(&set, SIGBUS);
	for (int i = 1; i < 5; i++)
		sigaddset(&set, SIGRTMIN + i);
	return set;
}

/* Takes the next pending instance of the signal and compares what it carries. */
static void expect_pending(const char *who, int number, int code, int value)
{
	int64_t at_once[2] = {0, 0}; /* zero in every layout of timespec */
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	memset(&info, 0, sizeof info);
	/* The kernel's own call: the C library's turns SI_TKILL into SI_USER. */
	int got = syscall(SYS_rt_sigtimedwait, &set, &info, at_once, 8);

	expect(got == number, "%s: signal %d is not pending (%d, errno %d)", who, number, got, errno);
	expect(info.si_code == code, "%s: signal %d has code %d instead of %d", who, number, info.si_code, code);
	expect(info.si_pid == getpid() && info.si_uid == getuid(), "%s: signal %d comes from pid %d, uid %d", who, number,
	       info.si_pid, info.si_uid);
	if (code == SI_QUEUE)
		expect(info.si_value.sival_int == value, "%s: signal %d carries %d instead of %d", who, number,
		       info.si_value.sival_int, value);
}

static void expect_none(const char *who)
{
	sigset_t pending, used = all_used();

	sigpending(&pending);
	for (int i = 1; i < 65; i++)
		expect(!sigismember(&used, i) || !sigismember(&pending, i), "%s: signal %d is pending and should not", who, i);
}

static void queue_to_thread(pid_t tid, int number, int value)
{
	siginfo_t info;

	memset(&info, 0, sizeof info);
	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_int = value;
	must(syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, number, &info));
}

/* As of a fault: the kernel takes one of these for a trap, blocked or not, when a trap is pending behind it. */
static void queue_fault(int number, int code, uintptr_t at)
{
	siginfo_t info;

	memset(&info, 0, sizeof info);
	info.si_code = code;
	info.si_addr = (void *)at;
	must(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), number, &info));
}

static void expect_fault(const char *who, int number, int code, uintptr_t at)
{
	int64_t at_once[2] = {0, 0};
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	int got = syscall(SYS_rt_sigtimedwait, &set, &info, at_once, 8);

	expect(got == number, "%s: signal %d is not pending (%d, errno %d)", who, number, got, errno);
	expect(info.si_code == code && info.si_addr == (void *)at, "%s: signal %d has code %d, address %p", who, number, info.si_code,
	       info.si_addr);
}

static void *body(void *arg)
{
	queue_fault(SIGSEGV, SEGV_MAPERR, 0x1000);
	thread_tid = gettid();
	test_wait();
	expect_fault("thread", SIGSEGV, SEGV_MAPERR, 0x1000);
	/* Before the process's own: those are shared, and this thread must not take them. */
	expect_pending("thread", SIGUSR2, SI_TKILL, 0);
	expect_pending("thread", SIGTRAP, SI_QUEUE, 33);
	for (int i = 0; i < QUEUED; i++)
		expect_pending("thread", SIGRTMIN + 3, SI_QUEUE, 500 + i);
	return arg;
}

void test_setup(void)
{
	sigset_t set = all_used();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
	thread = test_thread(body, NULL);
	while (!thread_tid)
		test_nap(1);
	kill(getpid(), SIGHUP);
	kill(getpid(), SIGHUP); /* the second one merges into the first */
	kill(getpid(), SIGRTMIN + 2);
	sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 77});
	for (int i = 0; i < QUEUED; i++) {
		sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 100 + i});
		queue_to_thread(thread_tid, SIGRTMIN + 3, 500 + i);
	}
	pthread_kill(thread, SIGUSR2);
	sigqueue(getpid(), SIGTRAP, (union sigval){.sival_int = 44});
	queue_to_thread(thread_tid, SIGTRAP, 33);
	queue_to_thread(getpid(), SIGRTMIN + 4, 9);
	queue_fault(SIGSEGV, SEGV_ACCERR, 0x2000);
	queue_fault(SIGBUS, BUS_ADRERR, 0x3000);
}

void test_break(void)
{
	expect_pending("breaking", SIGRTMIN + 1, SI_QUEUE, 100);
}

void test_check(void)
{
	pthread_join(thread, NULL);
	expect_pending("process", SIGHUP, SI_USER, 0);
	expect_pending("process", SIGRTMIN + 2, SI_USER, 0);
	expect_pending("process", SIGUSR1, SI_QUEUE, 77);
	expect_pending("process", SIGTRAP, SI_QUEUE, 44);
	for (int i = 0; i < QUEUED; i++)
		expect_pending("process", SIGRTMIN + 1, SI_QUEUE, 100 + i);
	expect_pending("main thread", SIGRTMIN + 4, SI_QUEUE, 9);
	expect_fault("main thread", SIGSEGV, SEGV_ACCERR, 0x2000);
	expect_fault("main thread", SIGBUS, BUS_ADRERR, 0x3000);
	expect_none("process");
}
