/* SPDX-License-Identifier: MIT */
#include "tree/cloexec.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include "base/log.h"

/* So many at a time: they fit a program. */
enum { MOST = 300 };

int cloexec_ask(struct save *s, struct visit *v, const struct process *p)
{
	struct place *place = (struct place *)(void *)s->places.data;
	size_t at = p->place;

	while (at < p->place_end) {
		struct place *asked[MOST];
		struct program prog;
		int count = 0, err;

		visit_program(v, p->tid, &prog);
		for (; at < p->place_end && count < MOST; at++) {
			if (place[at].cloexec >= 0)
				continue;
			asked[count++] = &place[at];
			program_call(&prog, 0, SYS_fcntl, place[at].fd, F_GETFD);
		}
		if (!count)
			return 0;
		err = visit_run(v, &prog);
		if (err)
			return err;
		for (int i = 0; i < count; i++) {
			const long flags = program_result(&prog, i);

			if (flags < 0)
				return fail_for((int)flags, "fd %d: its flags", asked[i]->fd);
			asked[i]->cloexec = (int8_t)((flags & FD_CLOEXEC) != 0);
		}
	}
	return 0;
}
