/* SPDX-License-Identifier: GPL-2.0 */
/* What the checks of a program that resolves misses have in common. */
#ifndef KERNEL_TEST_RESOLVE_H
#define KERNEL_TEST_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "hook.h"

/* Guest physical address of a page, by the usual memory table. */
uint64_t page_gpa(unsigned int page);

/* Answer misses in @nr pages from @page on: they are where the pages from @at on are. */
struct hook_answer *resolve_pages(struct hook *h, unsigned int page, unsigned int nr,
				  unsigned int at, int perm);

/* A device that has nothing in its IOTLB but the rings, and a hook that passes. */
struct device *resolve_open(struct hook **h);

/* The checks below are parts of checks. */
bool nothing_to_read(const struct device *d);
bool reads_miss(const struct device *d, uint64_t iova);
bool is_asked(const struct hook *h, unsigned int calls);

/* The frame @tag comes out if it is put on the page @at and offered as @page. */
bool is_sent(struct device *d, unsigned int page, unsigned int at, uint32_t tag);

/* Once @page is mapped, TX has given back @used buffers. */
bool goes_on(struct device *d, unsigned int page, unsigned int used);

#endif /* KERNEL_TEST_RESOLVE_H */
