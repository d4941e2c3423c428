/* SPDX-License-Identifier: MIT */
/* Secure bits, locked ones too. */
#include "testlib.h"

#include <linux/securebits.h>
#include <sys/prctl.h>
#include <unistd.h>

static const int cases[] = {
	SECBIT_KEEP_CAPS,
	SECBIT_NO_SETUID_FIXUP,
	SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE,
	SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED,
};
enum { CASES = sizeof cases / sizeof *cases };

static pid_t child[CASES];

static void body(void *arg)
{
	int bits = cases[(intptr_t)arg];

	must(prctl(PR_SET_SECUREBITS, bits));
	test_child_ready();
	test_wait();
	if (test_breaking() && arg == (void *)1)
		must(prctl(PR_SET_SECUREBITS, 0));
	expect(prctl(PR_GET_SECUREBITS) == bits, "secure bits were 0x%x and are 0x%x", bits, prctl(PR_GET_SECUREBITS));
}

void test_setup(void)
{
	if (geteuid())
		test_skip("only root may set secure bits");
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
	expect(prctl(PR_GET_SECUREBITS) == 0, "the root has secure bits 0x%x", prctl(PR_GET_SECUREBITS));
}
