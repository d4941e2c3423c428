/* SPDX-License-Identifier: MIT */
/*
 * What `tinyckpt check` says of the kernel, beside what the kernel says to the same questions asked in another way.
 * modes: none
 */
#include "testlib.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char table[32768];
static int status;
static bool lie;	/* of one fact */

void test_setup(void)
{
	const char *tool = getenv("TINYCKPT");

	if (!tool || strcmp(tool, "none") == 0)
		test_skip("no tinyckpt to ask");
}

void test_break(void)
{
	lie = true;
}

static void ask(void)
{
	char command[4096];
	size_t n;

	snprintf(command, sizeof command, "'%s' check", getenv("TINYCKPT"));
	FILE *out = popen(command, "r");

	expect(out, "popen: errno %d", errno);
	n = fread(table, 1, sizeof table - 1, out);
	table[n] = '\0';
	status = pclose(out);
	expect(WIFEXITED(status) && WEXITSTATUS(status) <= 1, "it ended with status %#x", status);
	test_log("%s", table);
}

/* 1: yes, 0: no, -1: there is no such row. */
static int says(const char *name)
{
	for (const char *line = table; line; line = (line = strchr(line, '\n')) ? line + 1 : NULL) {
		size_t length = strlen(name);

		if ((!strncmp(line, "yes  ", 5) || !strncmp(line, "no   ", 5)) && !strncmp(line + 5, name, length) &&
		    line[5 + length] == ' ')
			return *line == 'y';
	}
	return -1;
}

static void compare(const char *name, bool have)
{
	int said = says(name);

	expect(said == have, "%s: the kernel has it: %d (errno %d), check says %d", name, have, errno, said);
}

static bool has_file(const char *format)
{
	char path[64];

	snprintf(path, sizeof path, format, getpid());
	return access(path, R_OK) == 0;
}

/* Its own number is taken: EEXIST from a kernel that has looked at it, E2BIG or ENOSYS from one that has not. */
static bool can_ask_for_pid(void)
{
	pid_t self = getpid();
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size;
	} args = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&self, .set_tid_size = 1};

	return syscall(435 /* clone3 */, &args, sizeof args) < 0 && errno == EEXIST;
}

static bool can_scan(void)
{
	FILE *pagemap = fopen("/proc/self/pagemap", "re");
	uint64_t arg[12] = {sizeof arg};
	bool can = pagemap && ioctl(fileno(pagemap), _IOWR('f', 16, uint64_t[12]), arg) >= 0;

	if (pagemap)
		fclose(pagemap);
	return can;
}

static bool can_make_pages(void)
{
	long fd = syscall(SYS_userfaultfd, 0);
	uint64_t api[3] = {0xaa, 1 << 7 /* UFFD_FEATURE_SIGBUS */};
	bool can = fd >= 0 && !ioctl((int)fd, _IOWR(0xaa, 0x3f, uint64_t[3]), api);

	if (fd >= 0)
		close((int)fd);
	return can;
}

static bool can_guard(void)
{
	void *area = must(mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	return madvise(area, 65536, 102 /* MADV_GUARD_INSTALL */) == 0;
}

static bool can_read(void)
{
	char from = 1, to = 0;
	struct iovec local = {&to, 1}, remote = {&from, 1};

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1 && to == 1;
}

static bool has_capability(int number)
{
	char line[256];
	unsigned long long effective = 0;
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof line, file))
		sscanf(line, "CapEff: %llx", &effective);
	if (file)
		fclose(file);
	return effective >> number & 1;
}

void test_check(void)
{
	uint64_t word;

	ask();
	compare("kcmp", (syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 0) == 0) != lie);
	compare("process_vm_readv", can_read());
	compare("userfaultfd", can_make_pages());
	compare("clone3 set_tid", can_ask_for_pid());
	compare("close_range", syscall(436 /* close_range */, 1000000, 1000001, 0) == 0);
	compare("PR_GET_TID_ADDRESS", prctl(40 /* PR_GET_TID_ADDRESS */, &word, 0, 0, 0) == 0);
	compare("PR_SET_MM_MAP", prctl(PR_SET_MM, 15 /* PR_SET_MM_MAP_SIZE */, &word, 0, 0) == 0);
	compare("PAGEMAP_SCAN", can_scan());
	compare("MADV_GUARD_INSTALL", can_guard());
	compare("/proc/PID/smaps", has_file("/proc/%d/smaps"));
	compare("/proc/PID/pagemap", has_file("/proc/%d/pagemap"));
	compare("/proc/PID/task/TID/children", has_file("/proc/self/task/%d/children"));
	if (says("/proc/PID/timers") >= 0)
		compare("/proc/PID/timers", has_file("/proc/%d/timers"));
	if (says("PR_TIMER_CREATE_RESTORE_IDS") >= 0)
		compare("PR_TIMER_CREATE_RESTORE_IDS", prctl(77 /* PR_TIMER_CREATE_RESTORE_IDS */, 2, 0, 0, 0) >= 0);
	compare("CAP_SYS_RESOURCE", has_capability(24));
	compare("CAP_SYS_CHROOT", has_capability(18));
	expect(!strstr(table, "\nHere trees can be saved and restored") == (WEXITSTATUS(status) != 0),
	       "the exit status is %d", WEXITSTATUS(status));
	if (says("clone3 set_tid") != 1)
		expect(WEXITSTATUS(status) == 1, "nothing can be restored, but the exit status is %d", WEXITSTATUS(status));
}
