# SPDX-License-Identifier: MIT
# What the build must know of armv7.
ARCH_CFLAGS := -mthumb
# The blob runs while the workload's VFP registers are live: it must not touch them (-mfpu=none is how clang is told so).
# It is entered in ARM state.
ARCH_BLOB_CFLAGS := -marm $(or $(call ask,-mgeneral-regs-only),-mfpu=none) -fno-jump-tables
