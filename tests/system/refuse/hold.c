/* SPDX-License-Identifier: MIT */
/*
 * Holds one object that cannot be saved (or several), and checks that the refusal has not harmed it.
 * modes: refuse
 * arguments: epoll epoll_wait pipe_outside fifo_outside fifo_outside_unlinked fifo_outside_renamed
 * arguments: signalfd inotify fanotify memfd userfaultfd pidfd io_uring perf_event bpf mqueue
 * arguments: unix_pair unix_listener tcp_listener udp netlink packet pty kmsg lease lease_of_many posix_timer
 * arguments: timer_other_process timer_some_thread timer_thread_gone
 * arguments: sysv_shm seccomp ns_uts ns_mnt ns_net ns_user clone_vm aio linked_elsewhere proc_pid mte
 * arguments: mempolicy keyring thread_keyring ldt ioperm user_dispatch sem_undo autogroup sched_core dnotify
 * arguments: landlock landlock_user groups mdwe uffd_mapping unlinked_attribute rlimit_as rlimit_data rlimit_memlock
 * arguments: mqueue_named secretmem proc_ended removed_directory traced vdso_code_gone
 * arguments: ns_pid_to_come several clone_files clone_fs own_files own_fs
 */
#include "kinds/kind.h"

#include <errno.h>
#include <string.h>
#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct held {
	const struct kind *kind;
	int fd;
	ino_t inode;
} held[8];
static int held_count;

static const struct kind *find(const struct kind *kinds, const char *name)
{
	for (; kinds->name; kinds++)
		if (strcmp(kinds->name, name) == 0)
			return kinds;
	return NULL;
}

/* Where the kernel does not tell, only who visits a process that is held finds it: save does, check does not. */
static bool can_be_told_from_outside(const char *name)
{
	if (strcmp(name, "posix_timer") == 0 || strncmp(name, "timer_", 6) == 0)
		return access("/proc/self/timers", F_OK) == 0;
	if (strncmp(name, "clone_", 6) == 0 || strncmp(name, "own_", 4) == 0)
		return syscall(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0, 0) == 0;
	/* what only the task itself is told, or its tracer */
	return strcmp(name, "mempolicy") && !strstr(name, "keyring") && strcmp(name, "ldt") && strcmp(name, "ioperm") &&
	       strcmp(name, "user_dispatch") && strncmp(name, "landlock", 8) && strcmp(name, "rlimit_memlock") &&
	       strcmp(name, "mdwe");
}

/* Of a timer a kernel without /proc/PID/timers tells nothing but that it is there. */
static const char *reason(const struct kind *kind)
{
	return !strncmp(kind->name, "timer_", 6) && access("/proc/self/timers", F_OK) ? "POSIX timer" : kind->says;
}

static void hold(const char *name)
{
	struct held *item = &held[held_count++];
	struct stat status;

	item->kind = find(descriptor_kinds, name);
	if (!item->kind)
		item->kind = find(process_kinds, name);
	if (!item->kind)
		item->kind = find(setting_kinds, name);
	expect(item->kind, "set-up: nothing is called %s", name);
	item->fd = item->kind->make();
	if (item->fd == -1)
		test_skip("%s cannot be had here (errno %d)", name, errno);
	if (item->kind->says)
		test_expect_message("%s", reason(item->kind));
	if (item->fd == NO_DESCRIPTOR) {
		if (!can_be_told_from_outside(name))
			test_check_is_blind();
		test_expect_message("pid %d (hold): ", kind_helper ? kind_helper : getpid());
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
	if (!access("/proc/self/timers", F_OK))	/* else only a visit would tell, and there is none */
		hold("timer_thread_gone");
	hold("signalfd");
	hold("unix_pair");
	hold("lease");
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
