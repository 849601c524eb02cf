/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Ethernet frames that travel between the guest and the far end.
 *
 * Every byte of a frame follows from its device, direction and sequence
 * number, so that a frame read from a wrong buffer, written to a wrong buffer,
 * or to half of the right one, does not pass.
 *
 * A frame of a process has the process's mark in each word of its pattern, and
 * so has what the process has poisoned: each byte says whose it is.
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

/* From a process's PASID, and never 0. */
static inline uint32_t frame_mark(uint32_t pasid)
{
	return 0x5fa00000 | pasid;
}

/**
 * struct frame_marks - whose frames are they?
 * @now:	mark of the process whose are those from number @from on
 * @before:	of that in whose place it came
 * @from:	see @now
 */
struct frame_marks {
	uint32_t now;
	uint32_t before;
	uint64_t from;
};

/* @marks is NULL if there are no processes. */
struct frame_id {
	enum direction direction;
	unsigned int device;
	uint64_t sequence;
	const struct frame_marks *marks;
};

/* Fill @size >= FRAME_MIN bytes at @frame. */
void frame_build(uint8_t *frame, size_t size, const struct frame_id *id);

/*
 * Make what lies at @frame fail frame_check(): an old frame that is still
 * there must not pass for a new one. The first is cheap and writes no more
 * than FRAME_TAG_END bytes; the second leaves nothing of @size bytes. @mark is
 * that of the process whose memory it is, or 0.
 */
void frame_poison(uint8_t *frame);
void frame_poison_all(uint8_t *frame, size_t size, uint32_t mark);

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

/**
 * frame_crossed() - how much of a frame comes from another process?
 * @frame:	what has arrived instead of the frame
 * @length:	bytes
 * @id:		what should have arrived
 *
 * Return: bytes; 0 if there are no processes.
 */
size_t frame_crossed(const uint8_t *frame, size_t length, const struct frame_id *id);

#endif /* BENCH_FRAME_H */
