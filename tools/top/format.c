// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format.h"

char *format_short(char buffer[FORMAT_SIZE], double value)
{
	static const char units[] = " kMGTPE";
	const char *unit = units;

	/* 999.5 and more would be rounded up to four digits. */
	while (value >= 999.5 && unit[1]) {
		value /= 1000;
		unit++;
	}

	if (value < 0.05 && unit == units)
		strcpy(buffer, value > 0 ? "<0.1" : "0");
	else if (value < 9.95 && (unit > units || value != (int)value))
		snprintf(buffer, FORMAT_SIZE, "%.1f%.*s", value, unit > units, unit);
	else
		snprintf(buffer, FORMAT_SIZE, "%.0f%.*s", value, unit > units, unit);
	return buffer;
}

char *format_exact(char buffer[FORMAT_SIZE], uint64_t value)
{
	snprintf(buffer, FORMAT_SIZE, "%" PRIu64, value);
	return buffer;
}

char *format_percent(char buffer[FORMAT_SIZE], double share)
{
	double percent = share * 100;

	if (isnan(share)) {
		strcpy(buffer, "-");
	} else if (percent <= 0 || percent >= 100) {
		snprintf(buffer, FORMAT_SIZE, "%.0f", percent);
	} else {
		/* Rounding must not claim all or none. */
		if (percent < 0.1)
			percent = 0.1;
		if (percent > 99.9)
			percent = 99.9;
		snprintf(buffer, FORMAT_SIZE, "%.1f", percent);
	}
	return buffer;
}

char *format_us(char buffer[FORMAT_SIZE], double ns)
{
	if (!isnan(ns))
		return format_short(buffer, ns / 1000);
	strcpy(buffer, "-");
	return buffer;
}

void format_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}
