# SPDX-License-Identifier: MIT
# What the build must know of aarch64.
# The blob runs while the workload's vector registers are live: it must not touch them.
ARCH_BLOB_CFLAGS := -mgeneral-regs-only -mno-outline-atomics
# Addresses within 1 MiB take one instruction instead of two; functions of any number of arguments need not put vector
# registers by, as there is no floating point; a table of jumps is longer than the comparisons that it replaces.
ARCH_CFLAGS := -mcmodel=tiny -fno-jump-tables -fomit-frame-pointer -mgeneral-regs-only
