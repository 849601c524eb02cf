// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "log.h"
#include "translator.h"

const struct translator_ops *const translators[] = {
	&translator_identity,
	&translator_table,
	&translator_vtd,
	NULL,
};

const struct translator_ops *translator_by_name(const char *name)
{
	const struct translator_ops *const *ops;

	for (ops = translators; *ops; ops++)
		if (!strcmp((*ops)->name, name))
			return *ops;
	return NULL;
}

int translator_refuse(const char *name, const char *option, const char *path)
{
	if (!path)
		return 0;
	log_error("%s %s makes no sense with --translator %s, which does not go by it; leave one "
		  "out",
		  option, path, name);
	return -EINVAL;
}

int translator_walked(const struct lookup *lookup, enum vtd_fault fault,
		      const struct vtd_translation *found, struct finding *finding)
{
	int err;

	if (fault && fault != VTD_FAULT_ACCESSED_DIRTY)
		return -ENOENT;
	err = guest_memory_check(&lookup->memory);
	if (err)
		return err;

	finding->mapping = (struct mapping){
		.iova = found->iova,
		.last = found->iova + (found->size - 1),
		.gpa = found->gpa,
		.perm = found->perm,
	};
	return fault ? -ENOENT : 0;
}
