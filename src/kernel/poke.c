/* SPDX-License-Identifier: MIT */
#include "kernel/poke.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The call itself, as a C library's ptrace(3) returns the word in another way. */
static int peek_word(pid_t tid, uint64_t at, unsigned long *word)
{
	return syscall(SYS_ptrace, PTRACE_PEEKDATA, tid, (unsigned long)at, word) < 0 ? -errno : 0;
}

static int poke_word(pid_t tid, uint64_t at, unsigned long word)
{
	return syscall(SYS_ptrace, PTRACE_POKEDATA, tid, (unsigned long)at, word) < 0 ? -errno : 0;
}

int poke(pid_t tid, bool write, void *here, uint64_t there, size_t len)
{
	uint8_t *bytes = here;

	while (len) {
		unsigned long word = 0;
		const size_t before = (size_t)(there % sizeof(word));	/* words do not cross pages */
		const size_t n = sizeof(word) - before < len ? sizeof(word) - before : len;
		int err = 0;

		if (!write || n < sizeof(word))
			err = peek_word(tid, there - before, &word);
		if (!err && !write)
			memcpy(bytes, (const uint8_t *)&word + before, n);
		if (!err && write) {
			memcpy((uint8_t *)&word + before, bytes, n);
			err = poke_word(tid, there - before, word);
		}
		if (err)
			return err;
		bytes += n;
		there += n;
		len -= n;
	}
	return 0;
}
