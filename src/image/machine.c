/* SPDX-License-Identifier: MIT */
#include "image/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arch.h"
#include "base/error.h"
#include "base/log.h"
#include "config.h"

_Static_assert(ARCH_FEATURE_WORDS <= sizeof(((Header *)0)->features) / sizeof(uint64_t), "header.options has too few");

void machine_describe(Header *m)
{
	m->page_size = (uint64_t)getpagesize();
	m->features_count = ARCH_FEATURE_WORDS;
	arch_features(m->features);
}

static const char *nth_text(const char *texts, unsigned int n)
{
	while (n--)
		texts += strlen(texts) + 1;
	return texts;
}

const char *machine_feature_name(unsigned int word, unsigned int bit, char *to, size_t cap)
{
	const char *name = IS_ON_FEATURE_NAMES && word < ARCH_FEATURE_WORDS ? nth_text(arch_feature_names, word) : "";
	size_t len;

	for (unsigned int n = bit; n && *name; n--) {
		name += strcspn(name, ",");
		name += *name == ',';
	}
	len = strcspn(name, ",");
	if (len)
		snprintf(to, cap, "%.*s", (int)len, name);
	else if (word < ARCH_FEATURE_WORDS)
		snprintf(to, cap, "bit %u of %s", bit, nth_text(ARCH_FEATURES, word));
	else
		snprintf(to, cap, "bit %u of features that this tinyckpt does not know", bit);
	return to;
}

static int compare_features(const Header *m, const Header *own)
{
	char lacking[512] = "", name[64];
	size_t len = 0;

	for (unsigned int i = 0; i < m->features_count; i++) {
		const uint64_t has = i < ARCH_FEATURE_WORDS ? own->features[i] : 0;

		for (uint64_t left = m->features[i] & ~has; left && len < sizeof(lacking); left &= left - 1)
			len += (size_t)snprintf(lacking + len, sizeof(lacking) - len, "%s%s", len ? ", " : "",
						machine_feature_name(i, (unsigned int)__builtin_ctzll(left), name, sizeof(name)));
	}
	return len ? fail(EIMAGE, "image needs %s, which this machine lacks", lacking) : 0;
}

int machine_compare(const Header *m)
{
	Header own;
	int err;

	machine_describe(&own);
	err = compare_features(m, &own);
	if (m->page_size != own.page_size)
		err = fail(EIMAGE, "made with pages of %" PRIu64 " bytes, this kernel's are %" PRIu64, m->page_size, own.page_size);
	return err;
}
