// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "history.h"

void history_add(struct history *history, double hit_rate, double misses)
{
	const size_t kept = (HISTORY_MAX - 1) * sizeof(double);

	if (history->count == HISTORY_MAX) {
		memmove(history->hit_rate, history->hit_rate + 1, kept);
		memmove(history->misses, history->misses + 1, kept);
		history->count--;
	}
	history->hit_rate[history->count] = hit_rate;
	history->misses[history->count] = misses;
	history->count++;
}

void history_clear(struct history *history)
{
	history->count = 0;
}

size_t history_skip(const struct history *history, size_t width)
{
	return history->count > width ? history->count - width : 0;
}
