/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The I/O virtual address space of the device, and the memory behind it.
 *
 * Each I/O virtual page has COPIES pages of memory, of which the translation
 * names one: the page table says which slot, the memory table says in which
 * bank of memory the slots are. To change a translation is to begin an epoch:
 * the next copy is given contents that tell the epoch, and is named by the
 * table from then on. An epoch has ended when vhost may not use it any more.
 */
#ifndef RACE_SPACE_H
#define RACE_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iommu.h"

#define PAGE 4096UL

/* The virtqueues of virtio-net, by index. */
enum { RX, TX, NR_QUEUES };

/* Parts of a ring: each has an I/O virtual page of its own. */
enum { DESC, AVAIL, USED, NR_PARTS };

/* I/O virtual pages, side by side in this order. */
enum {
	FIRST_TX = 0, /* what is sent */
	NR_TX = 16,
	FIRST_RX = FIRST_TX + NR_TX, /* buffers to receive into */
	NR_RX = 8,
	FIRST_RING = FIRST_RX + NR_RX,
	NR_PAGES = FIRST_RING + NR_QUEUES * NR_PARTS,
};

#define ALL_PAGES ((1ULL << NR_PAGES) - 1)

#define SLOTS 4
#define BANKS 3
#define COPIES (SLOTS * BANKS)

/* A frame to send, as it lies in memory: in the first page it uses, ... */
#define HEAD_AT 64		 /* virtio-net header, Ethernet header, stamp */
#define HEAD_SIZE (12 + 14 + 16) /* bytes */
/* ... and across the border of two more, with the stamps of both. */
#define TAIL_AT (PAGE - 16)
#define TAIL_SIZE 32

/* Bytes of an RX page that are offered to the device, and used by a ring. */
#define RX_SIZE 128
#define RING_SIZE 64 /* descriptors */
#define USED_SIZE 520

/**
 * struct stamp - says what a piece of memory is
 * @page:	I/O virtual page that it was behind
 * @sum:	of the others
 * @epoch:	in which epoch of that page
 */
struct stamp {
	uint32_t page;
	uint32_t sum;
	uint64_t epoch;
};

/**
 * struct entry - an I/O virtual page
 * @slot:	what the page table says
 * @epoch:	the newest that has begun
 * @ended:	all epochs before this one have ended
 * @refused:	answers by the tables of an epoch before this one must be
 *		refused; most often the same as @ended
 * @now:	copy of the newest epoch
 * @before:	copy of the epoch before it
 */
struct entry {
	uint32_t slot;
	uint64_t epoch;
	uint64_t ended;
	uint64_t refused;
	unsigned int now, before;
};

/* Shared with other processes: the tables that a server walks. */
struct space {
	struct entry entries[NR_PAGES];
	uint32_t bank; /* what the memory table says */
	uint8_t memory[COPIES * NR_PAGES * PAGE] __attribute__((aligned(PAGE)));
	struct iommu iommu;
};

/* @fd: set to a file that others may map; up to struct space::memory will do. */
struct space *space_create(int *fd);
void space_destroy(struct space *s, int fd);

uint64_t space_iova(unsigned int page);

/* Return: -1 if the address is none of ours. */
int space_page_of(uint64_t iova);

/* VHOST_ACCESS_* that the page table grants. */
int space_permission(unsigned int page);
unsigned int ring_page(int queue, int part);

void *space_copy(struct space *s, unsigned int page, unsigned int copy);

/* Guest-physical addresses: those of a bank are one region. */
#define BANK_SIZE (SLOTS * NR_PAGES * PAGE)
uint64_t space_gpa(unsigned int page, unsigned int slot);
void *space_bank(struct space *s, unsigned int bank);

/**
 * space_walk() - translate as a server does, by the tables as they are now
 * @s:		the space
 * @page:	I/O virtual page
 * @epoch:	that it is in; if the tables change meanwhile, perhaps a later one
 *
 * Return: the memory behind it.
 */
void *space_walk(struct space *s, unsigned int page, uint64_t *epoch);

/* Must an answer be refused that was computed in this epoch? */
bool space_must_refuse(const struct space *s, unsigned int page, uint64_t epoch);

/**
 * space_begin() - make the next copy of a page ready; the tables do not say so
 * @s:		the space
 * @page:	I/O virtual page; those of rings need more, see rings_begin()
 * @new_bank:	the memory table is to change, instead of the page table
 *
 * Return: false if the copy was written to after its epoch had ended.
 */
bool space_begin(struct space *s, unsigned int page, bool new_bank);

/* Let the page table say so; or the memory table, for all pages. */
void space_commit(struct space *s, unsigned int page);
void space_commit_bank(struct space *s);

/* Answers from before must be refused from now on. */
void space_refuse(struct space *s, unsigned int page);

/* vhost has confirmed that it uses the newest epoch only. */
void space_end(struct space *s, unsigned int page);

/* For writes of the device that come too late. */
void poison(void *memory, size_t size);
bool is_poisoned(const void *memory, size_t size);

enum stamp_verdict {
	STAMP_GOOD,
	STAMP_STALE, /* of an epoch that had ended */
	STAMP_TORN,  /* nothing that ever was behind this page */
};

/* Is it a stamp of the page, of an epoch from @ended on? */
enum stamp_verdict space_check(const struct space *s, const void *stamp, unsigned int page,
			       uint64_t ended, uint64_t *epoch);

static inline uint64_t get(const uint64_t *value)
{
	return __atomic_load_n(value, __ATOMIC_ACQUIRE);
}

static inline void set(uint64_t *value, uint64_t to)
{
	__atomic_store_n(value, to, __ATOMIC_RELEASE);
}

static inline void count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

#endif /* RACE_SPACE_H */
