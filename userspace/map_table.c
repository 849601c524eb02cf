// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <linux/vhost_types.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "map_table.h"

/* A mapping and where it comes from, in 32 bytes: there may be millions. */
struct map_table_line {
	uint64_t iova;
	uint64_t last;
	uint64_t gpa;
	uint32_t perm;
	uint32_t line;
};

#define FIRST_LINES 64

/* The longest number is 0x and 16 digits, and somebody may like zeros. */
#define WORD_MAX 40

/**
 * struct reader - where we are in the text
 * @file:	the text
 * @name:	of the file
 * @line:	counted from 1
 * @column:	of @c, counted from 1 in bytes
 * @c:		the character at hand, EOF at the end
 * @error:	where the caller wants to read what is wrong
 * @word:	the last word read
 * @start:	column of its first character
 */
struct reader {
	FILE *file;
	const char *name;
	uint32_t line;
	unsigned int column;
	int c;
	char *error;
	char word[WORD_MAX];
	unsigned int start;
};

__attribute__((format(printf, 3, 4))) static int fault(struct reader *reader, unsigned int column,
						       const char *format, ...)
{
	va_list args;
	int used;

	used = snprintf(reader->error, MAP_TABLE_ERROR_MAX, "%.200s:%u:%u: ", reader->name,
			reader->line, column);
	va_start(args, format);
	vsnprintf(reader->error + used, MAP_TABLE_ERROR_MAX - used, format, args);
	va_end(args);
	return -EINVAL;
}

static void reader_next(struct reader *reader)
{
	reader->c = getc_unlocked(reader->file);
	reader->column++;
}

static bool at_blank(const struct reader *reader)
{
	/* A carriage return comes with files from other systems. */
	return reader->c == ' ' || reader->c == '\t' || reader->c == '\r';
}

static bool at_end(const struct reader *reader)
{
	return reader->c == '\n' || reader->c == EOF;
}

static void skip_blanks(struct reader *reader)
{
	while (at_blank(reader))
		reader_next(reader);
}

static void skip_comment(struct reader *reader)
{
	if (reader->c != '#')
		return;
	while (!at_end(reader))
		reader_next(reader);
}

/* The next word of the line; @what it should be goes into messages. */
static int read_word(struct reader *reader, const char *what)
{
	size_t used = 0;

	skip_blanks(reader);
	reader->start = reader->column;

	while (!at_blank(reader) && !at_end(reader) && reader->c != '#') {
		if (used == WORD_MAX - 1)
			return fault(reader, reader->start, "the %s is too long", what);
		if (reader->c < ' ' || reader->c > '~')
			return fault(reader, reader->column,
				     "a character that cannot be part of the %s", what);
		reader->word[used++] = reader->c;
		reader_next(reader);
	}
	reader->word[used] = '\0';

	if (!used)
		return fault(reader, reader->start,
			     "the %s is missing; a line is: iova size gpa perm", what);
	return 0;
}

static unsigned int suffix_shift(char c)
{
	switch (c) {
	case 'k':
	case 'K':
		return 10;
	case 'M':
		return 20;
	case 'G':
		return 30;
	case 'T':
		return 40;
	default:
		return 0;
	}
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static int read_number(struct reader *reader, const char *what, bool with_suffix, uint64_t *number)
{
	const char *digit = reader->word;
	unsigned int base = 10, shift;
	int err = read_word(reader, what);

	if (err)
		return err;

	if (digit[0] == '0' && (digit[1] == 'x' || digit[1] == 'X')) {
		base = 16;
		digit += 2;
	}

	*number = 0;
	do {
		unsigned int value = digit_value(*digit);

		if (value >= base)
			return fault(reader, reader->start + (digit - reader->word),
				     "the %s \"%s\" is not a number", what, reader->word);
		if (__builtin_mul_overflow(*number, base, number) ||
		    __builtin_add_overflow(*number, value, number))
			return fault(reader, reader->start, "the %s %s does not fit into 64 bits",
				     what, reader->word);
		digit++;
	} while (*digit && !(with_suffix && suffix_shift(*digit)));

	if (!*digit)
		return 0;

	shift = suffix_shift(*digit);
	if (digit[1])
		return fault(reader, reader->start + (digit + 1 - reader->word),
			     "\"%s\" follows the suffix of the %s", digit + 1, what);
	if (*number > UINT64_MAX >> shift)
		return fault(reader, reader->start, "the %s %s does not fit into 64 bits", what,
			     reader->word);
	*number <<= shift;
	return 0;
}

static int read_perm(struct reader *reader, uint32_t *perm)
{
	int err = read_word(reader, "permission");

	if (err)
		return err;

	if (!strcmp(reader->word, "r"))
		*perm = VHOST_ACCESS_RO;
	else if (!strcmp(reader->word, "w"))
		*perm = VHOST_ACCESS_WO;
	else if (!strcmp(reader->word, "rw"))
		*perm = VHOST_ACCESS_RW;
	else
		return fault(reader, reader->start, "the permission \"%s\" is none of r, w, rw",
			     reader->word);
	return 0;
}

static int read_mapping(struct reader *reader, struct map_table_line *line)
{
	unsigned int size_column, gpa_column;
	uint64_t size;
	int err;

	line->line = reader->line;

	err = read_number(reader, "iova", false, &line->iova);
	if (err)
		return err;
	err = read_number(reader, "size", true, &size);
	if (err)
		return err;
	size_column = reader->start;
	err = read_number(reader, "gpa", false, &line->gpa);
	if (err)
		return err;
	gpa_column = reader->start;
	err = read_perm(reader, &line->perm);
	if (err)
		return err;

	if (!size)
		return fault(reader, size_column, "the size is zero");
	if (__builtin_add_overflow(line->iova, size - 1, &line->last))
		return fault(reader, size_column, "the iova range wraps around at 2^64");
	if (line->gpa + (size - 1) < line->gpa)
		return fault(reader, gpa_column, "the gpa range wraps around at 2^64");

	skip_blanks(reader);
	skip_comment(reader);
	if (!at_end(reader))
		return fault(reader, reader->column,
			     "something follows the permission; a line is: iova size gpa perm");
	return 0;
}

static int table_add(struct map_table *table, size_t *room, const struct map_table_line *line)
{
	struct map_table_line *more;
	size_t count;

	if (table->count == *room) {
		count = *room ? *room * 2 : FIRST_LINES;
		if (count > MAP_TABLE_MAX)
			count = MAP_TABLE_MAX;
		more = reallocarray(table->lines, count, sizeof(*more));
		if (!more)
			return -ENOMEM;
		table->lines = more;
		*room = count;
	}
	table->lines[table->count++] = *line;
	return 0;
}

static int read_lines(struct reader *reader, struct map_table *table)
{
	struct map_table_line line;
	size_t room = 0;
	int err;

	while (reader->c != EOF) {
		skip_blanks(reader);
		skip_comment(reader);
		if (!at_end(reader)) {
			err = read_mapping(reader, &line);
			if (err)
				return err;
			if (table->count == MAP_TABLE_MAX) {
				fault(reader, 1, "more than %u mappings", MAP_TABLE_MAX);
				return -E2BIG;
			}
			err = table_add(table, &room, &line);
			if (err) {
				fault(reader, 1, "no memory for more mappings");
				return err;
			}
		}
		if (reader->c == '\n') {
			if (reader->line == UINT32_MAX) {
				fault(reader, 1, "too many lines");
				return -E2BIG;
			}
			reader->line++;
			reader->column = 0;
			reader_next(reader);
		}
	}

	if (ferror(reader->file)) {
		err = errno ? -errno : -EIO;
		fault(reader, 1, "cannot be read: %s", strerror(-err));
		return err;
	}
	return 0;
}

static int by_iova(const void *a, const void *b)
{
	const struct map_table_line *x = a, *y = b;

	if (x->iova != y->iova)
		return x->iova < y->iova ? -1 : 1;
	/* Of two that start together, the one further down is at fault. */
	return x->line < y->line ? -1 : 1;
}

static bool in_order(const struct map_table *table)
{
	size_t i;

	for (i = 1; i < table->count; i++)
		if (table->lines[i - 1].iova > table->lines[i].iova)
			return false;
	return true;
}

static int check_overlap(struct reader *reader, const struct map_table *table)
{
	size_t i;

	for (i = 1; i < table->count; i++) {
		const struct map_table_line *a = &table->lines[i - 1];
		const struct map_table_line *b = &table->lines[i];
		const struct map_table_line *first, *second;

		if (a->last < b->iova)
			continue;
		first = a->line < b->line ? a : b;
		second = a->line < b->line ? b : a;
		reader->line = second->line;
		return fault(reader, 1,
			     "0x%" PRIx64 "-0x%" PRIx64 " overlaps 0x%" PRIx64 "-0x%" PRIx64
			     " of line %u",
			     second->iova, second->last, first->iova, first->last, first->line);
	}
	return 0;
}

int map_table_read(struct map_table *table, FILE *file, const char *name,
		   char error[MAP_TABLE_ERROR_MAX])
{
	struct reader reader = {
		.file = file,
		.name = name,
		.line = 1,
		.error = error,
	};
	int err;

	errno = 0;
	reader_next(&reader);
	err = read_lines(&reader, table);
	if (!err) {
		/* Most files are in order, and sorting needs more memory. */
		if (!in_order(table))
			qsort(table->lines, table->count, sizeof(*table->lines), by_iova);
		err = check_overlap(&reader, table);
	}
	if (err)
		map_table_clear(table);
	return err;
}

void map_table_clear(struct map_table *table)
{
	free(table->lines);
	*table = (struct map_table){};
}

int map_table_find(const struct map_table *table, uint64_t iova, struct mapping *mapping)
{
	const struct map_table_line *line;
	size_t low = 0, high = table->count, middle;

	/* Afterwards, @low lines start at or before the address. */
	while (low < high) {
		middle = low + (high - low) / 2;
		if (table->lines[middle].iova <= iova)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return -ENOENT;

	line = &table->lines[low - 1];
	if (line->last < iova)
		return -ENOENT;

	*mapping = (struct mapping){
		.iova = line->iova,
		.last = line->last,
		.gpa = line->gpa,
		.perm = line->perm,
	};
	return 0;
}
