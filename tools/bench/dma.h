/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device's part in the DMA API of the guest's kernel: buffers are mapped and
 * unmapped during the run, in the IOMMU's tables if there are any, and the
 * device is told (VHOST_IOTLB_INVALIDATE). Only for maps that are dynamic; with
 * the others, nothing but dma_translate() is of use.
 *
 * If the guest is one of processes, there is one of it for each, which maps in
 * the process's own tables; and it is the lock of the process, too.
 *
 * One thread maps and unmaps. Others may translate meanwhile, and write what
 * they have found to the device, between dma_lock() and dma_unlock(): without,
 * the device could get a translation after it was told to forget it.
 */
#ifndef BENCH_DMA_H
#define BENCH_DMA_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "iova_alloc.h"
#include "layout.h"
#include "pasid_control.h"
#include "process.h"
#include "vnet.h"
#include "vtd_tables.h"

/* What a device is told of a page that it has asked for. */
enum page_response {
	PAGE_SUCCESS, /* it is there */
	PAGE_INVALID, /* it never will be: the packet fails */
};

struct dma_counts {
	uint64_t maps;
	uint64_t unmaps;
	uint64_t messages;   /* INVALIDATE: writes to the vhost fd */
	uint64_t operations; /* INVALIDATE: ranges in them */
	uint64_t requests;   /* of pages, by the device */
	uint64_t copied;     /* of these: of one that was there, but not to be written to */
	uint64_t refused;    /* of these: answered PAGE_INVALID */
};

struct dma {
	const struct layout *layout;
	const struct vnet *device;
	struct vtd_tables *tables;     /* or NULL */
	struct process *process;       /* or NULL */
	struct pasid_control *control; /* who tells the device for us, or NULL */
	bool is_silent;
	uint64_t refuse; /* every so manieth page request; 0: none */
	uint64_t nr_requests;
	bool has_refused[NR_DIRECTIONS]; /* a page of a packet that is under way */
	struct iova_alloc iovas;
	uint64_t base;
	uint64_t nr_entries;
	uint64_t *entries; /* of each granule: GPA, access and direction; 0: not mapped */
	pthread_mutex_t lock;
	unsigned int nr_pending;
	uint64_t pending[FLUSH_BATCH]; /* unmapped, and the device not told yet */
	enum direction last;	       /* of those */
	struct dma_counts counts[NR_DIRECTIONS];
};

/**
 * dma_init() - of a device that has nothing mapped yet but what stays
 * @tables:	the IOMMU's, or NULL
 * @process:	whose it is, or NULL
 * @is_silent:	never tell the device, so that its translations become stale
 *
 * Return: 0, or -1 after a message.
 */
int dma_init(struct dma *d, const struct layout *l, const struct vnet *device,
	     struct vtd_tables *tables, struct process *process, bool is_silent);
void dma_free(struct dma *d);

/*
 * Return: the IOVA of the buffer's first byte. Ends the process if that fails.
 * With MAP_KIND_REMAP, it follows from @slot, and what was mapped there is
 * replaced, of which the device is told.
 */
uint64_t dma_map(struct dma *d, enum direction direction, unsigned int slot,
		 const struct buffer *b);

/* @iova: what dma_map() has returned. Ends the process if that fails. */
void dma_unmap(struct dma *d, enum direction direction, uint64_t iova);

/* Tell the device what it was not told yet. */
void dma_flush(struct dma *d);

/**
 * dma_end() - the process's PASID leads nowhere any more
 *
 * Tells the device to forget all of it. Ends the process that we are if that
 * fails.
 */
void dma_end(struct dma *d);

/*
 * The process's address space has gone, with all that was mapped; to be called
 * between dma_lock() and dma_unlock().
 */
void dma_forget(struct dma *d);

/**
 * dma_request_page() - the device wants a page that is not there, or not for this
 * @d:		of a process whose pages come when they are asked for
 * @address:	of the process
 * @access:	VHOST_ACCESS_*
 *
 * In the process's tables, it is there when this returns PAGE_SUCCESS. To be called
 * between dma_lock() and dma_unlock().
 */
enum page_response dma_request_page(struct dma *d, uint64_t address, uint32_t access);

/* Was a page of the packet that has come back refused? Tells it once. */
bool dma_take_refusal(struct dma *d, enum direction direction);

/* As layout_translate(), with what is mapped now. */
bool dma_translate(const struct dma *d, uint64_t iova, struct mapping *mapping,
		   struct iova_owner *owner);

/* Has @iova to do with what comes and goes? */
bool dma_is_dynamic(const struct dma *d, uint64_t iova);

/* The address space that messages to the device are about. */
static inline uint32_t dma_asid(const struct dma *d)
{
	return d->process ? d->process->pasid : 0;
}

void dma_lock(struct dma *d);
void dma_unlock(struct dma *d);

#endif /* BENCH_DMA_H */
