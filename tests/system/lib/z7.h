/* SPDX-License-Identifier: MIT */
/* A vector register of aarch64 that keeps its value, from beginning to end of a loop that makes no call. */
#ifndef Z7_H
#define Z7_H

#include <stdbool.h>
#include <stdint.h>

/*
 * enter, leave: instructions before and behind it, of streaming mode or ""; ready: becomes 1; go: ends it.  Is all of Z7 as it was,
 * also what the ordinary registers have not?
 */
#define HOLD_Z7(enter, leave, ready, go)                                                                                       \
	({                                                                                                                     \
		uint64_t same_;                                                                                                \
		\
		__asm__ volatile(".arch armv9-a+sme\n" enter                                                                  \
				 "	index z7.d, #3, #5\n"                                                                  \
				 "	str %w[one], [%[ready_]]\n"                                                            \
				 "1:	ldr w9, [%[go_]]\n"                                                                    \
				 "	cbz w9, 1b\n"                                                                          \
				 "	index z6.d, #3, #5\n"                                                                  \
				 "	ptrue p0.d\n"                                                                          \
				 "	cmpeq p0.d, p0/z, z6.d, z7.d\n"                                                        \
				 "	cntp %[same], p0, p0.d\n"                                                              \
				 "	cntd x9\n"                                                                             \
				 "	cmp %[same], x9\n"                                                                     \
				 "	cset %[same], eq\n" leave                                                              \
				 : [same] "=&r"(same_)                                                                         \
				 : [ready_] "r"(ready), [go_] "r"(go), [one] "r"(1)                                            \
				 : "x9", "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10",    \
				   "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23",  \
				   "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");                                    \
		same_ != 0;                                                                                                    \
	})
#define HOLD_Z7_STREAMING(ready, go) HOLD_Z7("	smstart sm\n", "	smstop sm\n", ready, go)

#endif
