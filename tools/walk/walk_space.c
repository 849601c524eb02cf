// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "pasid_walk.h"
#include "walk_space.h"

struct vtd_unit walk_space_any_unit(void)
{
	const struct sva_table any = {.bits = SVA_PASID_BITS};
	struct pasid_view view;

	/* iotlbd chooses it. */
	pasid_view_attached(&view, NULL, 0, &any);
	return view.unit;
}
