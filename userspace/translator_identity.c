// SPDX-License-Identifier: GPL-2.0
/*
 * The device sees guest-physical addresses, as without an IOMMU or behind one
 * in pass-through mode.
 */
#include <linux/vhost_types.h>

#include "translator.h"

static int identity_check(const struct translator_args *args)
{
	int err = translator_refuse("identity", "--table", args->table_path);

	return err ? err : translator_refuse("identity", "--vtd", args->vtd_path);
}

static int identity_translate(struct translator *translator, const struct lookup *lookup,
			      struct finding *finding)
{
	(void)translator;
	(void)lookup;

	/* Whoever answers cuts it down to the guest's memory. */
	finding->mapping = (struct mapping){
		.iova = 0,
		.last = UINT64_MAX,
		.gpa = 0,
		.perm = VHOST_ACCESS_RW,
	};
	return 0;
}

const struct translator_ops translator_identity = {
	.name = "identity",
	.summary = "I/O virtual address = guest-physical address",
	.check = identity_check,
	.translate = identity_translate,
};
