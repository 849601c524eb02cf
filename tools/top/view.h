/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ways to show samples. A view knows nothing of where they come from.
 */
#ifndef TOP_VIEW_H
#define TOP_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "model.h"
#include "sort.h"
#include "table.h"

struct view;

/* What a key asks of whoever takes the samples. */
enum view_wish {
	VIEW_GO_ON,
	VIEW_SAMPLE, /* now, not only at the end of the interval */
	VIEW_QUIT,
};

/**
 * struct view_options - how samples are shown; views ignore what means nothing
 * to them
 * @out:	where to
 * @file:	where to instead, if the view writes files; NULL: none
 * @sort:	order of devices
 * @by:		what a line of a table is
 * @rows:	lines of a table, 0: as many as there are or as fit
 * @interval:	seconds between samples
 * @timestamps:	say when a sample was taken
 */
struct view_options {
	FILE *out;
	const char *file;
	const struct sort_key *sort;
	enum table_by by;
	unsigned int rows;
	double interval;
	bool timestamps;
};

/**
 * struct view_ops - a kind of view
 * @name:	for messages
 * @open:	NULL after an error, which it has told
 * @input:	descriptor that keys come from, -1: there is none; NULL, as those
 *		below: the view knows no keys
 * @key:	@input can be read
 * @resize:	the terminal has another size
 * @frozen:	no sample is wanted
 * @sample:	shows what happened since the sample before; the view may use it
 *		until the next one
 * @summary:	shows, at the end, what happened in all; @shown samples came
 *		before it
 * @close:	frees the view; always called, so that a terminal is put right
 *
 * What shows something returns 0, or a negative errno if it could not be written.
 */
struct view_ops {
	const char *name;
	struct view *(*open)(const struct view_options *options);
	int (*input)(const struct view *view);
	enum view_wish (*key)(struct view *view);
	void (*resize)(struct view *view);
	bool (*frozen)(const struct view *view);
	int (*sample)(struct view *view, const struct top_sample *sample);
	int (*summary)(struct view *view, const struct top_sample *sample, unsigned long shown);
	void (*close)(struct view *view);
};

/* Tables one after the other, for a file or a pipe. */
extern const struct view_ops view_batch;

/* A screen, and keys that change what is on it. */
extern const struct view_ops view_terminal;

/* One JSON object a line. */
extern const struct view_ops view_json;

/* A line for each device and virtqueue, separated by commas. */
extern const struct view_ops view_csv;

/* Metrics, for monitoring systems. */
extern const struct view_ops view_openmetrics;

#endif /* TOP_VIEW_H */
