/* SPDX-License-Identifier: MIT */
/* Counters (eventfd(2)). */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/scope.h"
#include "eventfd.pb.h"
#include "job/restore.h"
#include "job/save.h"
#include "job/verify.h"
#include "kernel/lacking.h"
#include "kernel/procfs.h"
#include "kernel/same.h"
#include "objects/object.h"

static bool match(const struct save *s, const struct opened *o)
{
	(void)s;
	return o->fd >= 0 && !strcmp(o->path, "anon_inode:[eventfd]") && !(o->info.flags & O_PATH);
}

static void check(struct save *s, const struct opened *o)
{
	if (o->info.flags & O_ASYNC)
		obstacle(s, "%s: %s: signal-driven I/O (O_ASYNC) is not supported", o->what, o->path);
}

/*
 * Where the kernel does not tell (before Linux 6.5): does it give 1 of a count of more?  Whatever becomes of the tool meanwhile,
 * the count must be as it was: another process looks, which nobody kills, and which is waited for without an end, as none of its
 * calls sleeps.  1, 0, or a negative errno, unsaid.
 */
static int gives_one(const struct opened *o, uint64_t count)
{
	const uint64_t two = 2, one = 1;
	CLEANUP_CLOSE int own = file_borrow(o->pid, o->fd);
	uint64_t got = 0;
	int status;
	pid_t pid = own < 0 ? -1 : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid < 0)
		return -errno;
	if (!pid) {
		if (count < 2 && write(own, &two, sizeof(two)) != sizeof(two))
			_exit(2);
		if (read(own, &got, sizeof(got)) != sizeof(got))
			_exit(2);
		if (got == 1 && count < 2)
			(void)!read(own, &got, sizeof(got));
		else if (got == 1)
			(void)!write(own, &one, sizeof(one));
		else if (count)
			(void)!write(own, &count, sizeof(count));
		_exit(got == 1);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) < 2 ? WEXITSTATUS(status) : -EIO;
}

static int save(struct save *s, const struct opened *o)
{
	Eventfd m = { .flags = o->info.flags & O_NONBLOCK };
	const char *count, *semaphore;
	char text[1024];
	ssize_t len = proc_readf(text, sizeof(text), "/proc/%d/fdinfo/%d", o->pid, o->fd);
	int gives = 0;

	count = len < 0 ? NULL : strstr(text, "\neventfd-count:");
	if (!count)
		return fail_for(len < 0 ? (int)len : -EPROTO, "%s: %s: its count", o->what, o->path);
	m.count = strtoull(strchr(count, ':') + 1, NULL, 16);
	semaphore = strstr(text, "\neventfd-semaphore:");
	gives = semaphore ? atoi(strchr(semaphore, ':') + 1) : gives_one(o, m.count);
	if (gives < 0)
		return fail_for(gives, "%s: %s: whether it is a semaphore", o->what, o->path);
	m.semaphore = gives > 0;
	m.id = save_next_id(s);
	return SAVE_RECORD(s, RECORD_EVENTFD, Eventfd_fields, &m, NULL, 0);
}

static int restore(struct restore *r, const struct record *rec)
{
	Eventfd m;
	CLEANUP_CLOSE int fd = -1;
	int err = record_decode(rec, Eventfd_fields, &m);

	if (err)
		return err;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | (m.semaphore ? EFD_SEMAPHORE : 0));
	if (fd < 0)
		return FAIL_CALL(SYS_eventfd2, "eventfd %u", m.id);
	if (m.count && write(fd, &m.count, sizeof(m.count)) != sizeof(m.count))
		return fail_errno("eventfd %u: a count of %" PRIu64, m.id, m.count);
	if (!(m.flags & O_NONBLOCK) && fcntl(fd, F_SETFL, 0))
		return fail_errno("eventfd %u", m.id);
	return world_add(r, scope_keep(&fd), m.id);
}

static int verify(struct verify *v, const struct record *rec)
{
	Eventfd m;
	int err = record_decode(rec, Eventfd_fields, &m);

	return err ? err : verify_id(v, m.id);
}

static void show(const struct record *rec, char *line, size_t cap)
{
	Eventfd m;

	if (!record_decode(rec, Eventfd_fields, &m))
		snprintf(line, cap, "eventfd %u: a %s of %" PRIu64, m.id, m.semaphore ? "semaphore" : "count", m.count);
}

static const struct object_ops eventfd_object = {
	.name = "eventfd",
	.records = { RECORD_EVENTFD },
	.match = match,
	.check = check,
	.save = save,
	.restore = restore,
	.verify = IF_VERIFY(verify),
	.show = IF_SHOW(show),
};
OBJECT(eventfd_object);
