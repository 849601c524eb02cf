// SPDX-License-Identifier: GPL-2.0
#include "slowness.h"

#include <stdlib.h>

unsigned int slowness(void)
{
	const char *factor = getenv("VM_TIMEOUT_FACTOR");

	return factor ? strtoul(factor, NULL, 10) : 1;
}
