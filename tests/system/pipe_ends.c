/* SPDX-License-Identifier: MIT */
/* Pipes with one end gone: end of file, SIGPIPE; ends that are duplicated or held by parent and child. */
#include "testlib.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int orphaned_reader, drained_reader, orphaned_writer, both[2], duplicates[3], between[2];
static volatile int broken;
static pid_t child;

static void note(int number)
{
	(void)number;
	broken++;
}

static void body(void *arg)
{
	char text[8] = "";

	(void)arg;
	/* The child keeps only its reading end of this one: end of file comes when the parent closes its own. */
	close(between[1]);
	for (int i = 0; i < 2; i++)
		close(both[i]);
	for (int i = 0; i < 3; i++)
		close(duplicates[i]);
	test_child_ready();
	expect(read(between[0], text, 4) == 4 && strcmp(text, "down") == 0, "the child got \"%s\"", text);
	expect(read(between[0], text, 1) == 0, "no end of file: a writing end is left open");
}

void test_setup(void)
{
	int ends[2];

	signal(SIGPIPE, note);
	must(pipe(ends));
	must(write(ends[1], "rest", 4));
	close(ends[1]);
	orphaned_reader = ends[0];
	must(pipe(ends));
	close(ends[1]);
	drained_reader = ends[0];
	must(pipe(ends));
	close(ends[0]);
	orphaned_writer = ends[1];
	must(pipe(both));
	must(pipe(ends));
	duplicates[0] = ends[0];
	duplicates[1] = ends[1];
	duplicates[2] = must(dup(ends[1]));
	must(fcntl(duplicates[2], F_SETFD, FD_CLOEXEC));
	must(pipe(between));
	child = test_child(body, NULL);
	close(between[0]);
}

void test_break(void)
{
	must(dup2(both[0], drained_reader));
	must(fcntl(drained_reader, F_SETFL, O_NONBLOCK));
}

void test_check(void)
{
	char text[8] = "";

	expect(read(orphaned_reader, text, 8) == 4 && strcmp(text, "rest") == 0, "the rest is \"%s\"", text);
	expect(read(orphaned_reader, text, 8) == 0, "no end of file behind the rest");
	expect(read(drained_reader, text, 8) == 0, "no end of file in the empty pipe");
	expect(write(orphaned_writer, "x", 1) == -1 && errno == EPIPE, "writing without a reader: errno %d", errno);
	expect(broken == 1, "SIGPIPE came %d times", broken);
	must(write(both[1], "both", 4));
	expect(read(both[0], text, 8) == 4, "the pipe with both ends is cut");
	must(write(duplicates[2], "dup", 3));
	close(duplicates[2]);
	expect(read(duplicates[0], text, 8) == 3, "the duplicate leads elsewhere");
	close(duplicates[1]);
	expect(read(duplicates[0], text, 8) == 0, "no end of file: a writing end too many");
	must(write(between[1], "down", 4));
	close(between[1]);
	test_join(child);
}
