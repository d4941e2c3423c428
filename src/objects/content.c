/* SPDX-License-Identifier: MIT */
#include "objects/content.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "config.h"
#include "image/crc32c.h"

int content_read(int fd, Content *content)
{
	uint8_t bytes[32 * 1024];	/* stays in the cache nearest to the processor */
	ssize_t n;

	*content = (Content)Content_init_zero;
	for (off_t at = 0; (n = pread(fd, bytes, sizeof(bytes), at)) > 0; at += n)
		content->crc = crc32c(content->crc, bytes, (size_t)n);
	if (IS_ON_EMBED && !n)
		build_id_read(fd, &content->build_id);
	return n ? -errno : 0;
}

uint64_t content_mtime(const struct stat *st)
{
	return (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
}

/*
 * Does the kernel make it up as it is read?  Its time is then that of the first look at it since the machine was booted, or since
 * memory was short, and its size nothing that a reader goes by.
 */
static bool is_of_kernel(int fd)
{
	static const uint32_t kernels[] = { PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC,
					    TRACEFS_MAGIC, SECURITYFS_MAGIC };
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return false;
	for (size_t i = 0; i < sizeof(kernels) / sizeof(*kernels); i++)
		if ((uint32_t)fs.f_type == kernels[i])
			return true;
	return false;
}

int content_same(int fd, const struct stat *st, uint64_t size, const Content *was, uint64_t mtime_ns,
		 char why[CONTENT_WHY])
{
	char then[BUILD_ID_TEXT], now[BUILD_ID_TEXT];
	Content is;
	int err;

	if (!was && (((uint64_t)st->st_size == size && content_mtime(st) == mtime_ns) || is_of_kernel(fd)))
		return 1;
	if ((uint64_t)st->st_size != size) {
		snprintf(why, CONTENT_WHY, "%" PRIu64 " bytes then, %lld now", size, (long long)st->st_size);
		return 0;
	}
	snprintf(why, CONTENT_WHY, was ? "its content" : "time of modification");
	if (!was)
		return 0;
	err = content_read(fd, &is);
	if (err)
		return err;
	/* it has one unless a tinyckpt without CONFIG_EMBED has looked, and the checksum is of all bytes */
	if (IS_ON_EMBED && was->build_id.size && (is.build_id.size != was->build_id.size ||
						  memcmp(is.build_id.bytes, was->build_id.bytes, was->build_id.size))) {
		snprintf(why, CONTENT_WHY, "build-id %s then, %s now", build_id_text(&was->build_id, then),
			 build_id_text(&is.build_id, now));
		return 0;
	}
	return is.crc == was->crc;
}
