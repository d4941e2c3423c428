/* SPDX-License-Identifier: MIT */
/* What this kernel, and the rights that tinyckpt runs with, allow: each thing is tried, not derived from a version. */
#ifndef TINYCKPT_KERNEL_PROBE_H
#define TINYCKPT_KERNEL_PROBE_H

#include <stddef.h>

/* What is lost without it. */
enum probe_need {
	NEED_SAVE,	/* saving, of anything */
	NEED_RESTORE,	/* restoring, of anything */
	NEED_SOME,	/* what probe.lost says */
};

struct probe {
	const char *name;	/* NULL: libcap-ng knows it */
	enum probe_need need;
	const char *lost;

	/* Tries it, without a trace: 0, or a negative errno, silently.  NULL: it is capability `capability`. */
	int (*run)(void);
	unsigned int capability;
};

/* The nth probe, NULL behind the last. */
const struct probe *probe_nth(size_t n);

void probe_name(const struct probe *probe, char *name, size_t cap);

int probe_run(const struct probe *probe);

#endif
