/* SPDX-License-Identifier: MIT */
/* Futex waiters keep waiting until they are woken or their time has come: raw ones and those inside pthread calls. */
#include "waiter.h"

#include <linux/futex.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 200 };
#define WAIT_NS (WAIT_MS * INT64_C(1000000))

static int word, bitset_word;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, condition_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static bool condition_holds;
static sem_t semaphore;

static struct timespec later(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	time.tv_nsec += WAIT_NS;
	time.tv_sec += time.tv_nsec / 1000000000;
	time.tv_nsec %= 1000000000;
	return time;
}

static long raw_wait(struct waiter *self)
{
	(void)self;
	return syscall(SYS_futex_call, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static long raw_bitset(struct waiter *self)
{
	(void)self;
	return syscall(SYS_futex_call, &bitset_word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 4);
}

static long raw_timed(struct waiter *self)
{
	struct timespec timeout = {0, WAIT_NS};

	(void)self;
	return syscall(SYS_futex_call, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &timeout, NULL, 0);
}

static long raw_absolute(struct waiter *self)
{
	struct timespec until = later(CLOCK_MONOTONIC);

	(void)self;
	return syscall(SYS_futex_call, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, &until, NULL, ~0);
}

static long raw_realtime(struct waiter *self)
{
	struct timespec until = later(CLOCK_REALTIME);

	(void)self;
	return syscall(SYS_futex_call, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME, 0, &until, NULL,
		       ~0);
}

static long lock_mutex(struct waiter *self)
{
	(void)self;
	return pthread_mutex_lock(&mutex);
}

static long wait_condition(struct waiter *self)
{
	long error;

	(void)self;
	pthread_mutex_lock(&condition_mutex);
	error = condition_holds ? 0 : pthread_cond_wait(&condition, &condition_mutex);
	if (!error && !condition_holds)
		error = -2; /* POSIX allows a wake-up without cause; a restore shall not add one */
	pthread_mutex_unlock(&condition_mutex);
	return error;
}

static long timed_condition(struct waiter *self)
{
	static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
	struct timespec until = later(CLOCK_REALTIME);

	(void)self;
	pthread_mutex_lock(&own);
	return pthread_cond_timedwait(&never, &own, &until);
}

static long wait_semaphore(struct waiter *self)
{
	(void)self;
	return sem_wait(&semaphore);
}

static long lock_rwlock(struct waiter *self)
{
	(void)self;
	return pthread_rwlock_wrlock(&rwlock);
}

static struct waiter endless[] = {
	{.name = "FUTEX_WAIT", .call = raw_wait},
	{.name = "FUTEX_WAIT_BITSET", .call = raw_bitset},
	{.name = "pthread_mutex_lock", .call = lock_mutex},
	{.name = "pthread_cond_wait", .call = wait_condition},
	{.name = "sem_wait", .call = wait_semaphore},
	{.name = "pthread_rwlock_wrlock", .call = lock_rwlock},
};
static struct waiter timed[] = {
	{.name = "FUTEX_WAIT with timeout", .call = raw_timed},
	{.name = "FUTEX_WAIT_BITSET until", .call = raw_absolute},
	{.name = "FUTEX_WAIT_BITSET until, CLOCK_REALTIME", .call = raw_realtime, .realtime = true},
};
static struct waiter timed_pthread = {.name = "pthread_cond_timedwait", .call = timed_condition, .realtime = true};

enum { ENDLESS = sizeof endless / sizeof *endless, TIMED = sizeof timed / sizeof *timed };

void test_setup(void)
{
	sem_init(&semaphore, 0, 0);
	pthread_mutex_lock(&mutex);
	pthread_rwlock_rdlock(&rwlock);
	for (int i = 0; i < ENDLESS; i++)
		waiter_start(&endless[i]);
	for (int i = 0; i < TIMED; i++)
		waiter_start(&timed[i]);
	waiter_start(&timed_pthread);
}

void test_break(void)
{
	pthread_cond_signal(&condition);
}

void test_check(void)
{
	for (int i = 0; i < ENDLESS; i++)
		waiter_expect_waiting(&endless[i]);
	for (int i = 0; i < TIMED; i++) {
		waiter_expect(&timed[i], -1, ETIMEDOUT);
		waiter_expect_lasted(&timed[i], WAIT_NS);
	}
	waiter_expect(&timed_pthread, ETIMEDOUT, 0);
	waiter_expect_lasted(&timed_pthread, WAIT_NS);
	expect(syscall(SYS_futex_call, &word, FUTEX_WAKE, 9, NULL, NULL, 0) == 1, "FUTEX_WAKE found no waiter");
	expect(syscall(SYS_futex_call, &bitset_word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 9, NULL, NULL, 3) == 0,
	       "a waiter for other bits was woken");
	expect(syscall(SYS_futex_call, &bitset_word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 9, NULL, NULL, 4) == 1,
	       "FUTEX_WAKE_BITSET found no waiter");
	pthread_mutex_unlock(&mutex);
	pthread_mutex_lock(&condition_mutex);
	condition_holds = true;
	pthread_cond_signal(&condition);
	pthread_mutex_unlock(&condition_mutex);
	sem_post(&semaphore);
	pthread_rwlock_unlock(&rwlock);
	for (int i = 0; i < ENDLESS; i++)
		waiter_expect(&endless[i], 0, 0);
}
