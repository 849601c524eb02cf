/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices that have missed and are not served: those that are to be looked for,
 * and those that were not found or could not be taken, which are left alone for
 * a while.
 */
#ifndef IOTLB_STRANGERS_H
#define IOTLB_STRANGERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ids are given out one after the other, so that these have a slot each. */
#define STRANGERS_SLOTS 4096

/**
 * struct stranger - one of them
 * @dev:	the device
 * @until_ns:	when it is no stranger any more, STRANGER_WANTED while it is to
 *		be looked for
 */
struct stranger {
	uint64_t dev;
	uint64_t until_ns;
};

#define STRANGER_WANTED UINT64_MAX

/**
 * struct strangers - all of them; all zero is none
 * @wanted:	how many are wanted
 * @slots:	each device has the one that it may have, which costs at worst a
 *		search more
 */
struct strangers {
	size_t wanted;
	struct stranger slots[STRANGERS_SLOTS];
};

/* Is it to be looked for, or left alone? */
bool strangers_know(const struct strangers *strangers, uint64_t dev, uint64_t now_ns);

/* Is it to be looked for? */
bool strangers_want(const struct strangers *strangers, uint64_t dev);

/* It is to be looked for. */
void strangers_add(struct strangers *strangers, uint64_t dev);

/* Whatever it was, it is to be left alone until then; 0 to know it no more. */
void strangers_ignore(struct strangers *strangers, uint64_t dev, uint64_t until_ns);

/**
 * strangers_next_wanted() - one that is to be looked for
 * @strangers:	@wanted is not zero
 * @slot:	where to begin, 0 at first; set to where it was found
 */
uint64_t strangers_next_wanted(const struct strangers *strangers, size_t *slot);

#endif /* IOTLB_STRANGERS_H */
