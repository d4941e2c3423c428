# SPDX-License-Identifier: MIT
# What the build must know of riscv64.
# The blob runs while the workload's floating point and vector registers are live: it must not touch them.
ARCH_BLOB_CFLAGS := -march=rv64imac -mabi=lp64 -mcmodel=medany -mno-relax
