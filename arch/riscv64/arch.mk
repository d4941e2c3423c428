# SPDX-License-Identifier: MIT
# What the build must know of riscv64.
# The blob runs while the workload's floating point and vector registers are live: it must not touch them.
ARCH_BLOB_CFLAGS := -march=rv64imac -mabi=lp64 -mcmodel=medany -mno-relax
# printf(3) does its floating point numbers in 128 bits, in software: 10 KB for what the tool never prints.
ARCH_UNUSED := __addtf3 __subtf3 __multf3 __divtf3 __eqtf2 __netf2 __extenddftf2 __trunctfdf2 __trunctfsf2 __fixtfsi \
	__fixunstfsi __floatsitf __floatunsitf
