/* SPDX-License-Identifier: MIT */
#include "tree/clocks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "config.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"
#include "kernel/task_memory.h"
#include "tree/records.h"
#include "tree/vdso.h"

static const int64_t CLOCK_MAX = INT64_MAX / 2;	/* the kernel's own bound (KTIME_SEC_MAX / 2) */

/* "": it is not known. */
static void boot_id(char *to, size_t cap)
{
	if (proc_readf(to, cap, "/proc/sys/kernel/random/boot_id") < 0)
		*to = '\0';
	to[strcspn(to, "\n")] = '\0';
}

int clocks_stop(struct save *s)
{
	struct two_clocks now, offsets;
	int err = timens_machine(&now, &s->still_since);

	if (!err)
		err = timens_offsets(s->tree.processes[0].tid, &offsets);
	if (err)
		return fail_for(err, "the clocks of the tree");
	s->clocks.monotonic = (uint64_t)(now.monotonic + offsets.monotonic);
	s->clocks.boottime = (uint64_t)(now.boottime + offsets.boottime);
	s->clocks.realtime = (uint64_t)clock_now(CLOCK_REALTIME);
	s->still_theirs = (int64_t)s->clocks.monotonic;
	s->clocks.monotonic_offset = offsets.monotonic;
	s->clocks.boottime_offset = offsets.boottime;
	boot_id(s->clocks.boot_id, sizeof(s->clocks.boot_id));
	return 0;
}

int clocks_save(struct save *s)
{
	struct two_clocks told = { 0 };
	int err = IS_ON_VDSO_PROXY ? vdso_clock_offset(&s->tree.processes[0], &told.monotonic, &told.boottime) : 0;

	if (err)
		return err;
	s->clocks.monotonic += (uint64_t)told.monotonic;
	s->clocks.boottime += (uint64_t)told.boottime;
	s->clocks.monotonic_offset += told.monotonic;
	s->clocks.boottime_offset += told.boottime;
	return SAVE_RECORD(s, RECORD_CLOCKS, Clocks_fields, &s->clocks, NULL, 0);
}

static int check(const Clocks *m)
{
	if (m->monotonic > (uint64_t)CLOCK_MAX || m->boottime > (uint64_t)CLOCK_MAX || m->realtime > INT64_MAX ||
	    m->monotonic_offset > CLOCK_MAX || m->monotonic_offset < -CLOCK_MAX || m->boottime_offset > CLOCK_MAX ||
	    m->boottime_offset < -CLOCK_MAX)
		return fail(EIMAGE, "the clocks are absurd");
	return 0;
}

/* The time that was lost, by the only clock that runs on while the machine does not; 0 when it was not set, then or now. */
static int64_t lost(const Clocks *m)
{
	const int64_t now = clock_now(CLOCK_REALTIME), then = (int64_t)m->realtime;

	if (then >= CLOCK_NOT_SET && now >= then && now - then <= CLOCK_MAX - (int64_t)m->monotonic &&
	    now - then <= CLOCK_MAX - (int64_t)m->boottime)
		return now - then;
	log_warning("CLOCK_REALTIME was not set %s: how much time was lost is not known, the clocks go on where they stopped",
		    then < CLOCK_NOT_SET ? "when the image was made" : "yet, it is before the image was made");
	return 0;
}

/* What the tree's clocks are to show beyond those of the machine, from now on; *began: what they show now, *here: when, by ours. */
static int wanted(const Clocks *m, bool advance, struct two_clocks *offsets, struct two_clocks *began, int64_t *here)
{
	struct two_clocks now;
	char boot[sizeof(m->boot_id)];
	int64_t since = 0;
	int err = timens_machine(&now, here);

	if (err)
		return fail_for(err, "the clocks of this machine");
	boot_id(boot, sizeof(boot));
	if (advance && *boot && !strcmp(boot, m->boot_id)) {	/* the machine has counted it, to the nanosecond */
		*offsets = (struct two_clocks){ m->monotonic_offset, m->boottime_offset };
		*began = (struct two_clocks){ now.monotonic + offsets->monotonic, now.boottime + offsets->boottime };
		return 0;
	}
	if (advance)
		since = lost(m);
	*began = (struct two_clocks){ (int64_t)m->monotonic + since, (int64_t)m->boottime + since };
	*offsets = (struct two_clocks){ began->monotonic - now.monotonic, began->boottime - now.boottime };
	return 0;
}

int clocks_look(const Clocks *m, bool advance, bool *own, struct two_clocks *lack)
{
	struct two_clocks inherited, began;
	int64_t here;
	int err = check(m);

	*own = false;
	if (!err)
		err = wanted(m, advance, lack, &began, &here);
	if (err)
		return err;
	err = timens_offsets(getpid(), &inherited);
	if (err)
		return fail_for(err, "the clocks of tinyckpt");
	lack->monotonic -= inherited.monotonic;
	lack->boottime -= inherited.boottime;
	if (!lack->monotonic && !lack->boottime)
		return 0;
	*own = !timens_try();
	if (*own)
		*lack = (struct two_clocks){ 0 };
	return 0;
}

void clocks_tell(const struct two_clocks *lack)
{
	if (lack->monotonic || lack->boottime)
		log_warning("this kernel has no time namespaces (CONFIG_TIME_NS), or tinyckpt may make none (CAP_SYS_ADMIN): in system "
			    "calls CLOCK_MONOTONIC jumps by %" PRId64 " ms, CLOCK_BOOTTIME by %" PRId64 " ms",
			    -lack->monotonic / 1000000, -lack->boottime / 1000000);
}

int clocks_restore(struct restore *r, const struct record *rec)
{
	int err = r->last_id || r->born.len || r->clocks.monotonic ? fail(EIMAGE, "the clocks are not in their place")
								   : record_decode(rec, Clocks_fields, &r->clocks);

	if (!err)
		err = clocks_look(&r->clocks, r->options->advance, &r->own_clocks, &r->clock_offset);
	if (!err && r->options->tell)
		r->told = r->clock_offset;
	return err;
}

/* As late as can be: until here they stand still, and from here on they count. */
int clocks_go_on(struct restore *r)
{
	struct two_clocks offsets;
	int err;

	clocks_tell(&r->clock_offset);
	if (!r->own_clocks) {	/* where they lack something, by the same for all deadlines */
		const bool frozen = !r->options->advance;

		r->began.monotonic = frozen ? (int64_t)r->clocks.monotonic - r->clock_offset.monotonic : clock_now(CLOCK_MONOTONIC);
		r->began.boottime = frozen ? (int64_t)r->clocks.boottime - r->clock_offset.boottime : clock_now(CLOCK_BOOTTIME);
		r->began_here = r->began.monotonic;
		return 0;
	}
	err = wanted(&r->clocks, r->options->advance, &offsets, &r->began, &r->began_here);
	if (err)
		return err;
	err = timens_make(&offsets);
	return err ? fail_for(err, "a time namespace") : 0;
}

static bool is_futex(const struct arch_interrupted *call)
{
	return call->nr == SYS_futex || call->nr == SYS_futex_time64;
}

bool clocks_hold(const struct restore *r, const struct arch_interrupted *call)
{
	if (!r->clock_offset.monotonic && !r->clock_offset.boottime)
		return false;
	if (is_futex(call))
		return (call->args[1] & ~FUTEX_PRIVATE_FLAG) == FUTEX_WAIT_BITSET && call->args[3];
	return (call->nr == SYS_clock_nanosleep || call->nr == SYS_clock_nanosleep_time64) && call->args[1] & TIMER_ABSTIME &&
	       (call->args[0] == CLOCK_MONOTONIC || call->args[0] == CLOCK_BOOTTIME);
}

/* The kernel keeps absolute deadlines of futexes, and of sleeps none that are absolute, but the end of relative ones. */
int clocks_rebase(const struct restore *r, pid_t tid, const struct arch_interrupted *call, struct arch_regs *regs,
		  struct deadline *was)
{
	const bool futex = is_futex(call), boot = !futex && call->args[0] == CLOCK_BOOTTIME;
	/* a 32-bit program may use the calls for times of 32 bits */
	const bool wide = sizeof(long) == 8 || call->nr == (futex ? SYS_futex_time64 : SYS_clock_nanosleep_time64);
	const int time = futex ? 3 : 2;
	struct kernel_timespec t;
	int32_t narrow[2];
	int64_t ns;
	int err;

	was->at = (unsigned long)call->args[time];
	was->len = wide ? sizeof(t) : sizeof(narrow);
	err = task_read(tid, was->bytes, was->at, was->len);
	if (err)
		return err;
	memcpy(wide ? (void *)&t : narrow, was->bytes, was->len);
	if (!wide)
		t = (struct kernel_timespec){ narrow[0], narrow[1] };
	ns = t.sec > CLOCK_MAX / 1000000000 ? CLOCK_MAX : t.sec < 0 ? 0 : t.sec * 1000000000 + t.nsec;
	ns -= boot ? r->clock_offset.boottime : r->clock_offset.monotonic;
	if (!futex) {
		ns -= clock_now(boot ? CLOCK_BOOTTIME : CLOCK_MONOTONIC);
		arch_set_argument(regs, 1, 0);
		arch_set_argument(regs, 3, 0);
	}
	if (ns < 0)
		ns = 0;
	t = (struct kernel_timespec){ ns / 1000000000, ns % 1000000000 };
	narrow[0] = t.sec > INT32_MAX ? INT32_MAX : (int32_t)t.sec;
	narrow[1] = (int32_t)t.nsec;
	return task_write(tid, was->at, wide ? (const void *)&t : narrow, was->len);
}

int clocks_put_back(pid_t tid, const struct arch_interrupted *call, struct arch_regs *regs, const struct deadline *was)
{
	arch_set_argument(regs, 1, call->args[1]);
	arch_set_argument(regs, 3, call->args[3]);
	return task_write(tid, was->at, was->bytes, was->len);
}

int64_t clocks_standstill(const struct save *s)
{
	return clock_now(CLOCK_MONOTONIC) - s->still_since;
}

int64_t clocks_gone_on(const struct restore *r)
{
	return r->began_here ? clock_now(CLOCK_MONOTONIC) - r->began_here : 0;
}

void clocks_join(const struct restore *r, struct program *p)
{
	char own[16], path[48];
	ssize_t len;
	long fd;

	if (!r->own_clocks)
		return;
	len = readlink("/proc/self", own, sizeof(own));	/* our number in the /proc that they see */
	snprintf(path, sizeof(path), "/proc/%.*s/ns/time_for_children", len < 0 ? 0 : (int)len, own);
	fd = program_at(p, program_call(p, OP_MUST, SYS_openat, AT_FDCWD, program_data(p, path, sizeof(path)), O_RDONLY)) +
	     (long)offsetof(struct op, ret);
	program_call(p, OP_MUST | OP_INDIRECT << 0, SYS_setns, fd, CLONE_NEWTIME);
	program_call(p, OP_MUST | OP_INDIRECT << 0, SYS_close, fd);
}
