// SPDX-License-Identifier: GPL-2.0
/* A table of mappings, read by userspace/map_table.c and, line by line, here. */
#include <errno.h>
#include <linux/vhost_types.h>
#include <stdio.h>

#include "map_table.h"
#include "number.h"

#define LINES_MAX 256
#define WORD_MAX 39

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where the @words of a line begin is written; the line is cut up. Return: how many. */
static unsigned int split(char *line, char *words[5])
{
	unsigned int nr = 0;

	for (char *word = strtok(line, " \t\r"); word && nr < 5; word = strtok(NULL, " \t\r"))
		words[nr++] = word;
	return nr;
}

static bool is_good_word(const char *word)
{
	if (strlen(word) > WORD_MAX)
		return false;
	for (; *word; word++)
		if (*word < ' ' || *word > '~')
			return false;
	return true;
}

static bool read_size(const char *text, uint64_t *size)
{
	static const char suffixes[] = "kMGT";
	const char *suffix, *found;
	unsigned int shift;

	if (!number_is(text, true, &suffix, size))
		return false;
	if (!*suffix)
		return true;
	found = strchr(suffixes, *suffix == 'K' ? 'k' : *suffix);
	if (!found || suffix[1])
		return false;
	shift = 10 * (found - suffixes + 1);
	if (*size << shift >> shift != *size)
		return false;
	*size <<= shift;
	return true;
}

static bool read_line(char *words[5], struct mapping *mapping)
{
	uint64_t size;

	for (int i = 0; i < 4; i++)
		if (!is_good_word(words[i]))
			return false;
	if (!number_is(words[0], true, NULL, &mapping->iova) || !read_size(words[1], &size) ||
	    !number_is(words[2], true, NULL, &mapping->gpa))
		return false;
	if (!strcmp(words[3], "r"))
		mapping->perm = VHOST_ACCESS_RO;
	else if (!strcmp(words[3], "w"))
		mapping->perm = VHOST_ACCESS_WO;
	else if (!strcmp(words[3], "rw"))
		mapping->perm = VHOST_ACCESS_RW;
	else
		return false;
	mapping->last = mapping->iova + (size - 1);
	return size && mapping->last >= mapping->iova && mapping->gpa + (size - 1) >= mapping->gpa;
}

/* Return: whether the text is good; @nr is -1 if it is longer than is looked at here. */
static bool read_text(char *text, struct mapping *mappings, int *nr)
{
	char *next, *words[5];

	*nr = 0;
	for (char *line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line[strcspn(line, "#")] = '\0';
		switch (split(line, words)) {
		case 0:
			continue;
		case 4:
			break;
		default:
			return false;
		}
		if (*nr == LINES_MAX) {
			*nr = -1;
			return false;
		}
		if (!read_line(words, &mappings[*nr]))
			return false;
		for (int i = 0; i < *nr; i++)
			if (mappings[i].iova <= mappings[*nr].last &&
			    mappings[*nr].iova <= mappings[i].last)
				return false;
		++*nr;
	}
	return true;
}

static void check_find(const struct map_table *table, const struct mapping *mapping, uint64_t at)
{
	struct mapping found;

	CHECK(!map_table_find(table, at, &found));
	CHECK(found.iova == mapping->iova && found.last == mapping->last);
	CHECK(found.gpa == mapping->gpa && found.perm == mapping->perm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mapping mappings[LINES_MAX];
	char error[MAP_TABLE_ERROR_MAX] = "";
	struct map_table table = {};
	char *text;
	FILE *file;
	bool good;
	int err, nr;

	/* A NUL is no character of a line, but may be part of a comment. */
	if (!size || memchr(data, '\0', size))
		return 0;
	file = fmemopen((void *)data, size, "r");
	CHECK(file);
	err = map_table_read(&table, file, "t", error);
	fclose(file);

	text = strndup((const char *)data, size);
	CHECK(text);
	good = read_text(text, mappings, &nr);
	free(text);

	if (nr >= 0)
		CHECK(good == !err);
	if (err) {
		CHECK(err == -EINVAL && !strncmp(error, "t:", 2));
		CHECK(memchr(error, '\0', sizeof(error)) && !table.count);
	} else if (nr >= 0) {
		CHECK(table.count == (size_t)nr);
		for (int i = 0; i < nr; i++) {
			check_find(&table, &mappings[i], mappings[i].iova);
			check_find(&table, &mappings[i], mappings[i].last);
		}
	}
	map_table_clear(&table);
	return 0;
}
