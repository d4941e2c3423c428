/* SPDX-License-Identifier: MIT */
/*
 * The way home of a thread that is led away: code in dead bytes of its process, on which it would walk back by itself.
 * All return 0 or a negative errno; only way_lay() says why.
 */
#ifndef TINYCKPT_TREE_WAY_HOME_H
#define TINYCKPT_TREE_WAY_HOME_H

#include "tree/visit.h"

/* Finds out where the thread stands, lays its way home and leaves it standing there, all signals blocked. */
int way_lay(struct visit *v, struct visitor *who, const struct restart *restart);

/* At an offset of its way home, ready to walk on by itself. */
int way_stand_at(const struct visitor *who, size_t offset);

/*
 * Where, while every signal is blocked, a thread that walks home by itself tells that it is outside: a word that is not 0 then;
 * 0: nowhere.  0 or a negative errno, said.
 */
int way_tell(const struct visit *v, struct visitor *who, uintptr_t outside);

/* The last steps home, every signal being blocked.  outside: address of a word that is set then; 0: none. */
int way_go_home(const struct visit *v, struct visitor *who, uint64_t outside);

/*
 * All its threads are home.  Where the kernel hides what it means to do (ARCH_HIDES_RESTART) it knows no more of the calls that they
 * stand at: a signal's handler would run first, and a call be made then that might wait for ever for what has been.  So they
 * step into their calls, and stand at the entry, behind which the kernel sees to it that a signal ends them: when they are let
 * go, or the tool dies.
 */
void way_into_calls(struct process *p);

/* Lets go a thread that is held and at home: the call that was ended by its being stopped is made anew. */
void way_let_go(pid_t pid, const struct thread *thread);

/* The last jump of a thread that is home again; what was there is back. */
void way_take_away(const struct visit *v, const struct visitor *who);

#endif
