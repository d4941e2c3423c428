/* SPDX-License-Identifier: MIT */
/*
 * hunt PID KEY IMAGE
 *
 * Looks through all memory of a process for the key and for what an encrypted image of it was read with: says what it has
 * found, and where.  It must find all of them in itself (PID "self"), or it could not be believed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sodium/crypto_core_hchacha20.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SECRETS = 4, BYTES = 32, HALF = 16 };

static unsigned char secrets[SECRETS][BYTES];
static const char *const names[SECRETS] = { "the key", "the key of images", "the key of notes", "the key of this image" };

static int load(const char *path, long at, void *to, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || pread(fd, to, len, at) != (ssize_t)len;
}

int main(int argc, char **argv)
{
	static unsigned char piece[1 << 20];
	char path[64], line[512];
	unsigned char header[24];
	int mem, found = 0;
	FILE *maps;

	if (argc != 4 || load(argv[2], 0, secrets[0], BYTES) || load(argv[3], 20, header, sizeof(header)))
		return 2;
	crypto_core_hchacha20(secrets[1], (const unsigned char *)"tinyckpt images ", secrets[0], NULL);
	crypto_core_hchacha20(secrets[2], (const unsigned char *)"tinyckpt newest ", secrets[0], NULL);
	crypto_core_hchacha20(secrets[3], header, secrets[1], NULL);
	snprintf(path, sizeof(path), "/proc/%s/mem", argv[1]);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%s/maps", argv[1]);
	maps = fopen(path, "re");
	if (mem < 0 || !maps)
		return 2;
	while (fgets(line, sizeof(line), maps)) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx", &start, &end) != 2 || strstr(line, "[v"))
			continue;
		for (; start < end; start += sizeof(piece) - BYTES) {
			size_t want = end - start < sizeof(piece) ? end - start : sizeof(piece);
			ssize_t n = pread(mem, piece, want, (off_t)start);

			for (int i = 0; i < 2 * SECRETS && n > 0; i++) {
				unsigned char *at = memmem(piece, (size_t)n, secrets[i / 2] + i % 2 * HALF, HALF);

				if (at) {
					printf("%s: half %d at %lx: %s", names[i / 2], i % 2,
					       start + (unsigned long)(at - piece), line);
					found++;
				}
			}
			if (want < sizeof(piece))
				break;
		}
	}
	return found != 0;
}
