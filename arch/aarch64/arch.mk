# SPDX-License-Identifier: MIT
# What the build must know of aarch64.
# The blob runs while the workload's vector registers are live: it must not touch them.
ARCH_BLOB_CFLAGS := -mgeneral-regs-only -mno-outline-atomics
# Addresses within 1 MiB take one instruction instead of two.
ARCH_CFLAGS := -mcmodel=tiny -fomit-frame-pointer
# printf(3) does its floating point numbers in 128 bits, in software: 10 KB for what the tool never prints.
ARCH_UNUSED := __addtf3 __subtf3 __multf3 __divtf3 __eqtf2 __netf2 __extenddftf2 __trunctfdf2 __trunctfsf2 __fixtfsi \
	__fixunstfsi __floatsitf __floatunsitf
