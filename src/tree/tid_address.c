/* SPDX-License-Identifier: MIT */
/*
 * Without CONFIG_CHECKPOINT_RESTORE no call tells it.  C libraries register one of two things:
 *
 * - the word with the ID in the thread's own structure, which lies right before its list of robust futexes (glibc);
 * - one variable for all threads (musl), in the C library's own data, hidden.  Nobody tells which: no process inherits the
 *   registration, no call reads it, the kernel uses it at the thread's end only, and programs on boards have no symbol tables.
 *   (Code that makes the call could be taken apart, differently for each processor and compiler.)  So the library is started
 *   once more and says it with its first system calls: it alone where it is a file of its own (musl's is the interpreter of
 *   programs, and can be started like one), else the workload's program, in which it is what comes first.  What is started is
 *   the file that the workload has mapped, whatever lies under its name by now; it has no more rights than the workload, is
 *   let through none but the calls that a library needs to come that far (memory, thread pointer), and is killed before it makes
 *   another.  So no code of the workload's own is run, and nothing outside that process changes.  (musl registers none in a
 *   forked child, where it matters only to a main thread that ends before others; that one then ends as it would elsewhere.)
 */
#include "tree/tid_address.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch.h"
#include "base/error.h"
#include "base/log.h"
#include "base/scope.h"
#include "config.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"
#include "kernel/task_memory.h"

enum { CALLS_MAX = 16 };

/* struct pthread of glibc (nptl/descr.h): tid, another int, on most machines a pointer, the list's head. */
static bool in_own_structure(Thread *m)
{
	for (size_t before = 8 + sizeof(long); m->robust_list && before >= 8; before -= sizeof(long)) {
		uint32_t word = 0;

		if (task_read((pid_t)m->tid, &word, m->robust_list - before, sizeof(word)) || word != m->tid)
			continue;
		m->clear_child_tid = m->robust_list - before;
		return true;
	}
	return false;
}

/* No longer with more rights.  A kernel without CONFIG_MULTIUSER knows root alone. */
static bool becomes_user(const Thread *m)
{
	if (syscall(SYS_setgroups32, m->groups_count, m->groups))
		return IS_ON_BARE_KERNELS && errno == ENOSYS;
	return !syscall(SYS_setresgid32, m->gid[0], m->gid[0], m->gid[0]) &&
	       !syscall(SYS_setresuid32, m->uid[0], m->uid[0], m->uid[0]);
}

static __attribute__((noreturn)) void run_library(int file, const Thread *m)
{
	char *const nothing[] = { NULL }, *const name[] = { "", NULL };

	if (becomes_user(m) && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	    !prctl(PR_SET_PDEATHSIG, SIGKILL) && !ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		syscall(SYS_execveat, file, "", name, nothing, AT_EMPTY_PATH);
	_exit(1);
}

static bool is_harmless(long nr)
{
	return nr == ARCH_NR_mmap || nr == SYS_mprotect || nr == SYS_brk || nr == ARCH_NR_set_tls
#ifdef SYS_arch_prctl
	       || nr == SYS_arch_prctl
#endif
		;
}

/* Lets what has just been started run until it registers the address; 0 when it does something else. */
static uint64_t registered(pid_t pid)
{
	struct stop stop;

	if (thread_wait(pid, &stop) || stop.kind != STOP_SIGNAL || stop.signal != SIGTRAP ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL))
		return 0;
	for (int i = 0; i < 2 * CALLS_MAX; i++) {
		struct syscall_info call;

		if (thread_to_syscall(pid, 0) || thread_wait(pid, &stop) || stop.kind != STOP_SYSCALL ||
		    ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(call), &call) <= 0)
			return 0;
		if (call.op == SYSCALL_INFO_ENTRY && call.nr == SYS_set_tid_address)
			return call.args[0];
		if (call.op == SYSCALL_INFO_ENTRY && !is_harmless((long)call.nr))
			return 0;
	}
	return 0;
}

/* The file whose mappings an address is in, or in the zeros behind them. */
struct file_search {
	uint64_t address;
	uint64_t start, end;	/* of the file's first mapping; of the last one, with what follows it */
	struct tid_variable *variable;
};

static int search_file(void *arg, struct vma *v)
{
	struct file_search *s = arg;
	struct tid_variable *variable = s->variable;

	if (v->name[0] == '/') {
		if (v->dev != variable->dev || v->ino != variable->ino) {
			s->start = v->start;
			variable->dev = v->dev;
			variable->ino = v->ino;
			variable->len = v->end - v->start;
		}
	} else if (v->name[0] || v->start != s->end) {
		variable->ino = 0;
	}
	s->end = v->end;
	if (s->address >= v->end)
		return 0;
	variable->known = variable->ino && s->start <= s->address;
	variable->offset = s->address - s->start;
	return 1;
}

static void try_library(struct tid_variable *variable, const Thread *m, int file)
{
	struct file_search search = { .variable = variable };
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		run_library(file, m);
	if (pid < 0)
		return;
	search.address = registered(pid);
	if (search.address)
		(void)proc_vmas(pid, false, search_file, &search);
	kill(pid, SIGKILL);
	thread_reap(pid);
}

struct place_of_variable {
	const struct tid_variable *variable;
	uint64_t address;
};

static int search_place(void *arg, struct vma *v)
{
	struct place_of_variable *place = arg;
	const struct tid_variable *wanted = place->variable;

	if (v->name[0] != '/' || v->shared || v->dev != wanted->dev || v->ino != wanted->ino || v->end - v->start != wanted->len)
		return 0;
	place->address = v->start + wanted->offset;
	return 1;
}

struct interpreter {
	pid_t pid;
	unsigned long base;
	char path[80];
};

static int search_interpreter(void *arg, struct vma *v)
{
	struct interpreter *i = arg;

	if (v->start != i->base || v->name[0] != '/')
		return 0;
	snprintf(i->path, sizeof(i->path), "/proc/%d/map_files/%llx-%llx", i->pid, (unsigned long long)v->start,
		 (unsigned long long)v->end);
	return 1;
}

/* The file that the C library is in: the interpreter, or the program if it has none; -1: it cannot be opened. */
static int open_library(pid_t pid)
{
	struct interpreter i = { .pid = pid };
	unsigned long auxv[128];
	const ssize_t len = proc_readf((char *)auxv, sizeof(auxv), "/proc/%d/auxv", pid);

	for (ssize_t k = 0; k + 1 < len / (ssize_t)sizeof(*auxv); k += 2)
		if (auxv[k] == AT_BASE)
			i.base = auxv[k + 1];
	if (i.base && proc_vmas(pid, false, search_interpreter, &i) > 0)
		return proc_open(i.path, O_RDONLY);
	snprintf(i.path, sizeof(i.path), "/proc/%d/exe", pid);
	return proc_open(i.path, O_RDONLY);
}

int tid_address_find(struct save *s, Thread *m)
{
	struct tid_variable *variable = &s->tid_variable;
	struct place_of_variable place = { .variable = variable };
	CLEANUP_CLOSE int library = -1;
	struct stat st;
	uint32_t word;

	if (in_own_structure(m))
		return 0;
	library = open_library((pid_t)m->tid);
	if (library >= 0 && !fstat(library, &st) && (st.st_dev != variable->started_dev || st.st_ino != variable->started_ino)) {
		*variable = (struct tid_variable){ .started_dev = st.st_dev, .started_ino = st.st_ino };
		try_library(variable, m, library);
	}
	if (variable->known)
		(void)proc_vmas((pid_t)m->tid, false, search_place, &place);
	m->clear_child_tid = place.address;
	if (!place.address || task_read((pid_t)m->tid, &word, place.address, sizeof(word)))
		return fail(EHOLDS, "thread %u: neither this kernel (CONFIG_CHECKPOINT_RESTORE) nor its C library tells where its "
			    "ID is cleared", m->tid);
	return 0;
}
