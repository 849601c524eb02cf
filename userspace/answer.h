/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_ANSWER_H
#define IOTLB_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

struct finding;
struct lookup;
struct mapping;
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
 * @lookup:	the miss, and the memory table that knows GPA to HVA
 * @answer:	filled in on success: never more than is mapped, never more
 *		than one memory region holds, and with the address in it
 * @finding:	what the translator says, for messages; the mapping is filled in
 *		on success, -EACCES and -EFAULT
 *
 * Return: 0, -ENOENT nothing maps the address, -EACCES the mapping does not
 * allow the access, -EFAULT the mapping leads out of the guest's memory,
 * -EINVAL the access is none, or another negative errno of the translator.
 */
int answer_find(struct translator *translator, const struct lookup *lookup, struct answer *answer,
		struct finding *finding);

/* The part of it that makes a mapping around the address an answer: 0, -EACCES or -EFAULT. */
int answer_of(const struct mapping *mapping, const struct lookup *lookup, struct answer *answer);

/* Does the answer serve a miss of this address? */
static inline bool answer_covers(const struct answer *answer, uint64_t iova, uint32_t access)
{
	return iova >= answer->iova && iova <= answer->last && (answer->perm & access) == access;
}

#endif /* IOTLB_ANSWER_H */
