/* SPDX-License-Identifier: MIT */
#include "tree/credentials.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/prctl.h>
#include <string.h>

#include "base/log.h"
#include "kernel/abi.h"

/* struct __user_cap_header_struct and _data of linux/capability.h, version 3 */
static void add_capset(struct program *p, const Thread *m)
{
	const struct {
		uint32_t version;
		int pid;
	} head = { 0x20080522, 0 };
	const struct {
		uint32_t effective, permitted, inheritable;
	} data[2] = {
		{ (uint32_t)m->cap_effective, (uint32_t)m->cap_permitted, (uint32_t)m->cap_inheritable },
		{ (uint32_t)(m->cap_effective >> 32), (uint32_t)(m->cap_permitted >> 32), (uint32_t)(m->cap_inheritable >> 32) },
	};

	program_call(p, OP_MUST, SYS_capset, program_data(p, &head, sizeof(head)), program_data(p, data, sizeof(data)));
}

enum { SECBIT_NO_SETUID_FIXUP_ = 1 << 2 };

static bool same_user(const struct proc_credentials *own, const Thread *m)
{
	return !memcmp(own->uid, m->uid, sizeof(own->uid)) && !memcmp(own->gid, m->gid, sizeof(own->gid)) &&
	       own->groups_n == m->groups_count && !memcmp(own->groups, m->groups, own->groups_n * sizeof(*own->groups));
}

static bool same_sets(const struct proc_credentials *own, const Thread *m)
{
	return own->cap_inh == m->cap_inheritable && own->cap_prm == m->cap_permitted && own->cap_eff == m->cap_effective;
}

/* A thread of root with everything goes on to share its credentials with the others, which the kernel keeps but once. */
static bool same_credentials(const struct inheritance *in, const Thread *m)
{
	const struct proc_credentials *own = &in->credentials;

	return same_user(own, m) && same_sets(own, m) && own->cap_bnd == m->cap_bounding && own->cap_amb == m->cap_ambient &&
	       in->securebits == m->securebits;
}

static void add_user(struct program *p, const Thread *m)
{
	program_call(p, OP_MUST, SYS_prctl, PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP_);
	program_call(p, OP_MUST, SYS_setgroups32, m->groups_count, program_data(p, m->groups, m->groups_count * sizeof(uint32_t)));
	program_call(p, OP_MUST, SYS_setresgid32, (long)m->gid[0], (long)m->gid[1], (long)m->gid[2]);
	program_call(p, 0, SYS_setfsgid32, (long)m->gid[3]);
	program_call(p, OP_MUST, SYS_setresuid32, (long)m->uid[0], (long)m->uid[1], (long)m->uid[2]);
	program_call(p, 0, SYS_setfsuid32, (long)m->uid[3]);
}

/* Identities first, with the kernel told not to touch capabilities meanwhile; then the sets from the outermost inward. */
int credentials_add(struct program *p, const struct inheritance *in, const Thread *m)
{
	const struct proc_credentials *own = &in->credentials;

	if (same_credentials(in, m))
		return 0;
	if (m->cap_permitted & ~own->cap_prm)
		return fail(EPERM, "thread %u: it had capabilities (%#" PRIx64 ") that tinyckpt has not", m->tid,
			    m->cap_permitted & ~own->cap_prm);
	if (!same_user(own, m))	/* a kernel without CONFIG_MULTIUSER has none of these calls */
		add_user(p, m);
	for (int cap = 0; cap < 64; cap++)
		if (own->cap_bnd & ~m->cap_bounding & 1ULL << cap)
			program_call(p, OP_MUST, SYS_prctl, PR_CAPBSET_DROP, cap);
	/* ambient ones must be permitted and inheritable, and are raised while nothing forbids it */
	if (m->cap_ambient) {
		Thread wide = *m;

		wide.cap_effective |= own->cap_eff & 1ULL << 8;	/* CAP_SETPCAP */
		wide.cap_permitted |= own->cap_prm & 1ULL << 8;
		add_capset(p, &wide);
		for (int cap = 0; cap < 64; cap++)
			if (m->cap_ambient & 1ULL << cap)
				program_call(p, OP_MUST, SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	}
	program_call(p, OP_MUST, SYS_prctl, PR_SET_SECUREBITS, (long)m->securebits);
	if (m->cap_ambient || !same_sets(own, m))
		add_capset(p, m);
	return 0;
}
