/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is known of a running QEMU, its guest and its vhost devices.
 */
#ifndef CHECK_FACTS_H
#define CHECK_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "device.h"
#include "iotlb_counters.h"
#include "iotlb_invalidations.h"
#include "vtd_types.h"

#define CHECK_MAX_NICS 32
#define CHECK_MAX_DEVICES 256

/* How the guest's IOMMU treats a NIC. */
enum check_domain {
	CHECK_DOMAIN_UNKNOWN,
	CHECK_DOMAIN_TRANSLATED,
	CHECK_DOMAIN_PASS_THROUGH,
};

/**
 * struct check_nic - a virtio NIC of the guest
 * @name:	what QEMU calls it, or its place on the PCI bus
 * @has_source:	that place is known:
 * @source:	bus << 8 | slot << 3 | function
 * @tap:	interface of the host that is its other end, "" if not known
 * @iommu_platform: of the device: it goes through the IOMMU
 * @ats:	of the device: it was to tell vhost of invalidations
 * @root_bus:	it is on the root bus, where @ats is without effect
 * @has_vhost:	vhost works for it
 * @domain:	how the IOMMU treats it
 */
struct check_nic {
	char name[96];
	bool has_source;
	uint16_t source;
	char tap[16];
	bool iommu_platform;
	bool ats;
	bool root_bus;
	bool has_vhost;
	enum check_domain domain;
};

/**
 * struct check_space - an address space of a device, other than 0, with virtqueues
 * @pasid:	its number
 * @entries:	translations in its IOTLB at the end
 * @limit:	most that this will hold
 * @counters:	what was counted of those virtqueues and of it
 */
struct check_space {
	uint32_t pasid;
	uint64_t entries;
	uint64_t limit;
	struct iotlb_counters counters;
};

/**
 * struct check_device - a vhost device that was watched
 * @id:		its number
 * @tap:	interface of the host, "" if not known
 * @has_iotlb:	its guest's driver uses the IOTLB
 * @entries:	translations in it at the end
 * @limit:	most that it will hold
 * @counters:	what was counted, all virtqueues and the device together
 * @invalidations: of which kind
 * @spaces:	address spaces that virtqueues are in, but 0
 * @space_count: how many
 */
struct check_device {
	uint64_t id;
	char tap[16];
	bool has_iotlb;
	uint64_t entries;
	uint64_t limit;
	struct iotlb_counters counters;
	struct iotlb_invalidations invalidations;
	struct check_space spaces[VHOST_DEVICE_SPACES];
	size_t space_count;
};

/**
 * struct check_facts - all of it
 * @pid:	QEMU
 * @has_monitor: QEMU was asked; from here to @nics nothing is known otherwise
 * @has_iommu:	there is an intel-iommu
 * @other_iommu: what other kind there is, "" if none
 * @device_iotlb: its option of this name
 * @translating: the guest has switched it on
 * @unit:	it, as a walk wants it
 * @nics:	of the guest
 * @nic_count:	how many
 * @patched:	vhost can be watched; of devices no more than that they are there
 *		is known otherwise
 * @seconds:	for how long
 * @devices:	of QEMU
 * @device_count: how many
 */
struct check_facts {
	pid_t pid;
	bool has_monitor;
	bool has_iommu;
	char other_iommu[64];
	bool device_iotlb;
	bool translating;
	struct vtd_unit unit;
	struct check_nic nics[CHECK_MAX_NICS];
	size_t nic_count;
	bool patched;
	double seconds;
	struct check_device devices[CHECK_MAX_DEVICES];
	size_t device_count;
};

#endif /* CHECK_FACTS_H */
