/* SPDX-License-Identifier: MIT */
/*
 * Processes below this one. It is a subreaper, so orphans come here and are reaped at once: their PIDs must be free
 * again before a restore asks for them.
 */
#ifndef SUBREAPER_H
#define SUBREAPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct launch {
	const char *const *arguments;
	const char *directory;
	int standard[3]; /* descriptors for 0, 1 and 2 */
	bool new_session;
};

void subreaper_init(unsigned seconds_until_deadline);
bool deadline_passed(void);

pid_t launch(const struct launch *what);

/* Reaps whatever ended; remembers how. Sleeps up to a millisecond or so when nothing did. */
void reap(void);
/* The same for who waits for nothing else, and looks at the deadline at times. */
void await_ending(void);
/* True when the process has been reaped here; *status as of waitpid(2). */
bool has_ended(pid_t pid, int *status);
/* Before a PID comes back to life. */
void forget_endings(void);

/*
 * Runs to the end; exit code, 128 + signal, or -1 when the deadline passed (it is killed then).  *peak: KiB of memory that it,
 * or a child that it waited for, had at most.
 */
int run_to_end(const struct launch *what, long *peak);

bool process_exists(pid_t pid);
/* Kills and reaps everything below this process; returns how many there were. */
int kill_all_descendants(void);
/* How many processes the kernel has killed for their memory, since it was booted. */
long killed_for_memory(void);
/* KiB of a file that are in the page cache */
long cached_kib(const char *path);

#endif
