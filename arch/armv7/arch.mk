# SPDX-License-Identifier: MIT
# What the build must know of armv7.
# The blob runs while the workload's VFP registers are live: it must not touch them.  It is entered in ARM state.
ARCH_BLOB_CFLAGS := -marm -mgeneral-regs-only -fno-jump-tables
