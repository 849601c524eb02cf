/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers in text, read a second time. */
#ifndef LIBFUZZER_NUMBER_H
#define LIBFUZZER_NUMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What must be true. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

/*
 * A decimal number, or with 0x (with @upper also 0X) a hexadecimal one. Up to
 * @suffix, which is where it ends if that is not NULL, else it must be all of
 * @text.
 */
static inline bool number_is(const char *text, bool upper, const char **suffix, uint64_t *number)
{
	static const char digits[] = "0123456789abcdef";
	unsigned __int128 value = 0;
	unsigned int base = 10;
	size_t count = 0;

	if (text[0] == '0' && (text[1] == 'x' || (upper && text[1] == 'X'))) {
		base = 16;
		text += 2;
	}
	for (; *text; text++, count++) {
		const char lower = *text >= 'A' && *text <= 'F' ? *text - 'A' + 'a' : *text;
		const char *digit = strchr(digits, lower);

		if (!digit || digit - digits >= base)
			break;
		value = value * base + (digit - digits);
		if (value > UINT64_MAX)
			return false;
	}
	*number = value;
	if (suffix)
		*suffix = text;
	return count && (suffix || !*text);
}

#endif /* LIBFUZZER_NUMBER_H */
