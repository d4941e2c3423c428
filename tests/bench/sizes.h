// SPDX-License-Identifier: MIT
// Sizes: of the pages that an image cannot do without, and of the files that go to flash.
#pragma once
#include <stddef.h>
#include <sys/types.h>

// Bytes in PID's own pages: anonymous and not all zero. What an image holds beyond them is overhead.
size_t page_bytes(pid_t pid);

// Size of a file, or 0.
size_t file_bytes(const char *path);
