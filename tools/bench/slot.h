/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of a packet's buffer: filled, offered (and mapped, if that is not for
 * good), taken back (and unmapped), and poisoned if it is unmapped.
 */
#ifndef BENCH_SLOT_H
#define BENCH_SLOT_H

#include <stddef.h>
#include <stdint.h>

#include "frame.h"
#include "stream.h"

static inline struct frame_id stream_frame_id(const struct stream *s, uint64_t packet)
{
	return (struct frame_id){
		.direction = s->direction,
		.device = s->device->number,
		.sequence = packet,
		.marks = s->dma->process ? &s->marks : NULL,
	};
}

/* Give the slot the buffer that belongs to @packet, and make that ready. */
void slot_fill(struct stream *s, struct slot *slot, uint64_t packet);

/* To the device; not published yet. */
void slot_offer(struct stream *s, struct slot *slot, uint64_t packet);

/* The device has used it, and must not find it any more. */
void slot_take_back(struct stream *s, struct slot *slot);

/* If it is unmapped: what a stale translation leads to is not the packet. */
void slot_poison(struct stream *s, const struct slot *slot);

#endif /* BENCH_SLOT_H */
