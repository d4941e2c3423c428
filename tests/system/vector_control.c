/* SPDX-License-Identifier: MIT */
/* Whether threads, and the programs that they start, may use vectors (PR_RISCV_V_SET_CONTROL). */
#include "testlib.h"

#include <sys/prctl.h>

enum { SET = 69, GET = 70, ON = 2, OFF_NEXT = 1 << 2, ON_NEXT = 2 << 2, INHERIT = 1 << 4 };

/* The last is the main thread's. */
static const int controls[] = { ON | OFF_NEXT, ON | ON_NEXT | INHERIT, ON | OFF_NEXT | INHERIT };
enum { THREADS = sizeof controls / sizeof *controls - 1 };

static pthread_t thread[THREADS];
static volatile int done, set;

static int control_now(void)
{
#if defined(__riscv)
	return prctl(GET, 0, 0, 0, 0);
#else
	return -1;
#endif
}

static void *body(void *arg)
{
	const int control = controls[(intptr_t)arg];

	must(prctl(SET, control, 0, 0, 0));
	set++;
	while (!done)
		test_nap(5);
	expect(control_now() == control, "a thread's setting was %#x and is %#x", control, control_now());
	return arg;
}

void test_setup(void)
{
	if (control_now() < 0)
		test_skip("this processor has no vectors that can be turned off");
	for (intptr_t i = 0; i < THREADS; i++) {
		thread[i] = test_thread(body, (void *)i);
		while (set <= i)
			test_nap(1);
	}
	must(prctl(SET, controls[THREADS], 0, 0, 0));
}

void test_break(void)
{
	must(prctl(SET, ON, 0, 0, 0));
}

void test_check(void)
{
	done = 1;
	expect(control_now() == controls[THREADS], "the main thread's setting was %#x and is %#x", controls[THREADS], control_now());
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}
