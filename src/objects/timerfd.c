/* SPDX-License-Identifier: MIT */
/* Timers that are read from a descriptor (timerfd_create(2)).  What remains of them is counted from when the tree goes on. */
#include "objects/timerfd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "base/scope.h"
#include "config.h"
#include "job/save.h"
#include "job/verify.h"
#include "kernel/abi.h"
#include "kernel/lacking.h"
#include "kernel/same.h"
#include "kernel/timens.h"
#include "objects/object.h"
#include "timerfd.pb.h"

static const int64_t SECOND = 1000000000;

static bool match(const struct save *s, const struct opened *o)
{
	(void)s;
	return o->fd >= 0 && !strcmp(o->path, "anon_inode:[timerfd]") && !(o->info.flags & O_PATH);
}

static int64_t to_ns(struct timespec t)
{
	return t.tv_sec * SECOND + t.tv_nsec;
}

static uint64_t cut(int64_t time)
{
	return (uint64_t)time > TIME_MAX / 2 ? TIME_MAX / 2 : (uint64_t)time;
}

static bool number_behind(const char *text, const char *name, int base, uint64_t *value)
{
	const char *line = strstr(text, name);

	if (line)
		*value = strtoull(line + strlen(name), NULL, base);
	return line;
}

/* What timerfd_show() of fs/timerfd.c tells. */
static int see_fdinfo(int own, Timerfd *m)
{
	char text[1024];
	uint64_t clock, set;
	ssize_t len = proc_readf(text, sizeof(text), "/proc/self/fdinfo/%d", own);

	if (len < 0)
		return (int)len;
	if (!number_behind(text, "\nclockid: ", 10, &clock) || !number_behind(text, "\nticks: ", 10, &m->ticks) ||
	    !number_behind(text, "\nsettime flags: ", 8, &set))
		return -EPROTO;
	m->clock = (uint32_t)clock;
	m->set = (uint32_t)set;
	return 0;
}

/*
 * A periodic one that has ended stands still until somebody looks, here we: all its ticks are then there, and it runs.  How many
 * there are and what remains is told by two calls, between which it must not end.  A quick one may have ended once more in the
 * midst of a call, which then says as of one that does not run that nothing remains.  And to be known as of a time, it must be
 * seen about then.
 */
static bool has_ended_meanwhile(const struct itimerspec *before, const struct itimerspec *now)
{
	return to_ns(now->it_value) > to_ns(before->it_value) ||
	       (!to_ns(now->it_value) && (to_ns(before->it_value) || to_ns(now->it_interval)));
}

/* *seen: when, by CLOCK_MONOTONIC. */
static int look(const struct opened *o, Timerfd *m, int64_t *seen)
{
	enum { ABOUT = 1000000 };	/* ns */

	CLEANUP_CLOSE int own = file_borrow(o->pid, o->fd);
	struct itimerspec before, now;
	int64_t realtime;
	int err = 0, tries = 100;

	do {
		if (own < 0 || timerfd_gettime(own, &before))
			return -errno;
		err = see_fdinfo(own, m);
		*seen = clock_now(CLOCK_MONOTONIC);
		realtime = clock_now(CLOCK_REALTIME);
		if (err || timerfd_gettime(own, &now))
			return err ? err : -errno;
	} while ((has_ended_meanwhile(&before, &now) || clock_now(CLOCK_MONOTONIC) - *seen > ABOUT) && tries--);
	m->remains = cut(to_ns(now.it_value));
	m->interval = cut(to_ns(now.it_interval));
	if (!m->remains && m->interval && m->ticks)	/* too quick for this machine: it is always just about to end */
		m->remains = 1;
	if (m->remains && m->clock == CLOCK_REALTIME && m->set & TFD_TIMER_ABSTIME)
		m->until = (uint64_t)realtime + m->remains;
	return 0;
}

static bool is_known(uint32_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME;
}

static void check(struct save *s, const struct opened *o)
{
	Timerfd m = Timerfd_init_zero;
	int64_t seen;
	const int err = look(o, &m, &seen);

	if (o->info.flags & O_ASYNC)
		obstacle(s, "%s: %s: signal-driven I/O (O_ASYNC) is not supported", o->what, o->path);
	if (err && (!s->checking || err != -EBADF))
		obstacle(s, "%s: %s: what remains of its time cannot be told (pidfd_getfd): %s", o->what, o->path, strerror(-err));
	else if (!err && !is_known(m.clock))
		obstacle(s, "%s: %s: of clock %u, which wakes the machine: not supported", o->what, o->path, m.clock);
}

/* Time has run on since all stood still; and so often it has ended meanwhile, which is yet to come. */
static void take_back(Timerfd *m, uint64_t standstill)
{
	uint64_t ended = 0;

	m->remains += standstill;
	if (m->interval && !m->until)
		ended = (m->remains - 1) / m->interval;
	if (ended > m->ticks)
		ended = m->ticks;
	m->ticks -= ended;
	m->remains -= ended * m->interval;
}

static int save(struct save *s, const struct opened *o)
{
	Timerfd m = { .flags = o->info.flags & O_NONBLOCK };
	int64_t seen;
	int err = look(o, &m, &seen);

	if (err)
		return fail_for(err, "%s: %s", o->what, o->path);
	if (m.remains && IS_ON_CLOCKS)
		take_back(&m, (uint64_t)(seen - s->still_since));
	m.id = save_next_id(s);
	return SAVE_RECORD(s, RECORD_TIMERFD, Timerfd_fields, &m, NULL, 0);
}

static int decode(const struct record *rec, Timerfd *m)
{
	int err = record_decode(rec, Timerfd_fields, m);

	if (!err && (!is_known(m->clock) || m->remains > TIME_MAX || m->interval > TIME_MAX || m->until > INT64_MAX))
		err = fail(EIMAGE, "timerfd %u: absurd", m->id);
	return err;
}

static int restore(struct restore *r, const struct record *rec)
{
	Timerfd m;
	int fd, err = decode(rec, &m);

	if (err)
		return err;
	fd = timerfd_create((int)m.clock, TFD_CLOEXEC | (m.flags & O_NONBLOCK ? TFD_NONBLOCK : 0));
	if (fd < 0)
		return FAIL_CALL(SYS_timerfd_create, "timerfd %u", m.id);
	err = world_add(r, fd, m.id);
	if (!err && buffer_append(&r->timerfds, &m, sizeof(m)))
		err = fail(ENOMEM, "out of memory");
	return err;
}

static int settime(int fd, uint32_t set, int64_t value, const Timerfd *m)
{
	const int64_t interval = (int64_t)m->interval;
	const struct itimerspec time = {
		.it_value = { value / SECOND, value % SECOND }, .it_interval = { interval / SECOND, interval % SECOND },
	};

	return timerfd_settime(fd, (int)set, &time, NULL);
}

/*
 * Where the kernel takes no ticks (CONFIG_CHECKPOINT_RESTORE), it counts them itself: it was set when it has ended that often.  That
 * cannot have been before the machine started.
 */
static int make_tick(int fd, const Timerfd *m)
{
	const int64_t end = clock_now((int)m->clock) + (int64_t)m->remains;
	uint64_t ticks = m->ticks, most;

	if (!m->remains)
		return m->ticks == 1 ? settime(fd, m->set & ~(uint32_t)TFD_TIMER_ABSTIME, 1, &(Timerfd)Timerfd_init_zero) : -1;
	if (!m->interval)
		return -1;
	most = (uint64_t)(end - 1) / m->interval;
	if (ticks > most) {
		ticks = most;
		log_warning("timerfd %u: it has ended %" PRIu64 " times, and will tell of %" PRIu64 ": there is no time for more since this "
			    "machine has started, and its kernel cannot be told (CONFIG_CHECKPOINT_RESTORE)", m->id, m->ticks, ticks);
	}
	return ticks ? settime(fd, m->set | TFD_TIMER_ABSTIME, end - (int64_t)(ticks * m->interval), m) : 0;
}

/* We see the machine's clocks, the tree may see others: but both take as long. */
static int go_on(int fd, const Timerfd *m)
{
	const bool until = m->set & TFD_TIMER_ABSTIME;
	int64_t value = (int64_t)m->remains;

	if (value && m->until)
		value = (int64_t)m->until;
	else if (value && until)
		value += clock_now((int)m->clock);
	if (settime(fd, m->set, value, m))
		return fail_errno("timerfd %u", m->id);
	if (m->ticks && ioctl(fd, TFD_IOC_SET_TICKS, &m->ticks) && make_tick(fd, m))
		return fail(EIMAGE, "timerfd %u: it has ended %" PRIu64 " times, and this kernel cannot be told (CONFIG_CHECKPOINT_RESTORE)",
			    m->id, m->ticks);
	return 0;
}

int timerfds_go_on(const struct restore *r)
{
	const Timerfd *m = (const Timerfd *)(const void *)r->timerfds.data;
	int err = 0;

	for (size_t n = r->timerfds.len / sizeof(*m); !err && n--; m++)
		err = go_on(world_fd(r, m->id), m);
	return err;
}

static int verify(struct verify *v, const struct record *rec)
{
	Timerfd m;
	int err = decode(rec, &m);

	return err ? err : verify_id(v, m.id);
}

static void show(const struct record *rec, char *line, size_t cap)
{
	static const char *const clocks[] = {
		[CLOCK_REALTIME] = "CLOCK_REALTIME", [CLOCK_MONOTONIC] = "CLOCK_MONOTONIC", [CLOCK_BOOTTIME] = "CLOCK_BOOTTIME",
	};
	Timerfd m;

	if (!decode(rec, &m))
		snprintf(line, cap, "timerfd %u: %s, %" PRIu64 " ticks, %" PRIu64 " us remain, then every %" PRIu64 " us", m.id,
			 clocks[m.clock], m.ticks, m.remains / 1000, m.interval / 1000);
}

static const struct object_ops timerfd_object = {
	.name = "timerfd",
	.records = { RECORD_TIMERFD },
	.match = match,
	.check = check,
	.save = save,
	.restore = restore,
	.verify = IF_VERIFY(verify),
	.show = IF_SHOW(show),
};
OBJECT(timerfd_object);
