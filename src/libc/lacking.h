/* SPDX-License-Identifier: MIT */
/*
 * What headers of uClibc-ng lack that those of glibc and musl have, where it is built with that: included before all else
 * (Makefile).  The numbers are those of the kernel's include/uapi.
 */
#ifndef __ASSEMBLER__
#include <features.h>
#ifdef __UCLIBC__
#ifndef TINYCKPT_LIBC_LACKING_H
#define TINYCKPT_LIBC_LACKING_H

#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* half of the flag, as it was before Linux 2.6.33 */
#undef O_SYNC
#undef O_DSYNC
#define O_SYNC 04010000
#define O_DSYNC 010000

#ifndef O_TMPFILE
#define O_TMPFILE (020000000 | O_DIRECTORY)
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define F_SEAL_SEAL 1
#define F_SEAL_SHRINK 2
#define F_SEAL_GROW 4
#define F_SEAL_WRITE 8
#endif
#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38
#endif
#ifndef SEEK_DATA
#define SEEK_DATA 3
#define SEEK_HOLE 4
#endif
#ifndef F_GETOWN_EX
#define F_SETOWN_EX 15
#define F_GETOWN_EX 16
struct f_owner_ex {
	int type, pid;
};
#endif
#ifndef NT_PRFPREG
#define NT_PRFPREG 2
#endif
#ifndef PTRACE_O_EXITKILL
#define PTRACE_O_EXITKILL (1 << 20)
#endif
#ifndef PTRACE_PEEKSIGINFO
#define PTRACE_PEEKSIGINFO 0x4209
#define PTRACE_GETSIGMASK 0x420a
#define PTRACE_SETSIGMASK 0x420b
#define PTRACE_PEEKSIGINFO_SHARED 1
struct __ptrace_peeksiginfo_args {
	uint64_t off;
	uint32_t flags;
	int32_t nr;
};
#endif
#define memfd_create(...) (int)syscall(SYS_memfd_create, __VA_ARGS__)
#define prlimit(...) syscall(SYS_prlimit64, __VA_ARGS__)
#define process_vm_readv(...) syscall(SYS_process_vm_readv, __VA_ARGS__)
#define process_vm_writev(...) syscall(SYS_process_vm_writev, __VA_ARGS__)

#endif
#endif
#endif
