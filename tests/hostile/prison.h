/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory of a guest that is up to no good: each page is a region of the
 * device's memory table, and what lies before and behind it in the owner's
 * memory must not be seen by anybody, nor changed.
 *
 * There, each word is BAIT_ENTRY: an entry that is good in any table and leads to
 * the bait, a page of the guest that has nothing else in it either. So whoever
 * reads an entry from there has a good walk, and sends the bait.
 */
#ifndef HOSTILE_PRISON_H
#define HOSTILE_PRISON_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/kernel/device.h"
#include "tests/walk/deep.h"
#include "tests/walk/reference.h"

/* Words of pages that are no tables, but for what packets have brought. */
#define DATA_WORD(index) (0xda7a000000000000ULL | (index))
#define BROUGHT_WORD 0xb40496b40496b404ULL

/**
 * struct prison - a guest's memory
 * @guest:	what is in it, as we have written it; and where
 * @unit, @request: IOMMU, and a request that can be translated
 * @good:	how it is
 * @bait:	number of the page
 * @data:	of the page that the request leads to
 */
struct prison {
	struct guest guest;
	struct vtd_unit unit;
	struct vtd_request request;
	struct reference good;
	int bait, data;
	uint8_t *cells;
};

/* Tables as deep_make() makes them. */
void prison_open(struct prison *p, enum deep_kind kind, unsigned int levels);

/* What is beyond the pages. */
uint64_t prison_bait_entry(const struct prison *p);

/*
 * What must come of a request: accessed and dirty flags of entries are set if they
 * are not.
 */
void prison_expect(const struct prison *p, const struct vtd_request *request,
		   struct reference *result);

/* The device can reach a page as the owner sees it. */
uint64_t *prison_page(const struct prison *p, int page);

/* Write a word of the guest's memory, as one. */
void prison_write(struct prison *p, uint64_t gpa, uint64_t value);
uint64_t prison_read(const struct prison *p, uint64_t gpa);

/* Have all as it was written, whatever the device has written since. */
void prison_restore(struct prison *p);

/*
 * Tell the device of its memory. Of one page, only @size bytes from @first on
 * are to be in it; @page is negative if there is no such page.
 */
void prison_set_memory(const struct prison *p, const struct device *d, int page, uint64_t first,
		       uint64_t size);

/* Is all as it was, before and behind each page? */
bool prison_is_intact(const struct prison *p);

#endif /* HOSTILE_PRISON_H */
