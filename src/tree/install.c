/* SPDX-License-Identifier: MIT */
#include "tree/install.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/same.h"
#include "kernel/task_memory.h"
#include "tree/mapped.h"
#include "tree/reborn.h"
#include "vma.pb.h"

enum { WORTH = 256 * 1024 };	/* bytes of a mapping that make up for the calls */

/* Where the kernel makes huge pages without being asked, those are worth more. */
static bool has_huge_pages(void)
{
	char text[64];

	return proc_read("/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof(text)) > 0 && strstr(text, "[always]");
}

static bool is_fresh(const struct mapped *v)
{
	return v->kind == VmaKind_ANONYMOUS && !v->shared && !v->inherited && !v->untouched && !v->huge && !v->hugepage &&
	       !(v->prot & ARCH_PROT_TAGS) && v->end - v->start >= WORTH;
}

int install_ask(struct restore *r, struct program *p)
{
	struct mapped v;

	for (struct mapped_at at = { 0 }; !r->no_install && mapped_next(&r->memory, &at, &v);) {
		if (!is_fresh(&v))
			continue;
		if (!r->may_install && has_huge_pages()) {
			r->no_install = true;
			break;
		}
		r->may_install = true;
		return program_call(p, 0, SYS_userfaultfd, O_CLOEXEC);
	}
	return -1;
}

void install_begin(struct restore *r, long fd)
{
	/* Whoever touches what is not filled gets an error, instead of waiting for us: for ever, if it is us. */
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_SIGBUS };
	struct mapped v;

	r->memory.uffd_there = (int)fd;
	if (fd >= 0)
		r->memory.uffd = file_borrow(r->pid, (int)fd);
	if (r->memory.uffd < 0 || ioctl(r->memory.uffd, UFFDIO_API, &api)) {
		r->no_install = true;
		return;
	}
	for (struct mapped_at at = { 0 }; mapped_next(&r->memory, &at, &v);) {
		struct uffdio_register it = { { v.start, v.end - v.start }, UFFDIO_REGISTER_MODE_MISSING, 0 };

		if (is_fresh(&v))
			ioctl(r->memory.uffd, UFFDIO_REGISTER, &it);	/* if not, it is written */
	}
}

void install_end(struct memory *m, struct program *p)
{
	if (m->uffd >= 0)
		close(m->uffd);
	if (m->uffd_there >= 0)
		program_call(p, OP_MUST, SYS_close, m->uffd_there);
	m->uffd = m->uffd_there = -1;
}

uint64_t install_part(struct restore *r, uint64_t start, uint64_t len)
{
	struct filled *f = &r->memory.filled;
	uint64_t bound;

	if (r->memory.uffd < 0)
		return len;
	if (start < f->from) {
		f->at = (struct ranges_at){ 0 };
		f->mapping.end = 0;
	}
	f->from = start;
	while (f->mapping.end <= start)
		if (!ranges_next(&r->memory.mapped, &f->at, &f->mapping, sizeof(f->mapping)))
			return len;
	bound = (f->mapping.start > start ? f->mapping.start : f->mapping.end) - start;
	return bound < len ? bound : len;
}

/* As much as goes: *done bytes.  0 also when the rest is to be written. */
static int install(int uffd, const struct iovec *here, const struct iovec *there, size_t *done)
{
	for (*done = 0; *done < here->iov_len;) {
		struct uffdio_copy c = {
			.dst = (uintptr_t)there->iov_base + *done,
			.src = (uintptr_t)here->iov_base + *done,
			.len = here->iov_len - *done,
		};

		if (ioctl(uffd, UFFDIO_COPY, &c) && c.copy <= 0)	/* ENOENT: not one of those mappings */
			return errno == ENOENT || errno == EEXIST || errno == EINVAL ? 0 : -errno;
		*done += (size_t)c.copy;
	}
	return 0;
}

int install_pages(int uffd, pid_t pid, struct iovec *here, struct iovec *there, size_t n)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		size_t done = 0;
		int err = uffd < 0 ? 0 : install(uffd, &here[i], &there[i], &done);

		if (err)
			return err;
		if (done == here[i].iov_len)
			continue;
		here[left] = (struct iovec){ (char *)here[i].iov_base + done, here[i].iov_len - done };
		there[left++] = (struct iovec){ (char *)there[i].iov_base + done, there[i].iov_len - done };
	}
	return left ? task_move(pid, TASK_WRITE, here, there, left) : 0;
}
