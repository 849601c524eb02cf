/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver's side of a split virtqueue (virtio 1.3, section 2.7). A buffer is
 * a chain of descriptors, always of the same number: in the descriptor table,
 * or in an indirect table of its own. Buffers have numbers, slots, which the
 * caller gives out.
 */
#ifndef BENCH_VIRTQ_H
#define BENCH_VIRTQ_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/virtio_ring.h>

#define VIRTQ_SIZE 256 /* descriptors; what QEMU gives virtio-net */

/* Bytes that the device reads or writes in each of the three parts. */
#define VIRTQ_DESC_BYTES (VIRTQ_SIZE * sizeof(struct vring_desc))
#define VIRTQ_AVAIL_BYTES (sizeof(struct vring_avail) + (VIRTQ_SIZE + 1) * sizeof(__virtio16))
#define VIRTQ_USED_BYTES                                                                           \
	(sizeof(struct vring_used) + VIRTQ_SIZE * sizeof(struct vring_used_elem) +                 \
	 sizeof(__virtio16))

/* An indirect table, which may lie in two pages. */
struct virtq_table {
	struct vring_desc *part[2];
	uint16_t first; /* entries in part[0] */
	uint64_t iova;
};

struct virtq {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t next_avail; /* runs ahead of avail->idx until published */
	uint16_t next_used;
	uint16_t published;		  /* next_avail, when the device was last told */
	uint16_t chain;			  /* descriptors of a buffer */
	bool has_events;		  /* VIRTIO_RING_F_EVENT_IDX is negotiated */
	const struct virtq_table *tables; /* one for each slot; NULL: not indirect */
};

/* The three parts must be zeroed memory of the sizes above. */
void virtq_init(struct virtq *q, void *desc, void *avail, void *used);

/**
 * virtq_add() - offer a buffer, not yet visible to the device
 * @q:		virtqueue
 * @slot:	which the caller knows to be free; unless indirect, those from
 *		VIRTQ_SIZE / @q->chain on are not there
 * @iova:	address of the buffer as the device sees it
 * @length:	bytes, not fewer than @q->chain
 * @flags:	VRING_DESC_F_WRITE if the device is to write to it, or 0
 */
void virtq_add(struct virtq *q, uint16_t slot, uint64_t iova, uint32_t length, uint16_t flags);

/**
 * virtq_publish() - show the device all that was added
 *
 * Return: true if the device wants to be kicked for it.
 */
bool virtq_publish(struct virtq *q);

/* Has the device used a buffer that virtq_take() has not returned yet? */
bool virtq_has_used(const struct virtq *q);

#define VIRTQ_NO_SLOT UINT32_MAX

/**
 * virtq_take() - take back one buffer that the device has used
 * @q:		virtqueue
 * @slot:	what it was added with; VIRTQ_NO_SLOT: the device names a
 *		descriptor with which no buffer starts
 * @length:	bytes that the device says it has written
 *
 * Return: false if there is none.
 */
bool virtq_take(struct virtq *q, uint32_t *slot, uint32_t *length);

/**
 * virtq_rearm() - ask to be called when the next buffer has been used
 *
 * To be called when virtq_take() returns nothing.
 *
 * Return: true if there is one to take already: no call may come for it.
 */
bool virtq_rearm(struct virtq *q);

/* Would the device have to be told if one more buffer were published? */
bool virtq_wants_kick(const struct virtq *q);

#endif /* BENCH_VIRTQ_H */
