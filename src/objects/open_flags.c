/* SPDX-License-Identifier: MIT */
#include "objects/open_flags.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>

#include "arch.h"

const char *open_flags_text(uint32_t flags, char text[OPEN_FLAGS_TEXT])
{
	/* One that holds the bits of another comes before it. */
	static const struct {
		uint32_t bits;
		char name[12];
	} named[] = {
		{ O_PATH, "O_PATH" }, { O_APPEND, "O_APPEND" }, { O_NONBLOCK, "O_NONBLOCK" }, { O_SYNC, "O_SYNC" },
		{ O_DSYNC, "O_DSYNC" }, { O_ASYNC, "O_ASYNC" }, { O_DIRECT, "O_DIRECT" }, { ARCH_O_LARGEFILE, "O_LARGEFILE" },
		{ O_DIRECTORY, "O_DIRECTORY" }, { O_NOFOLLOW, "O_NOFOLLOW" }, { O_NOATIME, "O_NOATIME" },
	};
	static const char access[][12] = { "|O_RDONLY", "|O_WRONLY", "|O_RDWR" };
	const unsigned int mode = flags & (O_WRONLY | O_RDWR);
	int len = 0;

	text[0] = text[1] = '\0';
	/* of O_PATH's there is none */
	if (mode <= O_RDWR && !(flags & O_PATH)) {
		len = snprintf(text, OPEN_FLAGS_TEXT, "%s", access[mode]);
		flags &= ~mode;
	}
	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
		if ((flags & named[i].bits) != named[i].bits)
			continue;
		len += snprintf(text + len, (size_t)(OPEN_FLAGS_TEXT - len), "|%.12s", named[i].name);
		flags &= ~named[i].bits;
	}
	if (flags)
		snprintf(text + len, (size_t)(OPEN_FLAGS_TEXT - len), "|%#x", flags);
	return text + 1;
}
