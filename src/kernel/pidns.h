/* SPDX-License-Identifier: MIT */
/*
 * Working inside another PID namespace (pid_namespaces(7)): by a child of the tool that lives in there, with a /proc of its own,
 * which nobody else sees.  So all numbers are the tree's own.
 */
#ifndef TINYCKPT_KERNEL_PIDNS_H
#define TINYCKPT_KERNEL_PIDNS_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Where *pid lives in another namespace than the tool, a child that does, too, returns with the number that *pid has there.  The
 * caller stays behind, and ends as the child does.  0 or a negative errno, said.  What pidns_tell() has told is the code also if
 * the child is killed then: with the tree, as that takes its namespace along.
 */
int pidns_enter(pid_t *pid);
void pidns_tell(int code);

/*
 * A child returns as process 1 of a new namespace.  The caller stays behind: until pidns_stay() the child dies with it, with all
 * that is in the namespace, and from pidns_alive() on signals are passed on to it; it ends with pidns_end()'s code.  0 or a
 * negative errno, said.
 */
int pidns_make(void);
void pidns_stay(void);
void pidns_alive(void);

/* Tells the caller of pidns_make() the exit code, stays as long as there is any other process in there, and ends. */
int pidns_end(int code);

/* The number that a process of ours has outside; 0: it is not known. */
pid_t pidns_outside(pid_t pid);

/*
 * The other way round: ours of the process that has this number in a namespace of its own, and came to be in that time
 * (proc_stat.start_time); 0: there is none, or it is not known.
 */
pid_t pidns_find(pid_t inside, uint64_t from, uint64_t to);

#endif
