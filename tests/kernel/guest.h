/* SPDX-License-Identifier: GPL-2.0 */
/* What the checks of a program that reads the guest's memory have in common. */
#ifndef KERNEL_TEST_GUEST_H
#define KERNEL_TEST_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "hook.h"

/* Pages with something to read. */
#define TABLE_PAGE 20
#define NR_TABLES 4

/* Put something there, and on the page behind them. */
void guest_fill(const struct device *d);

/*
 * A device with something to read, that misses, and whose program is asked
 * again at each kick.
 */
struct device *guest_open(struct hook **h);

/*
 * The checks below are parts of checks: the program reads, gets @error, and,
 * without one, what is at @from. With one, it gets zeros.
 */

/* One word is read both ways. */
bool guest_reads(struct device *d, struct hook *h, uint64_t gpa, unsigned int size, int error,
		 const void *from);

/* To an address that is @offset bytes beyond a multiple of 8. */
bool guest_reads_to(struct device *d, struct hook *h, uint64_t gpa, unsigned int size,
		    unsigned int offset, int error, const void *from);

/* By bpf_vhost_guest_read_u64(). */
bool guest_reads_word(struct device *d, struct hook *h, uint64_t gpa, int error, const void *from);
bool guest_reads_word_to(struct device *d, struct hook *h, uint64_t gpa, unsigned int offset,
			 int error, const void *from);

/* What the hook was set to read, and has read once since there were @calls. */
bool guest_has_read(const struct hook *h, uint64_t calls, int error, const void *from);

#endif /* KERNEL_TEST_GUEST_H */
