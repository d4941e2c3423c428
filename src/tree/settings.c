/* SPDX-License-Identifier: MIT */
#include "tree/settings.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "arch.h"
#include "base/error.h"
#include "base/log.h"
#include "config.h"
#include "kernel/abi.h"

/* In the place of an argument: a word that the kernel writes; the value. */
enum { WORD = 0x7fff, VALUE = 0x7ffe };

/*
 * The answer is what the call returns, or else the word.  Only one that has the bits `told` says something.  By `set`, the call of
 * the same number that sets it (without those bits), images know it; without that it is refused.
 */
static const struct setting {
	char name[24];
	int16_t nr, ask[4], set[3];
	int8_t usual;
	uint8_t told;
} table[] = {
	{ "PR_SET_TSC", SYS_prctl, { 25, WORD }, { 26, VALUE }, 1, 0 },
	{ "PR_SET_SPECULATION_CTRL", SYS_prctl, { 52, 0 }, { 53, 0, VALUE }, 3, 1 },
	{ "PR_MCE_KILL", SYS_prctl, { 34 }, { 33, 1, VALUE }, 2, 0 },
	{ "PR_SET_IO_FLUSHER", SYS_prctl, { 58 }, { 57, VALUE }, 0, 0 },
	{ "PR_SET_MEMORY_MERGE", SYS_prctl, { 68 }, { 67, VALUE }, 0, 0 },
	{ "PR_RSEQ_SLICE_EXTENSION", SYS_prctl, { 79, 1 }, { 79, 2, VALUE }, 0, 0 },
	{ "a memory policy", SYS_get_mempolicy, { WORD }, { 0 }, 0, 0 },
	{ "a keyring", SYS_keyctl, { 0, -1 }, { 0 }, 0, 0 },	/* of the thread; of the process */
	{ "a keyring", SYS_keyctl, { 0, -2 }, { 0 }, 0, 0 },
	/* number 0 of those that io_uring_register(2) lets live without a descriptor */
	{ "io_uring", SYS_io_uring_enter, { 0, 0, 0, 1 << 4 }, { 0 }, 1, 0 },
	ARCH_SETTINGS
};
enum { SETTINGS = (int)(sizeof(table) / sizeof(*table)) };
_Static_assert(SETTINGS <= (int)SETTINGS_MAX, "more settings than there is room for");

static long argument(int16_t arg, long word, long value)
{
	return arg == WORD ? word : arg == VALUE ? value : arg;
}

static void question(const struct setting *t, long word, long args[6])
{
	for (int i = 0; i < 6; i++)
		args[i] = i < 4 ? argument(t->ask[i], word, 0) : 0;
}

static long sense(const struct setting *t, long result, long word)
{
	const long value = result ? result : word;

	return result < 0 || (value & t->told) != t->told ? t->usual : value;
}

void settings_ask(struct program *p, struct settings_facts *f)
{
	f->words_at = program_data(p, NULL, SETTINGS * sizeof(long));
	f->first = (int)p->ops;
	for (size_t i = 0; i < SETTINGS; i++) {
		long args[6];

		question(&table[i], f->words_at + (long)(i * sizeof(long)), args);
		program_op(p, 0, table[i].nr, args);
	}
}

void settings_answers(struct settings *s, const struct program *p, const struct settings_facts *f)
{
	const long *word = program_read(p, f->words_at);

	for (size_t i = 0; i < SETTINGS; i++)
		s->value[i] = sense(&table[i], program_result(p, f->first + (int)i), word[i]);
}

/* By which images know it. */
static uint32_t number(const struct setting *t)
{
	return (uint32_t)t->set[0] | (t->set[1] == VALUE ? 0 : (uint32_t)t->set[1] << 16);
}

int settings_save(const struct settings *s, Thread *m)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *t = &table[i];

		if (s->value[i] == t->usual)
			continue;
		if (!t->set[0] || !IS_ON_SETTINGS)
			return fail(EHOLDS, "thread %u: %s: %s", m->tid, t->name,
				    t->set[0] ? "this tinyckpt was built without CONFIG_SETTINGS" : "not supported");
		m->setting[m->setting_count++] = number(t);
		m->setting_value[m->setting_value_count++] = (uint64_t)s->value[i];
	}
	return 0;
}

static const struct setting *find(uint32_t wanted)
{
	const struct setting *t = table;

	while (t < table + SETTINGS && (!t->set[0] || number(t) != wanted))
		t++;
	return t < table + SETTINGS ? t : NULL;
}

/* What tinyckpt itself has, and so everyone that it makes. */
static long own(const struct setting *t, long *value)
{
	long word = 0, args[6], result;

	question(t, (long)&word, args);
	result = syscall(t->nr, args[0], args[1], args[2], args[3], args[4]);
	*value = sense(t, result, word);
	return result;
}

int settings_check(const Thread *m)
{
	if (!IS_ON_SETTINGS)
		return m->setting_count ? fail(EIMAGE, "thread %u: this tinyckpt was built without CONFIG_SETTINGS", m->tid) : 0;
	if (m->setting_count != m->setting_value_count)
		return fail(EIMAGE, "thread %u: its settings are absurd", m->tid);
	for (size_t i = 0; i < m->setting_count; i++) {
		const struct setting *t = find(m->setting[i]);
		long value;

		if (!t)
			return fail(EIMAGE, "thread %u: setting %#x: made by a newer tinyckpt", m->tid, m->setting[i]);
		if (own(t, &value) < 0)
			return fail(EIMAGE, "thread %u: it has %s, which cannot be had here", m->tid, t->name);
	}
	return 0;
}

void settings_add(struct program *p, const Thread *m)
{
	for (size_t i = 0; IS_ON_SETTINGS && i < m->setting_count; i++) {
		const struct setting *t = find(m->setting[i]);
		const long value = (long)m->setting_value[i], set = value & ~(long)t->told;
		long now;

		if (own(t, &now) < 0 || now != value)
			program_call(p, OP_MUST, t->nr, t->set[0], argument(t->set[1], 0, set), argument(t->set[2], 0, set));
	}
}
