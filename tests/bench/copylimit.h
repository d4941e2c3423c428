// SPDX-License-Identifier: MIT
// The limit of the copy itself: no tool that moves the pages of a process can be faster.
#pragma once
#include <stdint.h>
#include <sys/types.h>

// Bytes of anonymous memory that PID and its descendants hold.
size_t tree_bytes(pid_t pid);

// Nanoseconds to read BYTES out of a process with process_vm_readv and write them to FILE, and to
// read FILE and put it with process_vm_writev into untouched memory of a process that waits.
// Both through a buffer of 256 KiB. -1 when it failed.
int64_t copy_out_ns(size_t bytes, const char *file);
int64_t copy_in_ns(size_t bytes, const char *file);
