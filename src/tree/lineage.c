/* SPDX-License-Identifier: MIT */
/*
 * A process is in the session that it was born in, which is its creator's, unless it leads its own since setsid(2), which it
 * can call but once.  So a creator that leads a session has early children, in the session that it was born in itself, and
 * late ones.  Its creator is its parent, or that one has died: then its parent is a process further up that asked for orphans.
 *
 * From that follows who can have made whom:
 *
 * - A leader that has a child in another session than its own was itself born in that one, and the child is an early one;
 *   unless the session reaches that leader's descendants otherwise.
 * - A process whose parent was never in its session (a stray) came from below its parent, where its session's leader was.
 *   So of one session all strays' parents, and the parent of the leader, are one below the other; the leader, which may
 *   itself have been handed up since, was made below the lowest of them.
 * - A stray is younger than that lowest parent, and than the leader, and than the leader's early children.
 *
 * An order of births that keeps to this is a history.
 */
#include "tree/lineage.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "process.pb.h"
#include "tree/records.h"

enum { NONE = -1 };

static int index_of(const struct tree *tree, pid_t pid)
{
	for (size_t i = 0; i < tree->n; i++)
		if (tree->processes[i].pid == pid)
			return (int)i;
	return NONE;
}

/* Is i the process `top`, or below it? */
static bool is_within(const struct tree *tree, int i, int top)
{
	while (i != NONE && i != top)
		i = tree->processes[i].parent;
	return i == top;
}

/* Was the process ever in the session? */
static bool was_in(const struct process *p, pid_t sid)
{
	return p->sid == sid || p->birth_sid == sid;
}

static bool is_stray(const struct tree *tree, int i)
{
	const struct process *p = &tree->processes[i];

	return i > 0 && p->birth_sid && !was_in(&tree->processes[p->parent], p->birth_sid);
}

static bool is_early(const struct tree *tree, int child, int parent)
{
	const struct process *c = &tree->processes[child];

	return c->parent == parent && c->birth_sid && c->birth_sid != tree->processes[parent].sid && !is_stray(tree, child);
}

/* Can leader i have been born in the session, which then came down through it to all that have it below? */
static bool can_pass_on(const struct tree *tree, int i, pid_t sid)
{
	int leader = index_of(tree, sid);
	bool elsewhere = false;

	if (leader != NONE && is_within(tree, leader, i))
		return false;
	for (int j = 0; j < (int)tree->n; j++) {
		if (!was_in(&tree->processes[j], sid))
			continue;
		if (!is_within(tree, j, i))
			elsewhere = true;
		else if (is_stray(tree, j) && tree->processes[j].parent != i)
			return false;
	}
	return elsewhere;	/* else there is no need */
}

/* From the leaves up, as what a leader was born in depends on what its children were. */
static void find_birth_sessions(struct tree *tree)
{
	struct process *p = tree->processes;

	for (int i = (int)tree->n; i-- > 0;)
		p[i].birth_sid = p[i].sid == p[i].pid ? 0 : p[i].sid;
	for (int i = (int)tree->n; i-- > 1;) {
		for (int j = i + 1; j < (int)tree->n && p[i].sid == p[i].pid; j++) {
			if (!is_stray(tree, j) || p[j].parent != i || !can_pass_on(tree, i, p[j].birth_sid))
				continue;
			p[i].birth_sid = p[j].birth_sid;
			if (p[i].birth_sid == p[p[i].parent].sid)
				break;
		}
	}
}

/* A session with strays. */
struct line {
	pid_t sid;
	int leader;		/* its process, NONE: dead, or not of the tree */
	int under;		/* the lowest of the parents: the leader is made below that one */
	uint32_t exit_signal;	/* of a leader that is dead */
	bool wrong;		/* the parents are not one below the other */
};

static struct line *find_line(const struct save *s, pid_t sid)
{
	struct line *l = (struct line *)(void *)s->lines.data;

	for (size_t i = 0; i < s->lines.len / sizeof(*l); i++)
		if (l[i].sid == sid)
			return &l[i];
	return NULL;
}

/* It was made below another process than its parent, and handed up. */
static bool is_moved(const struct tree *tree, const struct line *l)
{
	return l->leader > 0 && l->under != tree->processes[l->leader].parent;
}

static void add_parent(const struct tree *tree, struct line *l, int parent)
{
	if (l->under == NONE || is_within(tree, parent, l->under))
		l->under = parent;
	else if (!is_within(tree, l->under, parent))
		l->wrong = true;
}

static int find_lines(struct save *s)
{
	const struct tree *tree = &s->tree;

	for (int i = 1; i < (int)tree->n; i++) {
		const struct process *p = &tree->processes[i];
		struct line new = { p->birth_sid, index_of(tree, p->birth_sid), NONE, SIGCHLD, false }, *l;

		if (!is_stray(tree, i))
			continue;
		l = find_line(s, p->birth_sid);
		if (!l) {
			/* the root's own session, or the one that it was born in, was made above it */
			new.wrong = new.leader == 0 || tree->processes[0].birth_sid == new.sid;
			if (new.leader > 0)
				add_parent(tree, &new, tree->processes[new.leader].parent);
			if (buffer_append(&s->lines, &new, sizeof(new)))
				return fail(ENOMEM, "out of memory");
			l = find_line(s, new.sid);
		}
		add_parent(tree, l, p->parent);
		if (l->leader == NONE && p->exit_signal != SIGCHLD)
			l->exit_signal = (uint32_t)p->exit_signal;
	}
	return 0;
}

/* By another signal than SIGCHLD none reports its end that was handed up: it must be a sibling of the leader. */
static bool has_right_signal(const struct tree *tree, const struct process *p, const struct line *l)
{
	if (p->exit_signal == SIGCHLD)
		return true;
	if (l->leader == NONE)
		return l->under == p->parent && l->exit_signal == (uint32_t)p->exit_signal;
	return !is_moved(tree, l) && tree->processes[l->leader].parent == p->parent &&
	       tree->processes[l->leader].exit_signal == p->exit_signal;
}

/* A leader that was handed up is made as a leader at once: it has no early children, and reports by SIGCHLD. */
static bool can_be_moved(const struct tree *tree, const struct line *l)
{
	const struct process *p = &tree->processes[l->leader];

	for (int i = l->leader + 1; i < (int)tree->n; i++)
		if (is_early(tree, i, l->leader))
			return false;
	return !p->birth_sid && p->exit_signal == SIGCHLD;
}

static bool early_are_made(const struct tree *tree, int parent)
{
	for (int i = parent + 1; i < (int)tree->n; i++)
		if (!tree->processes[i].turn && is_early(tree, i, parent))
			return false;
	return true;
}

/* Everything that must be there before process i is. */
static bool is_ready(const struct save *s, int i)
{
	const struct tree *tree = &s->tree;
	const struct process *all = tree->processes, *p = &all[i];
	const struct line *l = find_line(s, is_stray(tree, i) ? p->birth_sid : p->pid);

	if (i == 0)
		return true;
	if (!all[p->parent].turn || (l && l->wrong))
		return false;
	if (l && is_stray(tree, i))
		return all[l->under].turn && has_right_signal(tree, p, l) &&
		       (l->leader == NONE || (all[l->leader].turn && early_are_made(tree, l->leader)));
	if (l && is_moved(tree, l))
		return all[l->under].turn && can_be_moved(tree, l);
	return p->birth_sid != all[p->parent].sid || early_are_made(tree, p->parent);
}

/* Each process that can be made gets its turn; true: all can. */
static bool find_order(const struct save *s)
{
	int n = 0, before;

	do {
		before = n;
		for (int i = 0; i < (int)s->tree.n; i++)
			if (!s->tree.processes[i].turn && is_ready(s, i))
				s->tree.processes[i].turn = ++n;
	} while (n > before);
	return n == (int)s->tree.n;
}

/* What memory the process begins with: its parent's, as a rule. */
static bool begins_otherwise(const struct save *s, int i)
{
	const struct tree *tree = &s->tree;
	const struct line *l = find_line(s, is_stray(tree, i) ? tree->processes[i].birth_sid : tree->processes[i].pid);

	if (l && is_stray(tree, i))
		return l->leader != NONE || l->under != tree->processes[i].parent;
	return l && is_moved(tree, l);
}

static int reorder(struct save *s)
{
	struct process *now = s->tree.processes, *new = calloc(s->tree.n, sizeof(*new));
	struct line *l = (struct line *)(void *)s->lines.data;

	if (!new)
		return fail(ENOMEM, "out of memory");
	for (size_t i = 0; i < s->tree.n; i++)
		now[i].stranger = begins_otherwise(s, (int)i);
	for (size_t i = 0; i < s->tree.n; i++) {
		struct process *p = &new[now[i].turn - 1];

		*p = now[i];
		if (p->parent != NONE)
			p->parent = now[p->parent].turn - 1;
	}
	for (size_t i = 0; i < s->lines.len / sizeof(*l); i++) {
		l[i].under = now[l[i].under].turn - 1;
		if (l[i].leader != NONE)
			l[i].leader = now[l[i].leader].turn - 1;
	}
	free(now);
	s->tree.processes = new;
	return 0;
}

/* Every process in its parent's session, or leading its own: the tree as it is will do. */
static bool is_plain(const struct tree *tree)
{
	for (size_t i = 1; i < tree->n; i++) {
		const struct process *p = &tree->processes[i];

		if (p->sid != p->pid && p->sid != tree->processes[p->parent].sid)
			return false;
	}
	return true;
}

int lineage_find(struct save *s)
{
	const struct process *p = s->tree.processes;
	int err;

	if (is_plain(&s->tree))
		return 0;
	find_birth_sessions(&s->tree);
	err = find_lines(s);
	if (err)
		return err;
	if (find_order(s))
		return reorder(s);
	for (size_t i = 1; i < s->tree.n; i++) {
		CONTEXT("pid %d (%s)", p[i].pid, p[i].comm);

		if (!p[i].turn && p[p[i].parent].turn)
			obstacle(s, "it is in session %d, from which its place in the tree cannot be reached again: not supported",
				 p[i].sid);
	}
	return 0;
}

static int write_line(struct save *s, const struct line *l)
{
	const struct process *p = s->tree.processes;
	Session m = {
		.sid = (uint32_t)l->sid,
		.under = (uint32_t)p[l->under].pid,
		.adopted_by = is_moved(&s->tree, l) ? (uint32_t)p[p[l->leader].parent].pid : 0,
		.exit_signal = l->exit_signal,
	};

	for (size_t i = 1; i < s->tree.n; i++) {
		const pb_size_t n = m.member_count;

		if (p[i].birth_sid != l->sid || !is_stray(&s->tree, (int)i))
			continue;
		if (n == sizeof(m.member) / sizeof(*m.member))
			return fail(EHOLDS, "session %d: more members than %u whose parents were never in it: not supported", l->sid, n);
		m.member[n] = (uint32_t)p[i].pid;
		m.parent[n] = (uint32_t)p[p[i].parent].pid;
		m.member_exit_signal[n] = (uint32_t)p[i].exit_signal;
		m.member_count = m.parent_count = m.member_exit_signal_count = (pb_size_t)(n + 1);
	}
	return SAVE_RECORD(s, RECORD_SESSION, Session_fields, &m, NULL, 0);
}

int lineage_save(struct save *s, size_t i)
{
	const struct process *p = &s->tree.processes[i];
	const struct line *l = find_line(s, p->pid);

	if (l && is_moved(&s->tree, l))
		return write_line(s, l);
	l = is_stray(&s->tree, (int)i) ? find_line(s, p->birth_sid) : NULL;
	if (!l || is_moved(&s->tree, l))
		return 0;
	for (size_t j = 1; j < i; j++)	/* made with the first of them */
		if (s->tree.processes[j].birth_sid == l->sid && is_stray(&s->tree, (int)j))
			return 0;
	return write_line(s, l);
}
