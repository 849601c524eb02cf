// SPDX-License-Identifier: GPL-2.0
#include "frame.h"

#include <endian.h>
#include <string.h>

#define ETHERTYPE_OFFSET 12
#define TAG_OFFSET 14

#define POISON 0x6a
#define WORD sizeof(uint64_t) /* of the pattern */
#define MARK_MASK 0xfff00000  /* the rest is the PASID */

static const uint8_t magic[4] = {'i', 'o', 't', 'l'};
static const uint8_t poisoned[4] = {'p', 'o', 'i', 's'};

struct tag {
	uint8_t magic[4];
	uint16_t direction;
	uint16_t device;
	uint16_t size;
	uint64_t sequence;
} __attribute__((packed));

_Static_assert(TAG_OFFSET + sizeof(struct tag) == FRAME_TAG_END,
	       "the pattern starts where the tag ends");

static void build_head(uint8_t *frame, size_t size, const struct frame_id *id)
{
	/* Locally administered unicast: guest 02:..:01, far end 02:..:02. */
	uint8_t head[TAG_OFFSET] = {2,
				    0,
				    0,
				    0,
				    id->device,
				    2,
				    2,
				    0,
				    0,
				    0,
				    id->device,
				    1,
				    FRAME_ETHERTYPE >> 8,
				    FRAME_ETHERTYPE & 0xff};
	struct tag tag = {
		.direction = htole16(id->direction),
		.device = htole16(id->device),
		.size = htole16(size),
		.sequence = htole64(id->sequence),
	};

	if (id->direction == DIRECTION_RX) {
		head[5] = 1;
		head[11] = 2;
	}
	memcpy(tag.magic, magic, sizeof(magic));
	memcpy(frame, head, sizeof(head));
	memcpy(frame + TAG_OFFSET, &tag, sizeof(tag));
}

static uint32_t mark_of(const struct frame_id *id)
{
	if (!id->marks)
		return 0;
	return id->sequence < id->marks->from ? id->marks->before : id->marks->now;
}

static uint64_t pattern_start(const struct frame_id *id)
{
	uint64_t salt = (uint64_t)id->device << 1 | id->direction;

	return (id->sequence + 1) * 0xd1342543de82ef95ULL ^ salt << 56;
}

/* Cheap, and no two words of a frame, nor of neighbours, are the same. */
static uint64_t pattern_word(uint64_t *state, uint32_t mark)
{
	uint64_t word;

	*state += 0x9e3779b97f4a7c15ULL;
	word = *state ^ *state >> 29;
	/* In front, so that it is in half a word, too. */
	return htole64(mark ? word >> 32 << 32 | mark : word);
}

void frame_build(uint8_t *frame, size_t size, const struct frame_id *id)
{
	uint64_t state = pattern_start(id), word;
	uint32_t mark = mark_of(id);
	size_t at = FRAME_TAG_END;

	build_head(frame, size, id);
	for (; at + sizeof(word) <= size; at += sizeof(word)) {
		word = pattern_word(&state, mark);
		memcpy(frame + at, &word, sizeof(word));
	}
	word = pattern_word(&state, mark);
	memcpy(frame + at, &word, size - at);
}

void frame_poison(uint8_t *frame)
{
	/* With our Ethertype, or it would pass for somebody else's frame. */
	frame[ETHERTYPE_OFFSET] = FRAME_ETHERTYPE >> 8;
	frame[ETHERTYPE_OFFSET + 1] = FRAME_ETHERTYPE & 0xff;
	memcpy(frame + TAG_OFFSET, poisoned, sizeof(poisoned));
}

void frame_poison_all(uint8_t *frame, size_t size, uint32_t mark)
{
	memset(frame, POISON, size);
	frame_poison(frame);
	mark = htole32(mark);
	for (size_t at = FRAME_TAG_END; mark && at + sizeof(mark) <= size; at += WORD)
		memcpy(frame + at, &mark, sizeof(mark));
}

static enum frame_verdict check_pattern(const uint8_t *frame, size_t size, uint64_t state,
					uint32_t mark)
{
	size_t at = FRAME_TAG_END;
	uint64_t word;

	for (; at + sizeof(word) <= size; at += sizeof(word)) {
		word = pattern_word(&state, mark);
		if (memcmp(frame + at, &word, sizeof(word)))
			return FRAME_CORRUPT;
	}
	word = pattern_word(&state, mark);
	return memcmp(frame + at, &word, size - at) ? FRAME_CORRUPT : FRAME_GOOD;
}

enum frame_verdict frame_check(const uint8_t *frame, size_t length, size_t size,
			       struct frame_id *id)
{
	uint8_t head[FRAME_TAG_END];
	struct tag tag;

	if (length < TAG_OFFSET || frame[ETHERTYPE_OFFSET] != FRAME_ETHERTYPE >> 8 ||
	    frame[ETHERTYPE_OFFSET + 1] != (FRAME_ETHERTYPE & 0xff))
		return FRAME_FOREIGN;
	if (length != size)
		return FRAME_CORRUPT;
	if (!memcmp(frame + TAG_OFFSET, poisoned, sizeof(poisoned)))
		return FRAME_POISONED;

	/* The sequence number is its own; all else must be as we build it. */
	memcpy(&tag, frame + TAG_OFFSET, sizeof(tag));
	id->sequence = le64toh(tag.sequence);
	build_head(head, size, id);
	if (memcmp(frame, head, sizeof(head)))
		return FRAME_CORRUPT;
	return check_pattern(frame, size, pattern_start(id), mark_of(id));
}

size_t frame_crossed(const uint8_t *frame, size_t length, const struct frame_id *id)
{
	uint32_t own = mark_of(id), mark;
	size_t crossed = 0;

	for (size_t at = FRAME_TAG_END; own && at + sizeof(mark) <= length; at += WORD) {
		memcpy(&mark, frame + at, sizeof(mark));
		mark = le32toh(mark);
		if (mark != own && (mark & MARK_MASK) == frame_mark(0))
			crossed += length - at < WORD ? length - at : WORD;
	}
	return crossed;
}
