/* SPDX-License-Identifier: MIT */
/* Capability sets: reduced ones, inheritable and ambient, a bounding set with gaps, per thread. */
#include "selfview.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_RAISE 2
#endif

enum { CASES = 5 };

static pid_t child[CASES];

static void set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {
		{(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
		{effective >> 32, permitted >> 32, inheritable >> 32},
	};

	must(syscall(SYS_capset, &header, data));
}

#define BIT(capability) (UINT64_C(1) << (capability))

static void reduce(int number)
{
	const uint64_t few = BIT(CAP_NET_ADMIN) | BIT(CAP_SYS_TIME) | BIT(CAP_DAC_OVERRIDE);

	switch (number) {
	case 0: /* permitted, but not all effective */
		set_capabilities(BIT(CAP_SYS_TIME), few, 0);
		break;
	case 1: /* nothing at all */
		set_capabilities(0, 0, 0);
		break;
	case 2: /* ambient */
		set_capabilities(few, few, BIT(CAP_NET_ADMIN) | BIT(CAP_KILL));
		must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0));
		break;
	case 3: /* the bounding set */
		must(prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE));
		must(prctl(PR_CAPBSET_DROP, CAP_SYS_RAWIO));
		must(prctl(PR_CAPBSET_DROP, CAP_WAKE_ALARM));
		break;
	case 4: /* another user that keeps some */
		must(prctl(PR_SET_KEEPCAPS, 1));
		must(setresuid(1500, 1500, 1500));
		set_capabilities(BIT(CAP_NET_ADMIN), few, few);
		break;
	}
}

static void *all_capabilities(void *arg)
{
	*(volatile pid_t *)arg = gettid();
	test_wait();
	return NULL;
}

static void body(void *arg)
{
	char before[1024], now[1024], thread_before[1024], thread_now[1024];
	volatile pid_t tid = 0;
	pthread_t thread = test_thread(all_capabilities, (void *)&tid);

	while (!tid)
		test_nap(1);
	reduce((intptr_t)arg);
	status_lines(0, "Cap", before, sizeof before);
	status_lines(tid, "Cap", thread_before, sizeof thread_before);
	test_child_ready();
	while (!test_may_go())
		test_nap(5);
	if (test_breaking() && arg == (void *)4)
		set_capabilities(0, BIT(CAP_NET_ADMIN), 0);
	status_lines(0, "Cap", now, sizeof now);
	expect(strcmp(before, now) == 0, "%s became %s", before, now);
	status_lines(tid, "Cap", thread_now, sizeof thread_now);
	/* The thread may have ended by now; then there is nothing to compare. */
	expect(!*thread_now || strcmp(thread_before, thread_now) == 0, "thread: %s became %s", thread_before, thread_now);
	pthread_join(thread, NULL);
}

void test_setup(void)
{
	if (geteuid())
		test_skip("only root has capabilities to play with");
	for (intptr_t i = 0; i < CASES; i++)
		child[i] = test_child(body, (void *)i);
}

void test_break(void)
{
}

void test_check(void)
{
	for (int i = 0; i < CASES; i++)
		test_join(child[i]);
}
