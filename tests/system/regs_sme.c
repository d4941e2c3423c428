/* SPDX-License-Identifier: MIT */
/*
 * SME of aarch64, where it is not in use but for what outlasts it: the register TPIDR2, and the length of streaming vectors.
 * Both are each thread's own; one sleeps, one spins, one spins with values in ordinary vectors (SVE).
 */
#include "testlib.h"
#include "z7.h"

#if defined(__aarch64__)

#include <sys/auxv.h>
#include <sys/prctl.h>

enum { SET_LENGTH = 63, GET_LENGTH = 64, THREADS = 3, SLEEPS = 0, SPINS = 1, SPINS_WITH_VECTORS = 2 };

struct holder {
	uint64_t value;			/* of TPIDR2 */
	int wanted, length;
	volatile int ready;
	pthread_t thread;
};
static struct holder holder[THREADS] = { { .value = 0x1111222233334444, .wanted = 16 }, { .value = ~5ULL, .wanted = 64 },
					 { .value = 0x8000000000000001, .wanted = 128 } };
static struct holder own = { .value = 0x123456789abcdef0, .wanted = 32 };
static volatile int go;

static void set_tpidr2(uint64_t value)
{
	__asm__ volatile("msr s3_3_c13_c0_5, %0" : : "r"(value));
}

static uint64_t get_tpidr2(void)
{
	uint64_t value;

	__asm__ volatile("mrs %0, s3_3_c13_c0_5" : "=r"(value));
	return value;
}

static void take(struct holder *h)
{
	h->length = must(prctl(SET_LENGTH, h->wanted, 0, 0, 0));
	set_tpidr2(h->value);
}

static void check(const struct holder *h, const char *whose)
{
	expect(get_tpidr2() == h->value, "%s: TPIDR2 was %#llx and is %#llx", whose, (unsigned long long)h->value,
	       (unsigned long long)get_tpidr2());
	expect(prctl(GET_LENGTH, 0, 0, 0, 0) == h->length, "%s: streaming vectors were %#x and are %#x", whose, h->length,
	       prctl(GET_LENGTH, 0, 0, 0, 0));
}

/* Z7, beyond what the ordinary registers have of it, from beginning to end of a loop that makes no call. */
static bool spin_with_vectors(struct holder *h)
{
	return HOLD_Z7("", "", &h->ready, &go);
}

static void *body(void *arg)
{
	struct holder *h = arg;
	const int kind = (int)(h - holder);

	take(h);
	if (kind == SPINS_WITH_VECTORS && getauxval(AT_HWCAP) >> 22 & 1) {
		expect(spin_with_vectors(h), "vectors differ");
	} else {
		h->ready = 1;
		while (!go)
			if (kind == SLEEPS)
				test_nap(5);
	}
	check(h, kind == SLEEPS ? "sleeping thread" : kind == SPINS ? "spinning thread" : "thread with vectors");
	return arg;
}

void test_setup(void)
{
	if (!(getauxval(AT_HWCAP2) >> 23 & 1))
		test_skip("this processor has no SME");
	for (int i = 0; i < THREADS; i++) {
		holder[i].thread = test_thread(body, &holder[i]);
		while (!holder[i].ready)
			test_nap(1);
	}
	take(&own);
}

void test_break(void)
{
	set_tpidr2(1);
}

void test_check(void)
{
	check(&own, "main thread");
	go = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(holder[i].thread, NULL);
}

#else

TEST_SKIPPED("this program knows SME, of aarch64")

#endif
