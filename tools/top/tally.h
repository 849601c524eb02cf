/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOP_TALLY_H
#define TOP_TALLY_H

#include "model.h"
#include "rates.h"

/* All has been read: what it is in all, and since the sample before. */
static inline void tally_end(struct tally *tally)
{
	struct iotlb_counters before = tally->total;

	tally->total = tally->base;
	counters_add(&tally->total, &tally->now);
	tally->delta = tally->total;
	counters_subtract(&tally->delta, &before);
}

#endif /* TOP_TALLY_H */
