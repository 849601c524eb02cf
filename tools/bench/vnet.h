/* SPDX-License-Identifier: GPL-2.0 */
/* A virtio-net device: /dev/vhost-net, a tap behind it, and its virtqueues. */
#ifndef BENCH_VNET_H
#define BENCH_VNET_H

#include <stdbool.h>
#include <stdint.h>

#include "direction.h"
#include "guest.h"
#include "layout.h"
#include "tap.h"
#include "virtq.h"

struct vnet_queue {
	struct virtq ring;
	int kick;  /* eventfd: look at the available ring */
	int call;  /* eventfd: look at the used ring */
	int error; /* eventfd: vhost gave up on something in the ring */
	bool has_backend;
};

struct vnet {
	unsigned int number;
	int fd; /* vhost */
	struct tap tap;
	struct vnet_queue queues[NR_DIRECTIONS];
	int64_t vhost_id; /* the kernel's name for it; -1: has none */
};

/**
 * vnet_open() - make a device, up to but not including its backend
 * @v:		result
 * @number:	of the device
 * @l:		where its rings are
 * @g:		guest memory
 * @frame_size:	largest frame in bytes
 *
 * Return: 0, or -1 after a message, with nothing left open.
 */
int vnet_open(struct vnet *v, unsigned int number, const struct layout *l, const struct guest *g,
	      size_t frame_size);
void vnet_close(struct vnet *v);

/**
 * vnet_start_queue() - connect a virtqueue with the tap
 *
 * Return: 0; -EFAULT if vhost has no translation of the used ring yet: it has
 * reported a miss, try again once that is answered; another negative errno.
 */
int vnet_start_queue(struct vnet *v, enum direction direction);

/* Number of errors that vhost has signalled since the last call. */
uint64_t vnet_ring_errors(struct vnet *v, enum direction direction);

/**
 * vnet_map() - tell vhost a translation (VHOST_IOTLB_UPDATE)
 *
 * Return: 0 or a negative errno.
 */
int vnet_map(const struct vnet *v, const struct guest *g, const struct mapping *mapping);

#endif /* BENCH_VNET_H */
