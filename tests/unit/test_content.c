/* SPDX-License-Identifier: MIT */
/* What tells files apart: checksum and build-id, also of files that lie about where their notes are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "objects/content.h"

/* An ELF file with two segments of notes, the build-id's is the second. */
struct sample {
	Elf64_Ehdr e;
	Elf64_Phdr p[3];
	struct {
		Elf64_Nhdr n;
		char name[4];
		uint32_t desc[4];
	} property;
	struct {
		Elf64_Nhdr n;
		char name[4];
		uint8_t id[20];
	} build_id;
	uint8_t rest[100000];
};

static void good(struct sample *s)
{
	memset(s, 0, sizeof(*s));
	memcpy(s->e.e_ident, ELFMAG, SELFMAG);
	s->e.e_ident[EI_CLASS] = ELFCLASS64;
	s->e.e_phoff = offsetof(struct sample, p);
	s->e.e_phnum = 3;
	s->p[0].p_type = PT_LOAD;
	s->p[1] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = offsetof(struct sample, property), .p_filesz = sizeof(s->property) };
	s->p[2] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = offsetof(struct sample, build_id), .p_filesz = sizeof(s->build_id) };
	s->property.n = (Elf64_Nhdr){ 4, 16, 5 };
	memcpy(s->property.name, "GNU", 4);
	s->build_id.n = (Elf64_Nhdr){ 4, 20, NT_GNU_BUILD_ID };
	memcpy(s->build_id.name, "GNU", 4);
	for (int i = 0; i < 20; i++)
		s->build_id.id[i] = (uint8_t)(i + 1);
}

static int file_of(const void *bytes, size_t size)
{
	int fd = memfd_create("content", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	return fd;
}

static unsigned int build_id_size(const struct sample *s, size_t size)
{
	int fd = file_of(s, size);
	Content c;

	assert_int_equal(content_read(fd, &c), 0);
	close(fd);
	if (c.build_id.size == 20)
		assert_memory_equal(c.build_id.bytes, s->build_id.id, 20);
	return c.build_id.size;
}

static void a_build_id(void **state)
{
	static struct sample s;
	char text[BUILD_ID_TEXT];
	Content c;
	int fd;

	(void)state;
	good(&s);
	assert_int_equal(build_id_size(&s, sizeof(s)), 20);
	fd = file_of(&s, sizeof(s));
	assert_int_equal(content_read(fd, &c), 0);
	close(fd);
	assert_string_equal(build_id_text(&c.build_id, text), "0102030405060708090a0b0c0d0e0f1011121314");
	c.build_id.size = 0;
	assert_string_equal(build_id_text(&c.build_id, text), "none");
	s.build_id.n.n_descsz = 8;
	assert_int_equal(build_id_size(&s, sizeof(s)), 8);
}

static void none(void **state)
{
	static struct sample s;

	(void)state;
	good(&s);
	s.e.e_ident[0] = 0;
	assert_int_equal(build_id_size(&s, sizeof(s)), 0);
	good(&s);
	assert_int_equal(build_id_size(&s, 0), 0);
	assert_int_equal(build_id_size(&s, 10), 0);
	assert_int_equal(build_id_size(&s, offsetof(struct sample, build_id) + 20), 0);
	s.build_id.n.n_type = 1;
	assert_int_equal(build_id_size(&s, sizeof(s)), 0);
}

static void lies(void **state)
{
	static struct sample s;
	static const uint64_t absurd[] = { 0, 1, 4095, 4097, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX, UINT64_MAX - 3 };

	(void)state;
	for (size_t i = 0; i < sizeof(absurd) / sizeof(*absurd); i++) {
		good(&s);
		s.e.e_phoff = absurd[i];
		(void)build_id_size(&s, sizeof(s));
		good(&s);
		s.e.e_phnum = (uint16_t)absurd[i];
		(void)build_id_size(&s, sizeof(s));
		good(&s);
		s.p[1].p_offset = absurd[i];
		(void)build_id_size(&s, sizeof(s));
		good(&s);
		s.p[2].p_filesz = absurd[i];
		assert_int_equal(build_id_size(&s, sizeof(s)), absurd[i] == 4095 ? 20 : 0);	/* so many are there */
		good(&s);
		s.build_id.n.n_namesz = (uint32_t)absurd[i];
		assert_int_equal(build_id_size(&s, sizeof(s)), 0);
		good(&s);
		s.build_id.n.n_descsz = (uint32_t)absurd[i];
		assert_true(build_id_size(&s, sizeof(s)) <= 1);
		good(&s);
		s.property.n.n_namesz = (uint32_t)absurd[i];
		(void)build_id_size(&s, sizeof(s));
	}
	good(&s);
	s.e.e_ident[EI_CLASS] = ELFCLASS32;	/* with the fields of the other class */
	(void)build_id_size(&s, sizeof(s));
}

static int same(int fd, uint64_t size, const Content *c, const char *said)
{
	char why[CONTENT_WHY] = "";
	struct stat st = { .st_size = sizeof(struct sample) };
	int ret = content_same(fd, &st, size, c, 0, why);

	if (!ret)
		assert_non_null(strstr(why, said));
	return ret;
}

static void what_differs(void **state)
{
	static struct sample s;
	Content c, unread;
	int fd;

	(void)state;
	good(&s);
	fd = file_of(&s, sizeof(s));
	assert_int_equal(content_read(fd, &c), 0);
	assert_int_equal(same(fd, sizeof(s), &c, ""), 1);
	assert_int_equal(same(fd, sizeof(s) + 1, &c, "bytes then"), 0);
	/* from an image of a tinyckpt without CONFIG_EMBED */
	unread = c;
	unread.build_id.size = 0;
	assert_int_equal(same(fd, sizeof(s), &unread, ""), 1);
	assert_int_equal(pwrite(fd, "x", 1, sizeof(s) - 1), 1);
	assert_int_equal(same(fd, sizeof(s), &c, "its content"), 0);
	assert_int_equal(same(fd, sizeof(s), &unread, "its content"), 0);
	assert_int_equal(pwrite(fd, "x", 1, offsetof(struct sample, build_id.id)), 1);
	assert_int_equal(same(fd, sizeof(s), &c, "build-id 01020304"), 0);
	close(fd);
	assert_true(same(fd, sizeof(s), &c, "") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_build_id), cmocka_unit_test(none), cmocka_unit_test(lies), cmocka_unit_test(what_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
