/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an entry of VT-d tables says, in words.
 */
#ifndef WALK_DECODE_H
#define WALK_DECODE_H

#include <stddef.h>

struct walk_record;

#define WALK_MAX_PHRASES 16
#define WALK_PHRASE_MAX 64

/**
 * struct walk_decoded - an entry
 * @count:	of @phrases
 * @phrases:	"present", "page of 4K at 0x12345000", "reserved 0x800 set"
 */
struct walk_decoded {
	size_t count;
	char phrases[WALK_MAX_PHRASES][WALK_PHRASE_MAX];
};

/* Decodes a step of a walk; what it means may depend on those before it. */
void walk_decode(const struct walk_record *record, size_t step, struct walk_decoded *decoded);

#endif /* WALK_DECODE_H */
