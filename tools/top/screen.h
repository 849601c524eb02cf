/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is on the screen, and what keys do to it. Knows nothing of terminals: it
 * is told how large they are, and makes lines of text.
 */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include <stdbool.h>

#include "history.h"
#include "model.h"
#include "table.h"
#include "view.h"

/* Keys that are no characters. */
enum screen_key {
	SCREEN_LEFT = 256,
	SCREEN_RIGHT,
	SCREEN_UP,
	SCREEN_DOWN,
	SCREEN_PAGE_UP,
	SCREEN_PAGE_DOWN,
	SCREEN_HOME,
	SCREEN_ENTER,
	SCREEN_ESCAPE,
	SCREEN_BACKSPACE,
};

/**
 * struct screen - what people have chosen to see
 * @sort:	order of devices, @reverse: the other way round
 * @rows:	lines of the table at most, 0: as many as fit
 * @timestamps:	lines begin with the time
 * @utf8:	the terminal has more than ASCII
 * @interval:	seconds between samples
 * @by:		what a line is
 * @total:	counts since the start, else a second
 * @latency:	show the histogram of latencies
 * @help:	show nothing but what keys do
 * @frozen:	stay with this sample
 * @filter:	only devices with this in their command, pid or tap
 * @editing:	keys go to the filter
 * @scroll:	lines of the table that are above the screen
 * @page:	lines of the table that were on the screen
 * @sorts:	what the columns on the screen can be sorted by
 * @nr_sorts:	elements of @sorts
 * @history:	of all devices that the filter lets pass
 */
struct screen {
	const struct sort_key *sort;
	bool reverse;
	unsigned int rows;
	bool timestamps;
	bool utf8;
	double interval;
	enum table_by by;
	bool total;
	bool latency;
	bool help;
	bool frozen;
	char filter[24];
	bool editing;
	unsigned int scroll;
	unsigned int page;
	const struct sort_key *sorts[TABLE_COLUMNS_MAX];
	unsigned int nr_sorts;
	struct history history;
};

/**
 * screen_key() - a key was pressed
 * @screen:	the screen
 * @key:	a character, or enum screen_key
 *
 * Return: what is wanted of whoever takes samples.
 */
enum view_wish screen_key(struct screen *screen, int key);

/* There is a new sample. */
void screen_sample(struct screen *screen, const struct top_sample *sample);

enum screen_style {
	SCREEN_PLAIN,
	SCREEN_HEADING,
	SCREEN_ALARM,
};

struct screen_line {
	enum screen_style style;
	char *text;
};

/**
 * struct screen_lines - the text of a screen
 * @width, @height: of the terminal
 * @lines:	at most @height lines, none wider than @width; UTF-8 only in what
 *		is drawn, and only if it is allowed
 * @count:	elements of @lines
 */
struct screen_lines {
	unsigned int width;
	unsigned int height;
	struct screen_line *lines;
	unsigned int count;
};

/**
 * screen_make() - make the text
 * @screen:	what is chosen
 * @sample:	the latest sample, NULL: there is none yet
 * @lines:	with @width and @height; the rest is filled in, and to be freed by
 *		screen_lines_free()
 *
 * Return: 0 or -ENOMEM.
 */
int screen_make(struct screen *screen, const struct top_sample *sample, struct screen_lines *lines);

void screen_lines_free(struct screen_lines *lines);

#endif /* TOP_SCREEN_H */
