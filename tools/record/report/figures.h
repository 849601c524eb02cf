/* SPDX-License-Identifier: GPL-2.0 */
/* The figures of tables: what they are called, and how they are had. */
#ifndef REPORT_FIGURES_H
#define REPORT_FIGURES_H

#include "charts.h"
#include "html.h"
#include "iotlb_counters.h"

enum figure_kind {
	FIGURE_COUNT,
	FIGURE_SHARE, /* 0 to 1 */
	FIGURE_TIME,  /* nanoseconds */
};

/**
 * struct figure - something that is told of a virtqueue, a device or all
 * @name:	heading of its column
 * @help:	what it is, in a sentence
 * @kind:	how it is written
 * @of_device:	makes no sense for a single virtqueue
 * @needs:	counters, as in struct source_ops; not known if one is not
 * @counters:	sum of these, 0 if it is @value
 * @value:	this
 */
struct figure {
	const char *name;
	const char *help;
	enum figure_kind kind;
	bool of_device;
	uint64_t needs;
	uint32_t counters;
	double (*value)(const struct iotlb_counters *counters);
};

#define FIGURES 15

extern const struct figure figures[FIGURES];

/* NAN if it is not known to this record. */
double figure_value(const struct figure *figure, const struct record *record,
		    const struct iotlb_counters *counters);

/* As text. */
char *figure_text(char buffer[HTML_SIZE], const struct figure *figure, const struct record *record,
		  const struct iotlb_counters *counters);

#endif /* REPORT_FIGURES_H */
