/* SPDX-License-Identifier: GPL-2.0 */
/* The virtqueues of a device, in address spaces of processes (tables.h). */
#ifndef SVA_QUEUES_H
#define SVA_QUEUES_H

#include <stdbool.h>
#include <stdint.h>

struct device;

/* Put both into their PASIDs, and start them. Return: do they run? */
bool queues_run(struct device *d, uint32_t pasid_rx, uint32_t pasid_tx);

#endif /* SVA_QUEUES_H */
