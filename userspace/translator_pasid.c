// SPDX-License-Identifier: GPL-2.0
/*
 * For requests with a PASID: the walk begins at what was bound or attached, and
 * the rest stands in the guest's memory. A first level that was bound is nested in
 * the second level that the guest's IOMMU has for the device; where it has none,
 * what comes out is a guest-physical address already. Nobody chooses this by name,
 * since it is for whatever PASIDs there are, beside the translator for the rest.
 */
#include "pasid_walk.h"
#include "sva.h"
#include "trail.h"
#include "translator.h"

static enum vtd_fault find_view(const struct lookup *lookup, struct trail_walk *walk,
				struct pasid_view *view, struct vtd_walk *where)
{
	const struct vtd_unit *unit = lookup->view ? &lookup->view->unit : NULL;
	const struct sva_space *space = lookup->space;
	struct vtd_parent second = {};
	enum vtd_fault fault;

	if (!space->binding) {
		pasid_view_attached(view, unit, space->pasid, space->table);
		return VTD_OK;
	}
	if (lookup->view) {
		fault = second_level_find(lookup->view, trail_read, walk, &second, where);
		if (fault)
			return fault;
	}
	pasid_view_bound(view, unit, space->pasid, space->binding, &second);
	return VTD_OK;
}

static int pasid_translate(struct translator *translator, const struct lookup *lookup,
			   struct finding *finding)
{
	struct vtd_translation found;
	struct trail_walk walk;
	struct pasid_view view;
	enum vtd_fault fault;

	(void)translator;
	/* The device's trail is of its requests without PASID. */
	trail_begin(&walk, &lookup->memory, NULL, lookup->iova);
	fault = find_view(lookup, &walk, &view, &finding->walk);
	if (!fault)
		fault = pasid_walk(&view, lookup->iova, lookup->access, trail_read, &walk, &found,
				   &finding->walk);
	trail_end(&walk);
	return translator_walked(lookup, fault, &found, finding);
}

const struct translator_ops translator_pasid = {
	.name = "pasid",
	.summary = "walks the guest's own tables for a PASID",
	.reads_memory = true,
	.translate = pasid_translate,
};
