/* SPDX-License-Identifier: MIT */
/* A timer that has ended once a millisecond since the machine has started; how often, SIGUSR1 makes it write to the file "ticks". */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

int main(void)
{
	const struct itimerspec since_start = { .it_interval = { 0, 1000000 }, .it_value = { 0, 1 } };
	const int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t ticks = 0;
	sigset_t asked;
	FILE *told;
	int number;

	sigemptyset(&asked);
	sigaddset(&asked, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &asked, NULL) || timerfd_settime(fd, TFD_TIMER_ABSTIME, &since_start, NULL))
		return 1;
	sigwait(&asked, &number);
	told = read(fd, &ticks, sizeof(ticks)) < 0 ? NULL : fopen("ticks", "w");
	if (!told || fprintf(told, "%" PRIu64 "\n", ticks) < 0 || fclose(told))
		return 1;
	pause();
	return 0;
}
