/* SPDX-License-Identifier: MIT */
#include "image/key.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium/crypto_core_hchacha20.h>
#include <sodium/utils.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"

const char key_installed[] = "/etc/tinyckpt/key";

/* HChaCha20 is a pseudorandom function of 16 bytes that differ here. */
void key_derive(struct key *key, const uint8_t bytes[KEY_BYTES])
{
	uint8_t id[KEY_BYTES];

	crypto_core_hchacha20(id, (const uint8_t *)"tinyckpt key id ", bytes, NULL);
	memcpy(key->id, id, sizeof(key->id));
	crypto_core_hchacha20(key->images, (const uint8_t *)"tinyckpt images ", bytes, NULL);
	crypto_core_hchacha20(key->newest, (const uint8_t *)"tinyckpt newest ", bytes, NULL);
}

static int check_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return fail_errno("cannot be read");
	if (!S_ISREG(st.st_mode) || st.st_size != KEY_BYTES)
		return fail(EINVAL, "is no key: that is a file of %d bytes (tinyckpt keygen)", KEY_BYTES);
	if (st.st_mode & 077 || (st.st_uid && st.st_uid != geteuid()))
		return fail(EPERM, "is not used: mode %03o and user %u, and nobody but root may read or write a key (mode 600)",
			    st.st_mode & 0777u, st.st_uid);
	return 0;
}

int key_read(struct key *key, const char *path, bool *none)
{
	CONTEXT("key %s", path);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	uint8_t bytes[KEY_BYTES];
	struct stat st;
	int err;

	/* A link to what is not there, or not yet, says that there is to be one. */
	*none = fd < 0 && path == key_installed && errno == ENOENT && lstat(path, &st);
	if (*none)
		return 0;
	if (fd < 0)
		return fail_errno("cannot be read");
	err = check_file(fd);
	if (err)
		return err;
	err = read_all(fd, bytes, sizeof(bytes));
	if (!err)
		key_derive(key, bytes);
	sodium_memzero(bytes, sizeof(bytes));
	return err ? fail_for(err, "cannot be read") : 0;
}

int key_random(void *to, unsigned int len)
{
	while (len) {
		ssize_t n = getrandom(to, len, 0);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			to = (uint8_t *)to + n;
			len -= (unsigned int)n;
		}
	}
	return 0;
}

struct key_text key_text(const uint8_t id[KEY_ID_BYTES])
{
	struct key_text t;

	for (int i = 0; i < KEY_ID_BYTES; i++)
		snprintf(t.text + 2 * i, 3, "%02x", id[i]);
	return t;
}
