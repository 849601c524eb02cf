// SPDX-License-Identifier: GPL-2.0
#include "iommu.h"

#include <stddef.h>

#include "vtd.h"

/* As VTD_SECOND_READ and _WRITE, so that permissions need no translation. */
#define READ_WRITE (VTD_SECOND_READ | VTD_SECOND_WRITE)

static uint64_t gpa_of(const struct iommu *iommu, const uint64_t *table)
{
	return IOMMU_GPA + ((const char *)table - (const char *)iommu);
}

/* Level 1 is the last. */
static uint64_t *entry(struct iommu *iommu, unsigned int level, uint64_t iova)
{
	return &iommu->levels[level - 1][iova >> (12 + 9 * (level - 1)) & (IOMMU_ENTRIES - 1)];
}

void iommu_init(struct iommu *iommu, uint64_t iova)
{
	uint64_t *context = &iommu->context[2 * IOMMU_DEVFN];

	iommu->root[0] = gpa_of(iommu, iommu->context) | VTD_ROOT_PRESENT;
	context[0] = gpa_of(iommu, iommu->levels[IOMMU_LEVELS - 1]) | VTD_CONTEXT_TYPE_DEVICE_TLB |
		     VTD_CONTEXT_PRESENT;
	context[1] = IOMMU_LEVELS - 2;
	for (unsigned int level = IOMMU_LEVELS; level > 1; level--)
		*entry(iommu, level, iova) = gpa_of(iommu, iommu->levels[level - 2]) | READ_WRITE;
}

void iommu_map(struct iommu *iommu, uint64_t iova, uint64_t gpa, unsigned int perm)
{
	__atomic_store_n(entry(iommu, 1, iova), gpa | perm, __ATOMIC_RELEASE);
}
