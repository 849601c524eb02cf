/* SPDX-License-Identifier: GPL-2.0 */
/* Changes images of walks (tests/walk/image.h) as one who knows what they are. */
#ifndef LIBFUZZER_WALK_MUTATE_H
#define LIBFUZZER_WALK_MUTATE_H

#include <string.h>

#include "tests/walk/image.h"
#include "tests/walk/random.h"

#define HEAD sizeof(struct image_head)
#define WORD sizeof(struct image_word)

#define PAGE_BITS 0xffffffffff000ULL
#define FLAGS 0x60ULL /* accessed, dirty */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);

static size_t mutate_word(uint8_t *data, size_t size, size_t max, struct random *r)
{
	const size_t words = (size - HEAD) / WORD;
	const size_t at = HEAD + random_below(r, words) * WORD;
	const size_t end = HEAD + words * WORD;
	struct image_word word, other;

	memcpy(&word, data + at, WORD);
	memcpy(&other, data + HEAD + random_below(r, words) * WORD, WORD);
	switch (random_below(r, 7)) {
	case 0:
		word.value ^= 1ULL << random_below(r, 64);
		break;
	case 1: /* lead to another table */
		word.value = (word.value & ~PAGE_BITS) | (other.gpa & PAGE_BITS);
		break;
	case 2: /* have what another has */
		word.value = other.value;
		break;
	case 3: /* be somewhere else in the table */
		word.gpa ^= 8ULL << random_below(r, 9);
		break;
	case 4:
		word.value ^= random_next(r) & FLAGS;
		break;
	case 5:
		memmove(data + at, data + at + WORD, end - at - WORD);
		return end - WORD;
	default: /* a neighbour, of the entry and of the page */
		if (end + WORD > max)
			return size;
		word.gpa += 8;
		word.value += 4096;
		memcpy(data + end, &word, WORD);
		return end + WORD;
	}
	memcpy(data + at, &word, WORD);
	return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	struct random r = {seed};

	if (size < HEAD + WORD || random_chance(&r, 300))
		return LLVMFuzzerMutate(data, size, max);
	if (random_chance(&r, 200)) {
		LLVMFuzzerMutate(data, HEAD, HEAD);
		return size;
	}
	return mutate_word(data, size, max, &r);
}

#endif /* LIBFUZZER_WALK_MUTATE_H */
