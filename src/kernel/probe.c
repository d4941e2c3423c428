/* SPDX-License-Identifier: MIT */
#include "kernel/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arch.h"
#include "base/scope.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"

#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

enum { PROBE_MS = 5000 };

static int result(long ret)
{
	return ret < 0 ? -errno : 0;
}

static bool has_no_such_call(long ret)
{
	return ret < 0 && errno == ENOSYS;
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

/* Tasks, seen and held from outside */

int probe_proc(void)
{
	return open_tried("/proc/self/stat", O_RDONLY);
}

int probe_seize(void)
{
	return on_held(NULL);
}

static int get_regs(pid_t pid)
{
	struct arch_regs regs;

	return thread_regs(pid, &regs);
}

int probe_regset(void)
{
	return on_held(get_regs);
}

static int get_sigmask(pid_t pid)
{
	uint64_t mask;

	return thread_sigmask(pid, &mask);
}

int probe_sigmask(void)
{
	return on_held(get_sigmask);
}

/* On 64 bits all calls are such. */
int probe_time64(void)
{
	if (sizeof(long) == 8)
		return PROBE_MOOT;
	return has_no_such_call(syscall(SYS_rt_sigtimedwait_time64, 0, 0, 0, 0)) ? -ENOSYS : 0;
}

static int peek_siginfo(pid_t pid)
{
	struct __ptrace_peeksiginfo_args peek = { .nr = 1 };
	siginfo_t info;

	return result(ptrace(PTRACE_PEEKSIGINFO, pid, &peek, &info));
}

int probe_siginfo(void)
{
	return on_held(peek_siginfo);
}

static int get_rseq(pid_t pid)
{
	struct rseq_configuration rseq;

	return result(ptrace(PTRACE_GET_RSEQ_CONFIGURATION, pid, sizeof(rseq), &rseq));
}

/* With a flag that nobody has nothing comes of it. */
static long refused_rseq(void)
{
	return syscall(SYS_rseq, 0, 0, 1 << 30, 0);
}

int probe_rseq(void)
{
	return has_no_such_call(refused_rseq()) ? PROBE_MOOT : on_held(get_rseq);
}

static int get_keys(pid_t pid)
{
	uint8_t keys[256];
	size_t len = sizeof(keys);

	return thread_regset(pid, ARCH_REGSET_GATED, keys, &len);
}

int probe_keys(void)
{
	return getauxval(AT_HWCAP) & ARCH_HWCAP_GATED ? on_held(get_keys) : PROBE_MOOT;
}

static int probe_own(const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/%s", file);
	return open_tried(path, O_RDONLY);
}

int probe_children(void)
{
	char file[48];

	snprintf(file, sizeof(file), "task/%d/children", getpid());
	return probe_own(file);
}

int probe_timers(void)
{
	return probe_posix_timer() ? PROBE_MOOT : probe_own("timers");
}

int probe_timer_ids(void)
{
	return probe_posix_timer()
		       ? PROBE_MOOT
		       : result(syscall(SYS_prctl, PR_TIMER_CREATE_RESTORE_IDS, TIMER_RESTORE_IDS_GET, 0, 0, 0));
}

int probe_ticks(void)
{
	const uint64_t ticks = 1;
	CLEANUP_CLOSE int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	return fd < 0 ? PROBE_MOOT : result(ioctl(fd, TFD_IOC_SET_TICKS, &ticks));
}

int probe_kcmp(void)
{
	return result(syscall(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0, 0));
}

int probe_pidfd_getfd(void)
{
	CLEANUP_CLOSE int process = (int)syscall(SYS_pidfd_open, getpid(), 0);
	CLEANUP_CLOSE int copy = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, process, 0);

	return result(copy);
}

int probe_tid_address(void)
{
	uint64_t address = 0;	/* a 64-bit kernel writes as much to a 32-bit task, too */

	return result(prctl(PR_GET_TID_ADDRESS, &address, 0, 0, 0));
}

int probe_registrations(void)
{
	enum { QUERY = 0, GET_REGISTRATIONS = 1 << 9 };

	return has_no_such_call(syscall(SYS_membarrier, QUERY, 0)) ? PROBE_MOOT : result(syscall(SYS_membarrier, GET_REGISTRATIONS, 0));
}

/* Memory */

static const char not_to_be_written[] = "";

/* What it wrote there the child has for itself. */
static int write_forced(pid_t pid)
{
	char path[32];
	CLEANUP_CLOSE int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : result(pwrite(fd, not_to_be_written, 1, (off_t)(uintptr_t)not_to_be_written));
}

int probe_forced_write(void)
{
	return on_held(write_forced);
}

static int peek_word(pid_t pid)
{
	unsigned long word;

	return result(syscall(SYS_ptrace, PTRACE_PEEKDATA, pid, (uintptr_t)not_to_be_written & ~(sizeof(word) - 1), &word));
}

int probe_poke(void)
{
	return on_held(peek_word);
}

int probe_memory(void)
{
	char to, from = 1;
	struct iovec local = { &to, 1 }, remote = { &from, 1 };

	return result(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}

int probe_userfaultfd(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_SIGBUS };
	CLEANUP_CLOSE int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	return fd < 0 ? -errno : result(ioctl(fd, UFFDIO_API, &api));
}

int probe_smaps(void)
{
	return probe_own("smaps");
}

int probe_pagemap(void)
{
	return probe_own("pagemap");
}

static int scan(void *page, size_t size, uint64_t what)
{
	struct page_region region;
	struct pm_scan_arg scan = {
		.size = sizeof(scan), .start = (uintptr_t)page, .end = (uintptr_t)page + size, .vec = (uintptr_t)&region,
		.vec_len = 1, .category_mask = what, .return_mask = what,
	};
	CLEANUP_CLOSE int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : result(ioctl(fd, PAGEMAP_SCAN, &scan));
}

static int scan_present(void *page, size_t size)
{
	return scan(page, size, PAGE_IS_PRESENT);
}

int probe_pagemap_scan(void)
{
	return on_page(MAP_PRIVATE, scan_present);
}

static int read_frame(void *page, size_t size)
{
	const uint64_t frame = (1ULL << 55) - 1;
	uint64_t entry = 0;
	CLEANUP_CLOSE int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	*(volatile char *)page = 1;
	if (fd < 0 || pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)page / size * sizeof(entry))) < 0)
		return -errno;
	return entry & frame ? 0 : -EPERM;
}

int probe_frames(void)
{
	return on_page(MAP_PRIVATE, read_frame);
}

static int guard(void *page, size_t size)
{
	return result(madvise(page, size, MADV_GUARD_INSTALL));
}

int probe_guard(void)
{
	return on_page(MAP_PRIVATE, guard);
}

static int scan_guard(void *page, size_t size)
{
	return guard(page, size) ? PROBE_MOOT : scan(page, size, PAGE_IS_GUARD);
}

int probe_guard_told(void)
{
	return on_page(MAP_PRIVATE, scan_guard);
}

static int open_map_file(void *page, size_t size)
{
	char path[80];

	snprintf(path, sizeof(path), "/proc/self/map_files/%" PRIxPTR "-%" PRIxPTR, (uintptr_t)page, (uintptr_t)page + size);
	return open_tried(path, O_RDWR);
}

int probe_map_files(void)
{
	return on_page(MAP_SHARED, open_map_file);
}

static int advise(void *page, size_t size)
{
	return result(madvise(page, size, MADV_DONTNEED));
}

int probe_madvise(void)
{
	return on_page(MAP_PRIVATE, advise);
}

/* Tries what stays, in a child that ends at once. */
static int in_child(int (*try)(void))
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(-try());
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

/* Of what size the mapping is, and so how to undo it, is the kernel's to know.  No page is taken. */
static int map_huge(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE;

	return mmap(NULL, 1, PROT_READ, flags, -1, 0) == MAP_FAILED ? -errno : 0;
}

int probe_hugetlb(void)
{
	return in_child(map_huge);
}

static int leave_time(void)
{
	return result(unshare(CLONE_NEWTIME));
}

int probe_time_namespace(void)
{
	return in_child(leave_time);
}

static int leave_pids(void)
{
	return unshare(CLONE_NEWPID) || syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC) < 0 ? -errno : 0;
}

int probe_pid_namespace(void)
{
	return in_child(leave_pids);
}

static int name_it(void *page, size_t size)
{
	return result(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, page, size, NULL));
}

int probe_anon_name(void)
{
	return on_page(MAP_PRIVATE, name_it);
}

/* Nothing is sealed by it.  On 32 bits no kernel has it, and so no program. */
int probe_mseal(void)
{
	return sizeof(long) == 4 ? PROBE_MOOT : result(syscall(SYS_mseal, 0, 0, 0));
}

/* What brings a tree back */

/* A number is asked for that was free just now. */
int probe_set_tid(void)
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
int probe_mm_map(void)
{
	unsigned int size;

	return result(prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0));
}

/* The right is looked at before the address, which can be none. */
int probe_mm_single(void)
{
	int err = result(prctl(PR_SET_MM, PR_SET_MM_START_CODE, ~0UL, 0, 0));

	return err == -EINVAL ? 0 : err;
}

int probe_timer(void)
{
	struct kernel_itimerval timer;

	return result(syscall(SYS_getitimer, 0, &timer));
}

int probe_users(void)
{
	return result(syscall(SYS_getgroups, 0, NULL));
}

int probe_robust_list(void)
{
	void *head;
	size_t len;

	return result(syscall(SYS_get_robust_list, 0, &head, &len));
}

int probe_rseq_call(void)
{
	return has_no_such_call(refused_rseq()) ? -ENOSYS : 0;
}

int probe_membarrier(void)
{
	return result(syscall(SYS_membarrier, 0, 0));
}

int probe_locks(void)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	CLEANUP_CLOSE int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : result(fcntl(fd, F_GETLK, &lock));
}

static int opened(long fd)
{
	CLEANUP_CLOSE int opened = (int)fd;

	return result(opened);
}

int probe_memfd(void)
{
	return opened(syscall(SYS_memfd_create, "", 0));
}

int probe_timerfd(void)
{
	return opened(syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 0));
}

int probe_eventfd(void)
{
	return opened(syscall(SYS_eventfd2, 0, 0));
}

int probe_posix_timer(void)
{
	return has_no_such_call(syscall(SYS_timer_delete, -1)) ? -ENOSYS : 0;
}

int probe_close_range(void)
{
	return result(syscall(SYS_close_range, ~0U, ~0U, 0));
}

int probe_tmpfile(void)
{
	return open_tried("/tmp", O_TMPFILE | O_RDWR);
}

int probe_sys_admin(void)
{
	return probe_capability(CAP_SYS_ADMIN);
}

int probe_capability(unsigned int capability)
{
	struct proc_status own;
	int err = proc_status(getpid(), getpid(), &own);

	return err ? err : own.credentials.cap_eff >> capability & 1 ? 0 : -EPERM;
}
