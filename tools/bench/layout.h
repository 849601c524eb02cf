/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where things lie: guest memory by guest-physical address (GPA), and what the
 * devices see of it by I/O virtual address (IOVA).
 *
 * Both follow from the options alone, so that a daemon can be given the table
 * before the run. All devices share one IOVA space, in disjoint parts, so that
 * one table serves them all. Memory is cut into areas by what a device may do
 * with it, because that is what a mapping grants:
 *
 *	area	access	holds
 *	RING	r	descriptor tables and available rings
 *	USED	rw	used rings: vhost reads the index when it starts
 *	TX	r	buffers of packets to send
 *	RX	w	buffers for packets to come
 *
 * No system calls in here.
 */
#ifndef BENCH_LAYOUT_H
#define BENCH_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "direction.h"

#define SLOT_SIZE 4096	    /* of a packet's buffer, and of each ring part */
#define VNET_HEADER_SIZE 12 /* struct virtio_net_hdr_v1 */

enum area {
	AREA_RING,
	AREA_USED,
	AREA_TX,
	AREA_RX,
	NR_AREAS,
};

struct area_place {
	uint64_t gpa;
	uint64_t iova;
	uint64_t used;	     /* bytes that hold something */
	uint64_t size;	     /* @used rounded up to the granule; 0: not there */
	uint64_t per_device; /* bytes of @used that belong to each device */
	uint32_t perm;	     /* VHOST_ACCESS_* */
};

struct layout;

struct mapping {
	uint64_t iova;
	uint64_t size;
	uint64_t gpa;
	uint32_t perm; /* VHOST_ACCESS_* */
};

/* Whose address is it? */
struct iova_owner {
	unsigned int device;
	enum direction direction;
	bool is_ring; /* else a packet's buffer */
};

typedef int (*mapping_fn)(const struct mapping *mapping, void *arg);

#define ALL_DEVICES (-1)

/**
 * struct map_mode - how the buffers of packets are mapped
 * @name:	word for --map
 * @help:	one line for people
 * @is_fixed:	the mappings stay the same for the whole run, and are few
 *		enough to be installed beforehand
 * @buffer:	IOVA of the buffer of packet number @packet
 * @translate:	mapping that covers a buffer's IOVA, and whose it is
 * @for_each:	call @fn for every mapping of @device; stops at, and returns,
 *		the first that is not 0
 */
struct map_mode {
	const char *name;
	const char *help;
	bool is_fixed;
	uint64_t (*buffer)(const struct layout *l, unsigned int device, enum direction direction,
			   uint64_t packet);
	bool (*translate)(const struct layout *l, uint64_t iova, struct mapping *mapping,
			  struct iova_owner *owner);
	int (*for_each)(const struct layout *l, int device, mapping_fn fn, void *arg);
};

extern const struct map_mode *const map_modes[]; /* ends with NULL */

struct layout_options {
	const struct map_mode *map;
	uint64_t page;	  /* granule in bytes, a power of two >= 4096 */
	uint64_t packets; /* per direction and device */
	unsigned int devices;
	unsigned int in_flight; /* buffers per direction and device */
	bool has[NR_DIRECTIONS];
	bool identity; /* IOVA = GPA; only with a fixed map */
};

struct layout {
	struct layout_options o;
	unsigned int queues_per_device;
	struct area_place areas[NR_AREAS];
	uint64_t stride; /* of the IOVA space of a queue's packets */
};

/**
 * layout_init() - lay everything out
 *
 * Return: false if the IOVA space is too small for what is asked;
 * layout_most_packets() tells how many packets would fit.
 */
bool layout_init(struct layout *l, const struct layout_options *options);
uint64_t layout_most_packets(const struct layout_options *options);

/* GPA of a queue's ring parts, and their IOVA. */
struct ring_place {
	uint64_t desc, avail, used;
};

struct ring_place layout_ring_gpa(const struct layout *l, unsigned int device,
				  enum direction direction);
struct ring_place layout_ring_iova(const struct layout *l, unsigned int device,
				   enum direction direction);

/* GPA of the buffer that packet number @packet uses. */
uint64_t layout_slot_gpa(const struct layout *l, unsigned int device, enum direction direction,
			 uint64_t packet);

static inline uint64_t layout_buffer_iova(const struct layout *l, unsigned int device,
					  enum direction direction, uint64_t packet)
{
	return l->o.map->buffer(l, device, direction, packet);
}

/**
 * layout_translate() - what the IOMMU of this guest would answer
 * @l:		the layout
 * @iova:	any address; one in the unused rest of a granule counts as
 *		unmapped, because no driver of ours gives it to a device
 * @mapping:	the whole mapping (one granule) that covers it
 * @owner:	who uses the address; may be NULL
 *
 * Return: false if nothing is mapped there.
 */
bool layout_translate(const struct layout *l, uint64_t iova, struct mapping *mapping,
		      struct iova_owner *owner);

/**
 * layout_for_each() - every mapping, rings first
 * @l:		the layout
 * @device:	only what this device uses, or ALL_DEVICES
 * @fixed_only:	leave out mappings that change during the run
 * @fn:		called for each; a result other than 0 ends the walk
 * @arg:	for @fn
 *
 * Return: what the last call of @fn returned.
 */
int layout_for_each(const struct layout *l, int device, bool fixed_only, mapping_fn fn, void *arg);

#endif /* BENCH_LAYOUT_H */
