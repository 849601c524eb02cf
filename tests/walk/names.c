// SPDX-License-Identifier: GPL-2.0
#include "names.h"

const char *const path_names[NR_PATHS] = {
	[PATH_UNKNOWN] = "-",
	[PATH_LEGACY_SECOND] = "legacy",
	[PATH_LEGACY_PASS_THROUGH] = "legacy-pass-through",
	[PATH_FIRST] = "first",
	[PATH_SECOND] = "second",
	[PATH_NESTED] = "nested",
	[PATH_PASS_THROUGH] = "pass-through",
};
