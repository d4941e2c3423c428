/* SPDX-License-Identifier: MIT */
/* Messages that hold lists side by side, an element of each for one thing. */
#ifndef TINYCKPT_TREE_LISTS_H
#define TINYCKPT_TREE_LISTS_H

#include "image/reader.h"
#include "process.pb.h"
#include "vma.pb.h"

/* Each decodes a record into M, whose lists are of one length then.  0 or -EIMAGE, said. */
int lists_runs(const struct record *rec, Runs *m);
int lists_sigactions(const struct record *rec, Sigactions *m);
int lists_descriptors(const struct record *rec, Descriptors *m);

#endif
