// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <string.h>

#include "qemu_text.h"

const char *qemu_next_line(const char *text, char line[QEMU_LINE_MAX], size_t *indent)
{
	size_t length = strcspn(text, "\n");
	const char *next = text + length;

	if (!*text)
		return NULL;
	*indent = strspn(text, " ");
	text += *indent;
	length -= *indent;
	if (length >= QEMU_LINE_MAX)
		length = QEMU_LINE_MAX - 1;
	memcpy(line, text, length);
	line[length] = '\0';
	return *next ? next + 1 : next;
}

const char *qemu_after(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) ? NULL : text + length;
}

void qemu_copy_name(char *to, size_t size, const char *from, const char *until)
{
	size_t length = strcspn(from, until), i;

	if (length >= size)
		length = size - 1;
	for (i = 0; i < length; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
	to[length] = '\0';
}

const char *qemu_fixed_hex(const char *text, size_t digits, uint64_t *number)
{
	size_t i;

	*number = 0;
	for (i = 0; i < digits; i++) {
		if (!isxdigit((unsigned char)text[i]))
			return NULL;
		*number = *number << 4 |
			  (isdigit((unsigned char)text[i])
				   ? (unsigned int)(text[i] - '0')
				   : (unsigned int)(tolower((unsigned char)text[i]) - 'a' + 10));
	}
	return text + digits;
}
