// SPDX-License-Identifier: GPL-2.0
/*
 * A unit, a request and a guest's memory, as tests/walk/image.h has them: the
 * page walk must end as the reference says.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/walk/compare.h"
#include "walk_mutate.h"

static struct image image;
static struct comparison comparison;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	image_read(data, size, &image);
	if (!compare_walk(&comparison, &image.walk)) {
		compare_print(&comparison, stderr);
		abort();
	}
	return 0;
}
