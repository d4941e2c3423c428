/* SPDX-License-Identifier: MIT */
/*
 * Fresh memory gets its pages whole (CONFIG_INSTALL_PAGES): userfaultfd(2)'s UFFDIO_COPY makes them with what they hold, where a
 * write from outside has each faulted in and zeroed first, which takes twice as long.  Where that cannot be, they are written.
 */
#ifndef TINYCKPT_TREE_INSTALL_H
#define TINYCKPT_TREE_INSTALL_H

#include <stddef.h>
#include <sys/uio.h>

#include "job/restore.h"
#include "kernel/program.h"

/* Adds the call that it takes to the program that maps r->memory, if it is worth it: its operation, or -1. */
int install_ask(struct restore *r, struct program *p);

/* The program was run, and fd is what the call returned: from now on that memory is filled so. */
void install_begin(struct restore *r, long fd);

/* They are filled: no trace of it stays, once the program has run. */
void install_end(struct memory *m, struct program *p);

/* How many of these len bytes lie in one mapping, or in none: what is filled at once lies so.  They come in order. */
uint64_t install_part(struct restore *r, uint64_t start, uint64_t len);

/*
 * Fills n pieces of whole pages, here, into their places there, in a process.  uffd: of that process's struct memory.
 * Both lists are used up.  More than one thread may.  0 or a negative errno, silently.
 */
int install_pages(int uffd, pid_t pid, struct iovec *here, struct iovec *there, size_t n);

#endif
