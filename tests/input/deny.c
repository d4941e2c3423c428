/* SPDX-License-Identifier: MIT */
/*
 * A kernel that lacks something: deny WHAT... -- COMMAND [ARGUMENT...] runs the command with those calls answered as by a
 * kernel that has never heard of them; or its end at one of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ANY = -1, DEATH = 0 };	/* an argument; an error: the process is killed instead */

static const struct {
	const char *name;
	int call;
	int argument, value;	/* that counts only with this value; ANY: there is none such */
	int error;
} known[] = {
	{ "process_vm_readv", SYS_process_vm_readv, ANY, 0, ENOSYS },
	{ "kcmp", SYS_kcmp, ANY, 0, ENOSYS },
	{ "userfaultfd", SYS_userfaultfd, ANY, 0, ENOSYS },
	{ "TFD_IOC_SET_TICKS", SYS_ioctl, 1, 0x40085400, ENOTTY },
	{ "UFFDIO_API", SYS_ioctl, 1, (int)0xc018aa3f, EINVAL },
	{ "UFFDIO_REGISTER", SYS_ioctl, 1, (int)0xc020aa00, EINVAL },
	{ "pidfd_getfd", SYS_pidfd_getfd, ANY, 0, ENOSYS },
	{ "clone3", SYS_clone3, ANY, 0, ENOSYS },
	{ "close_range", SYS_close_range, ANY, 0, ENOSYS },
	{ "madvise", SYS_madvise, ANY, 0, ENOSYS },
	{ "getrandom", SYS_getrandom, ANY, 0, EAGAIN },	/* no random numbers yet, early in a boot */
	{ "fsync", SYS_fsync, ANY, 0, EIO },	/* a medium that fails */
	{ "CLONE_NEWTIME", SYS_unshare, 0, 0x80, EINVAL },
	{ "PTRACE_SEIZE", SYS_ptrace, 0, PTRACE_SEIZE, EPERM },
	{ "PTRACE_GET_RSEQ_CONFIGURATION", SYS_ptrace, 0, PTRACE_GET_RSEQ_CONFIGURATION, EIO },
	{ "PR_GET_TID_ADDRESS", SYS_prctl, 0, PR_GET_TID_ADDRESS, EINVAL },
	{ "PR_SET_MM", SYS_prctl, 0, PR_SET_MM, EPERM },
	{ "PR_SET_MM_MAP", SYS_prctl, 1, PR_SET_MM_MAP, EINVAL },
	{ "PR_SET_MM_MAP", SYS_prctl, 1, PR_SET_MM_MAP_SIZE, EINVAL },
	{ "F_DUPFD_QUERY", SYS_fcntl, 1, 1024 + 3, EINVAL },
	{ "PAGEMAP_SCAN", SYS_ioctl, 1, (int)0xc0606610, ENOTTY },
	{ "forced write", SYS_pwrite64, ANY, 0, EIO },	/* what writes to /proc/PID/mem, and not much else */
	{ "set_robust_list", SYS_set_robust_list, ANY, 0, ENOSYS },
	{ "memfd_create", SYS_memfd_create, ANY, 0, ENOSYS },
	{ "membarrier", SYS_membarrier, ANY, 0, ENOSYS },
	{ "timers", SYS_setitimer, ANY, 0, ENOSYS },
	{ "timers", SYS_getitimer, ANY, 0, ENOSYS },
	{ "timers", SYS_timer_create, ANY, 0, ENOSYS },
	{ "timers", SYS_timer_delete, ANY, 0, ENOSYS },
	{ "users", SYS_getgroups, ANY, 0, ENOSYS },
	{ "users", SYS_setgroups, ANY, 0, ENOSYS },
	{ "users", SYS_setresgid, ANY, 0, ENOSYS },
	{ "users", SYS_setresuid, ANY, 0, ENOSYS },
	{ "users", SYS_capset, ANY, 0, ENOSYS },
	{ "users", SYS_prctl, 0, PR_GET_SECUREBITS, EINVAL },
	{ "users", SYS_prctl, 0, PR_SET_SECUREBITS, EINVAL },
	{ "ioprio", SYS_ioprio_get, ANY, 0, ENOSYS },
	{ "ioprio", SYS_ioprio_set, ANY, 0, ENOSYS },
	{ "life at the end of a save", SYS_ptrace, 3, PTRACE_O_EXITKILL, DEATH },	/* the tree is to go on with the tool's end */
	{ "life at the first kill", SYS_kill, 1, SIGKILL, DEATH },
};
enum { KNOWN = sizeof known / sizeof *known };

int main(int argc, char **argv)
{
	struct sock_filter code[1 + 5 * KNOWN + 1];
	struct sock_fprog program = {.filter = code};
	size_t n = 0;
	int i = 1;

#define CODE(...) (code[n++] = (struct sock_filter)__VA_ARGS__)
	for (; i < argc && strcmp(argv[i], "--"); i++) {
		size_t before = n;

		for (int k = 0; k < KNOWN; k++) {
			if (strcmp(known[k].name, argv[i]))
				continue;
			CODE(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
			CODE(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, known[k].call, 0, known[k].argument == ANY ? 1 : 3));
			if (known[k].argument != ANY) {
				CODE(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[known[k].argument])));
				CODE(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, known[k].value, 0, 1));
			}
			CODE(BPF_STMT(BPF_RET | BPF_K, known[k].error == DEATH ? SECCOMP_RET_KILL_PROCESS
								      : SECCOMP_RET_ERRNO | known[k].error));
		}
		if (n == before || n > 5 * KNOWN) {
			fprintf(stderr, "deny: %s: not known, or too many\n", argv[i]);
			return 2;
		}
	}
	CODE(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	program.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("deny");
		return 2;
	}
	execv(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 2;
}
