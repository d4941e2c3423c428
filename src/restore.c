/* SPDX-License-Identifier: MIT */
/* The story of a restore, from top to bottom. */
#include "restore.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "base/scope.h"
#include "config.h"
#include "image/machine.h"
#include "job/world.h"
#include "kernel/abi.h"
#include "kernel/pidns.h"
#include "kernel/ptrace.h"
#include "objects/changed.h"
#include "objects/object.h"
#include "objects/timerfd.h"
#include "tree/birth.h"
#include "tree/clocks.h"
#include "tree/fill.h"
#include "tree/locks.h"
#include "tree/made_again.h"
#include "tree/pids.h"
#include "tree/posix_timers.h"
#include "tree/reborn.h"
#include "tree/records.h"
#include "tree/remap.h"
#include "tree/revive.h"
#include "tree/session.h"
#include "tree/settle.h"
#include "tree/tags.h"

enum { RESTORE_STEP_MS = 60000, RESTORE_END_MS = 10000, RESTORE_STEP_RECORDS = 16, NOT_YET = 1 };

static int on_header(struct restore *r, const struct record *rec)
{
	Header m;
	int err = record_decode(rec, Header_fields, &m);

	if (!err)
		err = machine_compare(&m);
	r->page_size = m.page_size;
	return err;
}

static int on_tree(struct restore *r, const struct record *rec)
{
	int err = r->world || !r->page_size ? fail(EIMAGE, "the description of the tree is not in its place")
					    : record_decode(rec, Tree_fields, &r->tree);

	if (err)
		return err;
	if (!r->tree.root || r->tree.highest_fd > (1u << 24))
		return fail(EIMAGE, "the description of the tree is absurd");
	r->world = (int)world_begin(r->tree.highest_fd);
	world_room();
	return reborn_area(r);
}

static bool is_among(const struct buffer *numbers, pid_t pid)
{
	const uint32_t *number = (const uint32_t *)(const void *)numbers->data;

	for (size_t i = 0; i < numbers->len / sizeof(*number); i++)
		if (number[i] == (uint32_t)pid)
			return true;
	return false;
}

static bool is_wanted(const struct restore *r, pid_t pid)
{
	return is_among(&r->tasks, pid) || is_among(&r->groups, pid);
}

/* Where we sit on a number of the tree we go on in another process; as long as all are there, each has another number. */
static int on_pids(struct restore *r, const struct record *rec)
{
	const pid_t tool = getppid();
	int err = r->born.len ? fail(EIMAGE, "the process IDs are not in their place") : pids_read(&r->tasks, &r->groups, rec);

	if (!err)
		err = pids_possible(&r->tasks) ?: pids_possible(&r->groups);
	if (!err && is_wanted(r, tool) && tool != getsid(0) && tool != getpgrp())
		err = fail(EEXIST, "pid %d is tinyckpt's own, and one of the image's: start it again", tool);
	while (!err && is_wanted(r, getpid())) {
		pid_t pid;

		image_inherited(&r->image, true);
		pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

		if (pid < 0)
			return fail_errno("clone");
		if (pid) {
			*r->agent = pid;
			_exit(0);
		}
		image_inherited(&r->image, false);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != tool)
			_exit(1);
	}
	return err;
}

/* The mappings of a process are all there: lay it out. */
static int end_mapping(struct restore *r)
{
	if (!r->mapping)
		return 0;
	r->mapping = false;
	return remap_layout(r);
}

static int end_memory(struct restore *r)
{
	int err = end_mapping(r);

	return err ? err : remap_finish(r);
}

static int before_birth(struct restore *r)
{
	int err = end_mapping(r);

	if (!err)
		err = remap_end(r);
	world_contents_end(r);
	return !err && r->settled ? fail(EIMAGE, "a process among the states") : err;
}

static int on_session(struct restore *r, const struct record *rec)
{
	int err = before_birth(r);

	if (!err)
		err = remap_finish(r);
	return err ? err : session_restore(r, rec);
}

static int on_process(struct restore *r, const struct record *rec)
{
	struct born *b;
	int err = before_birth(r);

	if (!err)
		err = birth(r, rec);
	if (err)
		return err;
	b = (struct born *)(void *)(r->born.data + r->born.len) - 1;
	r->pid = b->pid;
	r->mapping = !b->zombie;
	return 0;
}

static int on_state(struct restore *r, const struct record *rec)
{
	int err = end_memory(r);

	if (!err && !r->settled)
		err = settle(r);
	if (!err && !r->settled && IS_ON_CLOCKS)
		err = clocks_go_on(r);
	if (!err && !r->settled && IS_ON_TIMERFD)
		err = timerfds_go_on(r);
	r->settled = true;
	if (!err)
		err = revive_finish(r);
	if (!err && r->state.pid && r->pid)
		err = fail(EIMAGE, "process %u: its main thread is missing", r->state.pid);
	return err ? err : revive_state(r, rec);
}

static int on_vma(struct restore *r, const struct record *rec)
{
	return r->mapping ? remap_note(r, rec) : fail(EIMAGE, "a mapping of no process");
}

static int on_memory(struct restore *r, const struct record *rec)
{
	int err = end_mapping(r);

	if (!err && (!r->pid || r->settled))
		err = fail(EIMAGE, "pages of no process");
	if (err)
		return err;
	if (ARCH_TAGS && rec->type == RECORD_TAGS)
		return tags_restore(r, rec);
	return rec->type == RECORD_PAGES ? remap_pages(r, rec) : remap_runs(r, rec);
}

/* One table, one entry a record: the order in which they may come is in their handlers. */
static int on_record(struct restore *r, const struct record *rec)
{
	static const struct {
		uint16_t type;
		int (*handle)(struct restore *r, const struct record *rec);
	} handlers[] = {
		{ RECORD_HEADER, on_header },		{ RECORD_TREE, on_tree },
		{ RECORD_PROCESS, on_process },		{ RECORD_VMA, on_vma },
		{ RECORD_PAGES, on_memory },		{ RECORD_DROP, on_memory },
		{ RECORD_GUARD, on_memory },		{ RECORD_STATE, on_state },
		{ RECORD_ADVICE, revive_advice },	{ RECORD_SIGACTIONS, revive_sigactions },
		{ RECORD_DESCRIPTORS, revive_descriptors }, { RECORD_THREAD, revive_thread },
		{ ARCH_TAGS ? RECORD_TAGS : 0, on_memory },
		{ RECORD_PENDING, revive_pending },	{ RECORD_SESSION, IS_ON_SESSIONS ? on_session : NULL },
		{ RECORD_LOCK, IS_ON_LOCKS ? locks_note : NULL },
		{ RECORD_TIMER, IS_ON_POSIX_TIMERS ? posix_timers_note : NULL },
		{ RECORD_CLOCKS, IS_ON_CLOCKS ? clocks_restore : NULL },
		{ RECORD_PIDS, IS_ON_PIDS ? on_pids : NULL },
		{ RECORD_STOP, revive_stop },
	};
	const struct object_ops *ops;

	if (!r->world && rec->type != RECORD_HEADER && rec->type != RECORD_TREE)
		return fail(EIMAGE, "record type %u before the description of the tree", rec->type);
	for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++)
		if (handlers[i].type == rec->type && handlers[i].handle)
			return handlers[i].handle(r, rec);
	ops = object_of_record(rec->type);
	return ops ? ops->restore(r, rec) : record_unknown(rec);
}

/* The next process may be made while the memory of the one before is being filled. */
static bool goes_on_behind(uint16_t type)
{
	return type == RECORD_PAGES || type == RECORD_PROCESS || type == RECORD_VMA;
}

/* Everything is made, and held still. */
static int make_tree(struct restore *r)
{
	struct record rec;
	int err;

	for (;;) {
		r->image.skip_type = IS_ON_COPY_BEHIND && fill_wanted(r) ? RECORD_PAGES : 0;
		err = image_next(&r->image, &rec);
		if (err <= 0)
			break;
		/* the time that records take to come, from flash or a pipe, is no task's */
		if (r->steps++ % RESTORE_STEP_RECORDS == 0 || wait_half_over())
			wait_deadline(RESTORE_STEP_MS);
		err = IS_ON_COPY_BEHIND && !goes_on_behind(rec.type) ? fill_wait(r, fill_lots(r)) : 0;
		if (!err)
			err = on_record(r, &rec);
		if (err)
			return err;
	}
	if (!err)
		err = end_memory(r);
	if (!err)
		err = revive_finish(r);
	if (!err && (!r->settled || r->pid))
		err = fail(EIMAGE, "incomplete: the tree has no end");
	return err ? err : made_again(r);
}

static int write_pidfile(const struct restore *r)
{
	static const int flags = O_WRONLY | O_NONBLOCK | O_NOFOLLOW;
	const char *path = r->options->pidfile;
	CLEANUP_CLOSE int fd = -1;
	struct stat st;
	char text[16];
	const pid_t root = (pid_t)r->tree.root;
	int err, len = snprintf(text, sizeof(text), "%d\n", IS_ON_PIDNS && r->options->pidns ? pidns_outside(root) : root);

	if (!path)
		return 0;
	fd = path_open(path, flags, 0);
	if (fd < 0 && errno == ENOENT)
		fd = path_open(path, flags | O_CREAT | O_EXCL, 0644);
	if (fd < 0 || fstat(fd, &st))
		return fail_errno("%s", path);
	/* what else it may be would wait for a reader, or belong to others by another name */
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1)
		return fail(EINVAL, "%s: is no file of this one name", path);
	err = ftruncate(fd, 0) ? -errno : write_all(fd, text, (size_t)len);
	return err ? fail_for(err, "%s", path) : 0;
}

/* What the agent leaves to the tool. */
struct outcome {
	int err;
	pid_t agent;
	pid_t root;
	bool made;	/* and in a namespace of its own: the agent has stopped itself for the tool to stay, too */
	bool ended;	/* the root has, and this is its */
	int status;
};

/*
 * The agent no longer dies with the tool: from then on it goes through with it, whatever becomes of the tool.  A PID namespace
 * ends with its init: there it is when that no longer dies with its caller.
 */
static void stand_alone(const struct restore *r, pid_t tool, struct outcome *outcome)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (IS_ON_PIDNS && r->options->pidns) {
		outcome->made = true;
		kill(getpid(), SIGSTOP);
	}
	prctl(PR_SET_PDEATHSIG, 0);
	__sync_synchronize();
	/* a tool that died just before has its signal on the way: to come while some ties are cut, and others not */
	if (getppid() != tool)
		kill(getpid(), SIGKILL);
}

/* The instant at which the tree lives again. */
static void release(const struct restore *r)
{
	const pid_t *tid = (const pid_t *)(const void *)r->threads.data;

	for (size_t i = 0; i < r->threads.len / sizeof(*tid); i++)
		thread_untie(tid[i]);
	for (size_t i = 0; i < r->threads.len / sizeof(*tid); i++)
		thread_detach(tid[i], 0);
}

/* Failure takes down only what was made here. */
static void take_down(struct restore *r)
{
	const pid_t *tid = (const pid_t *)(const void *)r->threads.data;

	for (size_t i = 0; i < r->threads.len / sizeof(*tid); i++)
		thread_doom(tid[i]);
	for (size_t i = r->threads.len / sizeof(*tid); i-- > 0;)
		kill(tid[i], SIGKILL);
	wait_deadline(RESTORE_END_MS);
	for (size_t i = r->threads.len / sizeof(*tid); i-- > 0 && !thread_reap(tid[i]);)
		;
}

static pid_t supervised;

static void pass_on(int sig)
{
	kill(supervised, sig);
}

/*
 * Until the agent or the root has ended, or (NULL) all children have, which were killed.  Whoever is orphaned comes to us; the
 * root may end before the agent.
 *
 * The agent is waited for without an end of ours: it gives up on tasks by itself, and an image that comes slowly, or a read that
 * the kernel waits for, it is not to give up on.  Who stops it, and not us, would have us wait for ever: it goes on.
 */
static int wait_for(struct outcome *outcome, const volatile pid_t *pid)
{
	for (;;) {
		int status;
		pid_t ended = wait_child(-1, &status, __WALL | WUNTRACED);

		if (ended > 0 && WIFSTOPPED(status)) {
			if (pid != &outcome->agent || ended != *pid)
				continue;
			if (IS_ON_PIDNS && outcome->made)
				pidns_stay();
			else
				log_warning("process %d, which brings it back, was stopped (signal %d): it goes on", ended,
					    WSTOPSIG(status));
			kill(ended, SIGCONT);
			continue;
		}
		if (ended < 0 && errno == EINTR && !pid && wait_half_over())
			return fail(ETIMEDOUT, "what was made of the tree was killed, and has not yet ended");
		if (ended < 0 && errno != EINTR)
			return errno == ECHILD && !pid ? 0 : fail_errno("waiting for process %d", pid ? *pid : 0);
		if (ended > 0 && ended == outcome->root) {
			outcome->ended = true;
			outcome->status = status;
		}
		if (ended > 0 && pid && ended == *pid)
			return 0;
	}
}

/* In the foreground the tool stands for the tree: signals pass through to it, its exit status is the tree's. */
static void take_signals(const struct outcome *outcome)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT };
	struct sigaction action = { .sa_handler = pass_on };

	supervised = outcome->root;
	for (size_t i = 0; !outcome->ended && i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
}

/*
 * Agent and tasks take turns, never work at once: on one processor a turn is a switch, across two it is an interrupt, which
 * on a virtual machine is many times dearer.  Each task gets its own processors back with its scheduling.
 */
static void stay_on_one_processor(cpu_set_t *others)
{
	cpu_set_t one;
	unsigned int cpu;

	CPU_ZERO(&one);
	/* not sched_getcpu(3), which brings all that finds a vDSO's functions */
	if (syscall(SYS_getcpu, &cpu, NULL, NULL) || cpu >= CPU_SETSIZE)
		return;
	if (IS_ON_COPY_BEHIND && !sched_getaffinity(0, sizeof(*others), others))
		CPU_CLR(cpu, others);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/*
 * The agent does all of it, and the tree dies with the agent (PTRACE_O_EXITKILL), as the agent does with the tool.  So one
 * system call of the agent can let the tree live; the tool itself would have to untie task by task.
 */
static void agent(const struct restore_options *options, pid_t tool, struct outcome *outcome)
{
	struct restore r = { .options = options, .contents_fd = -1, .stop_signal = SIGSTOP, .memory = { .uffd = -1, .uffd_there = -1 },
			     .aside = { .uffd = -1, .uffd_there = -1 }, .agent = &outcome->agent,
			     .of_children = 1ULL << (SIGCHLD - 1) };
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != tool)
		return;
	stay_on_one_processor(&r.others);
	err = image_open(&r.image, options->image, options->key);
	if (!err)
		err = image_check_newest(&r.image);
	if (!err)
		err = make_tree(&r);
	if (!err)
		err = write_pidfile(&r);
	if (!err && IS_ON_RULES)
		err = changed_commit(&r);
	wait_deadline(0);
	outcome->root = (pid_t)r.tree.root;
	if (!err) {
		stand_alone(&r, tool, outcome);
		/* From here on it is not to come back once more, whatever happens: the power may fail before it lives. */
		err = image_restored(&r.image);
	}
	outcome->err = err;
	if (err) {
		log_unsaid(err);
		take_down(&r);
		if (IS_ON_RULES)
			changed_abandon(&r);
	} else {
		release(&r);
	}
}

int restore_tree(const struct restore_options *options, int *status)
{
	struct outcome *outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t tool = getpid(), pid;
	int err = proc_check();

	if (err)
		return err;
	if (outcome == MAP_FAILED)
		return fail(ENOMEM, "out of memory");
	outcome->err = NOT_YET;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);	/* fork(3) would bring along 1.5 KB for threads */
	if (pid < 0)
		return fail_errno("clone");
	if (!pid) {
		agent(options, tool, outcome);
		_exit(0);
	}
	if (!IS_ON_PIDS)
		outcome->agent = pid;
	else	/* it may have moved on already */
		__sync_bool_compare_and_swap(&outcome->agent, 0, pid);
	err = wait_for(outcome, &outcome->agent);
	if (!err && outcome->err == NOT_YET)
		err = fail(EIO, "the process that brings the tree back was killed");
	if (!err && outcome->err) {
		log_said();
		err = outcome->err;
	}
	if (err) {
		wait_deadline(2 * RESTORE_END_MS);	/* and half of it for them */
		(void)wait_for(outcome, NULL);
	} else if (!options->detach) {
		take_signals(outcome);
	}
	if (IS_ON_PIDNS && !err && options->pidns)
		pidns_alive();
	if (!err && !options->detach && !outcome->ended)
		err = wait_for(outcome, &outcome->root);
	*status = outcome->status;
	return err;
}
