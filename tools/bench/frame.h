/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Ethernet frames that travel between the guest and the far end.
 *
 * Every byte of a frame follows from its device, direction and sequence
 * number, so that a frame read from a wrong buffer, written to a wrong buffer,
 * or to half of the right one, does not pass.
 */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "direction.h"

#define FRAME_ETHERTYPE 0x88b5 /* IEEE 802: local experimental */
#define FRAME_MIN 60
#define FRAME_TAG_END 32 /* the pattern starts here */

enum frame_verdict {
	FRAME_GOOD,
	FRAME_CORRUPT,
	FRAME_POISONED, /* what frame_poison() has left is still there */
	FRAME_FOREIGN,	/* not sent by us: another Ethertype */
};

struct frame_id {
	enum direction direction;
	unsigned int device;
	uint64_t sequence;
};

/* Fill @size >= FRAME_MIN bytes at @frame. */
void frame_build(uint8_t *frame, size_t size, const struct frame_id *id);

/*
 * Make what lies at @frame fail frame_check(): an old frame that is still
 * there must not pass for a new one. The first is cheap and writes no more
 * than FRAME_TAG_END bytes; the second leaves nothing of @size bytes.
 */
void frame_poison(uint8_t *frame);
void frame_poison_all(uint8_t *frame, size_t size);

/**
 * frame_check() - is this the frame that was built?
 * @frame:	the bytes that arrived
 * @length:	how many
 * @size:	how many were sent
 * @id:		direction and device that it must be of; the sequence number
 *		is filled in for FRAME_GOOD
 */
enum frame_verdict frame_check(const uint8_t *frame, size_t length, size_t size,
			       struct frame_id *id);

#endif /* BENCH_FRAME_H */
