/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio-net device with everything in our hands: /dev/vhost-net, the rings,
 * the IOTLB's messages, and a tap with a packet socket at the far end.
 *
 * The device's memory is a row of pages. Page n has the I/O virtual address
 * device_iova(n), for which vhost has no translation until it is told one.
 * What cannot fail on a sane system ends the program; what is under test
 * returns its result.
 */
#ifndef KERNEL_TEST_DEVICE_H
#define KERNEL_TEST_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/vhost.h>
#include <linux/virtio_ring.h>

#define PAGE 4096UL

/* The virtqueues of virtio-net, by index. */
enum { RX, TX, NR_QUEUES };

/* Parts of a ring: each has a page of its own. */
enum { DESC, AVAIL, USED, NR_PARTS };

#define RING_PAGES (NR_QUEUES * NR_PARTS)
#define RING_SIZE 64

/* Pages for buffers. */
#define FIRST_PAGE 8
#define NR_PAGES 64

/* What is not as usual; zero is as usual. */
struct device_shape {
	unsigned int ring_size; /* descriptors, instead of RING_SIZE */
	unsigned int nr_pages;	/* instead of NR_PAGES */
	uint64_t features;	/* more than the usual ones */
	bool kthread;		/* the worker is no thread of ours */
};

/* A part of a buffer. */
struct segment {
	uint64_t iova;
	uint32_t length;
};

struct queue {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	int kick; /* eventfds */
	int call;
};

struct device {
	int fd; /* vhost, non-blocking */
	int tap;
	int socket; /* what the device sends comes out here, and vice versa */
	uint8_t *memory;
	unsigned int nr_pages, ring_size;
	struct queue queues[NR_QUEUES];
	struct device *next;
};

/* Leave the network of the system for one of our own. */
void device_enter_namespace(void);

/**
 * device_open() - make a device; its virtqueues have no backend yet
 *
 * The runner closes it after the check, if the check does not.
 */
struct device *device_open(void);

/* As device_open(), but its addresses are offsets into its memory. */
struct device *device_open_without_iotlb(void);

/* As device_open(). A large ring may have parts of several pages. */
struct device *device_open_shaped(const struct device_shape *shape);

/* Map the rings, each page by itself, and start both virtqueues. */
void device_run(struct device *d);

/* As device_open(), with rings mapped and both virtqueues running. */
struct device *device_open_running(void);
void device_close(struct device *d);
void device_close_all(void);

/* A vhost-vsock device that does not run, without a far end. */
struct device *device_open_vsock(void);

/* Just the file descriptor of a vhost device, with an owner and @features. */
int device_open_bare(const char *path, uint64_t features);

#define VHOST_NET "/dev/vhost-net"
#define VHOST_VSOCK "/dev/vhost-vsock"

uint64_t device_iova(unsigned int page);
void *device_page(const struct device *d, unsigned int page);

/* Page of a part of a ring of the usual size. */
unsigned int device_ring_page(int queue, int part);

/* Pages that the rings of @d take: the first is 0. */
unsigned int device_ring_pages(const struct device *d);

/* Do these once more, as for a reset. Return: 0 or a negative errno. */
int device_set_memory_table(const struct device *d);
int device_set_regions(const struct device *d, const struct vhost_memory_region *regions,
		       unsigned int nr);
int device_set_features(const struct device *d, bool has_iotlb);
void device_set_rings(struct device *d, bool has_iotlb);
void device_set_up_queues(struct device *d);

/* Have the memory elsewhere, with the same in it; the device is not told. */
void device_move_memory(struct device *d, void *memory);

/* IOTLB messages. Return: 0 or a negative errno. */
int device_update(const struct device *d, uint64_t iova, uint64_t size, const void *target,
		  int perm);
int device_map(const struct device *d, unsigned int page, int perm);
int device_invalidate(const struct device *d, uint64_t iova, uint64_t size);

/**
 * device_read_miss() - read a message without waiting
 *
 * Return: 0, -EAGAIN if there is none, or another negative errno.
 */
int device_read_miss(const struct device *d, struct vhost_iotlb_msg *msg);

/* The same in, and from, an address space. */
int device_update_in(const struct device *d, uint32_t asid, uint64_t iova, uint64_t size,
		     const void *target, int perm);
int device_invalidate_in(const struct device *d, uint32_t asid, uint64_t iova, uint64_t size);
int device_read_miss_in(const struct device *d, uint32_t *asid, struct vhost_iotlb_msg *msg);

/* The same with messages of version 1. */
int device_read_miss_v1(const struct device *d, struct vhost_iotlb_msg *msg);
int device_map_v1(const struct device *d, unsigned int page, int perm);

/* Does poll() say that there is a message? */
bool device_has_message(const struct device *d);

/* Wait until there is a message. Return: false after LIMIT_MS. */
bool device_wait_message(const struct device *d);

/* The tap as backend. Return: 0 or a negative errno. */
int device_start_queue(const struct device *d, int queue);
int device_stop_queue(const struct device *d, int queue);

/* Offer a buffer. Return: its descriptor. */
unsigned int device_offer(struct device *d, int queue, uint64_t iova, uint32_t length);
void device_set_address(struct device *d, int queue, unsigned int descriptor, uint64_t iova);

/*
 * Offer a buffer that has several parts, in the first descriptors of the ring:
 * nothing else may be on offer.
 */
void device_offer_chain(struct device *d, int queue, const struct segment *parts, unsigned int nr);

/* The same with all descriptors in @table, which the device finds at @iova. */
void device_offer_indirect(struct device *d, int queue, struct vring_desc *table, uint64_t iova,
			   const struct segment *parts, unsigned int nr);

/* Number of buffers that the device has given back. */
unsigned int device_used(const struct device *d, int queue);
void device_kick(const struct device *d, int queue);

/*
 * Wait until the device has done all that it was going to do: after this,
 * what has not happened will not happen by itself.
 */
void device_flush(struct device *d);
void device_kick_and_flush(struct device *d, int queue);

/* Put a frame on a page, offer it, kick and flush. Return: its descriptor. */
unsigned int device_send(struct device *d, unsigned int page, uint32_t tag);

/*
 * Offer the frame at @iova as it is, kick and flush. Return: the tag of what
 * came out, or -1 if the device waits, or it is not ours.
 */
int64_t device_transmit(struct device *d, uint64_t iova);

/* Send a frame to the device. */
void device_inject(const struct device *d, uint32_t tag);
void device_inject_size(const struct device *d, size_t size, uint32_t tag);

/* The tag of the next frame that the device sends, -1 if it is not ours. */
int64_t device_wait_frame(const struct device *d);

#endif /* KERNEL_TEST_DEVICE_H */
