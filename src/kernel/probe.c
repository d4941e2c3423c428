/* SPDX-License-Identifier: MIT */
#include "kernel/probe.h"

#include <cap-ng.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scope.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"

#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif
#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

enum { PROBE_MS = 5000 };

static int result(long ret)
{
	return ret < 0 ? -errno : 0;
}

/* A child that sleeps until it is killed, or we die. */
static pid_t sleeper(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent)
		pause();
	_exit(0);
}

static int end(pid_t pid, int err)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
	return err;
}

static int open_tried(const char *path, int flags)
{
	CLEANUP_CLOSE int fd = open(path, flags | O_CLOEXEC, 0600);

	return result(fd);
}

/* One page of our own, on which try() is called. */
static int on_page(int flags, int (*try)(void *page, size_t size))
{
	size_t size = (size_t)getpagesize();
	char *page = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
	int err;

	if (page == MAP_FAILED)
		return -errno;
	err = try(page, size);
	munmap(page, size);
	return err;
}

/* Holds a child still, and tries something on it. */
static int on_held(int (*try)(pid_t pid))
{
	struct stop stop;
	pid_t pid = sleeper();
	int err = pid < 0 ? -errno : thread_seize(pid, PTRACE_O_EXITKILL);

	if (pid < 0)
		return err;
	wait_deadline(PROBE_MS);
	if (!err)
		err = thread_halt(pid, &stop);
	wait_deadline(0);
	return end(pid, err || !try ? err : try(pid));
}

static int try_seize(void)
{
	return on_held(NULL);
}

static int get_rseq(pid_t pid)
{
	struct rseq_configuration rseq;

	return result(ptrace(PTRACE_GET_RSEQ_CONFIGURATION, pid, sizeof(rseq), &rseq));
}

static int try_rseq(void)
{
	return on_held(get_rseq);
}

static int try_memory(void)
{
	char to, from = 1;
	struct iovec local = { &to, 1 }, remote = { &from, 1 };

	return result(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}

static int map_file(void *page, size_t size)
{
	char path[80];

	snprintf(path, sizeof(path), "/proc/self/map_files/%" PRIxPTR "-%" PRIxPTR, (uintptr_t)page, (uintptr_t)page + size);
	return open_tried(path, O_RDWR);
}

static int try_map_files(void)
{
	return on_page(MAP_SHARED, map_file);
}

static int try_kcmp(void)
{
	return result(syscall(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0, 0));
}

static int try_tid_address(void)
{
	uint64_t address = 0;	/* a 64-bit kernel writes as much to a 32-bit task, too */

	return result(prctl(PR_GET_TID_ADDRESS, &address, 0, 0, 0));
}

/* A number is asked for that was free just now. */
static int try_set_tid(void)
{
	pid_t pid = sleeper();
	struct clone3_args args = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1 };
	long ret;

	if (pid < 0)
		return -errno;
	end(pid, 0);
	ret = syscall(SYS_clone3, &args, sizeof(args));
	if (!ret)
		_exit(0);
	if (ret < 0)
		return errno == EEXIST ? 0 : -errno;	/* somebody else was faster */
	return end((pid_t)ret, 0);
}

/* What it would take is asked, nothing is set. */
static int try_mm_map(void)
{
	unsigned int size;

	return result(prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0));
}

static int try_close_range(void)
{
	return result(syscall(SYS_close_range, ~0U, ~0U, 0));
}

static int try_children(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	return open_tried(path, O_RDONLY);
}

static int pagemap_scan(void *page, size_t size)
{
	struct page_region region;
	struct pm_scan_arg scan = {
		.size = sizeof(scan), .start = (uintptr_t)page, .end = (uintptr_t)page + size, .vec = (uintptr_t)&region,
		.vec_len = 1, .category_mask = PAGE_IS_PRESENT, .return_mask = PAGE_IS_PRESENT,
	};
	CLEANUP_CLOSE int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : result(ioctl(fd, PAGEMAP_SCAN, &scan));
}

static int try_pagemap_scan(void)
{
	return on_page(MAP_PRIVATE, pagemap_scan);
}

static int guard(void *page, size_t size)
{
	return result(madvise(page, size, MADV_GUARD_INSTALL));
}

static int try_guard(void)
{
	return on_page(MAP_PRIVATE, guard);
}

static int try_tmpfile(void)
{
	return open_tried("/tmp", O_TMPFILE | O_RDWR);
}

static const struct probe probes[] = {
	{ "PTRACE_SEIZE", NEED_SAVE, "", try_seize, 0 },
	{ "process_vm_readv", NEED_SAVE, "", try_memory, 0 },
	{ "clone3 set_tid", NEED_RESTORE, "", try_set_tid, 0 },
	{ "PR_SET_MM_MAP", NEED_RESTORE, "", try_mm_map, 0 },
	{ "close_range", NEED_RESTORE, "", try_close_range, 0 },
	{ "map_files", NEED_SOME, "processes with mapped files or shared memory are refused", try_map_files, 0 },
	{ "kcmp", NEED_SOME, "descriptors and memory that processes share are not told from equal ones", try_kcmp, 0 },
	{ "PR_GET_TID_ADDRESS", NEED_SOME, "joining a thread that ends after a restore may wait forever", try_tid_address, 0 },
	{ "PTRACE_GET_RSEQ_CONFIGURATION", NEED_SOME, "restartable sequences are lost", try_rseq, 0 },
	{ "/proc/PID/task/TID/children", NEED_SOME, "slower: children are searched for in all of /proc", try_children, 0 },
	{ "PAGEMAP_SCAN", NEED_SOME, "slower: pages are looked at one by one", try_pagemap_scan, 0 },
	{ "MADV_GUARD_INSTALL", NEED_SOME, "images with guard regions cannot be restored", try_guard, 0 },
	{ "O_TMPFILE in /tmp", NEED_SOME, "unlinked files have a name for an instant while they are restored", try_tmpfile, 0 },
	{ NULL, NEED_SOME, "only processes of the same user; names of mapped files cannot be followed", NULL, CAP_SYS_ADMIN },
	{ NULL, NEED_SOME, "CAP_SYS_ADMIN takes its place", NULL, CAP_CHECKPOINT_RESTORE },
	{ NULL, NEED_SOME, "only processes of the same user and with no more rights", NULL, CAP_SYS_PTRACE },
	{ NULL, NEED_SOME, "limits cannot be raised, an oom_score_adj not lowered, where restore has less", NULL, CAP_SYS_RESOURCE },
};

const struct probe *probe_nth(size_t n)
{
	return n < sizeof(probes) / sizeof(*probes) ? &probes[n] : NULL;
}

void probe_name(const struct probe *probe, char *name, size_t cap)
{
	const char *known = probe->name ? NULL : capng_capability_to_name(probe->capability);

	snprintf(name, cap, probe->name ? "%s" : "cap_%s", probe->name ? probe->name : known ? known : "?");
	for (char *c = name; !probe->name && *c; c++)
		*c = (char)toupper((unsigned char)*c);
}

int probe_run(const struct probe *probe)
{
	struct proc_status own;
	int err;

	if (probe->run)
		return probe->run();
	err = proc_status(getpid(), getpid(), &own);
	return err ? err : own.cap_eff >> probe->capability & 1 ? 0 : -EPERM;
}
