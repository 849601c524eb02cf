/* SPDX-License-Identifier: GPL-2.0 */
/* Guests whose tables make a walk as long as it can be. */
#ifndef WALK_DEEP_H
#define WALK_DEEP_H

#include <stdbool.h>

#include "guest.h"

enum deep_kind { DEEP_LEGACY, DEEP_SECOND, DEEP_FIRST, DEEP_NESTED };

/**
 * deep_make() - make tables in which a walk uses none twice, but the topmost
 * @guest:	result; no page lies beside another, unless @is_one
 * @kind:	what the request is subject to
 * @levels:	of the tables of each level, 3 to 5; of the first level, 4 or 5
 * @is_one:	the pages lie beside each other
 * @unit:	result
 * @request:	result: to read, with the neighbours of the last entry, which
 *		map the pages next to it
 */
void deep_make(struct guest *guest, enum deep_kind kind, unsigned int levels, bool is_one,
	       struct vtd_unit *unit, struct vtd_request *request);

#endif /* WALK_DEEP_H */
