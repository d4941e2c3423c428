/* SPDX-License-Identifier: MIT */
/* Lists of address ranges: what goes in comes out, whatever it is, and what is ordinary takes little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/ranges.h"

struct whole {
	uint64_t start, end, word[RANGES_WORDS_MAX - 2];
};

struct ordinary {
	uint64_t start, end, pgoff;
	uint32_t file, label;
	uint8_t prot, kind;
	bool flags[6];
};

static uint64_t seed;

static uint64_t random_word(void)
{
	seed = seed * 6364136223846793005 + 1442695040888963407;
	return seed ^ seed >> 29;
}

/* The extremes as well as what lies between. */
static uint64_t any_word(void)
{
	switch (random_word() % 4) {
	case 0: return 0;
	case 1: return UINT64_MAX;
	case 2: return random_word() % 200;
	default: return random_word() >> random_word() % 64;
	}
}

static void same_out_as_in(void **state)
{
	enum { N = 3000 };
	static struct whole in[N];
	struct ranges list = { 0 };
	struct whole out;

	(void)state;
	for (int round = 0; round < 3; round++) {
		const size_t size = sizeof(uint64_t) * (size_t)(round == 0 ? 2 : round == 1 ? 5 : RANGES_WORDS_MAX);
		struct ranges_at at = { 0 };
		uint64_t end = 0;

		for (size_t i = 0; i < N; i++) {
			in[i].start = end + (random_word() % 3 ? 0 : random_word() % (1 << 20) * 4096);
			end = in[i].end = in[i].start + (random_word() % 1000 ? random_word() % 300 : random_word() % (1 << 28)) * 4096;
			for (size_t k = 0; k < RANGES_WORDS_MAX - 2; k++)
				in[i].word[k] = any_word();
			assert_int_equal(ranges_add(&list, &in[i], size), 0);
		}
		for (int pass = 0; pass < 2; pass++) {
			at = (struct ranges_at){ 0 };
			for (size_t i = 0; i < N; i++) {
				memset(&out, 0xa5, sizeof(out));
				assert_true(ranges_next(&list, &at, &out, size));
				assert_memory_equal(&out, &in[i], size);
				if (size < sizeof(out))	/* and no more than that */
					assert_int_equal(((uint8_t *)&out)[size], 0xa5);
			}
			memset(&out, 0xa5, sizeof(out));
			assert_false(ranges_next(&list, &at, &out, size));
			assert_false(ranges_next(&list, &at, &out, size));
			assert_int_equal(out.start, 0xa5a5a5a5a5a5a5a5);
		}
		ranges_clear(&list);
	}
	buffer_free(&list.bytes);
}

static void none_in_an_empty_one(void **state)
{
	struct ranges list = { 0 };
	struct ranges_at at = { 0 };
	struct whole out;

	(void)state;
	assert_false(ranges_next(&list, &at, &out, sizeof(out)));
	out = (struct whole){ 4096, 8192, { 1 } };
	assert_int_equal(ranges_add(&list, &out, sizeof(out)), 0);
	ranges_clear(&list);
	assert_false(ranges_next(&list, &at, &out, sizeof(out)));
	buffer_free(&list.bytes);
}

/* As many as Linux allows if nobody asks for more, of a program with many threads and libraries. */
static void as_many_as_there_may_be(void **state)
{
	struct ranges list = { 0 };
	struct ordinary in = { 0 };

	(void)state;
	in.end = 0x7f0000000000;
	for (uint32_t i = 0; i < 65530; i++) {
		in.start = in.end + (i % 3 ? 0 : (1 + random_word() % 64) * 4096);
		in.end = in.start + (i % 2 ? 4096 : 8 << 20);
		in.prot = i % 2 ? 0 : 3;
		in.flags[0] = in.flags[3] = i % 16 == 0;
		in.file = i % 64 < 5 ? i / 64 : 0;
		in.pgoff = i % 64 < 5 ? i % 64 * 0x26000 : 0;
		assert_int_equal(ranges_add(&list, &in, sizeof(in)), 0);
	}
	assert_in_range(list.bytes.len, 65530 * 2, 65530 * 6);
	buffer_free(&list.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_out_as_in),
		cmocka_unit_test(none_in_an_empty_one),
		cmocka_unit_test(as_many_as_there_may_be),
	};

	return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
