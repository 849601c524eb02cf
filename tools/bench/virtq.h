/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver's side of a split virtqueue (virtio 1.3, section 2.7), without
 * VIRTIO_F_EVENT_IDX and with one descriptor a buffer.
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

struct virtq {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t next_avail; /* runs ahead of avail->idx until published */
	uint16_t next_used;
};

/* The three parts must be zeroed memory of the sizes above. */
void virtq_init(struct virtq *q, void *desc, void *avail, void *used);

/**
 * virtq_add() - offer a buffer, not yet visible to the device
 * @q:		virtqueue
 * @head:	descriptor to use; the caller knows that it is free
 * @iova:	address of the buffer as the device sees it
 * @length:	bytes
 * @flags:	VRING_DESC_F_WRITE if the device is to write to it, or 0
 */
void virtq_add(struct virtq *q, uint16_t head, uint64_t iova, uint32_t length, uint16_t flags);

/**
 * virtq_publish() - show the device all that was added
 *
 * Return: true if the device wants to be kicked for it.
 */
bool virtq_publish(struct virtq *q);

/* Has the device used a buffer that virtq_take() has not returned yet? */
bool virtq_has_used(const struct virtq *q);

/**
 * virtq_take() - take back one buffer that the device has used
 * @q:		virtqueue
 * @head:	the descriptor that it was added with
 * @length:	bytes that the device says it has written
 *
 * Return: false if there is none.
 */
bool virtq_take(struct virtq *q, uint32_t *head, uint32_t *length);

#endif /* BENCH_VIRTQ_H */
