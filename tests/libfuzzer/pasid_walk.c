// SPDX-License-Identifier: GPL-2.0
/*
 * The same as walk.c of the walks for a PASID: as one is bound or attached
 * (userspace/pasid_walk.c), by an image's head; mostly nested. And what is bound is
 * walked as iotlbd does it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "pasid_walk.h"
#include "sva.h"
#include "tests/walk/compare.h"
#include "vtd.h"
#include "walk_mutate.h"

static struct image image;
static struct comparison comparison;

static int read_image(void *memory, enum vtd_table table, int level, __u64 gpa, void *to,
		      __u32 size)
{
	(void)memory;
	(void)table;
	(void)level;
	return guest_read(&image.guest, gpa, to, size / 8) ? 0 : -1;
}

/* A binding says less than the word of a space: the rest is not looked at here. */
static bool view_of(struct pasid_view *view)
{
	const struct vtd_space *space = &image.space;
	const struct sva_binding binding = {
		.root = space->word & VTD_TABLE_ADDRESS,
		.width = space->word & VTD_PASID_FIRST_5_LEVELS_2 ? 57 : 48,
		.flags = (space->word & VTD_PASID_SUPERVISOR_2 ? SVA_BIND_SRE : 0) |
			 (space->word & VTD_PASID_WRITE_PROTECT_2 ? SVA_BIND_WPE : 0),
	};
	const struct sva_table table = {
		.base = space->word & VTD_TABLE_ADDRESS,
		.bits = 13 + (space->word >> 9 & 7),
	};

	if (space->kind == VTD_SPACE_FIRST)
		pasid_view_bound(view, &image.unit, image.request.pasid, &binding, &image.parent);
	else
		pasid_view_attached(view, &image.unit, image.request.pasid, &table);
	return view->space.word == space->word;
}

/* What iotlbd makes of it; it sets no flags. */
static bool walks_alike(void)
{
	struct vtd_translation found;
	struct pasid_view view;
	struct vtd_walk where;
	enum vtd_fault fault;

	image.walk.can_set = false;
	image.request.merge = 1;
	if (!view_of(&view))
		return true;
	if (!compare_walk(&comparison, &image.walk))
		return false;
	fault = pasid_walk(&view, image.request.iova, image.request.access, read_image, NULL,
			   &found, &where);
	if (fault != comparison.returned)
		return false;
	return fault || (found.iova == comparison.translation.iova &&
			 found.gpa == comparison.translation.gpa &&
			 found.size == comparison.translation.size &&
			 found.perm == comparison.translation.perm &&
			 found.level == comparison.translation.level);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	image_read(data, size, &image);
	/* Begun at the root table it is a matter of walk.c. */
	if (!image.walk.space)
		return -1;
	if (!compare_walk(&comparison, &image.walk) || !walks_alike()) {
		compare_print(&comparison, stderr);
		abort();
	}
	return 0;
}
