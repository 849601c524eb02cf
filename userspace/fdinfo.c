// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fdinfo.h"

const char *fdinfo_next(const char *text, const char *key)
{
	size_t length = strlen(key);

	while (text && *text) {
		if (!strncmp(text, key, length) && text[length] == ':')
			return text + length + 1;
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return NULL;
}

static const char *skip_blanks(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

size_t fdinfo_count(const char *value)
{
	size_t count = 0;

	for (value = skip_blanks(value); *value && *value != '\n'; value = skip_blanks(value)) {
		value += strcspn(value, " \t\n");
		count++;
	}
	return count;
}

int fdinfo_numbers(const char *value, uint64_t *numbers, size_t count)
{
	char *end;
	size_t i;

	for (i = 0; i < count; i++) {
		bool hex;

		value = skip_blanks(value);
		hex = value[0] == '0' && value[1] == 'x';
		if (hex)
			value += 2;
		/* strtoull() would take a sign, blanks and another "0x". */
		if (!(hex ? isxdigit((unsigned char)*value) : isdigit((unsigned char)*value)))
			return -EPROTO;
		if (hex && value[0] == '0' && tolower(value[1]) == 'x')
			return -EPROTO;

		errno = 0;
		numbers[i] = strtoull(value, &end, hex ? 16 : 10);
		if (errno)
			return -EPROTO;
		value = end;
		if (*value && !isspace((unsigned char)*value))
			return -EPROTO;
	}

	value = skip_blanks(value);
	return *value && *value != '\n' ? -EPROTO : 0;
}
