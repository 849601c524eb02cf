// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/vhost_types.h>

#include "answer.h"
#include "memory_table.h"
#include "translator.h"

/* The part of a mapping, around one address, that lies in one region. */
static void clip(const struct mapping *mapping, const struct memory_region *region, uint64_t iova,
		 struct answer *answer)
{
	uint64_t gpa = mapping->gpa + (iova - mapping->iova);
	uint64_t before = iova - mapping->iova;
	uint64_t after = mapping->last - iova;

	if (before > gpa - region->gpa)
		before = gpa - region->gpa;
	if (after > region->last - gpa)
		after = region->last - gpa;

	*answer = (struct answer){
		.iova = iova - before,
		.last = iova + after,
		.hva = region->hva + (gpa - before - region->gpa),
		.perm = mapping->perm,
	};
}

int answer_of(const struct mapping *mapping, const struct lookup *lookup, struct answer *answer)
{
	const struct memory_region *region;

	if ((mapping->perm & lookup->access) != lookup->access)
		return -EACCES;

	region = memory_table_find(lookup->memory.table,
				   mapping->gpa + (lookup->iova - mapping->iova));
	if (!region)
		return -EFAULT;

	clip(mapping, region, lookup->iova, answer);
	return 0;
}

int answer_find(struct translator *translator, const struct lookup *lookup, struct answer *answer,
		struct finding *finding)
{
	int err;

	*finding = (struct finding){};
	if (!lookup->access || (lookup->access & ~VHOST_ACCESS_RW))
		return -EINVAL;

	err = translator->ops->translate(translator, lookup, finding);
	return err ? err : answer_of(&finding->mapping, lookup, answer);
}
