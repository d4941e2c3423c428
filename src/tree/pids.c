/* SPDX-License-Identifier: MIT */
#include "tree/pids.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "kernel/procfs.h"
#include "pids.pb.h"
#include "tree/records.h"

enum { AT_ONCE = sizeof(((Pids *)0)->task) / sizeof(uint32_t) };

static int add(struct save *s, Pids *m, bool task, pid_t pid)
{
	int err = 0;

	if (task)
		m->task[m->task_count++] = (uint32_t)pid;
	else if (pid > 0 && !tree_has(&s->tree, pid))
		m->group[m->group_count++] = (uint32_t)pid;
	if (m->task_count == AT_ONCE || m->group_count == AT_ONCE) {
		err = image_write(&s->image, RECORD_PIDS, 0, Pids_fields, m, NULL, 0);
		m->task_count = m->group_count = 0;
	}
	return err;
}

int pids_save(struct save *s)
{
	Pids m;
	int err = 0;

	m.task_count = m.group_count = 0;
	for (size_t i = 0; !err && i < s->tree.n; i++) {
		const struct process *p = &s->tree.processes[i];

		err = add(s, &m, true, p->pid);
		for (size_t j = 0; !err && j < p->threads_n; j++)
			if (p->threads[j].tid != p->pid)
				err = add(s, &m, true, p->threads[j].tid);
		if (!err)
			err = add(s, &m, false, p->pgid);
		if (!err && p->sid != p->pgid)
			err = add(s, &m, false, p->sid);
	}
	return err || !(m.task_count || m.group_count) ? err : image_write(&s->image, RECORD_PIDS, 0, Pids_fields, &m, NULL, 0);
}

int pids_read(struct buffer *tasks, struct buffer *groups, const struct record *rec)
{
	Pids m;
	int err = record_decode(rec, Pids_fields, &m);

	if (!err && (buffer_append(tasks, m.task, m.task_count * sizeof(*m.task)) ||
		     buffer_append(groups, m.group, m.group_count * sizeof(*m.group))))
		err = fail(ENOMEM, "out of memory");
	return err;
}

pid_t pids_end(void)
{
	char text[16];

	return proc_readf(text, sizeof(text), "/proc/sys/kernel/pid_max") > 0 ? atoi(text) : 0;
}

int pids_possible(const struct buffer *numbers)
{
	const uint32_t *number = (const uint32_t *)(const void *)numbers->data;
	const pid_t end = pids_end();

	for (size_t i = 0; end && i < numbers->len / sizeof(*number); i++)
		if (number[i] >= (uint32_t)end)
			return fail(ERANGE, "pid %u: this kernel gives none from %d on: raise /proc/sys/kernel/pid_max", number[i], end);
	return 0;
}

struct member_search {
	pid_t of;
	bool session;
	struct proc_stat st;
};

static int is_member(void *arg, int pid)
{
	struct member_search *search = arg;

	if (proc_stat(pid, 0, &search->st))
		return 0;
	search->session = search->st.pgrp != search->of;
	return search->st.pgrp == search->of || search->st.session == search->of ? pid : 0;
}

bool pids_taken_by(pid_t pid, char *text, size_t cap)
{
	struct member_search search = { .of = pid };
	struct proc_status status;
	struct proc_stat st;
	int member;

	if (!proc_stat(pid, 0, &st)) {
		if (!proc_status(pid, pid, &status) && status.tgid != pid && !proc_stat(status.tgid, 0, &search.st))
			snprintf(text, cap, "a thread of process %d (%s)", status.tgid, search.st.comm);
		else
			snprintf(text, cap, "process %d (%s)%s", pid, st.comm, st.state == 'Z' ? ", which is dead and not yet waited for" : "");
		return true;
	}
	member = proc_numbers("/proc", is_member, &search);
	if (member > 0)
		snprintf(text, cap, "the %s of process %d (%s)", search.session ? "session" : "process group", member, search.st.comm);
	return member > 0;
}
