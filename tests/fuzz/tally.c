// SPDX-License-Identifier: GPL-2.0
#include "tally.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <linux/vhost.h>

#include "vhost_msg_v3.h"

void tally_count(struct tally *t, const struct message *m, ssize_t result)
{
	static const struct {
		int error;
		enum ending ending;
	} errors[] = {
		{EINVAL, ENDED_EINVAL},		{E2BIG, ENDED_E2BIG},	{EFAULT, ENDED_EFAULT},
		{ENODEV, ENDED_ENODEV},		{ESTALE, ENDED_ESTALE}, {ENXIO, ENDED_ENXIO},
		{EOPNOTSUPP, ENDED_EOPNOTSUPP},
	};
	uint32_t version;

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (result == -errors[i].error)
			t->endings[errors[i].ending]++;
	if (result < 0)
		return;
	memcpy(&version, m->bytes, sizeof(version));
	if (version != VHOST_IOTLB_MSG_V3) {
		t->endings[ENDED_WELL]++;
		return;
	}
	t->endings[result < (ssize_t)m->length ? ENDED_SHORT : ENDED_WELL]++;
	t->ops += result / sizeof(struct vhost_iotlb_op);
}

void tally_add(struct tally *sum, const struct tally *other)
{
	for (int i = 0; i < NR_ENDINGS; i++)
		sum->endings[i] += other->endings[i];
	sum->ops += other->ops;
}

void tally_print(const struct tally *t)
{
	static const char *const names[NR_ENDINGS] = {
		"good",	  "short",  "EINVAL", "E2BIG",	    "EFAULT",
		"ENODEV", "ESTALE", "ENXIO",  "EOPNOTSUPP",
	};

	printf("#");
	for (int i = 0; i < NR_ENDINGS; i++)
		printf(" %s %" PRIu64, names[i], t->endings[i]);
	printf("\n# %" PRIu64 " operations of version 3", t->ops);
	printf(", %" PRIu64 " messages that evicted", t->evictions);
	printf(", %" PRIu64 " mappings at most\n", t->most);
	printf("# %" PRIu64 " misses, %" PRIu64 " of them again after ESTALE", t->misses, t->anew);
	printf("; %" PRIu64 " mappings of rings\n", t->rings);
}

bool tally_is_complete(const struct tally *t)
{
	for (int i = 0; i < NR_ENDINGS; i++)
		if (!t->endings[i])
			return false;
	return t->misses && t->rings;
}
