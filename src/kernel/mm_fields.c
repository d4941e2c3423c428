/* SPDX-License-Identifier: MIT */
#include "kernel/mm_fields.h"

#include <linux/prctl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "kernel/procfs.h"

#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif

/*
 * A 64-bit kernel takes and gives pointers of its own size in some calls of prctl(2), for which it has no other form for
 * 32-bit tasks (kernel/sys.c).
 */
static bool has_wide_pointers(void)
{
	uint64_t address = ~0ULL;

	return sizeof(void *) == sizeof(address) || (!syscall(SYS_prctl, PR_GET_TID_ADDRESS, &address) && address >> 32 != ~0U);
}

/* All at once, as a kernel with CONFIG_CHECKPOINT_RESTORE takes it. */
static void add_map(struct program *p, const struct mm_fields *fields, uintptr_t auxv, uint32_t auxv_len, uint32_t exe)
{
	struct {
		struct mm_fields fields;
		union {
			struct {
				uint64_t auxv;
				uint32_t auxv_size, exe_fd;
			} wide;
			struct {
				uint32_t auxv, auxv_size, exe_fd;
			} narrow;
		};
	} map = { .fields = *fields, .wide = { auxv, auxv_len, exe } };

	if (!has_wide_pointers()) {
		map.narrow.auxv = (uint32_t)auxv;
		map.narrow.auxv_size = auxv_len;
		map.narrow.exe_fd = exe;
	}
	program_call(p, OP_MUST, SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, program_data(p, &map, sizeof(map)), sizeof(map));
}

/*
 * One after another, which takes CAP_SYS_RESOURCE.  No start may lie behind its end, at any time: where the new start is
 * refused for that, the end comes first, and the start in the second round.
 */
static void add_each(struct program *p, const struct mm_fields *fields)
{
	static const struct {
		uint8_t option, at;
	} each[] = {
#define FIELD(option, member) { option, offsetof(struct mm_fields, member) }
		FIELD(PR_SET_MM_START_CODE, start_code), FIELD(PR_SET_MM_END_CODE, end_code),
		FIELD(PR_SET_MM_START_DATA, start_data), FIELD(PR_SET_MM_END_DATA, end_data),
		FIELD(PR_SET_MM_START_BRK, start_brk), FIELD(PR_SET_MM_BRK, brk),
		FIELD(PR_SET_MM_START_STACK, start_stack),
		FIELD(PR_SET_MM_ARG_START, arg_start), FIELD(PR_SET_MM_ARG_END, arg_end),
		FIELD(PR_SET_MM_ENV_START, env_start), FIELD(PR_SET_MM_ENV_END, env_end),
#undef FIELD
	};

	for (size_t i = 0, n = sizeof(each) / sizeof(*each); i < 2 * n; i++) {
		uint64_t value;

		memcpy(&value, (const char *)fields + each[i % n].at, sizeof(value));
		program_call(p, i < n ? 0 : OP_MUST, SYS_prctl, PR_SET_MM, each[i % n].option, (long)value);
	}
}

/* Whether this kernel gives programs such an entry. */
static bool is_known(const unsigned long *own, size_t n, unsigned long type)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		if (own[i] == type)
			return true;
	return false;
}

/*
 * A kernel keeps no more entries than it knows, and refuses more, which newer ones have.  They were read when the program
 * began; what is kept is for those who look at it from outside.  Returns how many bytes are left.
 */
static uint32_t keep_known(unsigned long *auxv, uint32_t len)
{
	unsigned long own[MM_AUXV_MAX / sizeof(long)];
	const ssize_t own_len = proc_readf((char *)own, sizeof(own), "/proc/self/auxv");
	uint32_t left = 0;

	if (own_len < 0 || len <= (size_t)own_len)
		return len;
	for (size_t i = 0; i + 1 < len / sizeof(*auxv); i += 2) {
		if (!is_known(own, (size_t)own_len / sizeof(*own), auxv[i])) {
			log_debug("auxiliary vector: this kernel does not know entry %lu, which is left out", auxv[i]);
			continue;
		}
		auxv[left++] = auxv[i];
		auxv[left++] = auxv[i + 1];
	}
	return (uint32_t)(left * sizeof(*auxv));
}

void mm_fields_add(struct program *p, const struct mm_fields *fields, const void *auxv, uint32_t auxv_len, int exe)
{
	unsigned long known[MM_AUXV_MAX / sizeof(long)];
	unsigned int size;
	static int has_map = -1;
	long at;

	memcpy(known, auxv, auxv_len);
	auxv_len = keep_known(known, auxv_len);
	at = program_data(p, known, auxv_len);
	if (has_map < 0)
		has_map = !syscall(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0);
	if (has_map) {
		add_map(p, fields, (uintptr_t)at, auxv_len, (uint32_t)exe);
		return;
	}
	add_each(p, fields);
	program_call(p, OP_MUST, SYS_prctl, PR_SET_MM, PR_SET_MM_AUXV, at, auxv_len);
	program_call(p, OP_MUST, SYS_prctl, PR_SET_MM, PR_SET_MM_EXE_FILE, exe);
}
