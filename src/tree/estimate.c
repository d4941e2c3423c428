/* SPDX-License-Identifier: MIT */
#include "tree/estimate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "kernel/procfs.h"

enum {
	PACKED_PART = 4, /* a fourth: real programs become a third; too low is no harm, a disk that is full then tells */
	OF_PROCESS = 8,  /* KiB: what a process takes beside its memory */
};

/*
 * KiB of memory that only the process itself accounts for: resident, without what files back, and swapped out.  *shared: the
 * most shared memory of any process, which is stored once, and so is what stands in for files.
 */
static uint64_t of_process(const struct process *p, uint64_t *shared)
{
	char text[4096], *line = text;
	uint64_t sum = OF_PROCESS;

	if (p->zombie || proc_readf(text, sizeof(text), "/proc/%d/status", p->pid) <= 0)
		return sum;
	while (line) {
		if (!strncmp(line, "RssAnon:", 8) || !strncmp(line, "VmSwap:", 7))
			sum += strtoull(strchr(line, ':') + 1, NULL, 10);
		if (!strncmp(line, "RssShmem:", 9)) {
			const uint64_t own = strtoull(line + 9, NULL, 10);

			*shared = own > *shared ? own : *shared;
		}
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return sum;
}

int estimate_check(struct save *s)
{
	const uint64_t most = s->image.budget.most / 1024;
	uint64_t memory = 0, shared = 0, image;
	struct statvfs disk;

	for (size_t i = 0; i < s->tree.n; i++)
		memory += of_process(&s->tree.processes[i], &shared);
	memory += shared;
	image = s->image.level ? memory / PACKED_PART : memory;
	log_info("%" PRIu64 " KiB of memory, about %" PRIu64 " KiB of image", memory, image);
	if (most && image > most)
		return fail(EFBIG, "the image would have about %" PRIu64 " KiB; --max-size allows %" PRIu64, image, most);
	if (fstatvfs(s->image.target.fd, &disk) || !disk.f_blocks)	/* standard output may be anything */
		return 0;
	if (image > (uint64_t)disk.f_bavail * disk.f_frsize / 1024)
		return fail(ENOSPC, "%s needs about %" PRIu64 " KiB, and %" PRIu64 " KiB are free there: make room, or save elsewhere (-o)",
			    s->image.target.name, image, (uint64_t)disk.f_bavail * disk.f_frsize / 1024);
	return 0;
}
