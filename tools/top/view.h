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

struct view;

/**
 * struct view_options - how samples are shown; views ignore what means nothing
 * to them
 * @out:	where to
 * @sort:	order of devices
 * @rows:	lines of a table, 0: as many as there are or as fit
 * @timestamps:	say when a sample was taken
 */
struct view_options {
	FILE *out;
	const struct sort_key *sort;
	unsigned int rows;
	bool timestamps;
};

/**
 * struct view_ops - a kind of view
 * @name:	for messages
 * @open:	NULL if memory is short
 * @sample:	shows what happened since the sample before
 * @summary:	shows, at the end, what happened in all; @shown samples came
 *		before it
 * @close:	frees the view; always called, so that a terminal is put right
 *
 * Views write to @out with stdio and leave it to the caller to look for errors.
 */
struct view_ops {
	const char *name;
	struct view *(*open)(const struct view_options *options);
	void (*sample)(struct view *view, const struct top_sample *sample);
	void (*summary)(struct view *view, const struct top_sample *sample, unsigned long shown);
	void (*close)(struct view *view);
};

/* Tables one after the other, for a file or a pipe. */
extern const struct view_ops view_batch;

/* A table that is redrawn in place. */
extern const struct view_ops view_terminal;

/* One JSON object a line. */
extern const struct view_ops view_json;

#endif /* TOP_VIEW_H */
