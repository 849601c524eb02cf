// SPDX-License-Identifier: GPL-2.0
#include "buffer.h"

#include <stdbool.h>
#include <string.h>

#include "frame.h"

void buffer_set(struct buffer *b, const struct layout *l, const struct guest *g,
		unsigned int device, enum direction direction, uint64_t nth)
{
	struct place place = layout_buffer(l, device, direction, nth);

	*b = (struct buffer){
		.nth = nth,
		.place = place,
		.first = SLOT_SIZE - place.at % SLOT_SIZE,
	};
	b->part[0] = guest_memory(g, layout_gpa(l, place));
	if (l->pages > 1) {
		place.at += b->first;
		b->part[1] = guest_memory(g, layout_gpa(l, place));
	}
}

static bool is_whole(const struct buffer *b, size_t size)
{
	return VNET_HEADER_SIZE + size <= b->first;
}

uint8_t *buffer_room(const struct buffer *b, size_t size, uint8_t *scratch)
{
	return is_whole(b, size) ? buffer_frame(b) : scratch;
}

void buffer_store(const struct buffer *b, size_t size, const uint8_t *frame)
{
	size_t first = b->first - VNET_HEADER_SIZE;

	if (is_whole(b, size))
		return;
	memcpy(buffer_frame(b), frame, first);
	memcpy(b->part[1], frame + first, size - first);
}

void buffer_poison(const struct buffer *b, size_t size, uint32_t mark, uint8_t *scratch)
{
	uint8_t *frame = buffer_room(b, size, scratch);

	frame_poison_all(frame, size, mark);
	buffer_store(b, size, frame);
}

const uint8_t *buffer_load(const struct buffer *b, size_t size, uint8_t *scratch)
{
	size_t first = b->first - VNET_HEADER_SIZE;

	if (is_whole(b, size))
		return buffer_frame(b);
	memcpy(scratch, buffer_frame(b), first);
	memcpy(scratch + first, b->part[1], size - first);
	return scratch;
}
