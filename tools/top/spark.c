// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <string.h>

#include "spark.h"

#define LEVELS 8

static const char *const blocks[LEVELS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const ascii[LEVELS] = {"_", ".", ":", "-", "=", "+", "*", "#"};

static double greatest_of(const double *values, size_t count)
{
	double greatest = 0;
	size_t i;

	for (i = 0; i < count; i++)
		if (values[i] > greatest)
			greatest = values[i];
	return greatest;
}

static int level_of(double value, double greatest)
{
	int level;

	if (!(value > 0) || !(greatest > 0))
		return 0;
	level = (int)ceil(value / greatest * (LEVELS - 1));
	return level < LEVELS ? level : LEVELS - 1;
}

char *spark_make(char *text, const double *values, size_t count, double greatest, bool utf8)
{
	const char *const *levels = utf8 ? blocks : ascii;
	char *end = text;
	size_t i;

	if (!(greatest > 0))
		greatest = greatest_of(values, count);
	*end = '\0';
	for (i = 0; i < count; i++)
		end = stpcpy(end, isnan(values[i]) ? " " : levels[level_of(values[i], greatest)]);
	return text;
}
