/* SPDX-License-Identifier: MIT */
/*
 * A session is inherited, and a parent changes by its death alone.  So a process whose parent was never in its session was
 * forked there, below that parent, and handed up: the parents in between died, and the one that adopted it was the nearest
 * that asked for orphans (PR_SET_CHILD_SUBREAPER).  Here the same is done once more.  Only a child of the session's leader's
 * own parent can be had without: as a sibling of the leader (CLONE_PARENT).
 */
#include "tree/session.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "tree/birth.h"
#include "tree/reborn.h"

static bool is_number_of(const Session *m, pid_t pid)
{
	for (size_t i = 0; i < m->member_count; i++)
		if ((pid_t)m->member[i] == pid)
			return true;
	return (pid_t)m->sid == pid;
}

/* A child whose death hands up what it forked.  The kernel counts on: if its number is wanted, the next one's is another. */
static int make_passing(struct restore *r, const Session *m, pid_t in, pid_t *pid)
{
	for (;;) {
		int err;

		*pid = 0;
		err = birth_clone(r, in, pid, 0, 0);
		if (err || !is_number_of(m, *pid))
			return err;
		err = birth_end(r, *pid, in);
		if (err)
			return err;
	}
}

static int adopt_orphans(struct restore *r, pid_t pid, bool yes)
{
	struct program p;

	reborn_program(r, &p);
	program_call(&p, OP_MUST, SYS_prctl, PR_SET_CHILD_SUBREAPER, yes);
	return reborn_run(r, pid, &p, "adopting orphans");
}

/* Ends `passing`, a child of `in`, and its children come to `to`.  Nobody else adopts any until the states are restored. */
static int hand_up(struct restore *r, pid_t passing, pid_t in, pid_t to)
{
	int err = adopt_orphans(r, to, true);

	if (!err)
		err = birth_end(r, passing, in);
	return err ? err : adopt_orphans(r, to, false);
}

static int note_made(struct restore *r, pid_t pid)
{
	return buffer_append(&r->made, &pid, sizeof(pid)) ? fail(ENOMEM, "out of memory") : 0;
}

/* siblings: where a sibling of the leader lands; 0: not where it stays */
static int make_member(struct restore *r, const Session *m, size_t i, pid_t siblings, uint32_t exit_signal)
{
	const pid_t leader = (pid_t)m->sid, to = (pid_t)m->parent[i];
	pid_t pid = (pid_t)m->member[i], passing;
	int err;

	if (to == siblings && m->member_exit_signal[i] == exit_signal) {
		err = birth_clone(r, leader, &pid, CLONE_PARENT, 0);
	} else {
		err = make_passing(r, m, leader, &passing);
		if (!err)
			err = birth_clone(r, passing, &pid, 0, SIGCHLD);
		if (!err)
			err = hand_up(r, passing, leader, to);
	}
	return err ? err : note_made(r, pid);
}

static int make_leader(struct restore *r, const Session *m, pid_t in, uint32_t exit_signal)
{
	const struct born leader = { .pid = (pid_t)m->sid, .sid = (pid_t)m->sid };
	pid_t pid = leader.pid;
	int err = birth_clone(r, in, &pid, 0, exit_signal);

	return err ? err : birth_lead(r, &leader);
}

static int decode(const struct restore *r, const struct record *rec, Session *m)
{
	int err = record_decode(rec, Session_fields, m);
	bool ok = !err && m->sid && m->sid <= 4194304 && m->member_count == m->parent_count &&
		  m->member_count == m->member_exit_signal_count && birth_find(r, (pid_t)m->under) &&
		  (!m->adopted_by || (birth_find(r, (pid_t)m->adopted_by) && !birth_find(r, (pid_t)m->sid)));

	for (size_t i = 0; ok && i < m->member_count; i++)
		ok = m->member[i] && m->member[i] <= 4194304 && !birth_find(r, (pid_t)m->member[i]) && birth_find(r, (pid_t)m->parent[i]);
	return err || ok ? err : fail(EIMAGE, "session %u: absurd, or not in its place", m->sid);
}

int session_restore(struct restore *r, const struct record *rec)
{
	Session m;
	int err = decode(r, rec, &m);
	const struct born *leader = err ? NULL : birth_find(r, (pid_t)m.sid);
	const pid_t under = (pid_t)m.under, sid = (pid_t)m.sid;
	uint32_t exit_signal = leader ? leader->exit_signal : m.exit_signal;
	pid_t passing = 0, siblings = leader ? leader->parent : under;

	if (err)
		return err;
	if (leader) {
		err = birth_lead(r, leader);
	} else if (m.adopted_by) {
		siblings = 0;
		err = make_passing(r, &m, under, &passing);
		if (!err)
			err = make_leader(r, &m, passing, SIGCHLD);
		if (!err)
			err = note_made(r, sid);
	} else if (getsid(under) == sid) {	/* tinyckpt's own session, and that process's still: it forks them itself */
		return 0;
	} else {
		const struct ghost ghost = { sid, under };

		err = make_leader(r, &m, under, exit_signal);
		if (!err && buffer_append(&r->ghosts, &ghost, sizeof(ghost)))
			err = fail(ENOMEM, "out of memory");
	}
	for (size_t i = 0; !err && i < m.member_count; i++)
		err = make_member(r, &m, i, siblings, exit_signal);
	return err || !passing ? err : hand_up(r, passing, under, (pid_t)m.adopted_by);
}
