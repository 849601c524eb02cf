/* SPDX-License-Identifier: GPL-2.0 */
/* A virtio-net device: /dev/vhost-net, a tap behind it, and its virtqueues. */
#ifndef BENCH_VNET_H
#define BENCH_VNET_H

#include <stdbool.h>
#include <stdint.h>

#include "bench_options.h"
#include "direction.h"
#include "guest.h"
#include "layout.h"
#include "tap.h"
#include "virtq.h"

struct vnet_queue {
	struct virtq ring;
	struct virtq_table *tables; /* indirect ones, or NULL */
	unsigned int home;	    /* where its rings and buffers are: layout.h */
	int kick;		    /* eventfd: look at the available ring */
	int call;		    /* eventfd: look at the used ring */
	int error;		    /* eventfd: vhost gave up on something in the ring */
	bool has_backend;
};

struct vnet {
	unsigned int number;
	int fd; /* vhost */
	struct tap tap;
	struct vnet_queue queues[NR_DIRECTIONS];
	int64_t vhost_id; /* the kernel's name for it; -1: has none */
	bool has_batches; /* VHOST_IOTLB_MSG_V3 */
	const struct layout *layout;
};

/**
 * vnet_open() - make a device, up to but not including its backend
 * @v:		result
 * @number:	of the device
 * @o:		options
 * @l:		where its rings are
 * @g:		guest memory
 *
 * Return: 0, or -1 after a message, with nothing left open.
 */
int vnet_open(struct vnet *v, unsigned int number, const struct options *o, const struct layout *l,
	      const struct guest *g);
void vnet_close(struct vnet *v);

/**
 * vnet_start_queue() - connect a virtqueue with the tap
 *
 * Return: 0; -EFAULT if vhost has no translation of the used ring yet: it has
 * reported a miss, try again once that is answered; another negative errno.
 */
int vnet_start_queue(struct vnet *v, enum direction direction);

/* Disconnect it: vhost has done with all that it has begun. */
void vnet_stop_queue(struct vnet *v, enum direction direction);

/**
 * vnet_bind() - put a virtqueue that is not connected into an address space
 *
 * Return: 0, or -1 after a message.
 */
int vnet_bind(const struct vnet *v, enum direction direction, uint32_t asid);

/**
 * vnet_move_queue() - begin anew, with rings that lie elsewhere in guest memory
 * @v:		device
 * @direction:	a virtqueue that is not connected
 * @home:	where that is
 * @o:		options
 * @g:		guest memory
 *
 * What is in the rings that it had is lost.
 *
 * Return: 0, or -1 after a message.
 */
int vnet_move_queue(struct vnet *v, enum direction direction, unsigned int home,
		    const struct options *o, const struct guest *g);

/* Number of errors that vhost has signalled since the last call. */
uint64_t vnet_ring_errors(struct vnet *v, enum direction direction);

/**
 * vnet_map() - tell vhost a translation (VHOST_IOTLB_UPDATE)
 * @asid:	the address space; 0 unless virtqueues are bound to others
 *
 * Return: 0 or a negative errno; -ENXIO if no virtqueue is in the address space.
 */
int vnet_map(const struct vnet *v, const struct guest *g, uint32_t asid,
	     const struct mapping *mapping);

struct vhost_iotlb_msg;

/*
 * Tell vhost that an access has failed for good (VHOST_IOTLB_ACCESS_FAIL): what it
 * needed the address for comes back unused. Return: 0 or a negative errno.
 */
int vnet_fail(const struct vnet *v, uint32_t asid, const struct vhost_iotlb_msg *miss);

/**
 * vnet_invalidate() - tell vhost to forget translations (VHOST_IOTLB_INVALIDATE)
 * @v:		device
 * @asid:	as of vnet_map()
 * @iovas:	first address of each
 * @count:	of them, FLUSH_BATCH at most
 * @size:	bytes of each
 *
 * Many go in one message, if vhost takes such.
 *
 * Return: how many messages it took, or a negative errno.
 */
int vnet_invalidate(const struct vnet *v, uint32_t asid, const uint64_t *iovas, unsigned int count,
		    uint64_t size);

/* Tell vhost to forget all of an address space. Return: 0 or a negative errno. */
int vnet_invalidate_all(const struct vnet *v, uint32_t asid);

#endif /* BENCH_VNET_H */
