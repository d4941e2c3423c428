/* SPDX-License-Identifier: MIT */
#include "tree/vdso.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "arch.h"
#include "base/error.h"
#include "base/log.h"
#include "base/scope.h"
#include "blobs.h"
#include "image/crc32c.h"
#include "kernel/procfs.h"
#include "kernel/task_memory.h"
#include "proxy.h"
#include "tree/birth.h"
#include "tree/dead_bytes.h"
#include "tree/mapped.h"
#include "tree/signal_frames.h"
#include "tree/vdso_functions.h"
#include "vma.pb.h"

static const char MAGIC[8] = "TCKVDSO1";
enum { NARROW, WIDE, CLOCKS };

/* From HEADER_AT on in the first page. */
enum { HEADER_AT = 0x800, STUBS = 16 };
struct header {
	char magic[sizeof(MAGIC)];
	struct stand_in what;
	int64_t monotonic, boottime;	/* ns that are added to what the clocks show */
	struct proxy_clock clock[CLOCKS];
	uint8_t stub[STUBS][ARCH_VDSO_STUB_MAX] __attribute__((aligned(16)));
	uint8_t blob[1024];
};
enum { STUBS_AT = offsetof(struct header, stub) };	/* from there on it is code */

_Static_assert(sizeof(struct header) <= 4096 - HEADER_AT, "it fits the page");

/* --- this kernel's vDSO, which is the tool's own --- */

struct here {
	const char *name;
	uint64_t entry;
};

static int is_named(void *arg, const struct vdso_function *f)
{
	struct here *h = arg;

	if (strcmp(f->name, h->name))
		return 0;
	h->entry = f->entry;
	return 1;
}

/* Where in it the function is; false: it has none of that name. */
static bool find_here(const char *name, uint64_t *entry)
{
	struct here h = { .name = name };
	const size_t len = own_vdso_len();

	if (!len || vdso_each_function((const uint8_t *)getauxval(AT_SYSINFO_EHDR), len, is_named, &h) <= 0)
		return false;
	*entry = h.entry;
	return true;
}

static int check_function(void *arg, const struct vdso_function *f)
{
	uint64_t entry;

	(void)arg;
	if (f->call != UNKNOWN || find_here(f->name, &entry))
		return 0;
	return fail(EIMAGE, "the image's vDSO has a function %.32s, which neither this kernel's vDSO nor a system call stands in for", f->name);
}

int vdso_check(const uint8_t *text, size_t len)
{
	return vdso_each_function(text, len, check_function, NULL);
}

/* --- texts: each behind its length, and no two the same --- */

enum { TEXTS_MAX = 1 << 20 };

/* The text of that number, which has that length; NULL: there is none. */
static const uint8_t *find_text(const struct buffer *texts, uint32_t number, uint64_t len)
{
	for (size_t at = 0; at < texts->len;) {
		uint64_t here;

		memcpy(&here, texts->data + at, sizeof(here));
		at += sizeof(here);
		if (!--number)
			return here == len ? texts->data + at : NULL;
		at += here;
	}
	return NULL;
}

static uint32_t count_texts(const struct buffer *texts)
{
	uint32_t n = 0;

	for (size_t at = 0; at < texts->len; n++) {
		uint64_t here;

		memcpy(&here, texts->data + at, sizeof(here));
		at += sizeof(here) + here;
	}
	return n;
}

static int add_text(struct buffer *texts, const uint8_t *text, uint64_t len)
{
	if (len > TEXTS_MAX - texts->len)
		return -E2BIG;
	return buffer_append(texts, &len, sizeof(len)) || buffer_append(texts, text, len) ? -ENOMEM : 0;
}

int vdso_keep(struct restore *r, const struct mapped *v, const uint8_t *text, size_t len)
{
	if (len != v->end - v->start || v->text != count_texts(&r->texts) + 1 || add_text(&r->texts, text, len))
		return fail(EIMAGE, "mapping %" PRIx64 "-%" PRIx64 ": an absurd vDSO", v->start, v->end);
	return 0;
}

/* A process may have changed its own, so that a checksum says little: they are compared. */
int vdso_number(struct save *s, const uint8_t *text, size_t len, uint32_t *number, size_t *body)
{
	const uint32_t n = count_texts(&s->texts);
	int err;

	for (*number = 1; *number <= n; ++*number) {
		const uint8_t *known = find_text(&s->texts, *number, len);

		if (known && !memcmp(known, text, len))
			return 0;
	}
	*body = len;
	err = add_text(&s->texts, text, len);
	return err ? fail_for(err, "more vDSOs than any kernels have") : 0;
}

/* --- the stand-in --- */

/* Was the text that of one when it was saved?  Its functions then began with jumps. */
static bool stood_in(const uint8_t *text, uint64_t len, uint32_t crc)
{
	return len > DEAD_BYTES && crc32c(0, text, len - DEAD_BYTES) != crc;
}

static bool is_text(const struct mapped *v)
{
	return !strcmp(v->name, "[vdso]") || !strcmp(v->name, "[sigpage]");
}

static uint64_t start_of(const struct stand_in *s)
{
	return s->was[0].start;
}

static uint64_t text_of(const struct stand_in *s)
{
	return s->was[s->n - 1].start;
}

static uint64_t end_of(const struct stand_in *s)
{
	return s->was[s->n - 1].end;
}

int vdso_stand_in(struct restore *r, size_t first)
{
	size_t n;
	struct mapped *v = mapped_own(&r->memory, &n) + first;
	struct stand_in s = { .spare = v->spare };
	const uint8_t *text;
	int err = 0;

	do {
		const struct mapped *w = &v[s.n];

		if (s.n == sizeof(s.was) / sizeof(*s.was) || first + s.n == n || w->kind != VmaKind_VDSO ||
		    (s.n && w->start != w[-1].end))
			return fail(EIMAGE, "mapping %" PRIx64 "-%" PRIx64 " (%s): not as any kernel has it", v->start, v->end, v->name);
		s.was[s.n].start = w->start;
		s.was[s.n].end = w->end;
		memcpy(s.was[s.n].name, w->name, sizeof(w->name));
		s.crc = w->crc;
		s.text = w->text;
	} while (!is_text(&v[s.n++]));
	text = find_text(&r->texts, s.text, end_of(&s) - text_of(&s));
	if (s.n == 1 && (!ARCH_SIGNAL_PAGE || strcmp(v->name, "[sigpage]")))
		return fail(EIMAGE, "mapping %" PRIx64 "-%" PRIx64 ": a vDSO without data, as no kernel has it", v->start, v->end);
	if (s.n > 1 && !text)
		return fail(EIMAGE, "this kernel's %s is another than the image's, which does not hold its own", v[s.n - 1].name);
	if (s.n > 1 && !s.spare) {
		err = vdso_check(text, end_of(&s) - text_of(&s));
		birth_find(r, r->pid)->vdso = s;
		birth_find(r, r->pid)->stood_in = stood_in(text, end_of(&s) - text_of(&s), s.crc);
	}
	log_debug("%" PRIx64 "-%" PRIx64 ": ordinary memory stands in for another kernel's %s", start_of(&s), end_of(&s), v[s.n - 1].name);
	memmove(v + 1, v + s.n, (n - first - s.n) * sizeof(*v));
	r->memory.own.len -= (s.n - 1) * sizeof(*v);
	*v = (struct mapped){ .start = start_of(&s), .end = end_of(&s), .kind = VmaKind_ANONYMOUS, .prot = PROT_READ | PROT_EXEC };
	if (!err && buffer_append(&r->stand_ins, &s, sizeof(s)))
		err = fail(ENOMEM, "out of memory");
	return err;
}

void vdso_back(struct restore *r, const struct mapped *v, size_t n)
{
	const struct mapped *last = &v[n - 1];
	const uint8_t *text = find_text(&r->texts, last->text, last->end - last->start);
	struct stand_in s = { .n = n };

	if (v->spare || n > sizeof(s.was) / sizeof(*s.was) || !text || !stood_in(text, last->end - last->start, last->crc))
		return;
	for (size_t i = 0; i < n; i++) {
		s.was[i].start = v[i].start;
		s.was[i].end = v[i].end;
	}
	birth_find(r, r->pid)->vdso = s;
	birth_find(r, r->pid)->stood_in = true;
}

static struct proxy_offset proxy_offset(int64_t ns)
{
	enum { SECOND = 1000000000 };
	struct proxy_offset o = { .seconds = ns / SECOND, .nanoseconds = (int32_t)(ns % SECOND) };

	if (o.nanoseconds < 0) {
		o.nanoseconds += SECOND;
		o.seconds--;
	}
	return o;
}

/* What is being filled in. */
struct filling {
	struct header header;
	uint64_t at;		/* where that will be */
	uint64_t text;		/* and the text, of which copy is one */
	uint64_t here;		/* this kernel's vDSO in the process; 0: it has none */
	uint8_t *copy;
	size_t len, stubs;
};

/* The clock's function by way of the blob, which adds what the clocks lack. */
static size_t add_clock(struct filling *fill, uint8_t *stub, const struct vdso_function *f, uint64_t function)
{
	const int i = sizeof(long) == 4 && !strcmp(f->name, "clock_gettime") ? NARROW : WIDE;

	fill->header.clock[i] = (struct proxy_clock){
		.monotonic = proxy_offset(fill->header.monotonic), .boottime = proxy_offset(fill->header.boottime),
		.function = function, .call = (int32_t)f->call, .narrow = i == NARROW,
	};
	return arch_vdso_stub(stub, (uintptr_t)(fill->at + offsetof(struct header, blob)),
			      (uintptr_t)(fill->at + offsetof(struct header, clock[i])), f->call);
}

static int add_stub(void *arg, const struct vdso_function *f)
{
	struct filling *fill = arg;
	struct header *h = &fill->header;
	const uint64_t offset = f->entry & ~1ULL;	/* Thumb */
	uint64_t function = 0;
	uint8_t jump[ARCH_VDSO_STUB_MAX];
	size_t len;

	if (f->call == ARCH_VDSO_STAYS)
		return 0;
	/* The state of the kernel's random numbers is another's, and may be an old one of this one: only the call is safe. */
	if (fill->here && strcmp(f->name, "getrandom") && find_here(f->name, &function))
		function += fill->here;
	len = arch_vdso_entry(jump, (uintptr_t)(fill->text + f->entry),
			      (uintptr_t)(fill->at + offsetof(struct header, stub[fill->stubs])));
	if (fill->stubs == STUBS || !lies_in(fill->len, offset, len))
		return fail(EIMAGE, "the image's vDSO has more functions than any kernel's");
	memcpy(fill->copy + offset, jump, len);
	if ((h->monotonic || h->boottime) && !strncmp(f->name, "clock_gettime", 13))
		add_clock(fill, h->stub[fill->stubs], f, function);
	else
		arch_vdso_stub(h->stub[fill->stubs], (uintptr_t)function, 0, f->call);
	fill->stubs++;
	return 0;
}

static int fill_vdso(struct restore *r, const struct owns *o, const struct stand_in *s)
{
	struct filling fill = {
		.header = { .what = *s, .monotonic = r->told.monotonic, .boottime = r->told.boottime },
		.at = start_of(s) + HEADER_AT, .text = text_of(s), .len = end_of(s) - text_of(s),
	};
	const uint8_t *text = find_text(&r->texts, s->text, fill.len);
	const size_t blob = (size_t)(proxy_blob_end - proxy_blob);
	CLEANUP_FREE uint8_t *copy = fill.copy = malloc(fill.len);
	int err = 0;

	if (!copy || !text || blob > sizeof(fill.header.blob))
		return fail(ENOMEM, "out of memory");
	memcpy(copy, text, fill.len);
	for (size_t i = 0; i < o->n; i++)
		if (!strcmp(o->own[i].name, "[vdso]"))
			fill.here = o->own[i].to;
	memcpy(fill.header.magic, MAGIC, sizeof(MAGIC));
	memcpy(fill.header.blob, proxy_blob, blob);
	if (!s->spare)
		err = vdso_each_function(text, fill.len, add_stub, &fill);
	if (!err)
		err = task_write(r->pid, fill.at, &fill.header, sizeof(fill.header));
	if (!err)
		err = task_write(r->pid, fill.text, copy, fill.len);
	return err;
}

/* The kernel's own page may be written to only by a tracer, and is then the process's. */
static int fill_signal_page(pid_t pid, uint64_t at)
{
	uint8_t page[ARCH_SIGNAL_PAGE + 1];

	if (!ARCH_SIGNAL_PAGE)
		return 0;
	arch_signal_page(page);
	return task_write_forced(pid, at, page, ARCH_SIGNAL_PAGE);
}

int vdso_fill(struct restore *r, const struct owns *o)
{
	const struct stand_in *s = (const struct stand_in *)(const void *)r->stand_ins.data;
	int err = 0;

	for (size_t i = 0; !err && i < r->stand_ins.len / sizeof(*s); i++) {
		err = s[i].n > 1 ? fill_vdso(r, o, &s[i]) : fill_signal_page(r->pid, start_of(&s[i]));
		if (err)
			fail_for(err, "the memory that stands in for %s", s[i].was[s[i].n - 1].name);
	}
	for (size_t i = 0; !err && i < o->n; i++) {
		if (o->own[i].serves_others)
			err = fill_signal_page(r->pid, o->own[i].to);
		if (err)
			fail_for(err, "%s", o->own[i].name);
	}
	r->stand_ins.len = 0;
	return err;
}

/* Where a thread stands in the image. */
struct standing {
	const struct stand_in *s;
	const uint8_t *text;
	uint64_t at;
	bool stood_in;
};

static int see_function(void *arg, const struct vdso_function *f)
{
	const struct standing *s = arg;

	return s->at == (f->entry & ~1ULL) || (f->call == ARCH_VDSO_STAYS && s->at >= f->entry && s->at - f->entry < f->size);
}

/* Within the jump that is a function's beginning now. */
static int see_beginning(void *arg, const struct vdso_function *f)
{
	const struct standing *s = arg;
	const uint64_t text = text_of(s->s), entry = f->entry & ~1ULL;
	uint8_t jump[ARCH_VDSO_STUB_MAX];

	return f->call != ARCH_VDSO_STAYS && s->at > entry &&
	       s->at - entry < arch_vdso_entry(jump, (uintptr_t)(text + f->entry), (uintptr_t)(start_of(s->s) + HEADER_AT));
}

static int see_word(void *arg, uint64_t word)
{
	struct standing *s = arg;

	s->at = word - text_of(s->s);
	if (word < text_of(s->s))
		return s->stood_in && lies_in(sizeof(struct header) - STUBS_AT, word - start_of(s->s) - HEADER_AT - STUBS_AT, 1);
	return vdso_each_function(s->text, end_of(s->s) - text_of(s->s), see_beginning, s);
}

enum { FINE, IN_MIDST, IN_HANDLER };

/* Can a thread go on at pc, if that lies there, and so can those whom its handlers have interrupted?  Or a negative errno. */
static int judge(const struct stand_in *s, bool stood_in, pid_t pid, uint64_t pc, uint64_t sp)
{
	const size_t len = end_of(s) - text_of(s);
	CLEANUP_FREE uint8_t *text = malloc(len);
	struct standing standing = { .s = s, .text = text, .at = pc - text_of(s), .stood_in = stood_in };
	int ret = text ? task_read(pid, text, text_of(s), len) : -ENOMEM;

	if (ret)
		return ret;
	if (pc >= start_of(s) && pc < end_of(s) && vdso_each_function(text, len, see_function, &standing) <= 0)
		return IN_MIDST;
	ret = signal_frames_words(pid, sp, start_of(s), end_of(s), see_word, &standing);
	return ret > 0 ? IN_HANDLER : ret;
}

int vdso_can_go_on(const struct born *b, uint64_t pc, uint64_t sp)
{
	const int ret = b->vdso.n ? judge(&b->vdso, b->stood_in, b->pid, pc, sp) : FINE;

	if (ret == IN_MIDST)
		return fail(EIMAGE, "it was saved in the midst of a function of the vDSO, and the kernel is another since then");
	if (ret == IN_HANDLER)
		return fail(EIMAGE, "it was saved in a signal's handler that had interrupted the beginning of a function of the vDSO, "
				    "and the kernel is another since then");
	return ret ? fail_for(ret, "what stands in for its vDSO") : 0;
}

/* --- save --- */

/* It is the workload's own memory, and may say anything. */
static bool is_sound(const struct stand_in *s, const struct vma *v)
{
	uint64_t at = v->start;

	if (s->spare > 1 || s->n < 2 || s->n > sizeof(s->was) / sizeof(*s->was))
		return false;
	for (size_t i = 0; i < s->n; i++) {
		const bool last = i + 1 == s->n;

		if (s->was[i].start != at || s->was[i].end <= at || s->was[i].end > v->end || (s->was[i].end & 0xfff) ||
		    (last ? strcmp(s->was[i].name, "[vdso]") : strncmp(s->was[i].name, "[vvar", 5)) ||
		    !memchr(s->was[i].name, '\0', sizeof(s->was[i].name)))
			return false;
		at = s->was[i].end;
	}
	return true;
}

bool vdso_stands_in(const struct process *p, const struct vma *v, struct stand_in *what)
{
	struct {
		char magic[sizeof(MAGIC)];
		struct stand_in what;
	} header;

	if (v->name[0] || v->shared || v->prot != (PROT_READ | PROT_EXEC) ||
	    task_read(p->tid, &header, v->start + HEADER_AT, sizeof(header)) ||
	    memcmp(header.magic, MAGIC, sizeof(header.magic)) || !is_sound(&header.what, v))
		return false;
	*what = header.what;
	return true;
}

/* /lib/ld-linux-aarch64.so.1, /lib/x86_64-linux-gnu/ld-2.31.so; musl's is the C library as well, in which threads may stay. */
static bool is_linker(const struct vma *v)
{
	const char *name = strrchr(v->name, '/');

	return name && v->prot & PROT_EXEC && !strncmp(name, "/ld-", 4) && strncmp(name, "/ld-musl", 8);
}

void vdso_see(struct process *p, const struct vma *v)
{
	struct vma rest = *v;
	struct stand_in s;

	if (is_linker(v)) {
		p->linker = v->start;
		p->linker_end = v->end;
	}
	if (!strcmp(v->name, "[vdso]")) {
		p->vdso = v->start;
		p->vdso_end = v->end;
	}
	for (; rest.start < rest.end && vdso_stands_in(p, &rest, &s); rest.start = end_of(&s))
		if (!s.spare)
			p->stand_in = s;
}

static int see_vma(void *arg, struct vma *v)
{
	vdso_see(arg, v);
	return 0;
}

bool vdso_holds(struct process *p, const struct arch_regs *regs)
{
	const uint64_t pc = arch_pc(regs);
	struct arch_interrupted call;

	arch_interrupted(regs, &call);
	if (call.error)	/* it sleeps, as most do, and never there */
		return false;
	if (!p->vdso && !p->stand_in.n)
		(void)proc_vmas(p->tid, false, see_vma, p);
	if ((pc >= p->vdso && pc < p->vdso_end) || (p->linker && pc >= p->linker && pc < p->linker_end))
		return true;
	return p->stand_in.n && judge(&p->stand_in, true, p->tid, pc, arch_sp(regs)) > 0;
}

int vdso_clock_offset(struct process *p, int64_t *monotonic, int64_t *boottime)
{
	struct header header;

	*monotonic = *boottime = 0;
	if (!p->vdso && !p->stand_in.n)
		(void)proc_vmas(p->tid, false, see_vma, p);
	if (!p->stand_in.n)
		return 0;
	if (task_read(p->tid, &header, start_of(&p->stand_in) + HEADER_AT, sizeof(header)))
		return fail(EFAULT, "what stands in for its vDSO cannot be read");
	*monotonic = header.monotonic;
	*boottime = header.boottime;
	return 0;
}
