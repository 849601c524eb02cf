/* SPDX-License-Identifier: GPL-2.0 */
/* The memory of a packet: virtio header and frame, perhaps in two pages. */
#ifndef BENCH_BUFFER_H
#define BENCH_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "guest.h"
#include "layout.h"

#define BUFFER_NONE UINT64_MAX

struct buffer {
	uint64_t nth; /* of its queue's; BUFFER_NONE: none yet */
	struct place place;
	uint8_t *part[MOST_PAGES];
	size_t first; /* bytes that part[0] has room for */
};

/* Make @b buffer number @nth of a queue. */
void buffer_set(struct buffer *b, const struct layout *l, const struct guest *g,
		unsigned int device, enum direction direction, uint64_t nth);

/* Where the frame starts; it goes on there for FRAME_TAG_END bytes at least. */
static inline uint8_t *buffer_frame(const struct buffer *b)
{
	return b->part[0] + VNET_HEADER_SIZE;
}

/**
 * buffer_room() - where to write a frame of @size bytes
 * @scratch:	SLOT_SIZE bytes for one that does not lie in one piece
 *
 * Return: the place; buffer_store() is to follow.
 */
uint8_t *buffer_room(const struct buffer *b, size_t size, uint8_t *scratch);
void buffer_store(const struct buffer *b, size_t size, const uint8_t *frame);

/* Leave nothing of a frame of @size bytes: frame_poison_all(). */
void buffer_poison(const struct buffer *b, size_t size, uint32_t mark, uint8_t *scratch);

/* Return: the frame, in one piece; in @scratch if it does not lie so. */
const uint8_t *buffer_load(const struct buffer *b, size_t size, uint8_t *scratch);

#endif /* BENCH_BUFFER_H */
