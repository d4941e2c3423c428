/* SPDX-License-Identifier: MIT */
/*
 * Processes in states that tinyckpt must refuse or respect. `actor ROLE` prints its own PID and the number that matters,
 * and stays until it is killed or, for safety, ten minutes have gone by.
 *
 *   actor sleep         its own PID
 *   actor zombie        the PID of a child that has ended and is not waited for
 *   actor thread        the ID of a second thread; there are four
 *   actor thread-rseq   the same, and two of them have registered for rseq(2) where nobody knows
 *   actor rseq-of TID   where that thread has registered for rseq(2), instead of its own PID; and ends
 *   actor trace PID     traces PID
 *   actor lock FILE     holds the lock (fcntl's) of the whole file
 *   actor mutex FILE    holds a robust mutex that it has put there
 *   actor hold          memory, which it looks through when it gets SIGUSR1: it ends if that is not as it was
 *   actor signals FILE  writes the number of each signal that it takes to FILE, a line each
 *   actor map           20,000 mappings
 *   actor vfork         the PID of a child that it waits for, by vfork(2)
 *   actor volley PID    stops that process and lets it go on, for a while and over and over
 *   actor become        says nothing: becomes the same program again, all the time, with threads
 *   actor outlive       says nothing: its children end, main thread first, all the time
 *   actor take PID      a child of it has that number (by clone3)
 *   actor take-dead PID the same, and it has ended and is not waited for
 *   actor take-tid PID  a thread of it gets that number, if nobody is faster
 *   actor timers N      N timers have ended more than once, and are to end again; nobody takes the signal, which is the same for all
 *   actor thread-timers N  the same, and it is another thread that they signal
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int stay(long number)
{
	printf("%d %ld\n", (int)getpid(), number);
	fclose(stdout);
	/* Reads nothing, writes nothing, holds nothing but the standard streams; and outlives its test on a machine with much to do. */
	for (int i = 0; i < 600; i++)
		sleep(1);
	return 0;
}

static int told_to;

static void tell(int number)
{
	char line[3] = { (char)('0' + number / 10), (char)('0' + number % 10), '\n' };

	if (write(told_to, line, sizeof(line)) != sizeof(line))
		_exit(1);
}

static int tell_signals(const char *path)
{
	const struct sigaction action = { .sa_handler = tell, .sa_flags = SA_RESTART };

	told_to = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (told_to < 0)
		return 1;
	for (int number = 1; number <= SIGRTMAX; number++)
		if (number != SIGALRM && number != SIGCHLD)
			(void)sigaction(number, &action, NULL);
	return stay(0);
}

static void *thread(void *arg)
{
	pthread_barrier_t *barrier = arg;
	long tid = syscall(SYS_gettid);

	pthread_barrier_wait(barrier);
	stay(tid);
	return NULL;
}

static void *idle(void *arg)
{
	static __thread struct {
		uint32_t cpu_id_start, cpu_id;
		uint64_t rseq_cs;
		uint32_t flags, rest[3];
	} __attribute__((aligned(32))) area;

	if (arg)
		syscall(SYS_rseq, &area, sizeof area, 0, 0x53053053);
	for (;;)
		pause();
	return arg;
}

static int rseq_of(pid_t tid)
{
	struct __ptrace_rseq_configuration c = { 0 };

	if (ptrace(PTRACE_SEIZE, tid, 0, 0) || ptrace(PTRACE_INTERRUPT, tid, 0, 0) || waitpid(tid, NULL, __WALL) != tid)
		return 1;
	ptrace(PTRACE_GET_RSEQ_CONFIGURATION, tid, sizeof c, &c);
	printf("%llx\n", (unsigned long long)c.rseq_abi_pointer);
	return 0;
}

static int with_thread(void *rseq)
{
	pthread_barrier_t barrier;
	pthread_t id;

	for (int i = 0; i < 2; i++)
		if (pthread_create(&id, NULL, idle, rseq))
			return 1;
	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&id, NULL, thread, &barrier))
		return 1;
	pthread_barrier_wait(&barrier);
	pthread_join(id, NULL);
	return 0;
}

static uint32_t *held;
enum { HELD = 3 << 20, UNTOUCHED = 1 << 20 };	/* bytes; from there on one MiB was never written */

static void look(int sig)
{
	(void)sig;
	for (uint32_t i = 0; i < HELD / sizeof(*held); i++)
		if (held[i] != (i * sizeof(*held) / UNTOUCHED == 1 ? 0 : i * 2654435761u))
			_exit(1);
}

static int hold(void)
{
	held = mmap(NULL, HELD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (held == MAP_FAILED)
		return 1;
	for (uint32_t i = 0; i < HELD / sizeof(*held); i++)
		if (i * sizeof(*held) / UNTOUCHED != 1)
			held[i] = i * 2654435761u;
	signal(SIGUSR1, look);
	return stay(getpid());
}

static int volley(pid_t pid)
{
	pid_t sender = fork();

	while (!sender) {
		kill(pid, SIGSTOP);
		kill(pid, SIGCONT);
		usleep(50);
	}
	stay(sender);
	return kill(sender, SIGKILL);
}

static int map(void)
{
	enum { MAPPINGS = 20000 };
	const size_t page = (size_t)getpagesize();
	char *at = mmap(NULL, MAPPINGS * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; at != MAP_FAILED && i < MAPPINGS; i += 2)
		if (mprotect(at + i * page, page, PROT_READ | PROT_WRITE))
			return 1;
	return at == MAP_FAILED ? 1 : stay(MAPPINGS);
}

/* The child that gets the number does nothing but stay, as long as this process does. */
static int take(pid_t wanted, int dead)
{
	uint64_t number = (uint64_t)wanted;
	struct clone_args args = { .exit_signal = SIGCHLD, .set_tid = (uint64_t)&number, .set_tid_size = 1 };
	long child = syscall(SYS_clone3, &args, sizeof(args));

	if (!child && dead)
		_exit(0);
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (child != wanted) {
		perror("clone3");
		return 1;
	}
	return stay(child);
}

/* A thread cannot ask for its number: the next one that the kernel gives is set instead. */
static int take_tid(pid_t wanted)
{
	int fd = open("/proc/sys/kernel/ns_last_pid", O_RDWR | O_CLOEXEC);

	return fd < 0 || dprintf(fd, "%d", wanted - 1) < 0 ? 1 : with_thread(NULL);
}

static char **again;

static void *become(void *arg)
{
	execv("/proc/self/exe", again);
	_exit(1);
	return arg;
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* Becomes itself all the time, with several threads; every second time it is another than the main one that does so. */
static int become_all_the_time(char **argv)
{
	char *role = argv[1];
	char other[] = "become", another[] = "become-by-thread";
	const int by_thread = strcmp(role, other) != 0;
	pthread_t thread;

	again = argv;
	argv[1] = by_thread ? other : another;
	for (int i = 0; i < 4; i++)
		pthread_create(&thread, NULL, wait_for_ever, NULL);
	if (!by_thread)
		become(NULL);
	pthread_create(&thread, NULL, become, NULL);
	wait_for_ever(NULL);
	return 1;
}

static void *end_soon(void *arg)
{
	sched_yield();
	_exit(7);
	return arg;
}

/* Children whose main thread ends before another does. */
static int outlive_all_the_time(void)
{
	for (;;) {
		pid_t child = fork();
		pthread_t thread;
		int status;

		if (!child) {
			pthread_create(&thread, NULL, end_soon, NULL);
			syscall(SYS_exit, 0);
		}
		if (waitpid(child, &status, 0) != child || status != 7 << 8)
			return 1;
	}
}

static int lock(const char *path)
{
	struct flock whole = {.l_type = F_WRLCK};
	int fd = open(path, O_RDWR);

	return fd < 0 || fcntl(fd, F_SETLK, &whole) ? 1 : stay(getpid());
}

static int hold_mutex(const char *path)
{
	pthread_mutexattr_t robust;
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	pthread_mutex_t *mutex = fd < 0 || ftruncate(fd, sizeof(*mutex)) ? MAP_FAILED :
		mmap(NULL, sizeof(*mutex), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	pthread_mutexattr_init(&robust);
	pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
	return mutex == MAP_FAILED || pthread_mutex_init(mutex, &robust) || pthread_mutex_lock(mutex) ? 1 : stay(getpid());
}

/* Of the thread that calls it, or of all. */
static int set_timers(int n, int notify)
{
	const struct itimerspec often = { .it_interval = { 0, 1000000 }, .it_value = { 0, 1000000 } };
	struct sigevent event = { .sigev_notify = notify, .sigev_signo = SIGALRM };
	timer_t timer;

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	while (n--)
		if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &often, NULL))
			return 1;
	return usleep(10000);
}

static void *own_timers(void *n)
{
	return set_timers(*(int *)n, SIGEV_THREAD_ID) ? NULL : (void *)(uintptr_t)stay(getpid());
}

static int with_timers(int n, int in_thread)
{
	sigset_t alarms;
	pthread_t id;

	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	sigprocmask(SIG_BLOCK, &alarms, NULL);
	if (!in_thread)
		return set_timers(n, SIGEV_SIGNAL) ? 1 : stay(getpid());
	return pthread_create(&id, NULL, own_timers, &n) || pthread_join(id, NULL);
}

int main(int argc, char **argv)
{
	const char *role = argc > 1 ? argv[1] : "";
	pid_t pid = argc > 2 ? atoi(argv[2]) : 0;

	if (!strcmp(role, "sleep"))
		return stay(getpid());
	if (!strcmp(role, "hold"))
		return hold();
	if (!strcmp(role, "vfork") && (pid = vfork()))
		return 0;
	if (!strcmp(role, "vfork")) {
		printf("%d %d\n", (int)getppid(), (int)getpid());
		fclose(stdout);
		sleep(60);
		_exit(0);
	}
	if (!strcmp(role, "volley") && pid > 0)
		return volley(pid);
	if (!strcmp(role, "map"))
		return map();
	if (!strcmp(role, "zombie")) {
		siginfo_t end;

		pid = fork();
		if (!pid)
			_exit(0);
		waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT);
		return stay(pid);
	}
	if (!strcmp(role, "thread"))
		return with_thread(NULL);
	if (!strcmp(role, "thread-rseq"))
		return with_thread("yes");
	if (!strcmp(role, "rseq-of"))
		return rseq_of(pid);
	if (!strcmp(role, "trace"))
		return ptrace(PTRACE_SEIZE, pid, 0, 0) ? 1 : stay(pid);
	if (!strcmp(role, "signals"))
		return tell_signals(argv[2]);
	if (!strcmp(role, "lock"))
		return lock(argv[2]);
	if (!strcmp(role, "mutex"))
		return hold_mutex(argv[2]);
	if (!strcmp(role, "take"))
		return take(pid, 0);
	if (!strncmp(role, "become", 6))
		return become_all_the_time(argv);
	if (!strcmp(role, "outlive"))
		return outlive_all_the_time();
	if (!strcmp(role, "take-dead"))
		return take(pid, 1);
	if (!strcmp(role, "take-tid"))
		return take_tid(pid);
	if (!strcmp(role, "timers") || !strcmp(role, "thread-timers"))
		return with_timers(pid, role[1] == 'h');
	fprintf(stderr, "usage: actor sleep|zombie|thread|trace PID|lock FILE|mutex FILE|hold|become|outlive|take[-dead|-tid] PID\n");
	return 2;
}
