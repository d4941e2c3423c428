/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "watching.h"

#include "snapshot.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct heartbeat *heartbeat;
static int64_t deadline, patience_us;

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* A little nap, unless the time is up. */
static bool patience(void)
{
	struct timespec nap = { 0, 500000 };

	nanosleep(&nap, NULL);
	return now_us() < deadline;
}

void watch_for(long milliseconds)
{
	patience_us = 1000LL * milliseconds;
	deadline = now_us() + patience_us;
}

struct heartbeat *watch_open(const char *path)
{
	int fd;

	do {
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && lseek(fd, 0, SEEK_END) == (off_t)sizeof(*heartbeat)) {
			heartbeat = mmap(NULL, sizeof(*heartbeat), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			close(fd);
			return heartbeat != MAP_FAILED ? heartbeat : NULL;
		}
		if (fd >= 0)
			close(fd);
	} while (patience());
	return NULL;
}

bool watch_ready(void)
{
	do {
		if (heartbeat->processes && heartbeat->ready == heartbeat->processes) {
			for (unsigned i = 0; i < heartbeat->processes; i++)
				printf("%d%c", heartbeat->pid[i], i + 1 < heartbeat->processes ? ' ' : '\n');
			return true;
		}
	} while (patience());
	printf("the victim does not get ready: %u of %u processes\n", heartbeat->ready, heartbeat->processes);
	return false;
}

bool watch_snapshot(const char *path)
{
	FILE *f = fopen(path, "we");
	bool good = f != NULL;

	for (unsigned i = 0; good && i < heartbeat->processes; i++)
		good = snapshot_write(f, heartbeat->pid[i]);
	return f && !fclose(f) && good;
}

static unsigned alive(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < heartbeat->processes; i++)
		n += !kill(heartbeat->pid[i], 0);
	return n;
}

static uint64_t first[SLOTS];

static void note_beats(void)
{
	for (unsigned i = 0; i < heartbeat->slots; i++)
		first[i] = heartbeat->slot[i].beats;
}

/* Twice for each thread since they were noted, since the first beat may have been on its way. */
static bool all_beat(bool tell)
{
	unsigned count = heartbeat->slots, waiting;

	do {
		waiting = 0;
		for (unsigned i = 0; i < count; i++)
			waiting += heartbeat->slot[i].beats < first[i] + 2;
		if (!waiting)
			return true;
		if (heartbeat->violations)
			break;
	} while (patience());
	for (unsigned i = 0; tell && !heartbeat->violations && i < count; i++)
		if (heartbeat->slot[i].beats < first[i] + 2)
			printf("pid %d thread %d (%s) does not go on\n", heartbeat->slot[i].pid, heartbeat->slot[i].tid,
			       heartbeat->slot[i].name);
	return false;
}

static bool census(void)
{
	uint32_t asked = ++heartbeat->census_asked;
	unsigned done;

	do {
		done = 0;
		for (unsigned i = 0; i < heartbeat->processes; i++)
			done += heartbeat->census_done[i] == asked;
		if (done == heartbeat->processes)
			return true;
	} while (!heartbeat->violations && patience());
	printf("only %u of %u processes answered the question for their own mappings\n", done, heartbeat->processes);
	return false;
}

static uint64_t blocked_now(const struct slot *s)
{
	uint64_t mask = ~0ULL;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", s->pid, s->tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f) && sscanf(line, "SigBlk: %" SCNx64, &mask) != 1)
		;
	if (f)
		fclose(f);
	return mask;
}

/* A thread that is just inside a handler has more signals blocked than usual: looked at again until it is not. */
static bool masks_right(void)
{
	for (unsigned i = 0; i < heartbeat->slots; i++)
		while (blocked_now(&heartbeat->slot[i]) != heartbeat->slot[i].mask)
			if (!patience()) {
				printf("pid %d thread %d (%s): SigBlk %016" PRIx64 ", should be %016" PRIx64 "\n",
				       heartbeat->slot[i].pid, heartbeat->slot[i].tid, heartbeat->slot[i].name,
				       blocked_now(&heartbeat->slot[i]), heartbeat->slot[i].mask);
				return false;
			}
	return true;
}

static bool same_as(const char *path)
{
	do {
		if (snapshot_compare(path, false))
			return true;
	} while (patience());
	return snapshot_compare(path, true);
}

bool watch_intact(const char *path)
{
	bool good;

	note_beats();
	good = all_beat(true);
	good = good && census();
	good = good && masks_right();
	good = good && same_as(path);
	if (heartbeat->violations) {
		puts("the victim has reported a violation");
		good = false;
	}
	return good;
}

static void print_state(pid_t pid)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "State", 5) || !strncmp(line, "PPid", 4) || !strncmp(line, "TracerPid", 9))
			printf("pid %d: %s", pid, line);
	if (f)
		fclose(f);
}

enum fate watch_fate(void)
{
	note_beats();
	do {
		unsigned n = alive();
		int64_t end = deadline;

		if (!n)
			return GONE;
		if (n == heartbeat->processes) {
			bool beat;

			deadline = now_us() + patience_us / 30 < end ? now_us() + patience_us / 30 : end;
			beat = all_beat(false);
			deadline = end;
			if (beat && alive() == n)
				return ALIVE;
		}
	} while (patience());
	all_beat(true);
	for (unsigned i = 0; i < heartbeat->processes; i++)
		print_state(heartbeat->pid[i]);
	printf("half: %u of %u processes exist\n", alive(), heartbeat->processes);
	return HALF;
}

bool watch_gone(void)
{
	do {
		if (!alive())
			return true;
	} while (patience());
	for (unsigned i = 0; i < heartbeat->processes; i++)
		if (!kill(heartbeat->pid[i], 0))
			printf("pid %d still exists\n", heartbeat->pid[i]);
	return false;
}

void watch_beats(void)
{
	for (unsigned i = 0; i < heartbeat->slots; i++)
		printf("%d %s: %" PRIu64 " rounds, %" PRIu64 " signals\n", heartbeat->slot[i].pid, heartbeat->slot[i].name,
		       (uint64_t)heartbeat->slot[i].beats, (uint64_t)heartbeat->slot[i].signals);
}

/* The number may have gone to somebody else: only who lives among this test's own mounts is the victim. */
static bool is_ours(pid_t pid)
{
	struct stat theirs, own;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	return !stat(path, &theirs) && !stat("/proc/self/ns/mnt", &own) && theirs.st_ino == own.st_ino;
}

/* Stopped first: nobody is to complain of another's end. */
void watch_put_down(void)
{
	static const int signals[] = { SIGSTOP, SIGKILL };

	for (unsigned s = 0; s < 2; s++)
		for (unsigned i = 0; i < heartbeat->processes; i++)
			if (is_ours(heartbeat->pid[i]))
				kill(heartbeat->pid[i], signals[s]);
	watch_gone();
}
