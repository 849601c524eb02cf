/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the guest's kernel does about PASIDs goes by the control socket of our
 * iotlbd (iotlbd-control(7)), as a hypervisor would pass it on.
 */
#ifndef BENCH_PASID_CONTROL_H
#define BENCH_PASID_CONTROL_H

#include <stdint.h>

#include "ctl/ctl_client.h"
#include "vnet.h"

struct pasid_control {
	struct ctl_client client;
};

/* Return: 0, or -1 after a message. */
int pasid_control_open(struct pasid_control *c, const char *path);
void pasid_control_close(struct pasid_control *c);

/* All of these return 0, or -1 after a message. */

/* @directory: GPA of the device's PASID directory, for PASIDs of @bits. Others of us
 * may ask about these, too.
 */
int pasid_control_attach(struct pasid_control *c, const struct vnet *device, uint64_t directory,
			 unsigned int bits);

/* @pages of 4K from @address on. */
int pasid_control_invalidate(struct pasid_control *c, const struct vnet *device, uint32_t pasid,
			     uint64_t address, uint64_t pages);

/* All that the PASID has. */
int pasid_control_invalidate_all(struct pasid_control *c, const struct vnet *device,
				 uint32_t pasid);

#endif /* BENCH_PASID_CONTROL_H */
