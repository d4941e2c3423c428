/* SPDX-License-Identifier: MIT */
/* What processes have that has no descriptor. */
#include "kind.h"
#include "selfview.h"
#include "timers.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t kind_helper;

static timer_t timer;

static int start_timer(clockid_t clock, pid_t tid)
{
	struct itimerspec time = {.it_value.tv_sec = 1000};

	timer = timer_new(clock, SIGRTMIN + 1, tid, NULL);
	must(timer_settime(timer, 0, &time, NULL));
	return NO_DESCRIPTOR;
}

static int make_posix_timer(void)
{
	if (access("/proc/self/timers", F_OK) == 0)
		test_skip("this kernel tells what kind of timer it is");
	return start_timer(CLOCK_MONOTONIC, 0);
}

static int make_timer_other_process(void)
{
	clockid_t clock;

	expect(clock_getcpuclockid(getppid(), &clock) == 0, "clock_getcpuclockid");
	return start_timer(clock, 0);
}

static void *live_on(void *arg)
{
	test_wait();
	return arg;
}

static int make_timer_some_thread(void)
{
	test_thread(live_on, NULL);
	return start_timer(CLOCK_THREAD_CPUTIME_ID, 0);
}

static void *make_and_go(void *tid)
{
	*(pid_t *)tid = gettid();
	start_timer(CLOCK_MONOTONIC, gettid());
	return NULL;
}

static int make_timer_thread_gone(void)
{
	pid_t tid;

	pthread_join(test_thread(make_and_go, &tid), NULL);
	/* it is joined a little before /proc has forgotten it */
	while (!syscall(SYS_tgkill, getpid(), tid, 0))
		test_nap(1);
	return NO_DESCRIPTOR;
}

static void check_posix_timer(int fd)
{
	struct itimerspec time = {0};

	(void)fd;
	expect(timer_gettime(timer, &time) == 0 && time.it_value.tv_sec > 900, "%lld s remain", (long long)time.it_value.tv_sec);
}

static void spoil_posix_timer(void)
{
	must(timer_delete(timer));
}

static char *segment;

static int make_sysv_shm(void)
{
	int id = shmget(IPC_PRIVATE, 65536, IPC_CREAT | 0600);

	if (id < 0)
		return -1;
	segment = must(shmat(id, NULL, 0));
	must(shmctl(id, IPC_RMID, NULL));
	fill_pattern(segment, 65536, 601);
	return NO_DESCRIPTOR;
}

static void check_sysv_shm(int fd)
{
	(void)fd;
	expect_pattern("segment", segment, 65536, 601);
}

static void spoil_sysv_shm(void)
{
	segment[5]++;
}

static int make_seccomp(void)
{
	static struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {1, &allow};

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -1 : NO_DESCRIPTOR;
}

static bool spoiled;

static void spoil_by_flag(void)
{
	spoiled = true;
}

static void check_seccomp(int fd)
{
	(void)fd;
	expect(prctl(PR_GET_SECCOMP) == 2 && !spoiled, "the filter is gone");
}

static void live_elsewhere(void *arg)
{
	char before[64] = "", now[64] = "";

	if (unshare((intptr_t)arg))
		_exit(99);
	must(readlink("/proc/self/ns/uts", before, sizeof before - 1));
	test_child_ready();
	test_wait();
	must(readlink("/proc/self/ns/uts", now, sizeof now - 1));
	expect(strcmp(before, now) == 0 && !test_breaking(), "the namespace was %s and is %s", before, now);
}

static int make_namespace(int flag)
{
	pid_t probe = must(fork());
	int status = -1;

	if (probe == 0)
		_exit(unshare(flag) || access("/proc/self/ns/uts", F_OK) ? 1 : 0);
	must(waitpid(probe, &status, 0));
	if (status)
		return -1;
	kind_helper = test_child(live_elsewhere, (void *)(intptr_t)flag);
	return NO_DESCRIPTOR;
}

static int make_ns_uts(void)
{
	return make_namespace(CLONE_NEWUTS);
}

static int make_ns_mnt(void)
{
	return make_namespace(CLONE_NEWNS);
}

static int make_ns_net(void)
{
	return make_namespace(CLONE_NEWNET);
}

static int make_ns_user(void)
{
	return make_namespace(CLONE_NEWUSER);
}

/* Whoever it forks first is to be process 1 of one that is not there yet. */
static int make_ns_pid_to_come(void)
{
	return make_namespace(CLONE_NEWPID);
}

static void check_helper(int fd)
{
	(void)fd;
	test_join(kind_helper);
}

static volatile int shared_word;

static int share_memory(void *arg)
{
	(void)arg;
	while (!shared_word)
		syscall(SYS_sched_yield), usleep(2000);
	shared_word = 2;
	syscall(SYS_exit, 0);
	return 0;
}

static int make_clone_vm(void)
{
	static char stack[65536] __attribute__((aligned(64)));

	kind_helper = must(clone(share_memory, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL));
	return NO_DESCRIPTOR;
}

static void check_clone_vm(int fd)
{
	(void)fd;
	shared_word = 1;
	must(waitpid(kind_helper, NULL, 0));
	expect(shared_word == 2 && !spoiled, "the memory is not shared");
}

/* Tables that a process shares with its child, or a thread has to itself: who sees what the other changes? */
static int spare;
static pthread_t thread;

static void change_tables(void)
{
	while (!test_may_go())
		test_nap(2);
	umask(0123);
	close(spare);
}

static int change_and_exit(void *arg)
{
	(void)arg;
	change_tables();
	_exit(0);
}

static int make_shared_tables(int flags)
{
	static char stack[65536] __attribute__((aligned(64)));

	umask(022);
	spare = must(dup(0));
	kind_helper = must(clone(change_and_exit, stack + sizeof stack, flags | SIGCHLD, NULL));
	return NO_DESCRIPTOR;
}

static int make_clone_files(void)
{
	return make_shared_tables(CLONE_FILES);
}

static int make_clone_fs(void)
{
	return make_shared_tables(CLONE_FS);
}

static void check_tables(bool files_shared, bool fs_shared)
{
	expect((fcntl(spare, F_GETFD) < 0) == files_shared && !spoiled, "the descriptor tables");
	expect((umask(022) == 0123) == fs_shared, "the file mode masks");
}

static void check_clone_files(int fd)
{
	(void)fd;
	must(waitpid(kind_helper, NULL, 0));
	check_tables(true, false);
}

static void check_clone_fs(int fd)
{
	(void)fd;
	must(waitpid(kind_helper, NULL, 0));
	check_tables(false, true);
}

static void *change_alone(void *arg)
{
	must(unshare((int)(intptr_t)arg));
	change_tables();
	return NULL;
}

static int make_own_tables(int flags)
{
	umask(022);
	spare = must(dup(0));
	thread = test_thread(change_alone, (void *)(intptr_t)flags);
	test_nap(50);
	return NO_DESCRIPTOR;
}

static int make_own_files(void)
{
	return make_own_tables(CLONE_FILES);
}

static int make_own_fs(void)
{
	return make_own_tables(CLONE_FS);
}

static void check_own_files(int fd)
{
	(void)fd;
	pthread_join(thread, NULL);
	check_tables(false, true);
}

static void check_own_fs(int fd)
{
	(void)fd;
	pthread_join(thread, NULL);
	check_tables(true, false);
}

/* A child that this process traces, as debuggers of oneself and some runtimes do. */
static void be_traced(void *arg)
{
	(void)arg;
	test_child_ready();
	test_wait();
}

static int make_traced(void)
{
	kind_helper = test_child(be_traced, NULL);
	return ptrace(PTRACE_SEIZE, kind_helper, NULL, NULL) ? -1 : NO_DESCRIPTOR;
}

static void check_traced(int fd)
{
	char line[64] = "";

	(void)fd;
	status_lines(kind_helper, "TracerPid:", line, sizeof line);
	expect(atoi(line + strlen("TracerPid:")) == getpid() && !spoiled, "of the helper: %s", line);
	test_join(kind_helper);
}

static int make_aio(void)
{
	aio_context_t context = 0;

	return syscall(SYS_io_setup, 4, &context) ? -1 : NO_DESCRIPTOR;
}

static void check_flag(int fd)
{
	(void)fd;
	expect(!spoiled, "spoiled");
}

/* Memory whose tags pointers must match. */
static uint8_t *tagged;

static int make_mte(void)
{
#if defined(__aarch64__)
	enum { PROT_MTE_ = 0x20 };

	if (getauxval(AT_HWCAP2) >> 18 & 1) {
		tagged = must(mmap(NULL, 65536, PROT_READ | PROT_WRITE | PROT_MTE_, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
		fill_pattern(tagged, 65536, 602);
		must(mprotect(tagged, 65536, PROT_READ));
		return NO_DESCRIPTOR;
	}
#endif
	test_skip("this processor has no memory tags (MTE)");
	return NO_DESCRIPTOR;
}

static void check_mte(int fd)
{
	(void)fd;
	expect_pattern("tagged memory", tagged, 65536, 602);
}

static void spoil_mte(void)
{
	must(mprotect(tagged, 65536, PROT_READ | PROT_WRITE));
	tagged[7]++;
}

const struct kind process_kinds[] = {
	{"posix_timer", make_posix_timer, check_posix_timer, spoil_posix_timer, "POSIX timer"},
	{"timer_other_process", make_timer_other_process, check_posix_timer, spoil_posix_timer, "processor time of another process"},
	{"timer_some_thread", make_timer_some_thread, check_posix_timer, spoil_posix_timer, "which thread's processor time"},
	{"timer_thread_gone", make_timer_thread_gone, check_posix_timer, spoil_posix_timer, "a thread that has ended"},
	{"sysv_shm", make_sysv_shm, check_sysv_shm, spoil_sysv_shm, "System V shared memory"},
	{"seccomp", make_seccomp, check_seccomp, spoil_by_flag, "seccomp"},
	{"ns_uts", make_ns_uts, check_helper, spoil_by_flag, "uts namespace"},
	{"ns_mnt", make_ns_mnt, check_helper, spoil_by_flag, "mnt namespace"},
	{"ns_net", make_ns_net, check_helper, spoil_by_flag, "net namespace"},
	{"ns_user", make_ns_user, check_helper, spoil_by_flag, "user namespace"},
	{"ns_pid_to_come", make_ns_pid_to_come, check_helper, spoil_by_flag, "another pid_for_children namespace"},
	{"clone_vm", make_clone_vm, check_clone_vm, spoil_by_flag, NULL},
	{"clone_files", make_clone_files, check_clone_files, spoil_by_flag, NULL},
	{"clone_fs", make_clone_fs, check_clone_fs, spoil_by_flag, NULL},
	{"own_files", make_own_files, check_own_files, spoil_by_flag, NULL},
	{"own_fs", make_own_fs, check_own_fs, spoil_by_flag, NULL},
	{"traced", make_traced, check_traced, spoil_by_flag, "already traced"},
	{"aio", make_aio, check_flag, spoil_by_flag, NULL},
	{"mte", make_mte, check_mte, spoil_mte, NULL},
	{NULL, NULL, NULL, NULL, NULL},
};
