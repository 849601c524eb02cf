/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_SVA_ROSTER_H
#define IOTLB_SVA_ROSTER_H

#include "sva_service.h"

struct answer;
struct finding;
struct lookup;
struct roster;
struct served_device;
struct sva;

/* The devices that a daemon serves, for its control socket; the argument is its
 * struct roster.
 *
 * A translation is what a miss of that PASID would be answered with.
 */
extern const struct sva_devices sva_roster;

/**
 * sva_roster_answer() - answer_find() for a request with a PASID
 * @roster:	the devices
 * @pasids:	what is bound to them, or NULL if that is not managed here
 * @device:	whose request it is
 * @pasid:	the PASID
 * @lookup:	what is asked for; by what it is translated is not gone by
 * @answer:	as of answer_find()
 * @finding:	as of answer_find()
 *
 * Return: as answer_find(); -ENOLINK if nothing is bound to the PASID, -EAGAIN if
 * the guest's IOMMU is not known now.
 */
int sva_roster_answer(const struct roster *roster, const struct sva *pasids,
		      const struct served_device *device, uint32_t pasid,
		      const struct lookup *lookup, struct answer *answer, struct finding *finding);

#endif /* IOTLB_SVA_ROSTER_H */
