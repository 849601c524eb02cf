// SPDX-License-Identifier: GPL-2.0
/*
 * The device sees guest-physical addresses, as without an IOMMU or behind one
 * in pass-through mode.
 */
#include <errno.h>
#include <linux/vhost_types.h>

#include "log.h"
#include "translator.h"

static int identity_check(const struct translator_args *args)
{
	if (args->table_path) {
		log_error("--table %s makes no sense with --translator identity, which maps every "
			  "address to itself; leave one out",
			  args->table_path);
		return -EINVAL;
	}
	return 0;
}

static int identity_translate(struct translator *translator, uint64_t dev, uint64_t iova,
			      struct mapping *mapping)
{
	(void)translator;
	(void)dev;
	(void)iova;

	/* Whoever answers cuts it down to the guest's memory. */
	*mapping = (struct mapping){
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
