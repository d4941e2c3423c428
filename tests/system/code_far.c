/* SPDX-License-Identifier: MIT */
/*
 * Main thread and another one compute in code that a program has made itself, as just-in-time compilers do, and put where nothing
 * else is for hundreds of MiB: whoever is led away from there comes back, although no jump comes so far.
 */
#include "hold_value.h"
#include "testlib.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { THREADS = 2 };
static const size_t ROOM = 640UL << 20;
static const long values[THREADS] = { 0x12345678, -4 };
static __typeof__(&hold_value) hold;
static volatile int stop, running;
static long found[THREADS];
static pthread_t thread;

static void *body(void *arg)
{
	running = 1;
	found[1] = hold(&stop, values[1]);
	return arg;
}

static void *let_main_go(void *arg)
{
	test_wait();
	stop = 1;
	return arg;
}

void test_setup(void)
{
	const char *begin = (const char *)(uintptr_t)hold_value;
	const size_t len = (size_t)(hold_value_ends - begin), page = (size_t)getpagesize();
	char *room = must(mmap(NULL, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	char *code = room + ROOM / 2;

	must(mprotect(code, page, PROT_READ | PROT_WRITE));
	memcpy(code, begin, len);
	must(mprotect(code, page, PROT_READ | PROT_EXEC));
	__builtin___clear_cache(code, code + len);
	hold = (__typeof__(hold))(uintptr_t)code;
	thread = test_thread(body, NULL);
	while (!running)
		test_nap(1);
	test_thread(let_main_go, NULL);
}

void test_hold(void)
{
	found[0] = hold(&stop, values[0]);
}

void test_break(void)
{
	found[0]++;
}

void test_check(void)
{
	pthread_join(thread, NULL);
	for (int i = 0; i < THREADS; i++)
		expect(found[i] == values[i], "thread %d held %#lx and holds %#lx", i, values[i], found[i]);
}
