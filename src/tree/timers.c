/* SPDX-License-Identifier: MIT */
#include "tree/timers.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/error.h"
#include "config.h"
#include "kernel/procfs.h"
#include "tree/posix_timers.h"

static const char A_TIMER[] = "a POSIX timer (timer_create): this tinyckpt was built without CONFIG_POSIX_TIMERS";
static const char UNTOLD[] = "a POSIX timer (timer_create), and this kernel does not tell what kind of timer (CONFIG_CHECKPOINT_RESTORE)";

void timers_find(struct save *s, struct process *p)
{
	char text[256];
	ssize_t len = proc_readf(text, sizeof(text), "/proc/%d/timers", p->tid);

	p->timers = len > 0;
	if (len > 0 && IS_ON_POSIX_TIMERS)
		posix_timers_check(s, p);
	else if (len > 0)
		obstacle(s, "%s", A_TIMER);
	else if (len == -ENOENT)
		s->timers_untold = true;
	else if (len < 0 && (!s->checking || len != -ESRCH))
		obstacle(s, "its timers cannot be read: %s", strerror((int)-len));
}

/*
 * Without the file (CONFIG_CHECKPOINT_RESTORE) a new one, gone again at once, tells how many there ever were: numbers count up
 * from 0 in each process.  All of them are then tried.
 */
enum { AT_ONCE = 128, NUMBERS_MAX = 8192 };

int timers_ask(struct save *s, struct visit *v)
{
	struct program p;
	int32_t last;
	long number;
	int made, err;

	if (!s->timers_untold)
		return 0;
	visit_program(v, v->pid, &p);
	number = program_data(&p, NULL, sizeof(number));
	made = program_call(&p, 0, SYS_timer_create, CLOCK_MONOTONIC, 0, number);
	program_call(&p, OP_INDIRECT << 0, SYS_timer_delete, number);
	err = visit_run(v, &p);
	if (err || program_result(&p, made) == -ENOSYS)
		return err;
	memcpy(&last, program_read(&p, number), sizeof(last));
	if (program_result(&p, made) < 0 || last > NUMBERS_MAX) {
		obstacle(s, "whether it has POSIX timers cannot be told (CONFIG_CHECKPOINT_RESTORE)");
		return -EHOLDS;
	}
	for (int32_t first = 0; first < last; first += AT_ONCE) {
		visit_program(v, v->pid, &p);
		for (int32_t i = first; i < last && i < first + AT_ONCE; i++)
			program_call(&p, 0, SYS_timer_getoverrun, i);
		err = visit_run(v, &p);
		for (int i = 0; !err && i < AT_ONCE && first + i < last; i++) {
			if (program_result(&p, i) >= 0) {
				obstacle(s, "%s", IS_ON_POSIX_TIMERS ? UNTOLD : A_TIMER);
				err = -EHOLDS;
			}
		}
		if (err)
			return err;
	}
	return 0;
}
