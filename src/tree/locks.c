/* SPDX-License-Identifier: MIT */
#include "tree/locks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "base/error.h"
#include "base/log.h"
#include "kernel/abi.h"
#include "kernel/lacking.h"
#include "kernel/program.h"
#include "tree/reborn.h"
#include "tree/records.h"

struct note {
	int fd, kind;
	struct flock lock;
};

/*
 * A line of /proc/PID/fdinfo/FD behind "lock:", as lock_get_status() of fs/locks.c prints it:
 *     1: POSIX  ADVISORY  WRITE 245 fe:10:20 1073741825 EOF
 * False: it is a lease, or of a kind that is not known.
 */
static bool parse(char *line, Lock *m)
{
	static const char *const kinds[] = { [LOCK_FLOCK] = "FLOCK", [LOCK_DESCRIPTION] = "OFDLCK", [LOCK_PROCESS] = "POSIX" };
	char *word[8], *rest = line;
	uint64_t end;

	for (size_t i = 0; i < sizeof(word) / sizeof(*word); i++) {
		word[i] = strtok_r(rest, " \t", &rest);
		if (!word[i])
			return false;
	}
	for (m->kind = LOCK_FLOCK; m->kind <= LOCK_PROCESS && strcmp(word[1], kinds[m->kind]); m->kind++)
		;
	m->exclusive = !strcmp(word[3], "WRITE");
	m->start = strtoull(word[6], NULL, 10);
	end = strtoull(word[7], NULL, 10);
	m->length = strcmp(word[7], "EOF") ? end - m->start + 1 : 0;
	return lock_sane(m) && !strcmp(word[2], "ADVISORY") && (m->exclusive || !strcmp(word[3], "READ")) && (!m->length || end >= m->start);
}

/* Of one descriptor: hands each to each(), with kind 0 where it is none that can be saved; text is then the kernel's. */
static int each_lock(pid_t pid, int fd, int (*each)(void *arg, const Lock *m, const char *text), void *arg)
{
	CLEANUP_BUFFER struct buffer all = { 0 };
	char path[48];
	int err;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	err = proc_read_all(path, &all);
	if (err)
		return fail_for(err, "%s", path);
	for (char *line = (char *)all.data, *next; !err && line; line = next) {
		Lock m = Lock_init_zero;
		char text[80];

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (strncmp(line, "lock:", 5))
			continue;
		line += 5 + strspn(line + 5, " \t");
		snprintf(text, sizeof(text), "%s", line);
		if (!parse(line, &m))
			m.kind = 0;
		err = each(arg, &m, text);
	}
	return err;
}

static int check_one(void *arg, const Lock *m, const char *text)
{
	if (!m->kind)
		obstacle(arg, "it holds a lease, or a lock of an unknown kind (%s): not supported", text);
	return 0;
}

int locks_check(struct save *s, const struct opened *o)
{
	CONTEXT("%s: %s", o->what, o->path);

	return each_lock(o->pid, o->fd, check_one, s);
}

struct saving {
	struct save *s;
	const struct place *place;
};

static int save_one(void *arg, const Lock *lock, const char *text)
{
	const struct saving *of = arg;
	Lock m = *lock;

	(void)text;
	m.file = of->place->id;
	m.fd = (uint32_t)of->place->fd;
	return SAVE_RECORD(of->s, RECORD_LOCK, Lock_fields, &m, NULL, 0);
}

int locks_save(struct save *s, const struct process *p)
{
	const struct place *place = (const struct place *)(void *)s->places.data;
	int err = 0;

	for (size_t i = p->place; !err && i < p->place_end; i++) {
		struct saving of = { s, &place[i] };

		if (place[i].locked)
			err = each_lock(p->tid, place[i].fd, save_one, &of);
	}
	return err;
}

int locks_note(struct restore *r, const struct record *rec)
{
	struct note note = { .lock.l_whence = SEEK_SET };
	Lock m;
	int fd, err = record_decode(rec, Lock_fields, &m);

	if (err)
		return err;
	fd = world_fd(r, m.file);
	if (fd < 0 || !r->settled || !r->pid || m.fd > r->tree.highest_fd || !lock_sane(&m))
		return fail(EIMAGE, "a lock: not in its place");
	note.fd = (int)m.fd;
	note.kind = (int)m.kind;
	note.lock.l_start = (off_t)m.start;
	note.lock.l_len = (off_t)m.length;
	note.lock.l_type = m.exclusive ? F_WRLCK : F_RDLCK;
	/* who is in the way is told beforehand; of flock(2) nobody knows */
	if (m.kind != LOCK_FLOCK && fcntl(fd, m.kind == LOCK_PROCESS ? F_GETLK : F_OFD_GETLK, &note.lock)) {
		if (errno == EINVAL)	/* so says a kernel that has none */
			errno = ENOSYS;
		return FAIL_CALL(SYS_flock, "fd %u: its lock", m.fd);
	}
	if (m.kind != LOCK_FLOCK && note.lock.l_type != F_UNLCK)
		return fail(EAGAIN, "fd %u: process %d holds the lock that it held", m.fd, note.lock.l_pid);
	note.lock.l_type = m.exclusive ? F_WRLCK : F_RDLCK;
	note.lock.l_pid = 0;
	return buffer_append(&r->locks, &note, sizeof(note)) ? fail(ENOMEM, "out of memory") : 0;
}

int locks_take(struct restore *r, pid_t tid)
{
	static const char what[] = "the locks that it held (another process may hold them now)";
	const struct note *note = (const struct note *)(void *)r->locks.data;
	struct program p;
	int err;

	if (!r->locks.len)
		return 0;
	reborn_program(r, &p);
	for (size_t i = 0; i < r->locks.len / sizeof(*note); i++) {
		err = reborn_room(r, tid, &p, 1, sizeof(note->lock), what);
		if (err)
			return err;
		if (note[i].kind == LOCK_FLOCK)
			program_call(&p, OP_MUST, SYS_flock, note[i].fd, (note[i].lock.l_type == F_WRLCK ? LOCK_EX : LOCK_SH) | LOCK_NB);
		else
			program_call(&p, OP_MUST, SYS_fcntl64, note[i].fd, note[i].kind == LOCK_PROCESS ? F_SETLK : F_OFD_SETLK,
				     program_data(&p, &note[i].lock, sizeof(note->lock)));
	}
	r->locks.len = 0;
	return reborn_run(r, tid, &p, what);
}
