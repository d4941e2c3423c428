/* SPDX-License-Identifier: MIT */
/*
 * Looks at a victim from the outside (HEARTBEAT: the file of heartbeat.h that it keeps):
 *
 *   observe ready HEARTBEAT             wait until all its threads run; prints its PIDs, the root first
 *   observe snapshot HEARTBEAT FILE     write down all that a tool might leave behind in it
 *   observe intact HEARTBEAT FILE       all threads go on, nothing differs from FILE, no violation was reported
 *   observe fate HEARTBEAT              prints "alive", "gone" or "half"; waits until it is one of the first two
 *   observe gone HEARTBEAT              no process of it is left
 *   observe put-down HEARTBEAT          kill it
 *   observe beats HEARTBEAT             rounds and signals per thread
 *
 * Each waits up to OBSERVE_MS milliseconds (default 1000) for what it wants to see, and no longer than needed.
 * Exit status: 0 as it should be, 1 not (the reasons on stdout), 2 usage.
 */
#include "watching.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	static const char *const names[] = { "alive", "gone", "half" };
	const char *wait_ms = getenv("OBSERVE_MS"), *what = argc > 2 ? argv[1] : "";
	enum fate fate;

	watch_for(wait_ms ? atol(wait_ms) : 1000);
	if (argc < 3 || !watch_open(argv[2])) {
		fprintf(stderr, "usage: observe ready|snapshot|intact|fate|gone|put-down|beats HEARTBEAT [FILE]\n");
		return 2;
	}
	if (!strcmp(what, "ready"))
		return !watch_ready();
	if (!strcmp(what, "snapshot") && argc == 4)
		return !watch_snapshot(argv[3]);
	if (!strcmp(what, "intact") && argc == 4)
		return !watch_intact(argv[3]);
	if (!strcmp(what, "gone"))
		return !watch_gone();
	if (!strcmp(what, "fate")) {
		fate = watch_fate();
		puts(names[fate]);
		return fate == HALF;
	}
	if (!strcmp(what, "put-down"))
		watch_put_down();
	else if (!strcmp(what, "beats"))
		watch_beats();
	else
		return 2;
	return 0;
}
