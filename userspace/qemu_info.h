/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What QEMU's human monitor says of a guest's IOMMU and of the NICs behind it.
 * Texts are those of QEMU 7.2 to 10; of what they do not say, nothing is
 * assumed. They may come from a QEMU that a guest has got hold of, so they may
 * say anything, but make nobody believe that there is more than they have said.
 */
#ifndef IOTLB_QEMU_INFO_H
#define IOTLB_QEMU_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "vtd_types.h"

/* NICs beyond that are not looked at. */
#define QEMU_MAX_NICS 256

/* Longer names are cut. QEMU's own are short, those of people mostly. */
#define QEMU_NAME_MAX 64

/* Room for the command of qemu_registers_command() */
#define QEMU_COMMAND_MAX 64

/**
 * struct qemu_nic - a virtio NIC
 * @id:		of the device, may be empty
 * @netdev:	what it is connected to, may be empty
 * @mac:	its address, may be empty
 * @has_source:	@source_id is known
 * @source_id:	bus << 8 | devfn, with the number of the bus that the guest has
 *		given it
 * @iommu_platform: the guest's driver has to go through the IOMMU
 * @ats:	it was told to have ATS
 * @on_root_bus: it is not behind a port: then it has no ATS, whatever @ats says
 * @on_express:	its bus is PCI Express, as it must be for requests to carry its own
 *		source id
 * @is_tap:	@netdev is a tap, so that it may be served by vhost
 * @tap:	name of that, empty if QEMU does not say it
 * @tap_fd:	number of its fd in QEMU, or -1: QEMU says one or the other
 */
struct qemu_nic {
	char id[QEMU_NAME_MAX];
	char netdev[QEMU_NAME_MAX];
	char mac[sizeof("00:00:00:00:00:00")];
	bool has_source;
	uint16_t source_id;
	bool iommu_platform;
	bool ats;
	bool on_root_bus;
	bool on_express;
	bool is_tap;
	char tap[VHOST_DEVICE_TAP_MAX];
	int tap_fd;
};

/**
 * struct qemu_iommu - an intel-iommu
 * @present:	there is one; the rest is only valid then
 * @base:	where its registers are
 * @device_iotlb: the guest may use ATS
 * @caching_mode: the guest tells of each mapping that it makes, which is slow
 * @scalable:	x-scalable-mode
 * @first_stage: x-flts, of QEMU 10
 * @address_width: aw-bits, 0 if QEMU does not say
 */
struct qemu_iommu {
	bool present;
	uint64_t base;
	bool device_iotlb;
	bool caching_mode;
	bool scalable;
	bool first_stage;
	unsigned int address_width;
};

/**
 * struct qemu_registers - of the intel-iommu; VT-d specification, 11.4
 * @cap:	CAP_REG
 * @ecap:	ECAP_REG
 * @gsts:	GSTS_REG
 * @rtaddr:	RTADDR_REG, as the guest has written it
 */
struct qemu_registers {
	uint64_t cap;
	uint64_t ecap;
	uint32_t gsts;
	uint64_t rtaddr;
};

/**
 * struct qemu_info - all of it
 * @iommu:	of the guest
 * @other_iommu: there is a device that is another kind of IOMMU; empty or its type
 * @nic_count:	how many NICs
 * @nics:	the NICs
 */
struct qemu_info {
	struct qemu_iommu iommu;
	char other_iommu[QEMU_NAME_MAX];
	size_t nic_count;
	struct qemu_nic nics[QEMU_MAX_NICS];
};

/* The commands whose replies the functions below want */
#define QEMU_TREE_COMMAND "info qtree"
#define QEMU_NETWORK_COMMAND "info network"

/**
 * qemu_read_tree() - reply to QEMU_TREE_COMMAND
 * @info:	filled in anew
 * @text:	the reply
 *
 * Return: 0, or -EPROTO if this is no such reply.
 */
int qemu_read_tree(struct qemu_info *info, const char *text);

/**
 * qemu_read_network() - reply to QEMU_NETWORK_COMMAND
 * @info:	what is_tap and so on of the NICs there is filled in
 * @text:	the reply
 */
void qemu_read_network(struct qemu_info *info, const char *text);

/* The command that shows the registers */
void qemu_registers_command(const struct qemu_iommu *iommu, char command[QEMU_COMMAND_MAX]);

/**
 * qemu_read_registers() - reply to this command
 * @registers:	filled in
 * @iommu:	of the guest
 * @text:	the reply
 *
 * Return: 0, or -EPROTO if the reply is not about these registers.
 */
int qemu_read_registers(struct qemu_registers *registers, const struct qemu_iommu *iommu,
			const char *text);

/* Has the guest switched the IOMMU on? */
bool qemu_translates(const struct qemu_registers *registers);

/* The IOMMU as a walk wants it */
struct vtd_unit qemu_unit(const struct qemu_registers *registers);

/**
 * qemu_find_nic() - the NIC of a tap
 * @info:	the NICs
 * @tap:	name of the tap
 *
 * Return: the NIC, or NULL if there is none, or more than one.
 */
const struct qemu_nic *qemu_find_nic(const struct qemu_info *info, const char *tap);

/* The only NIC that vhost may serve and that has to go through the IOMMU, NULL if
 * there is none, or more than one.
 */
const struct qemu_nic *qemu_only_nic(const struct qemu_info *info);

#endif /* IOTLB_QEMU_INFO_H */
