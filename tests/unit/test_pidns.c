/* SPDX-License-Identifier: MIT */
/* Who makes a PID namespace and then dies: at which instant does what is in there go on without it? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/pidns.h"

static int go[2], told[2];	/* to process 1 of the namespace, and from it */

static void tell(char c)
{
	if (write(told[1], &c, 1) != 1)
		_exit(1);
}

static void wait_for_word(void)
{
	char c;

	if (read(go[0], &c, 1) != 1)
		_exit(1);
}

static void stays_first(void)
{
	pidns_stay();
	tell('s');
	wait_for_word();
	tell('l');
}

/* As if the kernel had looked for the signal just before it was taken back, and found the caller's end just after. */
static void stays_too_late(void)
{
	prctl(PR_SET_PDEATHSIG, 0);
	tell('s');
	wait_for_word();
	pidns_stay();
	tell('l');
}

/* What process 1 has told once its caller is dead: 'l', 0 if nothing, -1 if there can be none. */
static int after_the_death(void (*inside)(void))
{
	pid_t caller;
	char c = 0;
	int said;

	if (pipe(go) || pipe(told))
		return -1;
	caller = fork();
	if (!caller) {
		close(go[1]);
		close(told[0]);
		if (!pidns_make())
			inside();
		_exit(0);
	}
	close(go[0]);
	close(told[1]);
	said = read(told[0], &c, 1) == 1 ? 0 : -1;
	kill(caller, SIGKILL);
	waitpid(caller, NULL, 0);
	if (!said && write(go[1], &c, 1) == 1 && read(told[0], &c, 1) == 1)
		said = c;
	close(go[1]);
	close(told[0]);
	return said;
}

static void expect(void (*inside)(void), int what)
{
	int said = after_the_death(inside);

	if (said < 0) {
		print_message("skip reason: no PID namespace can be made here (root, CONFIG_PID_NS)\n");
		skip();
	}
	assert_int_equal(said, what);
}

static void lives_on(void **state)
{
	(void)state;
	expect(stays_first, 'l');
}

static void dies_along(void **state)
{
	(void)state;
	expect(stays_too_late, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives_on),
		cmocka_unit_test(dies_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
