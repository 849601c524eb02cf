/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the latest samples have said of all that is shown.
 */
#ifndef TOP_HISTORY_H
#define TOP_HISTORY_H

#include <stddef.h>

/* As wide as terminals are. */
#define HISTORY_MAX 512

/**
 * struct history - values of the latest samples
 * @hit_rate:	0 to 1, NAN if nothing was looked up
 * @misses:	a second
 * @count:	elements in use, the oldest first
 */
struct history {
	double hit_rate[HISTORY_MAX];
	double misses[HISTORY_MAX];
	size_t count;
};

/* The oldest is forgotten if there is no room. */
void history_add(struct history *history, double hit_rate, double misses);

void history_clear(struct history *history);

/* Elements to leave out so that at most @width are left. */
size_t history_skip(const struct history *history, size_t width);

#endif /* TOP_HISTORY_H */
