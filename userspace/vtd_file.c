// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "parse.h"
#include "vtd_file.h"

#define LINE_MAX_BYTES 256

/* RTADDR_REG, VT-d specification 4.1, 11.4.5 */
#define ROOT_MODE_SHIFT 10
#define ROOT_MODE_MASK 3
#define ROOT_MODE_SCALABLE 1
#define ROOT_RESERVED 0x3ff

/* Facts that stand once at most, for reader::line_of */
enum fact_id {
	FACT_ROOT,
	FACT_WIDTH,
	FACT_SAGAW,
	FACT_LARGE,
	FACT_PASS_THROUGH,
	FACT_FIRST_LEVEL,
	FACT_NESTED,
	FACT_PASID,
	FACT_DEVICE,
	FACTS,
};

/**
 * struct reader - where we are in the text
 * @file:	what it says so far
 * @name:	of the text
 * @line:	counted from 1
 * @line_of:	where each fact stands, 0 if it has not come
 * @error:	where the caller wants to read what is wrong
 */
struct reader {
	struct vtd_file *file;
	const char *name;
	unsigned int line;
	unsigned int line_of[FACTS];
	char *error;
};

/**
 * struct fact - a line of a kind
 * @name:	its first word
 * @id:		which it is
 * @value:	what the second word has to be, for messages
 * @parse:	understands it; 0 or -EINVAL, for which read_fact() has the words
 *		if parse has set no error
 */
struct fact {
	const char *name;
	enum fact_id id;
	const char *value;
	int (*parse)(struct reader *reader, char *value);
};

/**
 * struct word - one of a list
 * @name:	the word
 * @bits:	what it stands for
 */
struct word {
	const char *name;
	uint8_t bits;
};

__attribute__((format(printf, 3, 4))) static int fault(struct reader *reader, unsigned int line,
						       const char *format, ...)
{
	va_list args;
	int used;

	used = snprintf(reader->error, VTD_FILE_ERROR_MAX, "%.200s:%u: ", reader->name, line);
	va_start(args, format);
	vsnprintf(reader->error + used, VTD_FILE_ERROR_MAX - used, format, args);
	va_end(args);
	return -EINVAL;
}

/* Words with commas between them, each once; "none" by itself. */
static int parse_list(char *text, const struct word *words, bool may_be_none, uint8_t *bits)
{
	const struct word *word;
	char *name;

	*bits = 0;
	if (may_be_none && !strcmp(text, "none"))
		return 0;
	while ((name = strsep(&text, ","))) {
		for (word = words; word->name && strcmp(word->name, name); word++)
			;
		if (!word->name || *bits & word->bits)
			return -EINVAL;
		*bits |= word->bits;
	}
	return 0;
}

static int parse_root(struct reader *reader, char *value)
{
	uint64_t root;

	if (!parse_number(value, 0, UINT64_MAX, &root))
		return -EINVAL;
	if (root & ROOT_RESERVED)
		return fault(reader, reader->line,
			     "bits 9:0 of root %s are not 0, which no IOMMU allows; write what the "
			     "guest wrote to RTADDR_REG",
			     value);
	if ((root >> ROOT_MODE_SHIFT & ROOT_MODE_MASK) > ROOT_MODE_SCALABLE)
		return fault(reader, reader->line,
			     "bits 11:10 of root %s, the translation table mode, are neither 00 "
			     "(legacy) nor 01 (scalable)",
			     value);
	reader->file->unit.root = root;
	return 0;
}

static int parse_width(struct reader *reader, char *value)
{
	uint64_t width;

	if (!parse_number(value, 39, 52, &width))
		return -EINVAL;
	reader->file->unit.address_width = width;
	return 0;
}

static int parse_sagaw(struct reader *reader, char *value)
{
	static const struct word widths[] = {{"39", 1 << 1}, {"48", 1 << 2}, {"57", 1 << 3}, {}};

	return parse_list(value, widths, false, &reader->file->unit.sagaw);
}

static int parse_large(struct reader *reader, char *value)
{
	static const struct word sizes[] = {{"2m", 1 << 0}, {"1g", 1 << 1}, {}};

	return parse_list(value, sizes, true, &reader->file->unit.large_pages);
}

static int set_flags(struct reader *reader, uint8_t all, uint8_t set)
{
	reader->file->unit.flags = (reader->file->unit.flags & ~all) | set;
	return 0;
}

static int parse_flag(struct reader *reader, const char *value, uint8_t flag)
{
	if (!strcmp(value, "yes"))
		return set_flags(reader, flag, flag);
	if (!strcmp(value, "no"))
		return set_flags(reader, flag, 0);
	return -EINVAL;
}

static int parse_pass_through(struct reader *reader, char *value)
{
	return parse_flag(reader, value, VTD_UNIT_PASS_THROUGH);
}

static int parse_nested(struct reader *reader, char *value)
{
	return parse_flag(reader, value, VTD_UNIT_NESTED);
}

static int parse_first_level(struct reader *reader, char *value)
{
	static const struct word features[] = {
		{"1g", VTD_UNIT_FIRST_1G}, {"5", VTD_UNIT_FIRST_5}, {}};
	uint8_t flags;

	if (parse_list(value, features, true, &flags))
		return -EINVAL;
	return set_flags(reader, VTD_UNIT_FIRST_1G | VTD_UNIT_FIRST_5, flags);
}

static int parse_pasid(struct reader *reader, char *value)
{
	uint64_t pasid;

	if (!parse_number(value, 0, VTD_MAX_PASID, &pasid))
		return -EINVAL;
	reader->file->pasid = pasid;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int hex_byte(const char *text)
{
	int high = hex_digit(text[0]), low = hex_digit(text[1]);

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

int vtd_parse_source(const char *text, uint16_t *source)
{
	int bus, slot;

	if (strlen(text) != 7 || text[2] != ':' || text[5] != '.' || text[6] < '0' || text[6] > '7')
		return -EINVAL;
	bus = hex_byte(text);
	slot = hex_byte(text + 3);
	if (bus < 0 || slot < 0 || slot > 0x1f)
		return -EINVAL;
	*source = bus << 8 | slot << 3 | (text[6] - '0');
	return 0;
}

static int parse_device(struct reader *reader, char *value)
{
	struct vtd_file *file = reader->file;
	uint16_t source;

	if (vtd_parse_source(value, &source))
		return -EINVAL;
	if (file->count == VTD_FILE_MAX_DEVICES)
		return fault(reader, reader->line, "there are more than %d devices",
			     VTD_FILE_MAX_DEVICES);
	file->sources[file->count++] = source;
	return 0;
}

static const struct fact facts[] = {
	{"root", FACT_ROOT, "a number: RTADDR_REG as the guest wrote it", parse_root},
	{"width", FACT_WIDTH, "a number from 39 to 52: the width of guest-physical addresses",
	 parse_width},
	{"address_width", FACT_WIDTH,
	 "a number from 39 to 52: the width of guest-physical addresses", parse_width},
	{"sagaw", FACT_SAGAW, "some of 39, 48 and 57, each once, with commas between them",
	 parse_sagaw},
	{"large", FACT_LARGE, "2m, 1g, 2m,1g or none", parse_large},
	{"pass-through", FACT_PASS_THROUGH, "yes or no", parse_pass_through},
	{"first-level", FACT_FIRST_LEVEL, "1g, 5, 1g,5 or none", parse_first_level},
	{"nested", FACT_NESTED, "yes or no", parse_nested},
	{"pasid", FACT_PASID, "a number below 0x100000", parse_pasid},
	{"device", FACT_DEVICE, "bus, device and function in hexadecimal, as 00:03.0",
	 parse_device},
	{}};

static int read_fact(struct reader *reader, const char *name, char *value)
{
	const struct fact *fact;
	char shown[LINE_MAX_BYTES];
	int err;

	for (fact = facts; fact->name && strcmp(fact->name, name); fact++)
		;
	if (!fact->name)
		return fault(reader, reader->line,
			     "\"%s\" is none of root, width, sagaw, large, pass-through, "
			     "first-level, nested, pasid, device",
			     name);
	if (!value)
		return fault(reader, reader->line, "after %s, there must be %s", name, fact->value);
	if (reader->line_of[fact->id] && fact->id != FACT_DEVICE)
		return fault(reader, reader->line, "%s stands in line %u already; keep one of them",
			     name, reader->line_of[fact->id]);
	reader->line_of[fact->id] = reader->line;

	/* Parsing a list takes it apart. */
	snprintf(shown, sizeof(shown), "%s", value);
	err = fact->parse(reader, value);
	if (err && !*reader->error)
		return fault(reader, reader->line, "%s \"%s\" is not %s", name, shown, fact->value);
	return err;
}

static int check_characters(struct reader *reader, const char *line)
{
	for (; *line; line++)
		if ((*line < ' ' && *line != '\t') || *line > '~')
			return fault(reader, reader->line,
				     "a character that is not printable ASCII; only comments may "
				     "have others");
	return 0;
}

static int read_line(struct reader *reader, char *line)
{
	const char *blanks = " \t";
	char *name, *value, *more, *rest;
	int err;

	line[strcspn(line, "#\r\n")] = '\0';
	err = check_characters(reader, line);
	if (err)
		return err;
	name = strtok_r(line, blanks, &rest);
	if (!name)
		return 0;
	value = strtok_r(NULL, blanks, &rest);
	more = strtok_r(NULL, blanks, &rest);
	if (more)
		return fault(reader, reader->line,
			     "\"%s\" follows %s %s; a line holds one fact, and a list has no "
			     "blanks",
			     more, name, value);
	return read_fact(reader, name, value);
}

/* Return: its length, 0 at the end; -EINVAL if it is too long or holds a NUL. */
static int next_line(FILE *stream, char line[LINE_MAX_BYTES])
{
	int c, length = 0;

	while ((c = getc(stream)) != EOF && c != '\n') {
		if (!c || length == LINE_MAX_BYTES - 2)
			return -EINVAL;
		line[length++] = c;
	}
	if (c == '\n')
		line[length++] = c;
	line[length] = '\0';
	return length;
}

static int read_lines(struct reader *reader, FILE *stream)
{
	char line[LINE_MAX_BYTES];
	int length, err;

	errno = 0;
	while ((length = next_line(stream, line))) {
		reader->line++;
		if (length < 0)
			return fault(reader, reader->line,
				     "the line is longer than %d characters, or holds a NUL",
				     LINE_MAX_BYTES - 2);
		err = read_line(reader, line);
		if (err)
			return err;
	}
	if (ferror(stream)) {
		err = errno ? -errno : -EIO;
		fault(reader, reader->line + 1, "cannot be read: %s", strerror(-err));
		return err;
	}
	return 0;
}

static int check_whole(struct reader *reader)
{
	const struct vtd_unit *unit = &reader->file->unit;

	if (!reader->line_of[FACT_ROOT])
		return fault(reader, reader->line,
			     "root is missing; add a line \"root ADDRESS\", with what the guest "
			     "wrote to RTADDR_REG");
	if (!reader->line_of[FACT_DEVICE])
		return fault(reader, reader->line,
			     "device is missing; add a line \"device BB:DD.F\", with the PCI "
			     "address of the vhost device in the guest");
	if (unit->root >> unit->address_width)
		return fault(reader, reader->line_of[FACT_ROOT],
			     "root 0x%llx is beyond the %u bits of guest-physical addresses; see "
			     "width",
			     (unsigned long long)unit->root, unit->address_width);
	return 0;
}

int vtd_file_read(struct vtd_file *file, FILE *stream, const char *name,
		  char error[VTD_FILE_ERROR_MAX])
{
	struct reader reader = {
		.file = file,
		.name = name,
		.error = error,
	};
	int err;

	*file = (struct vtd_file){
		.unit =
			{
				.address_width = 48,
				.sagaw = 1 << 1 | 1 << 2,
				.large_pages = 1 << 0 | 1 << 1,
				.flags =
					VTD_UNIT_PASS_THROUGH | VTD_UNIT_FIRST_1G | VTD_UNIT_NESTED,
			},
		.pasid = VTD_NO_PASID,
	};
	error[0] = '\0';
	err = read_lines(&reader, stream);
	return err ? err : check_whole(&reader);
}

int vtd_file_load(struct vtd_file *file, const char *path)
{
	char error[VTD_FILE_ERROR_MAX];
	FILE *stream = fopen(path, "re");
	int err;

	if (!stream) {
		err = -errno;
		log_error("cannot open the description of the IOMMU %s: %s", path, strerror(-err));
		return err;
	}
	err = vtd_file_read(file, stream, path, error);
	if (err)
		log_error("%s", error);
	fclose(stream);
	return err;
}
