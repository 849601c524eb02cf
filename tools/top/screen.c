// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format.h"
#include "latency_lines.h"
#include "notes.h"
#include "rates.h"
#include "screen.h"
#include "spark.h"

/* With fewer lines, the table is worth more than what is around it. */
#define HEIGHT_OF_HISTORY 12
#define HEIGHT_OF_LATENCY 16

/* Of a line of history, before the bars */
#define HISTORY_PREFIX 14

/* Of the line of keys, if it has room */
#define KEYS_WIDTH 88
#define KEYS_SIZE 128

/**
 * struct shown - the devices that the filter lets pass
 * @devices:	in the order in which they are shown
 * @count:	elements of @devices
 * @sum:	what happened to all of them
 */
struct shown {
	const struct top_device **devices;
	size_t count;
	struct iotlb_counters sum;
};

static bool passes(const struct screen *screen, const struct top_device *device)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", device->pid);
	return !screen->filter[0] || strcasestr(device->comm, screen->filter) ||
	       strcasestr(device->tap, screen->filter) ||
	       (device->pid && strstr(pid, screen->filter));
}

/* @total: what happened in all, else since the sample before. */
static void sum_up(const struct screen *screen, const struct top_sample *sample, bool total,
		   struct iotlb_counters *sum)
{
	size_t i;

	/* Knows of devices, too, that have long been gone. */
	if (!screen->filter[0]) {
		*sum = total ? sample->sum_total : sample->sum;
		return;
	}
	*sum = (struct iotlb_counters){};
	for (i = 0; i < sample->count; i++)
		if (passes(screen, sample->devices[i]))
			counters_add(sum, total ? &sample->devices[i]->sum_total
						: &sample->devices[i]->sum);
}

static int choose(const struct screen *screen, const struct top_sample *sample, struct shown *shown)
{
	size_t i;

	*shown = (struct shown){};
	shown->devices = calloc(sample->count + 1, sizeof(*shown->devices));
	if (!shown->devices)
		return -ENOMEM;
	for (i = 0; i < sample->count; i++)
		if (passes(screen, sample->devices[i]))
			shown->devices[shown->count++] = sample->devices[i];
	sort_devices(shown->devices, shown->count, screen->sort, screen->total, screen->reverse);
	sum_up(screen, sample, screen->total, &shown->sum);
	return 0;
}

/* What cannot be had is not known. */
static double hit_rate(const struct top_sample *sample, const struct iotlb_counters *counters)
{
	if (sample->unavailable & COUNTERS_BUFFERS)
		return NAN;
	return counters_buffer_hit_rate(counters);
}

void screen_sample(struct screen *screen, const struct top_sample *sample)
{
	struct iotlb_counters sum;
	double misses = NAN;

	sum_up(screen, sample, false, &sum);
	if (!(sample->unavailable & COUNTER(MISS)) && sample->seconds > 0)
		misses = (double)sum.count[IOTLB_MISS] / sample->seconds;
	history_add(&screen->history, hit_rate(sample, &sum), misses);
}

static void add_text(struct screen_lines *lines, enum screen_style style, char *text)
{
	if (!text || lines->count == lines->height) {
		free(text);
		return;
	}
	lines->lines[lines->count++] = (struct screen_line){style, text};
}

/* ASCII, of which what is too wide is cut off. */
__attribute__((format(printf, 3, 4))) static void
add(struct screen_lines *lines, enum screen_style style, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text && strlen(text) > lines->width)
		text[lines->width] = '\0';
	add_text(lines, style, text);
}

static void add_head(const struct screen *screen, const struct top_sample *sample,
		     const struct shown *shown, struct screen_lines *lines)
{
	uint64_t drops = shown->sum.count[IOTLB_MISS_DROP];
	time_t seconds = (time_t)sample->time;
	char clock[16] = "", hit[FORMAT_SIZE];
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	add(lines, drops || sample->lost ? SCREEN_ALARM : SCREEN_PLAIN,
	    "iotlb-top  %s  %zu device%s  hit %s%%  drops %" PRIu64 "  lost events %" PRIu64 "%s",
	    clock, shown->count, shown->count == 1 ? "" : "s",
	    format_percent(hit, hit_rate(sample, &shown->sum)), drops, sample->lost_total,
	    screen->frozen ? "  FROZEN" : "");
}

static void add_choice(const struct screen *screen, const struct top_sample *sample,
		       const struct table *table, struct screen_lines *lines)
{
	char seconds[40], hidden[40] = "";

	if (screen->total)
		snprintf(seconds, sizeof(seconds), "in all %.1f s", sample->elapsed);
	else
		snprintf(seconds, sizeof(seconds), "a second, of %.1f s", sample->seconds);
	if (table->hidden)
		snprintf(hidden, sizeof(hidden), "; %u columns hidden", table->hidden);
	add(lines, SCREEN_PLAIN, "%s; by %s%s%s%s%s", seconds, sort_key_name(screen->sort),
	    screen->reverse ? ", reverse" : "", hidden, screen->filter[0] ? "; only " : "",
	    screen->filter);
}

static void add_spark(const struct screen *screen, struct screen_lines *lines, const char *name,
		      const double *values, double greatest, const char *latest)
{
	size_t skip = history_skip(&screen->history, lines->width - HISTORY_PREFIX);
	char bars[SPARK_SIZE(HISTORY_MAX)];
	char *text;

	spark_make(bars, values + skip, screen->history.count - skip, greatest, screen->utf8);
	if (asprintf(&text, "%-7s%5s  %s", name, latest, bars) < 0)
		text = NULL;
	add_text(lines, SCREEN_PLAIN, text);
}

static void add_history(const struct screen *screen, struct screen_lines *lines)
{
	const struct history *history = &screen->history;
	double hit = NAN, misses = NAN;
	char text[FORMAT_SIZE];

	if (history->count) {
		hit = history->hit_rate[history->count - 1];
		misses = history->misses[history->count - 1];
	}
	add_spark(screen, lines, "hit %", history->hit_rate, 1, format_percent(text, hit));
	add_spark(screen, lines, "miss/s", history->misses, 0,
		  isnan(misses) ? "-" : format_short(text, misses));
}

/* Of the lines of the table, those that fit @room; what is left goes unsaid
 * only if it can be scrolled to.
 */
static void add_table(struct screen *screen, const struct table *table, unsigned int room,
		      struct screen_lines *lines)
{
	unsigned int rows = table->count - TABLE_HEADINGS, i;

	for (i = 0; i < TABLE_HEADINGS; i++)
		add(lines, SCREEN_HEADING, "%-*s", (int)lines->width, table->lines[i]);
	screen->page = room;
	if (rows > room) {
		/* The last line tells of the rest. */
		screen->page = room > 1 ? room - 1 : 1;
		if (screen->scroll > rows - screen->page)
			screen->scroll = rows - screen->page;
	} else {
		screen->scroll = 0;
	}
	for (i = screen->scroll; i < rows && i < screen->scroll + screen->page; i++)
		add(lines, SCREEN_PLAIN, "%s", table->lines[TABLE_HEADINGS + i]);
	if (rows > room && room > 1)
		add(lines, SCREEN_PLAIN, "(%u above, %u below)", screen->scroll, rows - i);
	for (i = rows; i < room; i++)
		add(lines, SCREEN_PLAIN, "%s", "");
}

static void add_latency(const struct top_sample *sample, const struct shown *shown,
			unsigned int room, struct screen_lines *lines)
{
	struct latency_lines histogram = {};
	unsigned int i;

	add(lines, SCREEN_HEADING, "%-*s", (int)lines->width, " FROM MISS TO ANSWER   MISSES");
	if (sample->unavailable & UNAVAILABLE_LATENCY) {
		add(lines, SCREEN_PLAIN, "  this kernel does not tell");
		return;
	}
	latency_lines_make(&histogram, &shown->sum, lines->width, room - 1);
	for (i = 0; i < histogram.count; i++)
		add(lines, SCREEN_PLAIN, "%s", histogram.lines[i]);
	if (!histogram.count)
		add(lines, SCREEN_PLAIN, "  no miss was answered");
}

/* With all blanks if there is room for them. */
static void make_keys(const struct screen *screen, unsigned int width, char text[KEYS_SIZE])
{
	const char *gap = width < KEYS_WIDTH ? " " : "  ";

	snprintf(text, KEYS_SIZE,
		 "q quit%sh help%s<> sort%sr reverse%sv %s%st %s%sl latency%s/ filter%sspc %s", gap,
		 gap, gap, gap, screen->by == TABLE_BY_DEVICE ? "queues" : "devices", gap,
		 screen->total ? "rates" : "totals", gap, gap, gap,
		 screen->frozen ? "go on" : "freeze");
}

static void add_keys(const struct screen *screen, struct screen_lines *lines)
{
	char text[KEYS_SIZE];

	while (lines->count + 1 < lines->height)
		add(lines, SCREEN_PLAIN, "%s", "");
	if (screen->editing)
		snprintf(text, sizeof(text),
			 "Only command, pid or tap: %s_ (Enter: done, Esc: all)", screen->filter);
	else
		make_keys(screen, lines->width, text);
	add(lines, SCREEN_HEADING, "%-*s", (int)lines->width, text);
}

static void add_help(struct screen_lines *lines)
{
	static const char *const help[] = {
		"iotlb-top: what the device IOTLBs of vhost do",
		"",
		"  < >  left right  sort by another column; v or ^ below its name says how",
		"  r                the other way round",
		"  v                a line is a device, or a virtqueue",
		"  p                a line is a PASID (address space), or a virtqueue",
		"  t                totals since the start, or a second",
		"  l                how long answers took",
		"  /                only devices with this in command, pid or tap; Esc: all",
		"  space            freeze; once more: go on, with all that has happened since",
		"  up down page     scroll; home: to the top",
		"  h ?              this",
		"  q  Ctrl-C        quit, and show what happened in all",
		"",
		"  HIT    buffers that had a translation when first looked up, percent",
		"  WALK   misses resolved in the kernel; RING taken by a BPF program;",
		"  FD     given out on the vhost fd; DROP failed to be taken",
		"  UPD    translations put in; INV dropped on demand; EVIC for want of room",
		"  ACCFAIL, if there are any: accesses that failed, for there is no such page",
		"  -      nothing was looked up, or this kernel does not tell",
		"",
		"Any key goes back. man iotlb-top has the rest.",
	};
	size_t i;

	for (i = 0; i < sizeof(help) / sizeof(help[0]); i++)
		add(lines, SCREEN_PLAIN, "%s", help[i]);
}

static void add_notes(const struct notes *notes, struct screen_lines *lines)
{
	unsigned int i;

	for (i = 0; i < notes->count; i++)
		add(lines, SCREEN_ALARM, "%s", notes->lines[i]);
}

/* Lines for the table, if there are @other ones; the table has one at least. */
static unsigned int room_of_table(const struct screen *screen, const struct screen_lines *lines,
				  unsigned int other)
{
	unsigned int room = lines->height > other ? lines->height - other : 1;

	return screen->rows && screen->rows < room ? screen->rows : room;
}

static void add_all(struct screen *screen, const struct top_sample *sample,
		    const struct shown *shown, const struct table *table,
		    struct screen_lines *lines)
{
	bool history = lines->height >= HEIGHT_OF_HISTORY && lines->width > HISTORY_PREFIX;
	unsigned int latency = 0, other;
	struct notes notes;

	notes_make(&notes, &shown->sum);
	if (screen->latency && lines->height >= HEIGHT_OF_LATENCY)
		latency = lines->height / 2 - 2;
	/* Two at the top, and the keys. */
	other = 3 + TABLE_HEADINGS + (history ? 2 : 0) + notes.count + latency;

	add_head(screen, sample, shown, lines);
	add_choice(screen, sample, table, lines);
	if (history)
		add_history(screen, lines);
	add_table(screen, table, room_of_table(screen, lines, other), lines);
	add_notes(&notes, lines);
	if (latency)
		add_latency(sample, shown, latency, lines);
	add_keys(screen, lines);
}

static int make(struct screen *screen, const struct top_sample *sample, struct screen_lines *lines)
{
	const struct table_options options = {
		.total = screen->total,
		.by = screen->by,
		.sort = screen->sort,
		.reverse = screen->reverse,
		.timestamps = screen->timestamps,
		.width = lines->width,
	};
	struct table table = {};
	struct shown shown;
	int err = choose(screen, sample, &shown);

	if (!err)
		err = table_make(&table, sample, shown.devices, shown.count, &options);
	if (!err) {
		memcpy(screen->sorts, table.sorts, sizeof(screen->sorts));
		screen->nr_sorts = table.nr_sorts;
		add_all(screen, sample, &shown, &table, lines);
		table_free(&table);
	}
	free(shown.devices);
	return err;
}

int screen_make(struct screen *screen, const struct top_sample *sample, struct screen_lines *lines)
{
	int err = 0;

	lines->count = 0;
	lines->lines = calloc(lines->height + 1, sizeof(*lines->lines));
	if (!lines->lines)
		return -ENOMEM;
	if (screen->help) {
		add_help(lines);
	} else if (sample) {
		err = make(screen, sample, lines);
	} else {
		add(lines, SCREEN_PLAIN, "iotlb-top  counting; the first sample comes after %g s",
		    screen->interval);
		add_keys(screen, lines);
	}
	if (err)
		screen_lines_free(lines);
	return err;
}

void screen_lines_free(struct screen_lines *lines)
{
	unsigned int i;

	for (i = 0; i < lines->count; i++)
		free(lines->lines[i].text);
	free(lines->lines);
	lines->lines = NULL;
	lines->count = 0;
}
