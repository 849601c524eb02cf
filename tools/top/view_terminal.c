// SPDX-License-Identifier: GPL-2.0
/*
 * The table fills the terminal's second screen and is redrawn in place; what
 * was there before comes back at the end.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format.h"
#include "log.h"
#include "notes.h"
#include "print.h"
#include "rates.h"
#include "view.h"

/* ECMA-48 control sequences, and xterm's for the second screen. */
#define SCREEN_ENTER "\033[?1049h\033[?25l"
#define SCREEN_LEAVE "\033[?25h\033[?1049l"
#define CURSOR_HOME "\033[H"
#define ERASE_LINE "\033[K"
#define ERASE_BELOW "\033[J"
#define STYLE_HEADING "\033[7m"
#define STYLE_ALARM "\033[1;31m"
#define STYLE_PLAIN "\033[m"

/* The line about everything, and one that may tell that there is more. */
#define OTHER_LINES 2

struct view {
	struct view_options options;
	bool styled;
	bool entered;
};

static struct view *terminal_open(const struct view_options *options)
{
	const char *no_color = getenv("NO_COLOR");
	struct view *view = calloc(1, sizeof(*view));

	if (!view)
		return NULL;
	view->options = *options;
	view->styled = !no_color || !no_color[0];
	return view;
}

static void enter(struct view *view)
{
	if (!view->entered)
		fputs(SCREEN_ENTER, view->options.out);
	view->entered = true;
}

static void leave(struct view *view)
{
	if (view->entered)
		fputs(SCREEN_LEAVE, view->options.out);
	view->entered = false;
	fflush(view->options.out);
}

static void draw_line(struct view *view, const char *style, const char *text, unsigned int columns)
{
	int length = (int)strlen(text);
	FILE *out = view->options.out;

	if (columns && length > (int)columns)
		length = (int)columns;
	if (style && view->styled)
		fprintf(out, "%s%.*s%s" ERASE_LINE "\n", style, length, text, STYLE_PLAIN);
	else
		fprintf(out, "%.*s" ERASE_LINE "\n", length, text);
}

static void draw_head(struct view *view, const struct top_sample *sample, unsigned int columns)
{
	uint64_t drops = sample->sum.count[IOTLB_MISS_DROP];
	time_t seconds = (time_t)sample->time;
	char text[160], clock[16] = "", hit[FORMAT_SIZE];
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	snprintf(text, sizeof(text),
		 "iotlb-top  %s  %zu device%s  hit %s%%  drops %" PRIu64 "  lost events %" PRIu64,
		 clock, sample->count, sample->count == 1 ? "" : "s",
		 format_percent(hit, counters_buffer_hit_rate(&sample->sum)), drops,
		 sample->lost_total);
	draw_line(view, drops || sample->lost ? STYLE_ALARM : NULL, text, columns);
}

static void draw_table(struct view *view, const struct table *table, unsigned int columns)
{
	char more[32];
	unsigned int i;

	for (i = 0; i < table->count; i++)
		draw_line(view, i < TABLE_HEADINGS ? STYLE_HEADING : NULL, table->lines[i],
			  columns);
	if (table->left_out) {
		snprintf(more, sizeof(more), "(%u more)", table->left_out);
		draw_line(view, NULL, more, columns);
	}
}

static void draw_notes(struct view *view, const struct notes *notes, unsigned int columns)
{
	unsigned int i;

	for (i = 0; i < notes->count; i++)
		draw_line(view, STYLE_ALARM, notes->lines[i], columns);
}

static unsigned int rows_that_fit(const struct view *view, const struct notes *notes)
{
	unsigned int other = TABLE_HEADINGS + OTHER_LINES + notes->count + 1;
	unsigned int lines = terminal_lines(view->options.out);
	unsigned int rows = view->options.rows, fit;

	if (!lines)
		return rows;
	/* The last line stays empty, or the screen would scroll. */
	fit = lines > other ? lines - other : 1;
	return rows && rows < fit ? rows : fit;
}

static int terminal_sample(struct view *view, const struct top_sample *sample)
{
	struct table_options options = {
		.timestamps = view->options.timestamps,
		.width = terminal_columns(view->options.out),
	};
	struct table table;
	struct notes notes;

	notes_make(&notes, &sample->sum);
	options.rows = rows_that_fit(view, &notes);
	if (print_make_table(&table, sample, &view->options, &options)) {
		log_error("out of memory for a table");
		return 0;
	}
	enter(view);
	fputs(CURSOR_HOME, view->options.out);
	draw_head(view, sample, options.width);
	draw_table(view, &table, options.width);
	draw_notes(view, &notes, options.width);
	fputs(ERASE_BELOW, view->options.out);
	table_free(&table);
	return print_flush(view->options.out);
}

static int terminal_summary(struct view *view, const struct top_sample *sample, unsigned long shown)
{
	(void)shown;
	leave(view);
	print_summary(&view->options, sample);
	return print_flush(view->options.out);
}

static void terminal_close(struct view *view)
{
	leave(view);
	free(view);
}

const struct view_ops view_terminal = {
	.name = "terminal",
	.open = terminal_open,
	.sample = terminal_sample,
	.summary = terminal_summary,
	.close = terminal_close,
};
