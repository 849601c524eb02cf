/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_SVA_ROSTER_H
#define IOTLB_SVA_ROSTER_H

#include "sva_service.h"

/* The devices that a daemon serves, for its control socket; the argument is its
 * struct roster.
 *
 * A translation is what a miss of that PASID would be answered with.
 */
extern const struct sva_devices sva_roster;

#endif /* IOTLB_SVA_ROSTER_H */
