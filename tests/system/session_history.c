/* SPDX-License-Identifier: MIT */
/*
 * Sessions, groups and parents as histories of births, setsid(2), setpgid(2), adoptions and deaths leave them: random ones, by
 * number.  Each process keeps its parent, session and group, and memory of its own.
 *
 * arguments: 1 2 3 4 5 6 7 8
 */
#include "selfview.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 60, LIVING = 12, PAGES = 8, PAGE = 4096 };
enum command { NOTHING, FORK, FORK_SILENT, FORK_SIBLING, LEAD_SESSION, LEAD_GROUP, JOIN_GROUP, ADOPT, DISOWN, DIE, REAP, WRITE, LOOK };

struct slot {
	volatile pid_t pid; /* 0: nobody yet, or dead */
	volatile int command; /* enum command */
	volatile int argument;
	pid_t parent, session, group;
	int expected[PAGES];
	volatile int verdict; /* 1: right, -1: see failure */
};
static struct {
	struct slot slots[PROCESSES];
	char failure[256];
} *all;
static char own[PAGES * PAGE] __attribute__((aligned(4096)));
static struct slot *self;
static unsigned int seed;

static unsigned int random_below(unsigned int n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

/* Sleeps while the word is this one; for a moment at most, for the test may go on. Emulated, each look takes long. */
static void sleep_while(volatile int *word, int value)
{
	const struct timespec moment = {0, 100000000};

	syscall(SYS_futex_call, word, FUTEX_WAIT, value, &moment, NULL, 0);
}

static void set(volatile int *word, int value)
{
	*word = value;
	syscall(SYS_futex_call, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void serve(void) __attribute__((noreturn));

static void fork_into(struct slot *child, int flags)
{
	memcpy(child->expected, self->expected, sizeof child->expected);
	pid_t pid = must(syscall(SYS_clone, flags, 0, 0, 0, 0));

	if (pid)
		return;
	self = child;
	set(&self->pid, getpid());
	serve();
}

static void obey(int command, int argument)
{
	switch (command) {
	case FORK:
		fork_into(&all->slots[argument], SIGCHLD);
		break;
	case FORK_SILENT:
		fork_into(&all->slots[argument], 0);
		break;
	case FORK_SIBLING:
		fork_into(&all->slots[argument], CLONE_PARENT);
		break;
	case LEAD_SESSION:
		setsid();
		break;
	case LEAD_GROUP:
		setpgid(0, 0);
		break;
	case JOIN_GROUP:
		setpgid(0, argument);
		break;
	case ADOPT:
	case DISOWN:
		prctl(PR_SET_CHILD_SUBREAPER, command == ADOPT);
		break;
	case DIE:
		set(&self->pid, 0);
		_exit(0);
	case REAP:
		while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
			;
		break;
	case WRITE:
		own[argument % PAGES * PAGE] = (char)argument;
		self->expected[argument % PAGES] = (char)argument;
		break;
	case LOOK:
		self->parent = getppid();
		self->session = getsid(0);
		self->group = getpgid(0);
		break;
	case NOTHING:
		break;
	}
}

static void look_again(void)
{
	int verdict = 1;

	if (getppid() != self->parent || getsid(0) != self->session || getpgid(0) != self->group) {
		snprintf(all->failure, sizeof all->failure, "process %d: parent %d, session %d, group %d became %d, %d, %d", getpid(),
			 self->parent, self->session, self->group, getppid(), getsid(0), getpgid(0));
		verdict = -1;
	}
	for (int i = 0; i < PAGES; i++) {
		if (own[i * PAGE] == self->expected[i])
			continue;
		snprintf(all->failure, sizeof all->failure, "process %d: page %d holds %d instead of %d", getpid(), i, own[i * PAGE],
			 self->expected[i]);
		verdict = -1;
	}
	self->verdict = verdict;
}

static void serve(void)
{
	for (;;) {
		int command = self->command;

		if (command != NOTHING) {
			obey(command, self->argument);
			set(&self->command, NOTHING);
		} else if (test_may_go()) {
			break;
		} else {
			sleep_while(&self->command, NOTHING);
		}
	}
	look_again();
	/* until the root ends, so that nobody's parent changes before all have looked */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void order(struct slot *who, enum command command, int argument)
{
	pid_t pid = who->pid;

	if (who == self) {
		obey(command, argument);
		return;
	}
	who->argument = argument;
	set(&who->command, command);
	if (command == DIE)	/* its children have another parent only when it is dead */
		while (!kill(pid, 0) && (who->pid || task_state(pid) != 'Z'))
			test_nap(1);
	else
		while (who->command != NOTHING)
			sleep_while(&who->command, command);
}

static struct slot *some_process(bool or_root)
{
	for (;;) {
		struct slot *slot = &all->slots[random_below(PROCESSES)];

		if (slot->pid && (or_root || slot != self))
			return slot;
	}
}

static void take_step(int *used)
{
	struct slot *who = some_process(true), *other = some_process(true);
	int living = 0;

	for (int i = 0; i < PROCESSES; i++)
		living += all->slots[i].pid != 0;
	switch (random_below(12)) {
	case 0:
	case 1:
	case 2:
		if (living < LIVING && *used < PROCESSES) {
			int child = (*used)++, kind = random_below(10);
			enum command command = kind == 0 ? FORK_SILENT : kind == 1 && who != self ? FORK_SIBLING : FORK;

			order(who, command, child);
			while (!all->slots[child].pid)
				sleep_while(&all->slots[child].pid, 0);
		}
		break;
	case 3:
	case 4:
		order(who, LEAD_SESSION, 0);
		break;
	case 5:
		order(who, LEAD_GROUP, 0);
		break;
	case 6:
		order(who, JOIN_GROUP, getpgid(other->pid));
		break;
	case 7:
		order(who, ADOPT, 0);
		break;
	case 8:
		if (who != self)
			order(who, DISOWN, 0);
		break;
	case 9:
		if (living > 3 && who != self)
			order(who, DIE, 0);
		break;
	case 10:
		order(who, REAP, 0);
		break;
	case 11:
		order(who, WRITE, 1 + random_below(100));
		break;
	}
}

void test_setup(void)
{
	int used = 1;

	seed = (unsigned int)atoi(test_argument());
	all = must(mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	self = &all->slots[0];
	self->pid = getpid();
	for (int i = 0; i < 150; i++)
		take_step(&used);
	for (int i = 0; i < PROCESSES; i++)
		if (all->slots[i].pid)
			order(&all->slots[i], LOOK, 0);
}

void test_break(void)
{
	self->expected[3]++;
}

void test_check(void)
{
	look_again();
	for (int i = 0; i < PROCESSES; i++) {
		if (!all->slots[i].pid)
			continue;
		while (!all->slots[i].verdict)
			test_nap(1);
	}
	for (int i = 0; i < PROCESSES; i++)
		if (all->slots[i].pid && all->slots[i].verdict < 0)
			test_fail("%s", all->failure);
	for (int i = 1; i < PROCESSES; i++)
		if (all->slots[i].pid)
			kill(all->slots[i].pid, SIGKILL);
}
