/* SPDX-License-Identifier: MIT */
/*
 * What makes a mapped file the same file.  An update gives it another inode and time, often on another device, and may leave
 * every byte as it was; or it brings other bytes under the same name, size and time (reproducible builds, squashfs).  So what
 * decides is its size, the build-id that its linker gave it, and a checksum of all of it.
 */
#ifndef TINYCKPT_OBJECTS_CONTENT_H
#define TINYCKPT_OBJECTS_CONTENT_H

#include <stdint.h>
#include <sys/stat.h>

#include "file.pb.h"

/* Reads all of a file.  0 or a negative errno, unsaid. */
int content_read(int fd, Content *content);

/*
 * Is it, whose state is ST, what it was: of so many bytes, and this content (NULL: last modified then, or the kernel's, in /proc
 * or /sys)?  1: it is; 0: what differs is in WHY; or a negative errno, unsaid.
 */
enum { CONTENT_WHY = 200 };
int content_same(int fd, const struct stat *st, uint64_t size, const Content *was, uint64_t mtime_ns,
		 char why[CONTENT_WHY]);

/* In nanoseconds since 1970. */
uint64_t content_mtime(const struct stat *st);

/* The build-id of an ELF file; none (size 0) of all that is no whole one.  CONFIG_EMBED. */
void build_id_read(int fd, Content_build_id_t *id);

/* As text, in hexadecimal digits; "none" without one. */
enum { BUILD_ID_TEXT = 2 * 32 + 1 };
const char *build_id_text(const Content_build_id_t *id, char text[BUILD_ID_TEXT]);

#endif
