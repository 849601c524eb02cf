/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The same translations in the tables of a virtual IOMMU (Intel VT-d, legacy
 * mode), in the guest's memory, for those who walk them as hardware does.
 */
#ifndef RACE_IOMMU_H
#define RACE_IOMMU_H

#include <stdint.h>

/* Where the guest has the tables. */
#define IOMMU_GPA 0x100000ULL

/* Levels of the page table: 48 bits. */
#define IOMMU_LEVELS 4

#define IOMMU_ENTRIES 512 /* of a table: a page */

/* As the device is called in a file that describes the IOMMU, and there. */
#define IOMMU_DEVICE "00:01.0"
#define IOMMU_DEVFN 8

/**
 * struct iommu - the tables
 * @root:	first of all, for all busses
 * @context:	for all devices of bus 0
 * @levels:	the page table, from the last level on
 */
struct iommu {
	uint64_t root[IOMMU_ENTRIES];
	uint64_t context[IOMMU_ENTRIES];
	uint64_t levels[IOMMU_LEVELS][IOMMU_ENTRIES];
} __attribute__((aligned(4096)));

/* Tables for 2M from @iova on, in which nothing is mapped. */
void iommu_init(struct iommu *iommu, uint64_t iova);

/* Map a page. @perm: VHOST_ACCESS_* */
void iommu_map(struct iommu *iommu, uint64_t iova, uint64_t gpa, unsigned int perm);

#endif /* RACE_IOMMU_H */
