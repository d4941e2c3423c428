/* SPDX-License-Identifier: MIT */
/* Descriptors of kinds that are not supported, and what hangs on descriptors. */
#include "kind.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int other_fd = -1;

/* Descriptors of the kernel's own kinds */

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

/* One of the calls that the kernel itself ends, with EINTR, as soon as a tracer stops the thread (signal(7)). */
static volatile bool woken;
static volatile pid_t waiting;

static void *wait_for_event(void *arg)
{
	struct epoll_event event;

	waiting = gettid();
	epoll_wait((int)(intptr_t)arg, &event, 1, -1);
	woken = true;
	return arg;
}

static int make_epoll_wait(void)
{
	int fd = epoll_create1(0);

	test_thread(wait_for_event, (void *)(intptr_t)fd);
	while (!waiting)
		test_nap(1);
	test_await_sleep(waiting);
	return fd;
}

static void check_epoll_wait(int fd)
{
	(void)fd;
	expect(!woken, "epoll_wait(2) has returned, and nothing had happened");
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

/* A process outside the tree has it open, too, as long as the test lives: its parent is gone, and so it is somebody else's. */
static int share_outside(int fd)
{
	const pid_t test = getpid();
	pid_t child = must(fork());

	if (!child) {
		if (fork())
			_exit(0);
		while (kill(test, 0) == 0)
			test_nap(10);
		_exit(0);
	}
	must(waitpid(child, NULL, 0));
	return fd;
}

static int make_userfaultfd(void)
{
	return syscall(SYS_userfaultfd, O_NONBLOCK);
}

static char *watched;

/* Who could say what is missing there is a process outside. */
static int make_uffd_mapping(void)
{
	struct uffdio_api api = {.api = UFFD_API};
	const int fd = make_userfaultfd();

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		return -1;
	watched = must(mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	*watched = 1;
	struct uffdio_register range = {.range = {(uintptr_t)watched, 65536}, .mode = UFFDIO_REGISTER_MODE_MISSING};

	must(ioctl(fd, UFFDIO_REGISTER, &range));
	close(share_outside(fd));
	return NO_DESCRIPTOR;
}

static void check_uffd_mapping(int fd)
{
	(void)fd;
	expect(*watched == 1, "its page is another");
}

static void spoil_uffd_mapping(void)
{
	*watched = 2;
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

/* As they are used: with its name. */
static int make_mqueue_named(void)
{
	return syscall(SYS_mq_open, "tinyckpt-test", O_RDWR | O_CREAT | O_NONBLOCK, 0600, NULL);
}

static void check_mqueue_named(int fd)
{
	must(syscall(SYS_mq_timedsend, fd, "message", 7, 0, NULL));
	must(syscall(SYS_mq_unlink, "tinyckpt-test"));
}

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

static int make_secretmem(void)
{
	return syscall(SYS_memfd_secret, 0);
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

static int make_lease(void)
{
	int fd = open_file();

	return fcntl(fd, F_SETLEASE, F_WRLCK) ? -1 : fd;
}

static void check_lease(int fd)
{
	expect(fcntl(fd, F_GETLEASE) == F_WRLCK, "the lease is gone");
}

/* Many descriptors are looked at in another way than a few. */
static int make_lease_of_many(void)
{
	for (int i = 0; i < 100; i++)
		must(open("/dev/null", O_RDONLY));
	return make_lease();
}

static int make_proc_pid(void)
{
	return must(open("/proc/self/maps", O_RDONLY));
}

/* The process was another, and has ended. */
static int make_proc_ended(void)
{
	char path[64];
	pid_t child = must(fork());

	if (!child) {
		pause();
		_exit(0);
	}
	snprintf(path, sizeof path, "/proc/%d/maps", child);
	int fd = must(open(path, O_RDONLY));

	must(kill(child, SIGKILL));
	must(waitpid(child, NULL, 0));
	return fd;
}

static int make_removed_directory(void)
{
	must(mkdir("removed", 0700));
	int fd = must(open("removed", O_RDONLY | O_DIRECTORY));

	must(rmdir("removed"));
	return fd;
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

static int make_pipe_outside(void)
{
	int ends[2];

	must(pipe(ends));
	return share_outside(ends[0]);
}

static int make_fifo_outside(void)
{
	must(mkfifo(test_path("fifo"), 0600));
	return share_outside(must(open(test_path("fifo"), O_RDWR)));
}

static int make_fifo_outside_unlinked(void)
{
	int fd = make_fifo_outside();

	must(unlink(test_path("fifo")));
	return fd;
}

/* Here its name is another one than there. */
static int make_fifo_outside_renamed(void)
{
	char other[4096];

	close(make_fifo_outside());
	snprintf(other, sizeof other, "%s", test_path("other-fifo"));
	must(link(test_path("fifo"), other));
	return must(open(other, O_RDWR));
}

const struct kind descriptor_kinds[] = {
	{"epoll", make_epoll, check_epoll, NULL, NULL},
	{"epoll_wait", make_epoll_wait, check_epoll_wait, NULL, NULL},
	{"signalfd", make_signalfd, check_signalfd, NULL, NULL},
	{"inotify", make_inotify, check_inotify, NULL, NULL},
	{"fanotify", make_fanotify, NULL, NULL, NULL},
	{"memfd", make_memfd, check_memfd, NULL, "a memfd (/memfd:held): not"},
	{"userfaultfd", make_userfaultfd, NULL, NULL, NULL},
	{"uffd_mapping", make_uffd_mapping, check_uffd_mapping, spoil_uffd_mapping, "userfaultfd is registered"},
	{"pidfd", make_pidfd, NULL, NULL, NULL},
	{"io_uring", make_io_uring, NULL, NULL, NULL},
	{"perf_event", make_perf_event, NULL, NULL, NULL},
	{"bpf", make_bpf, NULL, NULL, NULL},
	{"mqueue", make_mqueue, NULL, NULL, "a message queue ("},
	{"mqueue_named", make_mqueue_named, check_mqueue_named, NULL, "a message queue ("},
	{"secretmem", make_secretmem, NULL, NULL, "secret memory ("},
	{"unix_pair", make_unix_pair, check_pair, NULL, NULL},
	{"unix_listener", make_unix_listener, NULL, NULL, NULL},
	{"tcp_listener", make_tcp_listener, NULL, NULL, NULL},
	{"udp", make_udp, NULL, NULL, NULL},
	{"netlink", make_netlink, NULL, NULL, NULL},
	{"packet", make_packet, NULL, NULL, NULL},
	{"pty", make_pty, NULL, NULL, NULL},
	{"kmsg", make_kmsg, NULL, NULL, NULL},
	{"lease", make_lease, check_lease, NULL, "lease"},
	{"lease_of_many", make_lease_of_many, check_lease, NULL, "lease"},
	{"proc_pid", make_proc_pid, NULL, NULL, "/proc tells"},
	{"proc_ended", make_proc_ended, NULL, NULL, "/proc tells of a process"},
	{"removed_directory", make_removed_directory, NULL, NULL, "a directory that was removed ("},
	{"linked_elsewhere", make_linked_elsewhere, NULL, NULL, "hard links"},
	{"pipe_outside", make_pipe_outside, NULL, NULL, "outside the tree"},
	{"fifo_outside", make_fifo_outside, NULL, NULL, "outside the tree"},
	{"fifo_outside_unlinked", make_fifo_outside_unlinked, NULL, NULL, "outside the tree"},
	{"fifo_outside_renamed", make_fifo_outside_renamed, NULL, NULL, "outside the tree"},
	{NULL, NULL, NULL, NULL, NULL},
};
