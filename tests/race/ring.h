/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver's side of a virtqueue whose ring moves about in memory.
 *
 * While the translation of a part of the ring changes, the part has two live
 * copies, and the driver writes to both. What the device reads tells which one
 * it has used: a buffer's head is one of VARIANTS, by the epoch of the
 * available ring; the second descriptor of a buffer is longer by the epoch of
 * the descriptor table, modulo PADS. What the device has written to the used
 * ring is saved when a copy dies. What it writes there later is a fault that
 * would bring all to a stop; so that the rest can be seen, it is noticed.
 */
#ifndef RACE_RING_H
#define RACE_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "space.h"

#define VARIANTS 4
#define PADS 32
#define IN_FLIGHT 8 /* buffers, and so x VARIANTS x 2 descriptors */

struct buffer {
	uint64_t iova[2];
	uint32_t length[2]; /* the second one may be 0: there is none */
};

/* A used element. */
struct used {
	bool is_there;
	bool is_late; /* written to a dead copy */
	uint32_t head, length;
};

struct vring_used;

/**
 * struct ring - a virtqueue
 * @space:	where it is
 * @queue:	its index
 * @mutex:	of the mapper and the driver
 * @live:	copies of each part, the newest one last; NULL: only one
 * @epochs:	of these
 * @buffers:	by number of the buffer % IN_FLIGHT
 * @dead:	the used ring that died last
 * @saved:	used elements out of dead copies, by number % RING_SIZE
 * @published:	buffers that were made available
 * @taken:	buffers that the device has used
 */
struct ring {
	struct space *space;
	int queue;
	pthread_mutex_t mutex;
	void *live[NR_PARTS][2];
	uint64_t epochs[NR_PARTS][2];
	struct vring_used *dead;
	struct buffer buffers[IN_FLIGHT];
	struct used saved[RING_SIZE];
	uint64_t published, taken;
};

/* What had ended when a buffer was made available. */
struct ring_ended {
	uint64_t desc, avail;
};

void ring_init(struct ring *r, struct space *s, int queue);

/* After space_begin() and space_end() of the page of a part. */
void ring_begin(struct ring *r, int part);

/**
 * ring_end() - all but the newest copy of a part are dead
 *
 * To be called before space_end(), which writes to the copy.
 */
void ring_end(struct ring *r, int part);

/* The device does not run, and is about to take up the used ring's index. */
void ring_restart(struct ring *r);

bool ring_has_room(const struct ring *r);

/**
 * ring_publish() - make a buffer available
 * @r:		the ring, with room
 * @b:		the buffer
 * @ended:	filled in before the device can see it
 */
void ring_publish(struct ring *r, const struct buffer *b, struct ring_ended *ended);

/* Take back the next buffer that the device has used. Return: is there one? */
bool ring_take(struct ring *r, struct used *used);

/* Is it a head of buffer @number, by an available ring that may be used? */
bool ring_head_is_good(const struct ring *r, uint64_t number, uint32_t head, uint64_t ended);

/* Is it a descriptor of a table that may be used? */
bool ring_pad_is_good(const struct ring *r, uint32_t pad, uint64_t ended);

/* For people, when nothing moves: lines that begin with #. */
void ring_dump(struct ring *r);

#endif /* RACE_RING_H */
