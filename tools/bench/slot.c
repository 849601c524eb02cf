// SPDX-License-Identifier: GPL-2.0
#include "slot.h"

#include "frame.h"

static void choose_buffer(struct stream *s, struct slot *slot, uint64_t packet)
{
	uint64_t before = slot->buffer.nth, nth;

	if (s->layout->o.map->kind == MAP_KIND_RANDOM) {
		nth = working_set_take(&s->working_set);
		if (before != BUFFER_NONE)
			working_set_put(&s->working_set, before);
	} else {
		nth = layout_nth_buffer(s->layout, packet);
	}
	if (nth != before)
		buffer_set(&slot->buffer, s->layout, s->guest, s->queue->home, s->direction, nth);
}

/* The header in front of the frame stays zero: no offloads. */
static void fill_buffer(struct stream *s, const struct slot *slot, uint64_t packet)
{
	uint32_t size = s->options->frame_size;
	struct frame_id id = stream_frame_id(s, packet);
	uint8_t *frame;

	if (s->direction == DIRECTION_RX) {
		frame_poison(buffer_frame(&slot->buffer));
		return;
	}
	frame = buffer_room(&slot->buffer, size, s->scratch);
	frame_build(frame, size, &id);
	buffer_store(&slot->buffer, size, frame);
}

void slot_fill(struct stream *s, struct slot *slot, uint64_t packet)
{
	choose_buffer(s, slot, packet);
	fill_buffer(s, slot, packet);
}

void slot_offer(struct stream *s, struct slot *slot, uint64_t packet)
{
	const struct layout *l = s->layout;

	slot->packet = packet;
	slot->is_offered = true;
	slot->iova = l->o.map->is_dynamic
			     ? dma_map(s->dma, s->direction, slot - s->slots, &slot->buffer)
			     : layout_buffer_iova(l, s->queue->home, s->direction, packet,
						  slot->buffer.nth);
	virtq_add(&s->queue->ring, slot - s->slots, slot->iova,
		  VNET_HEADER_SIZE + s->options->frame_size,
		  s->direction == DIRECTION_RX ? VRING_DESC_F_WRITE : 0);
}

void slot_take_back(struct stream *s, struct slot *slot)
{
	slot->is_offered = false;
	s->used++;
	if (s->layout->o.map->is_dynamic)
		dma_unmap(s->dma, s->direction, slot->iova);
}

void slot_poison(struct stream *s, const struct slot *slot)
{
	if (s->layout->o.map->is_dynamic)
		buffer_poison(&slot->buffer, s->options->frame_size, s->marks.now, s->scratch);
}
