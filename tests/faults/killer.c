/* SPDX-License-Identifier: MIT */
/*
 * Runs a program and kills it at a chosen instant:
 *
 *   killer [options] -- PROGRAM …
 *     -c         only count its system call stops (with -E 1: its calls)
 *     -n N       kill at the Nth stop
 *     -a         count those of its agent, the first child that it forks: the one that is killed is the program; once more: of
 *                the agent's agent
 *     -x         count only the entries of calls that change something: the world is the same at all other stops between
 *                two of them, so this sees every state once (looks.h tells which calls only look)
 *     -f         as -x, and stop at those only, by a filter: faster, but for a program that starts no others
 *     -s SIGNAL  a signal other than 9
 *     -i SIGNAL  send that at the entry of every call that counts, and go on: one that is ignored should make no difference
 *     -E ERRNO   do not kill, but let the Nth call fail (of all that may, or of those that -x counts): it is not executed
 *                and answers -ERRNO
 *     -u MICRO   no tracing: kill that long after the start
 *     -t MS      no longer than this in all (default 10000): then the program is killed and "hangs" printed
 *
 * Prints one line: stops=N last=NUMBER failed=NUMBER ended=killed|exited|hangs status=N micros=N
 * (exit status, or 128 + signal; how long it ran). Exits 0 unless
 * it could not do its work. It follows no children, and lets a program that it kills die without anybody's help.
 */
#include "killing.h"

int main(int argc, char **argv)
{
	struct killing k;
	struct killed result;
	int first = killing_options(argc, argv, &k);

	if (first < 0)
		return 2;
	if (killing_run(&k, argv + first, &result))
		return 1;
	killed_print(&result);
	return 0;
}
