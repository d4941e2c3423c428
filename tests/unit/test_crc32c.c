/* SPDX-License-Identifier: MIT */
/* The checksum: known values, and every implementation against one bit at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "image/crc32c.h"

static uint32_t bitwise(uint32_t crc, const uint8_t *p, size_t len)
{
	int bit;

	crc = ~crc;
	while (len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78U : crc >> 1;
	}
	return ~crc;
}

static crc32c_function *implementations[3] = { crc32c, crc32c_portable };
static size_t count = 2;

static uint8_t data[16 * 1024];

/* RFC 3720, appendix B.4 */
static void test_known_values(void **state)
{
	static const uint8_t read_command[48] = {
		0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 4, 0,
		0, 0, 0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
	};
	uint8_t zeros[32], ones[32], up[32], down[32];
	size_t i;

	(void)state;
	for (i = 0; i < 32; i++) {
		zeros[i] = 0;
		ones[i] = 0xff;
		up[i] = (uint8_t)i;
		down[i] = (uint8_t)(31 - i);
	}
	for (i = 0; i < count; i++) {
		assert_int_equal(implementations[i](0, NULL, 0), 0);
		assert_int_equal(implementations[i](77, NULL, 0), 77);
		assert_int_equal(implementations[i](0, "123456789", 9), 0xe3069283);
		assert_int_equal(implementations[i](0, zeros, 32), 0x8a9136aa);
		assert_int_equal(implementations[i](0, ones, 32), 0x62a8ab43);
		assert_int_equal(implementations[i](0, up, 32), 0x46dd794e);
		assert_int_equal(implementations[i](0, down, 32), 0x113fdb5c);
		assert_int_equal(implementations[i](0, read_command, 48), 0xd9963a56);
	}
}

/* Every length through all block sizes, at every alignment. */
static void test_lengths(void **state)
{
	size_t len, i;

	(void)state;
	for (len = 0; len < 7200; len += len < 1000 ? 1 : 37) {
		const uint8_t *p = data + len % 9;
		uint32_t want = bitwise(0x12345678, p, len);

		for (i = 0; i < count; i++)
			assert_int_equal(implementations[i](0x12345678, p, len), want);
	}
}

static void test_pieces(void **state)
{
	uint32_t whole = bitwise(0, data, 9000);
	size_t cut, i;

	(void)state;
	for (cut = 0; cut <= 9000; cut += 113)
		for (i = 0; i < count; i++)
			assert_int_equal(implementations[i](implementations[i](0, data, cut), data + cut, 9000 - cut),
					 whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_pieces),
	};
	size_t i;

	srand(1);
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(rand() >> 7);
	if (arch_crc32c())
		implementations[count++] = arch_crc32c();
	else
		print_message("this CPU has no CRC-32C of its own: the plain one alone is tested\n");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
