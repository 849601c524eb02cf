/* SPDX-License-Identifier: GPL-2.0 */
/* Strict reading of what people write: numbers, words. */
#ifndef IOTLB_PARSE_H
#define IOTLB_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * parse_number() - read a whole decimal or 0x number within bounds
 * @text:	what the user wrote
 * @min:	smallest value that is allowed
 * @max:	largest value that is allowed
 * @value:	the result; untouched unless true is returned
 *
 * Signs, blanks, trailing characters and overflow are refused.
 */
bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/**
 * parse_word() - find a word in a NULL-terminated list
 *
 * Return: its place in @words, or -1.
 */
int parse_word(const char *text, const char *const *words);

#endif /* IOTLB_PARSE_H */
