// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>

#include "print.h"
#include "view.h"

struct view {
	struct view_options options;
	bool any;
};

static struct view *batch_open(const struct view_options *options)
{
	struct view *view = calloc(1, sizeof(*view));

	if (view)
		view->options = *options;
	return view;
}

static int batch_sample(struct view *view, const struct top_sample *sample)
{
	if (view->any)
		fputc('\n', view->options.out);
	view->any = true;
	print_sample(&view->options, sample);
	return print_flush(view->options.out);
}

static int batch_summary(struct view *view, const struct top_sample *sample, unsigned long shown)
{
	/* A single sample from the very beginning is its own summary. */
	if (shown == 1)
		return 0;
	if (view->any)
		fputc('\n', view->options.out);
	print_summary(&view->options, sample);
	return print_flush(view->options.out);
}

static void batch_close(struct view *view)
{
	free(view);
}

const struct view_ops view_batch = {
	.name = "batch",
	.open = batch_open,
	.sample = batch_sample,
	.summary = batch_summary,
	.close = batch_close,
};
