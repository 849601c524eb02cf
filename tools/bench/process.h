/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process of the guest that has one or all of a device's virtqueues: its PASID,
 * its address space in the IOMMU's tables, and its pages. Rings, and buffers that
 * stay, are mapped as long as it lives.
 *
 * A place is taken by one process after the other. Each has another PASID and
 * other pages than the one before, so that what is left of that one is seen.
 */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "guest.h"
#include "layout.h"
#include "sva_tables.h"
#include "vtd_types.h"

/* PASIDs of a place, one after the other. */
#define PROCESS_PASIDS 8

struct process {
	const struct layout *layout;
	const struct guest *guest;
	struct sva_tables *tables;
	unsigned int number;
	unsigned int device;
	unsigned int home;  /* where its pages are: layout.h */
	uint64_t nr_before; /* in its place */
	uint32_t pasid;
	uint64_t space; /* sva_tables.h */
	bool is_bound;	/* the PASID leads there */
};

/**
 * process_begin() - the first one in a place
 * @p:		result
 * @l:		layout
 * @g:		guest memory
 * @t:		the IOMMU's tables
 * @number:	of the place
 *
 * Return: 0, or -1 after a message.
 */
int process_begin(struct process *p, const struct layout *l, const struct guest *g,
		  struct sva_tables *t, unsigned int number);

/* Its PASID leads nowhere any more, of which the device has to be told. */
void process_unbind(struct process *p);

/* It ends, after that: its address space goes, its pages are for others. */
void process_end(struct process *p);

/* Another comes in its place. Return: 0, or -1 after a message. */
int process_follow(struct process *p);

/*
 * Map or unmap a page of 4K, in any thread. Ends the process that we are if that
 * fails.
 */
void process_map(struct process *p, uint64_t address, uint64_t gpa, uint32_t perm);
void process_unmap(struct process *p, uint64_t address);

/**
 * process_translate() - what the IOMMU would answer
 * @p:		process
 * @address:	what the device wants
 * @access:	VHOST_ACCESS_*
 * @mapping:	the answer
 *
 * Return: VTD_OK or a fault.
 */
enum vtd_fault process_translate(const struct process *p, uint64_t address, uint32_t access,
				 struct mapping *mapping);

static inline uint32_t process_mark(const struct process *p)
{
	return frame_mark(p->pasid);
}

#endif /* BENCH_PROCESS_H */
