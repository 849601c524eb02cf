/* SPDX-License-Identifier: GPL-2.0 */
/* What a check is made of, and how it tells of a failure (TAP). */
#ifndef KERNEL_TEST_CHECK_H
#define KERNEL_TEST_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "slowness.h"

/* Longest wait for something that must happen; far from what it takes. */
#define LIMIT_MS (60000 * (int)slowness())

/* What the modules without the patches do with a check. */
enum on_stock {
	STOCK_LACKS, /* has not what the check needs to begin with */
	STOCK_PASSES,
	STOCK_FAILS, /* at a FEATURE() */
};

struct check {
	const char *name;
	bool (*run)(void);
	enum on_stock stock;
};

struct check_group {
	const char *name;
	const struct check *checks;
	size_t nr_checks;
};

#define CHECK_GROUP(group, list)                                                                   \
	const struct check_group checks_##group = {                                                \
		.name = #group,                                                                    \
		.checks = (list),                                                                  \
		.nr_checks = sizeof(list) / sizeof(*list),                                         \
	}

extern const struct check_group checks_miss, checks_access, checks_update, checks_fdinfo,
	checks_events, checks_evict, checks_split, checks_batch, checks_token, checks_hook,
	checks_retry, checks_watchdog, checks_resolve, checks_resolve_ring, checks_guest_read,
	checks_guest_word, checks_guest_set, checks_regions, checks_asid, checks_asid_move,
	checks_asid_race, checks_fail, checks_fail_race, checks_life;

/* Both end a check with a reason unless @condition holds. */
#define EXPECT(condition, ...)                                                                     \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return check_failed(false, __FILE__, __LINE__, #condition, __VA_ARGS__);   \
	} while (0)

/* What the patches are for: here, and nowhere else, the stock modules fail. */
#define FEATURE(condition, ...)                                                                    \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return check_failed(true, __FILE__, __LINE__, #condition, __VA_ARGS__);    \
	} while (0)

/* Passes on the failure of a part of a check that is a function. */
#define PART(call)                                                                                 \
	do {                                                                                       \
		if (!(call))                                                                       \
			return false;                                                              \
	} while (0)

/* Returns false. */
bool check_failed(bool at_feature, const char *file, int line, const char *condition,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Ends all: the checks cannot be made here. */
void bail_out(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* bail_out() with the reason in errno. */
void bail_out_errno(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif /* KERNEL_TEST_CHECK_H */
