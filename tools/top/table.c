// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format.h"
#include "rates.h"
#include "table.h"

/* The name of a process in parentheses fits, and all numbers. */
#define CELL_SIZE FORMAT_SIZE

/**
 * struct line - what a line of the table is about
 * @sample:	the sample
 * @device:	the device
 * @queue:	the virtqueue, NULL if nothing has been counted for any
 * @whole:	instead of one, the device with all its virtqueues
 * @space:	instead of that, an address space of it
 * @first:	first line of the device
 * @total:	counts since the beginning; else counts a second
 * @exact:	counts since the beginning are given with all digits
 */
struct line {
	const struct top_sample *sample;
	const struct top_device *device;
	const struct top_queue *queue;
	bool whole;
	const struct top_space *space;
	bool first;
	bool total;
	bool exact;
};

/**
 * struct column - a column of the table
 * @name:	first heading
 * @unit:	second heading
 * @cell:	makes the text in a line
 * @counters:	for @cell: counters that are summed up
 * @share:	for @cell: which percentile
 * @sort:	name of the sort key
 * @width:	characters at least, so that tables do not jump to and fro
 * @left_out:	the column with the greatest number is left out first, those
 *		with 0 never are
 * @left:	text begins at the left, numbers end at the right
 */
struct column {
	const char *name;
	const char *unit;
	void (*cell)(char text[CELL_SIZE], const struct line *line, const struct column *column);
	uint32_t counters;
	double share;
	const char *sort;
	unsigned char width;
	unsigned char left_out;
	bool left;
};

static const struct iotlb_counters *tally_of(const struct tally *tally, const struct line *line)
{
	return line->total ? &tally->total : &tally->delta;
}

static const struct iotlb_counters *queue_counters(const struct line *line)
{
	static const struct iotlb_counters nothing;

	if (line->space)
		return line->total ? &line->space->sum_total : &line->space->sum;
	if (line->whole)
		return line->total ? &line->device->sum_total : &line->device->sum;
	return line->queue ? tally_of(&line->queue->tally, line) : &nothing;
}

static void cell_count(char text[CELL_SIZE], const struct line *line, uint64_t count)
{
	if (!line->total)
		format_short(text, (double)count / line->sample->seconds);
	else if (line->exact)
		format_exact(text, count);
	else
		format_short(text, (double)count);
}

static void cell_time(char text[CELL_SIZE], const struct line *line, const struct column *column)
{
	time_t seconds = (time_t)line->sample->time;
	struct tm tm;

	(void)column;
	if (!localtime_r(&seconds, &tm) || !strftime(text, CELL_SIZE, "%H:%M:%S", &tm))
		strcpy(text, "?");
}

static void cell_pid(char text[CELL_SIZE], const struct line *line, const struct column *column)
{
	(void)column;
	if (line->device->pid)
		snprintf(text, CELL_SIZE, "%d", line->device->pid);
	else
		strcpy(text, "?");
}

static void cell_comm(char text[CELL_SIZE], const struct line *line, const struct column *column)
{
	bool held = line->device->state == TOP_HELD;

	(void)column;
	snprintf(text, CELL_SIZE, held ? "%s" : "(%s)", line->device->comm);
}

static void cell_dev(char text[CELL_SIZE], const struct line *line, const struct column *column)
{
	(void)column;
	format_exact(text, line->device->id);
}

/* Virtqueues in the address space, as many as there is room for. */
static void list_queues(char text[CELL_SIZE], const struct line *line)
{
	const struct top_device *device = line->device;
	size_t i, length = 0;

	for (i = 0; i < device->count && length + sizeof(",4294967295") <= CELL_SIZE; i++)
		if (device->queues[i].asid == line->space->asid)
			length += sprintf(text + length, "%s%u", length ? "," : "",
					  device->queues[i].vq);
	if (!length)
		strcpy(text, "-");
}

static void cell_vq(char text[CELL_SIZE], const struct line *line, const struct column *column)
{
	(void)column;
	if (line->space)
		list_queues(text, line);
	else if (line->queue)
		format_exact(text, line->queue->vq);
	else
		strcpy(text, line->whole ? "*" : "-");
}

static void cell_pasid(char text[CELL_SIZE], const struct line *line, const struct column *column)
{
	(void)column;
	strcpy(text, "-");
	if (line->space)
		snprintf(text, CELL_SIZE, line->space->state == TOP_HELD ? "%u" : "(%u)",
			 line->space->asid);
	else if (line->queue && line->device->nr_spaces)
		format_exact(text, line->queue->asid);
	else if (line->whole && line->device->nr_spaces)
		strcpy(text, "*");
}

static void cell_tap(char text[CELL_SIZE], const struct line *line, const struct column *column)
{
	(void)column;
	snprintf(text, CELL_SIZE, "%s", line->device->tap[0] ? line->device->tap : "-");
}

static void cell_entries(char text[CELL_SIZE], const struct line *line, const struct column *column)
{
	const struct top_space *space = line->space;

	(void)column;
	if (!line->first && !space)
		return;
	strcpy(text, "-");
	if (space && space->has_entries)
		format_short(text, (double)space->entries);
	else if (!space && line->device->has_entries)
		format_short(text, (double)line->device->entries);
}

/* Not every kernel has all that there are columns for. */
static bool unavailable(char text[CELL_SIZE], const struct line *line, uint64_t which)
{
	if (!(line->sample->unavailable & which))
		return false;
	strcpy(text, "-");
	return true;
}

static void cell_queue(char text[CELL_SIZE], const struct line *line, const struct column *column)
{
	if (!unavailable(text, line, column->counters))
		cell_count(text, line, counters_sum(queue_counters(line), column->counters));
}

static void cell_hit(char text[CELL_SIZE], const struct line *line, const struct column *column)
{
	(void)column;
	if (!unavailable(text, line, COUNTERS_BUFFERS))
		format_percent(text, counters_buffer_hit_rate(queue_counters(line)));
}

static void cell_latency(char text[CELL_SIZE], const struct line *line, const struct column *column)
{
	if (!unavailable(text, line, UNAVAILABLE_LATENCY))
		format_us(text, latency_percentile(queue_counters(line), column->share));
}

/* Once for a device, or adding up a column by eye would give too much. */
static void cell_device(char text[CELL_SIZE], const struct line *line, const struct column *column)
{
	const struct tally *tally = line->space ? &line->space->tally : &line->device->tally;

	if ((line->first || line->space) && !unavailable(text, line, column->counters))
		cell_count(text, line, counters_sum(tally_of(tally, line), column->counters));
}

#define QUEUE(title, which, key, rank)                                                             \
	{                                                                                          \
		.name = title, .unit = "/s", .cell = cell_queue, .counters = which, .sort = key,   \
		.width = 4, .left_out = rank                                                       \
	}

#define LATENCY(title, of, key, rank)                                                              \
	{                                                                                          \
		.name = title, .unit = "us", .cell = cell_latency, .share = of, .sort = key,       \
		.width = 4, .left_out = rank                                                       \
	}

#define DEVICE(title, which, key, rank)                                                            \
	{                                                                                          \
		.name = title, .unit = "/s", .cell = cell_device, .counters = which, .sort = key,  \
		.width = 4, .left_out = rank                                                       \
	}

/* Those of the device come last: they are empty in all but its first line. */
static const struct column columns[] = {
	{"TIME", "", cell_time, .width = 8, .left = true},
	{"PID", "", cell_pid, .sort = "pid", .width = 7},
	{"COMM", "", cell_comm, .sort = "comm", .width = 8, .left = true},
	{"TAP", "", cell_tap, .sort = "tap", .width = 5, .left_out = 7, .left = true},
	{"DEV", "", cell_dev, .sort = "dev", .width = 3},
	{"VQ", "", cell_vq, .width = 2},
	{"PASID", "", cell_pasid, .width = 5},
	QUEUE("LOOK", COUNTERS_LOOKUPS, "lookups", 0),
	QUEUE("META", COUNTERS_HITS_META, "meta", 9),
	QUEUE("BUF", COUNTER(HIT_BUFFER), "buffers", 9),
	QUEUE("MISS", COUNTER(MISS), "misses", 0),
	{"HIT", "%", cell_hit, .sort = "hit", .width = 4},
	LATENCY("P50", 0.50, "p50", 5),
	LATENCY("P99", 0.99, "p99", 1),
	QUEUE("WALK", COUNTER(RESOLVED), "resolved", 4),
	QUEUE("RING", COUNTER(MISS_RING), "ring", 4),
	QUEUE("FD", COUNTER(MISS_FD), "fd", 6),
	QUEUE("DROP", COUNTER(MISS_DROP), "drops", 1),
	{"FALLBACK", "/s", cell_queue, COUNTERS_FALLBACKS, .sort = "fallbacks", .width = 8,
	 .left_out = 10},
	{"ACCFAIL", "/s", cell_queue, COUNTER(ACCESS_FAILED), .sort = "accfail", .width = 7,
	 .left_out = 2},
	DEVICE("UPD", COUNTER(UPDATE), "updates", 2),
	DEVICE("FAIL", COUNTER(UPDATE_FAILED), "failed", 9),
	{"STALE", "/s", cell_device, COUNTER(UPDATE_STALE), .sort = "stale", .width = 5,
	 .left_out = 10},
	DEVICE("INV", COUNTER(INVALIDATE), "invalidations", 3),
	DEVICE("EVIC", COUNTER(EVICT), "evictions", 4),
	{"ENT", "", cell_entries, .sort = "entries", .width = 4, .left_out = 8},
};

#define NR_COLUMNS (sizeof(columns) / sizeof(columns[0]))
#define COLUMN_TIME 0
#define COLUMN_COMM 2
#define COLUMN_PASID 6
#define COLUMN_ACCFAIL 19
/* From here on: columns that only a wide terminal shows, and nobody misses. */
#define LEFT_OUT_FIRST 7

_Static_assert(NR_COLUMNS <= TABLE_COLUMNS_MAX, "there is a sort key for each column");

typedef char row[NR_COLUMNS][CELL_SIZE];

/**
 * struct grid - a table before it is put into lines
 * @rows:	text of all cells, headings included
 * @count:	elements of @rows
 * @has_pasids:	there is a device with more than one address space
 * @has_failed:	an access of a device has failed since the beginning
 * @width:	of each column; 0 if it is left out
 */
struct grid {
	row *rows;
	size_t count;
	bool has_pasids;
	bool has_failed;
	unsigned int width[NR_COLUMNS];
};

static void fill_headings(struct grid *grid, const struct table_options *options)
{
	const char *unit, *mark;
	size_t c;

	for (c = 0; c < NR_COLUMNS; c++) {
		unit = columns[c].unit;
		if (options->total && !strcmp(unit, "/s"))
			unit = "";
		mark = "";
		if (options->sort && columns[c].sort &&
		    !strcmp(columns[c].sort, sort_key_name(options->sort)))
			mark = options->reverse ? "^" : "v";
		snprintf(grid->rows[0][c], CELL_SIZE, "%s", columns[c].name);
		snprintf(grid->rows[1][c], CELL_SIZE, "%s%s", mark, unit);
	}
	grid->count = TABLE_HEADINGS;
}

static void fill_row(struct grid *grid, const struct line *line)
{
	size_t c;

	for (c = 0; c < NR_COLUMNS; c++)
		columns[c].cell(grid->rows[grid->count][c], line, &columns[c]);
	grid->count++;
}

/* Of address spaces that have long been gone, only the summary tells. */
static bool is_shown(const struct top_space *space, const struct top_sample *sample)
{
	return space->state != TOP_RETIRED || sample->final;
}

static size_t lines_of(const struct top_device *device, const struct top_sample *sample,
		       const struct table_options *options)
{
	size_t i, lines = 0;

	switch (options->by) {
	case TABLE_BY_QUEUE:
		lines = device->count;
		break;
	case TABLE_BY_DEVICE:
		break;
	case TABLE_BY_SPACE:
		for (i = 0; i < device->nr_spaces; i++)
			lines += is_shown(&device->spaces[i], sample);
		break;
	}
	return lines ? lines : 1;
}

static void fill_spaces(struct grid *grid, size_t end, struct line *line)
{
	const struct top_device *device = line->device;
	size_t i;

	for (i = 0; i < device->nr_spaces && grid->count < end; i++) {
		if (!is_shown(&device->spaces[i], line->sample))
			continue;
		line->space = &device->spaces[i];
		fill_row(grid, line);
	}
	line->space = NULL;
}

static void fill_device(struct grid *grid, size_t end, struct line *line,
			const struct table_options *options)
{
	const struct top_device *device = line->device;
	size_t i;

	if (options->by == TABLE_BY_SPACE && device->nr_spaces) {
		fill_spaces(grid, end, line);
		return;
	}
	for (i = 0; i < lines_of(device, line->sample, options) && grid->count < end; i++) {
		line->queue = device->count && !line->whole ? &device->queues[i] : NULL;
		line->first = !i;
		fill_row(grid, line);
	}
}

static unsigned int total_width(const struct grid *grid)
{
	unsigned int width = 0;
	size_t c;

	for (c = 0; c < NR_COLUMNS; c++)
		if (grid->width[c])
			width += grid->width[c] + !!width;
	return width;
}

/* Is there something to say in this column, in whatever line? */
static bool is_wanted(const struct grid *grid, size_t column, const struct table_options *options)
{
	switch (column) {
	case COLUMN_TIME:
		return options->timestamps;
	case COLUMN_PASID:
		return grid->has_pasids || options->by == TABLE_BY_SPACE;
	case COLUMN_ACCFAIL:
		return grid->has_failed;
	default:
		return true;
	}
}

static void measure(struct grid *grid, const struct table_options *options)
{
	unsigned int width;
	size_t r, c;

	for (c = 0; c < NR_COLUMNS; c++) {
		grid->width[c] = columns[c].width;
		for (r = 0; r < grid->count; r++) {
			width = strlen(grid->rows[r][c]);
			if (width > grid->width[c])
				grid->width[c] = width;
		}
	}
	for (c = 0; c < NR_COLUMNS; c++)
		if (!is_wanted(grid, c, options))
			grid->width[c] = 0;
}

/* Leaves out the columns of the greatest rank; returns it, 0 if none can be. */
static unsigned int leave_out(struct grid *grid)
{
	unsigned int rank = 0;
	size_t c;

	for (c = 0; c < NR_COLUMNS; c++)
		if (grid->width[c] && columns[c].left_out > rank)
			rank = columns[c].left_out;
	for (c = 0; rank && c < NR_COLUMNS; c++)
		if (columns[c].left_out == rank)
			grid->width[c] = 0;
	return rank;
}

/* Returns whether nothing had to be left out that would be missed. */
static bool fit(struct grid *grid, const struct table_options *options)
{
	unsigned int *comm = &grid->width[COLUMN_COMM];
	unsigned int total, rank, wanted;
	bool complete = true;

	measure(grid, options);
	if (!options->width)
		return true;

	wanted = *comm;
	*comm = columns[COLUMN_COMM].width;
	while ((total = total_width(grid)) > options->width) {
		rank = leave_out(grid);
		if (!rank)
			return false;
		complete &= rank >= LEFT_OUT_FIRST;
	}

	/* Names have what room there is left. */
	*comm += options->width - total;
	if (*comm > wanted)
		*comm = wanted;
	return complete;
}

/* Names that are too long; who is in parentheses stays so. */
static void cut_names(struct grid *grid)
{
	size_t width = grid->width[COLUMN_COMM], length, r;
	char *text;

	for (r = TABLE_HEADINGS; r < grid->count; r++) {
		text = grid->rows[r][COLUMN_COMM];
		length = strlen(text);
		if (length <= width)
			continue;
		if (text[0] == '(' && text[length - 1] == ')')
			text[width - 1] = ')';
		text[width] = '\0';
	}
}

/* Returns the end of the cell, as wide as it is to be. */
static char *add_cell(char *to, const char *text, size_t width, bool left)
{
	size_t length = strlen(text), blank = width - length;

	if (!left) {
		memset(to, ' ', blank);
		to += blank;
	}
	memcpy(to, text, length);
	to += length;
	if (left) {
		memset(to, ' ', blank);
		to += blank;
	}
	return to;
}

static char *make_line(const struct grid *grid, size_t r)
{
	char *text = malloc(total_width(grid) + 1), *end = text;
	size_t c;

	if (!text)
		return NULL;
	for (c = 0; c < NR_COLUMNS; c++) {
		if (!grid->width[c])
			continue;
		if (end > text)
			*end++ = ' ';
		end = add_cell(end, grid->rows[r][c], grid->width[c], columns[c].left);
	}
	while (end > text && end[-1] == ' ')
		end--;
	*end = '\0';
	return text;
}

static int make_lines(struct table *table, const struct grid *grid)
{
	table->lines = calloc(grid->count, sizeof(*table->lines));
	if (!table->lines)
		return -ENOMEM;
	for (; table->count < grid->count; table->count++) {
		table->lines[table->count] = make_line(grid, table->count);
		if (!table->lines[table->count])
			return -ENOMEM;
	}
	return 0;
}

static bool fill(struct grid *grid, size_t end, const struct top_sample *sample,
		 const struct top_device *const *devices, size_t count,
		 const struct table_options *options, bool exact)
{
	struct line line = {
		.sample = sample,
		.whole = options->by != TABLE_BY_QUEUE,
		.total = options->total,
		.exact = exact,
	};
	size_t i;

	fill_headings(grid, options);
	for (i = 0; i < count; i++) {
		line.device = devices[i];
		fill_device(grid, end, &line, options);
	}
	return fit(grid, options);
}

/* What of the columns is on the screen, and what is not. */
static void tell_columns(struct table *table, const struct grid *grid,
			 const struct table_options *options)
{
	size_t c;

	for (c = 0; c < NR_COLUMNS; c++) {
		if (!is_wanted(grid, c, options))
			continue;
		table->hidden += !grid->width[c];
		if (grid->width[c] && columns[c].sort)
			table->sorts[table->nr_sorts++] = sort_key_find(columns[c].sort);
	}
}

int table_make(struct table *table, const struct top_sample *sample,
	       const struct top_device *const *devices, size_t count,
	       const struct table_options *options)
{
	size_t i, lines = 0, wanted;
	struct grid grid = {};
	int err;

	*table = (struct table){};
	for (i = 0; i < count; i++) {
		lines += lines_of(devices[i], sample, options);
		grid.has_pasids |= devices[i]->nr_spaces;
		grid.has_failed |= devices[i]->sum_total.count[IOTLB_ACCESS_FAILED];
	}
	wanted = lines;
	if (options->rows && wanted > options->rows)
		wanted = options->rows;
	table->left_out = lines - wanted;

	grid.rows = calloc(wanted + TABLE_HEADINGS, sizeof(*grid.rows));
	if (!grid.rows)
		return -ENOMEM;
	wanted += TABLE_HEADINGS;
	if (!fill(&grid, wanted, sample, devices, count, options, true) && options->total)
		fill(&grid, wanted, sample, devices, count, options, false);
	tell_columns(table, &grid, options);
	cut_names(&grid);
	err = make_lines(table, &grid);
	free(grid.rows);
	if (err)
		table_free(table);
	return err;
}

void table_free(struct table *table)
{
	unsigned int i;

	for (i = 0; i < table->count; i++)
		free(table->lines[i]);
	free(table->lines);
	*table = (struct table){};
}
