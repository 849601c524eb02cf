/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_ANSWER_H
#define IOTLB_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "mapping.h"

struct memory_table;
struct translator;

/**
 * struct answer - a translation as vhost takes it
 * @iova:	first I/O virtual address
 * @last:	last I/O virtual address, not the one after it
 * @hva:	address of @iova in the owner of the device
 * @perm:	VHOST_ACCESS_RO, _WO or _RW
 */
struct answer {
	uint64_t iova;
	uint64_t last;
	uint64_t hva;
	uint32_t perm;
};

/**
 * answer_find() - the widest translation that may be given for a miss
 * @translator:	knows IOVA to GPA
 * @mem:	knows GPA to HVA for the device
 * @dev:	the device
 * @iova:	the address that has missed
 * @access:	what the device wants to do there
 * @answer:	filled in on success: never more than is mapped, never more
 *		than one memory region holds, and with @iova in it
 * @mapping:	what the translator says, for messages; filled in on success,
 *		-EACCES and -EFAULT
 *
 * Return: 0, -ENOENT nothing maps @iova, -EACCES the mapping does not allow
 * the access, -EFAULT the mapping leads out of the guest's memory, -EINVAL
 * @access is none.
 */
int answer_find(struct translator *translator, const struct memory_table *mem, uint64_t dev,
		uint64_t iova, uint32_t access, struct answer *answer, struct mapping *mapping);

/* Does the answer serve a miss of this address? */
static inline bool answer_covers(const struct answer *answer, uint64_t iova, uint32_t access)
{
	return iova >= answer->iova && iova <= answer->last && (answer->perm & access) == access;
}

#endif /* IOTLB_ANSWER_H */
