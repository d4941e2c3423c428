/* SPDX-License-Identifier: MIT */
/* The story of a save, from top to bottom. */
#include "save.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "arch.h"
#include "base/error.h"
#include "base/log.h"
#include "config.h"
#include "image/firmware.h"
#include "image/machine.h"
#include "kernel/pidns.h"
#include "objects/unchanged.h"
#include "process.pb.h"
#include "tree/clocks.h"
#include "tree/estimate.h"
#include "tree/lineage.h"
#include "tree/memory.h"
#include "tree/obstacles.h"
#include "tree/openings.h"
#include "tree/pids.h"
#include "tree/records.h"
#include "tree/signal_frames.h"
#include "tree/state.h"
#include "tree/target.h"
#include "tree/timers.h"
#include "tree/tree.h"
#include "tree/visit.h"

enum { LOOKS_MAX = 10, LOOKS_APART = 10000000 };	/* nanoseconds */

/* Everything that can be seen from outside and stands in the way, all of it. */
static int check_tree(struct save *s)
{
	int err;

	target_stdio(s);
	err = obstacles_of_tree(s);
	for (size_t i = 0; !err && i < s->tree.n; i++) {
		struct process *p = &s->tree.processes[i];
		CONTEXT("pid %d (%s)", p->pid, p->comm);

		if (p->zombie)
			continue;
		obstacles_find(s, p);
		err = openings_find(s, p);
		if (!err)
			err = memory_check(s, p);
	}
	return err;
}

static int write_header(struct save *s)
{
	Header m = Header_init_zero;
	struct utsname uts;
	struct timespec now;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	m.created = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	machine_describe(&m);
	if (ARCH_FRAME_WORD)	/* not what this kernel takes, but what there is */
		m.features[ARCH_FRAME_WORD] = 0;
	if (IS_ON_VDSO_PROXY && ARCH_FRAME_WORD)
		err = signal_frames_need(&s->tree, &m.features[ARCH_FRAME_WORD]);
	if (!uname(&uts))
		snprintf(m.kernel_release, sizeof(m.kernel_release), "%s", uts.release);
	snprintf(m.tool_version, sizeof(m.tool_version), "%s", TINYCKPT_VERSION);
	if (IS_ON_CMD_LIST)
		firmware_name(m.firmware, sizeof(m.firmware));
	return err ? err : SAVE_RECORD(s, RECORD_HEADER, Header_fields, &m, NULL, 0);
}

static int write_tree(struct save *s)
{
	Tree m = {
		.root = (uint32_t)s->tree.processes[0].pid,
		.processes = (uint32_t)s->tree.n,
		.gap_start = s->gap.start,
		.gap_end = s->gap.end,
		.highest_fd = (uint32_t)s->highest_fd,
	};

	return SAVE_RECORD(s, RECORD_TREE, Tree_fields, &m, NULL, 0);
}

static int write_process(struct save *s, const struct process *p)
{
	Process m = {
		.pid = (uint32_t)p->pid,
		.parent = p->parent < 0 ? 0 : (uint32_t)s->tree.processes[p->parent].pid,
		.pgid = (uint32_t)p->pgid,
		.sid = (uint32_t)p->sid,
		.zombie = p->zombie,
		.stop_signal = (uint32_t)p->stop_signal,
		.threads = (uint32_t)p->threads_n + (!p->zombie && p->leader_ended),
		.exit_status = p->leader_ended ? (uint32_t)p->exit_code : 0,
		.birth_sid = p->sid == p->pid ? (uint32_t)p->birth_sid : 0,
		.exit_signal = p->exit_signal < 0 ? 0 : (uint32_t)p->exit_signal,
	};

	snprintf(m.comm, sizeof(m.comm), "%s", p->comm);
	s->totals.processes++;
	image_mark(&s->image, RECORD_PROCESS, (uint32_t)p->pid);
	return SAVE_RECORD(s, RECORD_PROCESS, Process_fields, &m, NULL, 0);
}

/* In the order of their birth. */
static int write_processes(struct save *s)
{
	for (size_t i = 0; i < s->tree.n; i++) {
		struct process *p = &s->tree.processes[i];
		CONTEXT("pid %d (%s)", p->pid, p->comm);
		int err = IS_ON_SESSIONS ? lineage_save(s, i) : 0;

		if (!err)
			err = write_process(s, p);
		log_debug("its memory");
		if (!err && !p->zombie)
			err = memory_save(s, p);
		if (err)
			return err;
	}
	return 0;
}

static int write_image(struct save *s)
{
	int err = memory_gap(s);

	if (!err)
		err = write_header(s);
	if (!err)
		err = write_tree(s);
	if (!err && IS_ON_CLOCKS)
		err = clocks_save(s);
	if (!err && IS_ON_PIDS)
		err = pids_save(s);
	if (!err)
		err = openings_save(s);
	if (!err && s->obstacles)
		err = -EHOLDS;
	if (!err)
		err = write_processes(s);
	/* what becomes pending while more than that is on its way to slow flash would be lost */
	if (!err && IS_ON_CLOCKS)
		err = image_sync(&s->image);
	if (!err)
		err = state_save(s);
	if (!err && IS_ON_RULES)
		err = unchanged_check(s);
	return err ? err : image_commit(&s->image, &s->totals);
}

static void save_free(struct save *s)
{
	image_drop(&s->image);
	buffer_free(&s->numbers);
	buffer_free(&s->descriptions);
	buffer_free(&s->places);
	buffer_free(&s->carriers);
	buffer_free(&s->busy);
	buffer_free(&s->late);
	buffer_free(&s->texts);
	buffer_free(&s->areas.bytes);
	buffer_free(&s->lines);
	buffer_free(&s->timers);
	buffer_free(&s->rung);
	buffer_free(&s->unchanged);
	memory_forget_parent(s);
	buffer_free(&s->parent.vmas.bytes);
	for (size_t i = 0; i < sizeof(s->sharing) / sizeof(*s->sharing); i++)
		buffer_free(&s->sharing[i]);
	buffer_free(&s->outside);
	free(s->program);
	tree_free(&s->tree);
}

static int save_init(struct save *s, const struct save_options *options)
{
	*s = (struct save){ .options = options, .page_size = (uint64_t)getpagesize() };
	s->program = malloc(VISIT_PROGRAM_MAX);
	return s->program ? 0 : fail(ENOMEM, "out of memory");
}

static int hold_and_write(struct save *s)
{
	int err = tree_collect(&s->tree, s->options->pid, true);

	if (!err)
		log_info("%zu processes and %zu threads stand still", s->tree.n, tree_threads(&s->tree));
	if (!err && IS_ON_CLOCKS)
		err = timers_stop(s) ?: clocks_stop(s);
	if (!err && IS_ON_BUDGET)
		err = estimate_check(s);
	if (!err)
		err = check_tree(s);
	if (!err && s->obstacles)	/* the rest of them, so that all are named at once */
		s->checking = true;
	if (!err && s->checking)
		err = openings_save(s) ?: -EHOLDS;
	return err ? err : write_image(s);
}

int save_tree(const struct save_options *options)
{
	struct save s;
	int err = target_check(options->pid);

	if (!err)
		err = save_init(&s, options);
	if (err)
		return err;
	err = image_create(&s.image, options->output, options->key);
	s.image.level = options->level;
	s.image.budget = (struct budget){ .most = options->max_size, .rate = options->rate };
	if (!err)
		err = hold_and_write(&s);

	/* Only what is complete, synced and under its name lets the workload go. */
	if (err || options->leave_running) {
		tree_release(&s.tree);
	} else {
		if (IS_ON_PIDNS)
			pidns_tell(0);
		tree_doom(&s.tree);
		image_drop(&s.image);	/* frees the old image while the first of them frees its memory */
		tree_kill(&s.tree);
	}
	save_free(&s);
	return err;
}

/* What is only looked at goes on meanwhile. */
static int look(const struct save_options *options, struct verdict *verdict)
{
	struct save s;
	int err = target_check(options->pid);

	if (!err)
		err = save_init(&s, options);
	if (err)
		return err;
	s.checking = true;
	s.named = &verdict->named;
	s.resources = &verdict->resources;
	err = tree_collect(&s.tree, options->pid, false);
	if (!err)
		err = check_tree(&s);
	if (!err)
		err = openings_save(&s);
	if (!err) {
		snprintf(verdict->comm, sizeof(verdict->comm), "%s", s.tree.processes[0].comm);
		verdict->processes = s.tree.n;
		verdict->threads = tree_threads(&s.tree);
	}
	if (!err && s.obstacles)
		err = -EHOLDS;
	save_free(&s);
	return err;
}

static bool same_texts(const struct buffer *a, const struct buffer *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

/*
 * A process that ends, or was made by vfork(2) and has not yet its own program, stands in the way of nothing: only what is found
 * twice does.
 */
int check_workload(const struct save_options *options, struct verdict *verdict)
{
	struct buffer before = { 0 };
	int err = look(options, verdict);

	for (int looks = 1; err == -EHOLDS && looks < LOOKS_MAX && !same_texts(&before, &verdict->named); looks++) {
		buffer_free(&before);
		before = verdict->named;
		verdict->named = (struct buffer){ 0 };
		verdict->resources.len = 0;
		nanosleep(&(const struct timespec){ 0, LOOKS_APART }, NULL);
		err = look(options, verdict);
	}
	buffer_free(&before);
	for (size_t at = 0; at < verdict->named.len; at += strlen((char *)verdict->named.data + at) + 1)
		fail(EHOLDS, "%s", (char *)verdict->named.data + at);
	return err;
}
