/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tables of a guest that has given the virtqueues of its device to two
 * processes, and one of them to a third after that. Each has its rings at PROCESS_RINGS and its
 * buffers at PROCESS_BUFFERS: only the PASID tells whose they are. What they have for physical
 * addresses goes through the second level of the device, and is elsewhere behind it, tables too.
 *
 * The same is told in three ways: by page tables that may be bound, by a PASID
 * table that may be attached, and by an IOMMU in scalable mode.
 */
#ifndef SVA_TABLES_H
#define SVA_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/kernel/device.h"

#define GUEST_PAGES 256

#define NR_BUFFERS 16

/* Processes: those of the virtqueues RX and TX, and who gets TX next. */
#define HEIR NR_QUEUES
#define NR_PROCESSES (NR_QUEUES + 1)

/* Half of the canonical addresses, as programs have them */
#define PROCESS_BASE 0x7f1234400000ULL
#define PROCESS_RINGS PROCESS_BASE
#define PROCESS_BUFFERS (PROCESS_BASE + 16 * PAGE)

/* In the PASID table, the processes of the virtqueues RX and TX are these. */
#define PASID_RX 7
#define PASID_TX 5

/* The device, as the IOMMU knows it: 00:01.0 */
#define DEVICE_FUNCTION 8

/**
 * tables_build() - write all of them
 * @d:		device with GUEST_PAGES
 * @is_flat:	there is no second level
 */
void tables_build(const struct device *d, bool is_flat);

/* The page of a buffer at first, and another one that it may have. */
unsigned int tables_buffer(int process, unsigned int nth);
unsigned int tables_other_buffer(int process, unsigned int nth);

/* Have a process find this page at a buffer. */
void tables_map_buffer(const struct device *d, int process, unsigned int nth, unsigned int page);

/* The same, but not to be written. */
void tables_protect_buffer(const struct device *d, int process, unsigned int nth,
			   unsigned int page);

/* Have it find no page there. */
void tables_unmap_buffer(const struct device *d, int process, unsigned int nth);

/*
 * Have no entry of the processes accessed or dirty, nor those that are written from
 * now on: whoever walks them has to set that.
 */
void tables_clear_flags(const struct device *d);

/* The page tables of a process, the highest first: the nth of tables_levels(). */
unsigned int tables_levels(void);
uint64_t *tables_first_level(const struct device *d, int process, unsigned int nth);

/* What is to be told to the IOMMU, or to whoever plays it: guest-physical. */
uint64_t tables_legacy_root(void);
uint64_t tables_scalable_root(void);
uint64_t tables_directory(void);
uint64_t tables_process_root(int process);

#endif /* SVA_TABLES_H */
