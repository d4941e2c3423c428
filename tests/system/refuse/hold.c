/* SPDX-License-Identifier: MIT */
/*
 * Holds one object that cannot be saved (or several), and checks that the refusal has not harmed it.
 * modes: refuse
 * arguments: eventfd epoll timerfd signalfd inotify fanotify memfd userfaultfd pidfd io_uring perf_event bpf mqueue
 * arguments: unix_pair unix_listener tcp_listener udp netlink packet pty kmsg posix_lock flock ofd_lock lease posix_timer
 * arguments: sysv_shm seccomp ns_uts ns_mnt ns_net ns_user clone_vm aio linked_elsewhere several
 */
#include "testlib.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct kind {
	const char *name;
	/* Makes the object. Returns its descriptor, NO_DESCRIPTOR, or -1: this machine cannot. */
	int (*make)(void);
	/* Beyond "the descriptor leads to the same inode". */
	void (*check)(int fd);
	/* Where closing the descriptor does not do. */
	void (*spoil)(void);
};

enum { NO_DESCRIPTOR = 1 << 20 };

static int other_fd = -1;
static pid_t helper;

/* Descriptors of the kernel's own kinds */

static int make_eventfd(void)
{
	return eventfd(5, EFD_NONBLOCK);
}

static void check_eventfd(int fd)
{
	uint64_t count = 0;

	expect(read(fd, &count, 8) == 8 && count == 5, "the counter is %llu", (unsigned long long)count);
}

static int make_epoll(void)
{
	struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 77};
	int fd = epoll_create1(0), ends[2];

	must(pipe(ends));
	must(epoll_ctl(fd, EPOLL_CTL_ADD, ends[1], &event));
	return fd;
}

static void check_epoll(int fd)
{
	struct epoll_event event = {0};

	expect(epoll_wait(fd, &event, 1, 0) == 1 && event.data.u64 == 77, "the registration is lost");
}

static int make_timerfd(void)
{
	struct itimerspec time = {.it_value.tv_sec = 1000};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	must(timerfd_settime(fd, 0, &time, NULL));
	return fd;
}

static void check_timerfd(int fd)
{
	struct itimerspec time = {0};

	expect(timerfd_gettime(fd, &time) == 0 && time.it_value.tv_sec > 900, "%lld s remain", (long long)time.it_value.tv_sec);
}

static int make_signalfd(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK);
}

static void check_signalfd(int fd)
{
	struct signalfd_siginfo info = {0};

	raise(SIGUSR1);
	expect(read(fd, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1, "no signal comes");
}

static int make_inotify(void)
{
	int fd = inotify_init1(IN_NONBLOCK);

	must(mkdir(test_path("watched"), 0755));
	must(inotify_add_watch(fd, test_path("watched"), IN_CREATE));
	return fd;
}

static void check_inotify(int fd)
{
	char event[512];

	close(must(open(test_path("watched/new"), O_WRONLY | O_CREAT, 0644)));
	expect(read(fd, event, sizeof event) > 0, "no event comes");
}

static int make_fanotify(void)
{
	return fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);
}

static int make_memfd(void)
{
	int fd = memfd_create("held", 0);

	must(write(fd, "content", 7));
	return fd;
}

static void check_memfd(int fd)
{
	char text[8] = "";

	expect(pread(fd, text, 7, 0) == 7 && strcmp(text, "content") == 0, "it holds \"%s\"", text);
}

static int make_userfaultfd(void)
{
	return syscall(SYS_userfaultfd, O_NONBLOCK);
}

static int make_pidfd(void)
{
#ifdef SYS_pidfd_open
	return syscall(SYS_pidfd_open, getpid(), 0);
#else
	return -1;
#endif
}

static int make_io_uring(void)
{
	/* struct io_uring_params is 120 bytes of zeros for a plain ring. */
	char parameters[120] = {0};

	return syscall(425, 4, parameters);
}

static int make_perf_event(void)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof attributes, .config = PERF_COUNT_SW_CPU_CLOCK,
	};

	return syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}

static int make_bpf(void)
{
	union bpf_attr attributes = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
}

static int make_mqueue(void)
{
	char name[32];

	snprintf(name, sizeof name, "/tinyckpt-test-%d", getpid());
	int queue = syscall(SYS_mq_open, name + 1, O_RDWR | O_CREAT | O_EXCL, 0600, NULL);

	syscall(SYS_mq_unlink, name + 1);
	return queue;
}

/* Sockets */

static int make_unix_pair(void)
{
	int ends[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	other_fd = ends[1];
	must(write(other_fd, "queued", 6));
	return ends[0];
}

static void check_pair(int fd)
{
	char text[8] = "";

	expect(read(fd, text, 6) == 6 && strcmp(text, "queued") == 0, "the queue holds \"%s\"", text);
}

static int make_unix_listener(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	/* A relative name: the directory's may be too long. */
	strcpy(address.sun_path, "socket");
	must(chdir(test_path("")));
	must(bind(fd, (struct sockaddr *)&address, sizeof address));
	must(listen(fd, 3));
	return fd;
}

static int make_inet(int type)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, type, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || (type == SOCK_STREAM && listen(fd, 1)))
		return -1;
	return fd;
}

static int make_tcp_listener(void)
{
	return make_inet(SOCK_STREAM);
}

static int make_udp(void)
{
	return make_inet(SOCK_DGRAM);
}

static int make_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static int make_packet(void)
{
	return socket(AF_PACKET, SOCK_DGRAM, 0);
}

/* Devices */

static int make_pty(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	if (master < 0 || grantpt(master) || unlockpt(master))
		return -1;
	other_fd = must(open(ptsname(master), O_RDWR | O_NOCTTY));
	return master;
}

static int make_kmsg(void)
{
	return open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
}

/* What sticks to a file */

static int open_file(void)
{
	return must(open(test_path("file"), O_RDWR | O_CREAT, 0644));
}

static int make_posix_lock(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_start = 10, .l_len = 20};
	int fd = open_file();

	must(fcntl(fd, F_SETLK, &lock));
	return fd;
}

static void check_posix_lock(int fd)
{
	pid_t child = must(fork());

	if (child == 0) {
		struct flock lock = {.l_type = F_WRLCK, .l_start = 15, .l_len = 1};

		_exit(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK && lock.l_pid == getppid() ? 0 : 1);
	}
	test_join(child);
}

static int make_flock(void)
{
	int fd = open_file();

	must(flock(fd, LOCK_EX));
	return fd;
}

static void check_flock(int fd)
{
	(void)fd;
	expect(flock(open_file(), LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK, "the lock is gone");
}

static int make_ofd_lock(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_len = 5};
	int fd = open_file();

	must(fcntl(fd, F_OFD_SETLK, &lock));
	return fd;
}

static void check_ofd_lock(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_len = 1};

	(void)fd;
	expect(fcntl(open_file(), F_OFD_SETLK, &lock) == -1, "the lock is gone");
}

static int make_lease(void)
{
	int fd = open_file();

	return fcntl(fd, F_SETLEASE, F_WRLCK) ? -1 : fd;
}

static void check_lease(int fd)
{
	expect(fcntl(fd, F_GETLEASE) == F_WRLCK, "the lease is gone");
}

/* The path that it was opened by is gone, the file is not: another name leads to it. */
static int make_linked_elsewhere(void)
{
	char other[4096];
	int fd = open_file();

	snprintf(other, sizeof other, "%s", test_path("other-name"));
	must(link(test_path("file"), other));
	must(unlink(test_path("file")));
	return fd;
}

/* What has no descriptor */

static timer_t timer;

static int make_posix_timer(void)
{
	struct itimerspec time = {.it_value.tv_sec = 1000};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1};

	must(timer_create(CLOCK_MONOTONIC, &event, &timer));
	must(timer_settime(timer, 0, &time, NULL));
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
		_exit(unshare(flag) ? 1 : 0);
	must(waitpid(probe, &status, 0));
	if (status)
		return -1;
	helper = test_child(live_elsewhere, (void *)(intptr_t)flag);
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

static void check_helper(int fd)
{
	(void)fd;
	test_join(helper);
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

	helper = must(clone(share_memory, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL));
	return NO_DESCRIPTOR;
}

static void check_clone_vm(int fd)
{
	(void)fd;
	shared_word = 1;
	must(waitpid(helper, NULL, 0));
	expect(shared_word == 2 && !spoiled, "the memory is not shared");
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

static const struct kind kinds[] = {
	{"eventfd", make_eventfd, check_eventfd, NULL},
	{"epoll", make_epoll, check_epoll, NULL},
	{"timerfd", make_timerfd, check_timerfd, NULL},
	{"signalfd", make_signalfd, check_signalfd, NULL},
	{"inotify", make_inotify, check_inotify, NULL},
	{"fanotify", make_fanotify, NULL, NULL},
	{"memfd", make_memfd, check_memfd, NULL},
	{"userfaultfd", make_userfaultfd, NULL, NULL},
	{"pidfd", make_pidfd, NULL, NULL},
	{"io_uring", make_io_uring, NULL, NULL},
	{"perf_event", make_perf_event, NULL, NULL},
	{"bpf", make_bpf, NULL, NULL},
	{"mqueue", make_mqueue, NULL, NULL},
	{"unix_pair", make_unix_pair, check_pair, NULL},
	{"unix_listener", make_unix_listener, NULL, NULL},
	{"tcp_listener", make_tcp_listener, NULL, NULL},
	{"udp", make_udp, NULL, NULL},
	{"netlink", make_netlink, NULL, NULL},
	{"packet", make_packet, NULL, NULL},
	{"pty", make_pty, NULL, NULL},
	{"kmsg", make_kmsg, NULL, NULL},
	{"posix_lock", make_posix_lock, check_posix_lock, NULL},
	{"flock", make_flock, check_flock, NULL},
	{"ofd_lock", make_ofd_lock, check_ofd_lock, NULL},
	{"lease", make_lease, check_lease, NULL},
	{"linked_elsewhere", make_linked_elsewhere, NULL, NULL},
	{"posix_timer", make_posix_timer, check_posix_timer, spoil_posix_timer},
	{"sysv_shm", make_sysv_shm, check_sysv_shm, spoil_sysv_shm},
	{"seccomp", make_seccomp, check_seccomp, spoil_by_flag},
	{"ns_uts", make_ns_uts, check_helper, spoil_by_flag},
	{"ns_mnt", make_ns_mnt, check_helper, spoil_by_flag},
	{"ns_net", make_ns_net, check_helper, spoil_by_flag},
	{"ns_user", make_ns_user, check_helper, spoil_by_flag},
	{"clone_vm", make_clone_vm, check_clone_vm, spoil_by_flag},
	{"aio", make_aio, check_flag, spoil_by_flag},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static struct held {
	const struct kind *kind;
	int fd;
	ino_t inode;
} held[KINDS];
static int held_count;

static void hold(const char *name)
{
	struct held *item = &held[held_count++];
	struct stat status;

	for (int i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			item->kind = &kinds[i];
	expect(item->kind, "set-up: nothing is called %s", name);
	item->fd = item->kind->make();
	if (item->fd == -1)
		test_skip("%s cannot be had here (errno %d)", name, errno);
	if (item->fd == NO_DESCRIPTOR) {
		test_expect_message("pid %d (hold): ", helper ? helper : getpid());
		return;
	}
	test_expect_message("pid %d (hold): fd %d: ", getpid(), item->fd);
	must(fstat(item->fd, &status));
	item->inode = status.st_ino;
}

void test_setup(void)
{
	if (strcmp(test_argument(), "several")) {
		hold(test_argument());
		return;
	}
	/* check has to name each of them. */
	hold("posix_timer");
	hold("eventfd");
	hold("unix_pair");
	hold("flock");
	hold("epoll");
	hold("memfd");
}

void test_break(void)
{
	const struct held *item = &held[held_count - 1];

	if (item->kind->spoil)
		item->kind->spoil();
	else
		close(item->fd);
}

void test_check(void)
{
	for (int i = 0; i < held_count; i++) {
		struct stat status;

		if (held[i].fd != NO_DESCRIPTOR)
			expect(fstat(held[i].fd, &status) == 0 && status.st_ino == held[i].inode, "%s: the descriptor differs",
			       held[i].kind->name);
		if (held[i].kind->check)
			held[i].kind->check(held[i].fd);
	}
}
