/* SPDX-License-Identifier: MIT */
/* What processes have set for themselves, and what hangs on them, that cannot be saved. */
#include "kind.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <unistd.h>

static bool spoiled;

static void spoil(void)
{
	spoiled = true;
}

/* A policy of where memory is to lie. */
enum { DEFAULT, PREFERRED };

static int make_mempolicy(void)
{
	unsigned long nodes = 1;

	return syscall(SYS_set_mempolicy, PREFERRED, &nodes, 64) ? -1 : NO_DESCRIPTOR;
}

static void check_mempolicy(int fd)
{
	int policy = -1;

	(void)fd;
	must(syscall(SYS_get_mempolicy, &policy, NULL, 0, NULL, 0));
	expect(policy == PREFERRED, "the policy is %d", policy);
}

static void spoil_mempolicy(void)
{
	must(syscall(SYS_set_mempolicy, DEFAULT, NULL, 0));
}

/* Keyrings that only this thread, or this process, has. */
enum { GET_KEYRING_ID = 0, THREAD_KEYRING = -1, PROCESS_KEYRING = -2 };

static int make_keyring(void)
{
	return syscall(SYS_keyctl, GET_KEYRING_ID, PROCESS_KEYRING, 1) < 0 ? -1 : NO_DESCRIPTOR;
}

static int make_thread_keyring(void)
{
	return syscall(SYS_keyctl, GET_KEYRING_ID, THREAD_KEYRING, 1) < 0 ? -1 : NO_DESCRIPTOR;
}

static void check_keyring(int fd)
{
	(void)fd;
	expect(!spoiled && (syscall(SYS_keyctl, GET_KEYRING_ID, PROCESS_KEYRING, 0) > 0 ||
			    syscall(SYS_keyctl, GET_KEYRING_ID, THREAD_KEYRING, 0) > 0), "the keyring is gone");
}

/* A segment of x86, and the right to use some of its I/O ports. */
static int make_ldt(void)
{
#if defined(__x86_64__)
	struct {
		unsigned int number, base, limit, flags;
	} segment = { 0, 0, 0xfffff, 0x51 };

	return syscall(SYS_modify_ldt, 1, &segment, sizeof segment) ? -1 : NO_DESCRIPTOR;
#else
	test_skip("this is no x86");
#endif
}

static void check_ldt(int fd)
{
	(void)fd;
#if defined(__x86_64__)
	char entry[8];

	expect(syscall(SYS_modify_ldt, 0, entry, sizeof entry) == 8 && !spoiled, "the segment is gone");
#endif
}

static int make_ioperm(void)
{
#if defined(__x86_64__)
	return syscall(SYS_ioperm, 0x80, 1, 1) ? -1 : NO_DESCRIPTOR;
#else
	test_skip("this is no x86");
#endif
}

static void check_ioperm(int fd)
{
	(void)fd;
	expect(!spoiled, "spoiled");
#if defined(__x86_64__)
	__asm__ volatile("outb %%al, $0x80" : : "a"(0));
#endif
}

/* System calls that become signals, while the selector says so: all but those that the program is to make itself. */
enum { USER_DISPATCH = 59, OFF = 0, ON = 1 };
static volatile char selector;

static int make_user_dispatch(void)
{
	struct utsname kernel;
	int version = 0, part = 0;

	must(uname(&kernel));
	sscanf(kernel.release, "%d.%d", &version, &part);
	if (version * 100 + part < 604) { /* it tells nobody that somebody has this: see docs/limits.md */
		errno = ENOSYS;
		return -1;
	}
	return prctl(USER_DISPATCH, ON, 0, 0, &selector) ? -1 : NO_DESCRIPTOR;
}

static void check_user_dispatch(int fd)
{
	(void)fd;
	expect(!spoiled, "spoiled");
	must(prctl(USER_DISPATCH, OFF, 0, 0, 0));
}

/* A semaphore that is given back when the process ends. */
static int semaphores;

static int make_sem_undo(void)
{
	struct sembuf up = { 0, 1, SEM_UNDO };

	semaphores = semget(IPC_PRIVATE, 1, 0600);
	if (semaphores < 0)
		return -1;
	must(semop(semaphores, &up, 1));
	return NO_DESCRIPTOR;
}

static void check_sem_undo(int fd)
{
	(void)fd;
	expect(semctl(semaphores, 0, GETVAL) == 1 && !spoiled, "the semaphore is %d", semctl(semaphores, 0, GETVAL));
	must(semctl(semaphores, 0, IPC_RMID));
}

/* A session that is nice to others as a whole. */
static int make_autogroup(void)
{
	int fd;

	setsid();
	fd = open("/proc/self/autogroup", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	must(write(fd, "5", 1));
	close(fd);
	return NO_DESCRIPTOR;
}

static void check_autogroup(int fd)
{
	char text[64] = "";

	fd = must(open("/proc/self/autogroup", O_RDONLY | O_CLOEXEC));
	must(read(fd, text, sizeof text - 1));
	close(fd);
	expect(strstr(text, "nice 5") && !spoiled, "the autogroup is %s", text);
}

/* Cores that no other task may run on at the same time. */
enum { CORE = 62, CORE_CREATE = 1 };

static int make_sched_core(void)
{
	return prctl(CORE, CORE_CREATE, 0, 0, 0) ? -1 : NO_DESCRIPTOR;
}

static void check_spoiled(int fd)
{
	(void)fd;
	expect(!spoiled, "spoiled");
}

/* Confined by itself, and without rights as well: no files to be made, but for those that the test's own protocol takes. */
enum { NO_NEW_FILES = 1 << 6 | 1 << 7 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12 /* MAKE_CHAR, _DIR, _SOCK, _FIFO, _BLOCK, _SYM */ };

static int make_landlock(void)
{
	uint64_t handled = NO_NEW_FILES;
	int fd = (int)syscall(444, &handled, sizeof handled, 0);

	if (fd < 0)
		return -1;
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	must(syscall(446, fd, 0));
	close(fd);
	return NO_DESCRIPTOR;
}

static int make_landlock_user(void)
{
	int result = make_landlock();

	must(setresgid(1700, 1700, 1700));
	must(setresuid(1700, 1700, 1700));
	return result;
}

static void check_landlock(int fd)
{
	(void)fd;
	expect(mkdir("/tmp/.landlock-test", 0700) && errno == EACCES && !spoiled, "it is not confined (errno %d)", errno);
}

/* A directory of whose changes signals tell. */
static int make_dnotify(void)
{
	int fd = must(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	signal(SIGIO, SIG_IGN);
	return fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT) ? -1 : fd;
}

/* A file without a name that is more than its content. */
static int make_unlinked_attribute(void)
{
	int fd = must(open("attribute", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));

	must(unlink("attribute"));
	if (fsetxattr(fd, "trusted.test", "x", 1, 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Limits that leave no room for anything more in memory. */
static struct { int resource; struct rlimit was; } limited;

static int limit(int resource)
{
	struct rlimit none;

	limited.resource = resource;
	must(getrlimit(resource, &limited.was));
	none = (struct rlimit){ 4096, limited.was.rlim_max };
	return setrlimit(resource, &none) ? -1 : NO_DESCRIPTOR;
}

static int make_rlimit_as(void)
{
	return limit(RLIMIT_AS);
}

static int make_rlimit_data(void)
{
	return limit(RLIMIT_DATA);
}

/* By whom memory to come is locked, too, without the right to lock any. */
enum { GROUPS = 65 };

static int make_groups(void)
{
	gid_t groups[GROUPS];

	for (int i = 0; i < GROUPS; i++)
		groups[i] = 3000 + i;
	return setgroups(GROUPS, groups) ? -1 : NO_DESCRIPTOR;
}

static void check_groups(int fd)
{
	(void)fd;
	expect(getgroups(0, NULL) == GROUPS && !spoiled, "it is in %d groups", getgroups(0, NULL));
}

enum { GET_MDWE = 66, SET_MDWE = 65, REFUSE_EXEC_GAIN = 1 };

/* Who unmaps it all is saved; its data without its code no restore could have back. */
static int make_vdso_code_gone(void)
{
	unsigned long start, end;
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");

	while (maps && fgets(line, sizeof(line), maps)) {
		if (!strstr(line, "[vdso]") || sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		fclose(maps);
		return munmap((void *)start, end - start) ? -1 : NO_DESCRIPTOR;
	}
	errno = ENOENT;
	return -1;
}

static void check_not_spoiled(int fd)
{
	(void)fd;
	expect(!spoiled, "it was harmed");
}

static int make_mdwe(void)
{
	return prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) ? -1 : NO_DESCRIPTOR;
}

static void check_mdwe(int fd)
{
	(void)fd;
	expect(prctl(GET_MDWE, 0, 0, 0, 0) == REFUSE_EXEC_GAIN && !spoiled, "it may write to what it executes");
}

static int make_rlimit_memlock(void)
{
	must(mlockall(MCL_FUTURE));
	must(setresgid(1700, 1700, 1700));
	must(setresuid(1700, 1700, 1700));
	return limit(RLIMIT_MEMLOCK);
}

static void check_rlimit(int fd)
{
	struct rlimit now;

	(void)fd;
	must(getrlimit(limited.resource, &now));
	must(setrlimit(limited.resource, &limited.was));
	expect(now.rlim_cur == 4096 && now.rlim_max == limited.was.rlim_max && !spoiled, "the limit is %lu", (unsigned long)now.rlim_cur);
}

const struct kind setting_kinds[] = {
	{"mempolicy", make_mempolicy, check_mempolicy, spoil_mempolicy, "a memory policy"},
	{"keyring", make_keyring, check_keyring, spoil, "a keyring"},
	{"thread_keyring", make_thread_keyring, check_keyring, spoil, "a keyring"},
	{"ldt", make_ldt, check_ldt, spoil, NULL},
	{"ioperm", make_ioperm, check_ioperm, spoil, "ioperm"},
	{"user_dispatch", make_user_dispatch, check_user_dispatch, spoil, "PR_SET_SYSCALL_USER_DISPATCH"},
	{"sem_undo", make_sem_undo, check_sem_undo, spoil, "SEM_UNDO"},
	{"autogroup", make_autogroup, check_autogroup, spoil, "autogroup"},
	{"sched_core", make_sched_core, check_spoiled, spoil, "PR_SCHED_CORE"},
	{"landlock", make_landlock, check_landlock, spoil, "Landlock"},
	{"landlock_user", make_landlock_user, check_landlock, spoil, "Landlock"},
	{"dnotify", make_dnotify, NULL, NULL, NULL},
	{"groups", make_groups, check_groups, spoil, "supplementary groups"},
	{"mdwe", make_mdwe, check_mdwe, spoil, "PR_SET_MDWE"},
	{"vdso_code_gone", make_vdso_code_gone, check_not_spoiled, spoil, "its vDSO is not whole"},
	{"rlimit_as", make_rlimit_as, check_rlimit, spoil, "RLIMIT_AS"},
	{"rlimit_data", make_rlimit_data, check_rlimit, spoil, "RLIMIT_DATA"},
	{"rlimit_memlock", make_rlimit_memlock, check_rlimit, spoil, "_MEMLOCK"},
	{"unlinked_attribute", make_unlinked_attribute, NULL, NULL, "extended attributes"},
	{NULL, NULL, NULL, NULL, NULL},
};
