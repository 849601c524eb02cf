/* SPDX-License-Identifier: GPL-2.0 */
/* How this program calls things when it speaks of them. */
#ifndef WALK_NAMES_H
#define WALK_NAMES_H

#include "reference.h"

extern const char *const path_names[NR_PATHS];

#endif /* WALK_NAMES_H */
