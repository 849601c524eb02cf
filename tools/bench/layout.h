/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where things lie: guest memory by guest-physical address (GPA), and what the
 * devices see of it by I/O virtual address (IOVA).
 *
 * Both follow from the options alone, but for buffers that are mapped and
 * unmapped during the run (dma.h), so that a daemon can be given the table
 * before the run. All devices share one IOVA space, in disjoint parts, so that
 * one table serves them all. Memory is cut into areas by what a device may do
 * with it, because that is what a mapping grants:
 *
 *	area	  access  holds
 *	RING	  r	  descriptor tables and available rings
 *	USED	  rw	  used rings: vhost reads the index when it starts
 *	INDIRECT  r	  indirect descriptor tables
 *	TX	  r	  buffers of packets to send
 *	RX	  w	  buffers for packets to come
 *	VTD	  none	  the IOMMU's own tables
 *
 * An area is numbered by offsets, in which each part is contiguous. By IOVA it
 * is so, too; by GPA only as far as the granule goes, if memory is fragmented.
 *
 * If the guest is one of processes (layout_options::processes), each has an
 * address space of its own, and all of them have the same addresses in it: what
 * is said of IOVAs holds for those. There, an area begins with what is the
 * process's, and the pages behind an address are others for each.
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
#define MOST_PAGES 2	    /* of anything, if memory is fragmented */

/* Packets that wait for the INVALIDATE of their buffers, if that is not strict. */
#define FLUSH_BATCH 256

enum area {
	AREA_RING,
	AREA_USED,
	AREA_INDIRECT,
	AREA_TX,
	AREA_RX,
	AREA_VTD,
	NR_AREAS,
};

struct area_place {
	uint64_t gpa;
	uint64_t iova;
	uint64_t used;	      /* bytes that hold something */
	uint64_t size;	      /* @used rounded up to the granule; 0: not there */
	uint64_t per_device;  /* bytes of @used that belong to each device */
	uint64_t per_process; /* bytes of these that a process has; 0: no processes */
	uint32_t perm;	      /* VHOST_ACCESS_* */
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
	bool is_ring; /* or an indirect table; else a packet's buffer */
};

typedef int (*mapping_fn)(const struct mapping *mapping, void *arg);

#define ALL_DEVICES (-1)

enum map_kind {
	MAP_KIND_FIXED,
	MAP_KIND_SWEEP,
	MAP_KIND_STRICT,
	MAP_KIND_LAZY,
	MAP_KIND_RANDOM,
	MAP_KIND_REMAP,
};

/**
 * struct map_mode - how the buffers of packets are mapped
 * @name:	word for --map
 * @kind:	the same as a number
 * @is_fixed:	the mappings stay the same for the whole run, and are few
 *		enough to be installed beforehand
 * @is_dynamic:	they come and go during the run: dma.h; no functions here
 * @buffer:	IOVA of the buffer of packet number @packet, which is @nth of
 *		the buffers
 * @translate:	mapping that covers a buffer's IOVA, and whose it is
 * @for_each:	call @fn for every mapping of @device; stops at, and returns,
 *		the first that is not 0
 */
struct map_mode {
	const char *name;
	enum map_kind kind;
	bool is_fixed;
	bool is_dynamic;
	uint64_t (*buffer)(const struct layout *l, unsigned int device, enum direction direction,
			   uint64_t packet, uint64_t nth);
	bool (*translate)(const struct layout *l, uint64_t iova, struct mapping *mapping,
			  struct iova_owner *owner);
	int (*for_each)(const struct layout *l, int device, mapping_fn fn, void *arg);
};

extern const struct map_mode *const map_modes[]; /* ends with NULL */

struct layout_options {
	const struct map_mode *map;
	uint64_t page;	      /* granule in bytes, a power of two >= 4096 */
	uint64_t packets;     /* per direction and device */
	uint64_t working_set; /* pages of 4K per device, with MAP_KIND_RANDOM */
	unsigned int devices;
	unsigned int processes; /* of each device, or of each virtqueue; 0: none */
	bool mortal;		/* processes end, and others come */
	bool paged;		/* their buffers are not there before a device asks for them */
	bool one_space;		/* a mistake: the first process of a device stands for the others */
	unsigned int in_flight; /* packets per direction and device */
	unsigned int chain;	/* descriptors of a packet */
	bool has[NR_DIRECTIONS];
	bool identity;	/* IOVA = GPA; not with a map that changes */
	bool vtd;	/* tables of an IOMMU lie in memory, too */
	bool fragments; /* no two pages that follow each other do so by GPA */
	bool indirect;	/* each packet has an indirect descriptor table */
};

struct layout {
	struct layout_options o;
	unsigned int queues_per_device;
	/*
	 * What has room in memory: all devices, and if processes are mortal once
	 * more, as another process has other pages. Each is named like a device.
	 */
	unsigned int homes;
	unsigned int pages;   /* that a buffer lies in: 1, or MOST_PAGES */
	uint64_t slot_stride; /* from one buffer to the next */
	uint64_t buffers;     /* of each queue */
	struct area_place areas[NR_AREAS];
	uint64_t stride; /* of the IOVA space of a queue's packets, or device's */
	uint64_t unit;	 /* bytes of IOVA space that a buffer takes */
};

enum layout_result {
	LAYOUT_GOOD,
	LAYOUT_NO_IOVA,	  /* packets: layout_most_packets() tells how many would fit */
	LAYOUT_NO_MEMORY, /* more guest memory than can be */
	LAYOUT_NO_TABLES, /* more tables of the IOMMU than can be */
	LAYOUT_NO_SET,	  /* the working set is less than twice what is in flight */
};

/* Lay everything out. */
enum layout_result layout_init(struct layout *l, const struct layout_options *options);
uint64_t layout_most_packets(const struct layout_options *options);

/* Address of a queue's ring parts. */
struct ring_place {
	uint64_t desc, avail, used;
};

struct ring_place layout_ring_iova(const struct layout *l, unsigned int device,
				   enum direction direction);

/* Where in its area does it start, and which is that? */
struct place {
	enum area area;
	uint64_t at;
};

struct ring_parts {
	struct place desc, avail, used;
};

struct ring_parts layout_ring_parts(const struct layout *l, unsigned int device,
				    enum direction direction);

/* The indirect table of the @nth packet in flight. */
struct place layout_table(const struct layout *l, unsigned int device, enum direction direction,
			  unsigned int nth);

/* The @nth of l->buffers. */
struct place layout_buffer(const struct layout *l, unsigned int device, enum direction direction,
			   uint64_t nth);

uint64_t layout_gpa(const struct layout *l, struct place place);

static inline uint64_t layout_iova(const struct layout *l, struct place place)
{
	const struct area_place *area = &l->areas[place.area];

	return area->iova + (area->per_process ? place.at % area->per_process : place.at);
}

/* Which buffer does packet number @packet use? Not with MAP_KIND_RANDOM. */
static inline uint64_t layout_nth_buffer(const struct layout *l, uint64_t packet)
{
	return packet % l->buffers;
}

/* Not with a map that is dynamic. */
static inline uint64_t layout_buffer_iova(const struct layout *l, unsigned int device,
					  enum direction direction, uint64_t packet, uint64_t nth)
{
	return l->o.map->buffer(l, device, direction, packet, nth);
}

/**
 * layout_translate() - what the IOMMU of this guest would answer
 * @l:		the layout
 * @iova:	any address; one in the unused rest of a granule counts as
 *		unmapped, because no driver of ours gives it to a device
 * @mapping:	the whole mapping (one granule) that covers it
 * @owner:	who uses the address; may be NULL
 *
 * Return: false if nothing is mapped there; dma_translate() knows of what is
 * mapped during the run.
 */
bool layout_translate(const struct layout *l, uint64_t iova, struct mapping *mapping,
		      struct iova_owner *owner);

/**
 * layout_for_each() - every mapping that is known before the run, rings first
 * @l:		the layout
 * @device:	only what this device uses, or ALL_DEVICES
 * @fixed_only:	only what is few enough, and stays, for all of the run
 * @fn:		called for each; a result other than 0 ends the walk
 * @arg:	for @fn
 *
 * Return: what the last call of @fn returned.
 */
int layout_for_each(const struct layout *l, int device, bool fixed_only, mapping_fn fn, void *arg);

/*
 * IOVA space for what a device's driver maps during the run: from
 * layout_dynamic_base(), layout_dynamic_units() times l->unit bytes.
 */
uint64_t layout_dynamic_base(const struct layout *l, unsigned int device);
uint64_t layout_dynamic_units(const struct layout *l);

/* layout_vtd.c: pages of 4K that the IOMMU's tables take at most. */
uint64_t layout_vtd_pages(const struct layout *l);

/*
 * layout_process.c: what the processes of a guest have.
 */

/* Guest memory ends below, so that one table of the second level maps all. */
#define PROCESSES_GPA_END (1ULL << 39)

/* Has each virtqueue a process of its own? Or each device. */
static inline bool layout_per_queue(const struct layout *l)
{
	return l->o.processes > l->o.devices;
}

/* Whose is this virtqueue? */
unsigned int layout_process(const struct layout *l, unsigned int device, enum direction direction);

/* The device that a process has, as a whole or in part. */
static inline unsigned int layout_process_device(const struct layout *l, unsigned int process)
{
	return layout_per_queue(l) ? process / l->queues_per_device : process;
}

/* Has this process the device's virtqueue of this direction? */
bool layout_process_has(const struct layout *l, unsigned int process, enum direction direction);

/* layout_for_each() for what stays mapped in a process's life, at @home. */
int layout_process_for_each(const struct layout *l, unsigned int process, unsigned int home,
			    mapping_fn fn, void *arg);

/**
 * layout_process_owner() - what is at an address of a process?
 *
 * Return: false if it is not one of layout_process_for_each().
 */
bool layout_process_owner(const struct layout *l, unsigned int process, uint64_t iova,
			  struct iova_owner *owner);

/**
 * layout_process_buffer() - the page of a buffer that stays, at an address
 * @l:		the layout
 * @process:	whose address it is
 * @home:	where the pages of the process are
 * @address:	any
 * @mapping:	the page
 * @direction:	of the packets there
 *
 * Return: false if no buffer of the process stays there.
 */
bool layout_process_buffer(const struct layout *l, unsigned int process, unsigned int home,
			   uint64_t address, struct mapping *mapping, enum direction *direction);

#endif /* BENCH_LAYOUT_H */
