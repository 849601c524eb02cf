// SPDX-License-Identifier: GPL-2.0
/*
 * "info qtree" is a tree by indentation: buses have devices, devices have
 * properties and buses. A virtio NIC is two devices, one of PCI, and on its bus
 * one of virtio, which has the netdev:
 *
 *	bus: main-system-bus
 *	  type System
 *	  dev: intel-iommu, id ""
 *	    aw-bits = 39 (0x27)
 *	    mmio 00000000fed90000/0000000000000230
 *	  dev: q35-pcihost, id ""
 *	    bus: pcie.0
 *	      type PCIE
 *	      dev: pcie-root-port, id "port0"
 *	        class PCI bridge, addr 00:03.0, pci id 1b36:000c (sub 0000:0000)
 *	        bus: port0
 *	          type PCIE
 *	          dev: virtio-net-pci, id "nic0"
 *	            ats = true
 *	            class Ethernet controller, addr 01:00.0, pci id ...
 *	            bus: virtio-bus
 *	              type virtio-pci-bus
 *	              dev: virtio-net-device, id ""
 *	                mac = "52:54:00:00:00:02"
 *	                netdev = "net0"
 *	                iommu_platform = true
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "qemu_info.h"
#include "qemu_text.h"
#include "vtd_file.h"

/* Where the registers are, if QEMU does not say: 10 does not any more. */
#define IOMMU_BASE 0xfed90000

/* Buses behind buses; deeper ones are not looked at. */
#define DEPTH_MAX 64

/**
 * struct level - a device or a bus that the line at hand is in
 * @indent:	of its own line
 * @is_bus:	what it is
 * @has_address: a device: it is one of PCI
 * @is_express:	a bus: it is one of PCI Express
 * @nic:	a device of a NIC: that, else NULL
 * @is_iommu:	an intel-iommu
 */
struct level {
	size_t indent;
	bool is_bus;
	bool has_address;
	bool is_express;
	struct qemu_nic *nic;
	bool is_iommu;
};

/**
 * struct tree - where a reply was read to
 * @info:	what was found
 * @levels:	from the outermost to the one at hand
 * @depth:	how many
 */
struct tree {
	struct qemu_info *info;
	struct level levels[DEPTH_MAX];
	size_t depth;
};

static bool is_true(const char *value)
{
	return !strcmp(value, "true") || !strcmp(value, "\"on\"");
}

/* "39 (0x27)" */
static unsigned int small_number(const char *value)
{
	unsigned int number = 0;

	for (; isdigit((unsigned char)*value) && number < 1000; value++)
		number = 10 * number + (*value - '0');
	return number;
}

static void set_text(char *to, size_t size, const char *value)
{
	if (*value == '"')
		qemu_copy_name(to, size, value + 1, "\"");
}

static struct level *current(struct tree *tree)
{
	return tree->depth ? &tree->levels[tree->depth - 1] : NULL;
}

static struct level *push(struct tree *tree, size_t indent)
{
	struct level *level;

	if (tree->depth == DEPTH_MAX)
		return NULL;
	level = &tree->levels[tree->depth++];
	*level = (struct level){.indent = indent};
	return level;
}

/* The PCI device of a virtio device: on whose bus it is */
static struct qemu_nic *nic_around(struct tree *tree)
{
	return tree->depth >= 2 ? tree->levels[tree->depth - 2].nic : NULL;
}

static struct qemu_nic *add_nic(struct tree *tree, const char *id)
{
	struct qemu_info *info = tree->info;
	const struct level *bus = current(tree);
	struct qemu_nic *nic;

	if (info->nic_count == QEMU_MAX_NICS)
		return NULL;
	nic = &info->nics[info->nic_count++];
	*nic = (struct qemu_nic){.tap_fd = -1};
	set_text(nic->id, sizeof(nic->id), id);
	if (bus && bus->is_bus) {
		nic->on_express = bus->is_express;
		nic->on_root_bus = tree->depth < 2 || !tree->levels[tree->depth - 2].has_address;
	}
	return nic;
}

static bool is_other_iommu(const char *type)
{
	return qemu_after(type, "virtio-iommu-pci") || !strcmp(type, "amd-iommu") ||
	       !strcmp(type, "arm-smmuv3");
}

static void begin_device(struct tree *tree, size_t indent, const char *rest)
{
	struct qemu_info *info = tree->info;
	const char *id = strstr(rest, ", id ");
	struct qemu_nic *nic = NULL;
	char type[QEMU_NAME_MAX];
	struct level *level;

	qemu_copy_name(type, sizeof(type), rest, ",");
	id = id ? id + 5 : "";
	if (qemu_after(type, "virtio-net-pci"))
		nic = add_nic(tree, id);
	else if (!strcmp(type, "virtio-net-device"))
		nic = nic_around(tree);

	level = push(tree, indent);
	if (!level)
		return;
	level->nic = nic;
	level->is_iommu = !strcmp(type, "intel-iommu") && !info->iommu.present;
	if (level->is_iommu)
		info->iommu = (struct qemu_iommu){.present = true, .base = IOMMU_BASE};
	if (is_other_iommu(type))
		memcpy(info->other_iommu, type, sizeof(type));
}

static void begin_bus(struct tree *tree, size_t indent)
{
	struct level *level = push(tree, indent);

	if (level)
		level->is_bus = true;
}

static void read_iommu(struct qemu_iommu *iommu, const char *key, const char *value)
{
	if (!strcmp(key, "device-iotlb"))
		iommu->device_iotlb = is_true(value);
	else if (!strcmp(key, "caching-mode"))
		iommu->caching_mode = is_true(value);
	else if (!strcmp(key, "x-scalable-mode"))
		iommu->scalable = is_true(value);
	else if (!strcmp(key, "x-flts"))
		iommu->first_stage = is_true(value);
	else if (!strcmp(key, "aw-bits"))
		iommu->address_width = small_number(value);
}

static void read_nic(struct qemu_nic *nic, const char *key, const char *value)
{
	if (!strcmp(key, "iommu_platform"))
		nic->iommu_platform = is_true(value);
	else if (!strcmp(key, "ats"))
		nic->ats = is_true(value);
	else if (!strcmp(key, "netdev"))
		set_text(nic->netdev, sizeof(nic->netdev), value);
	else if (!strcmp(key, "mac"))
		set_text(nic->mac, sizeof(nic->mac), value);
}

/* "class Ethernet controller, addr 01:00.0, pci id 1af4:1041 (sub 1af4:1100)" */
static void read_address(struct level *level, const char *rest)
{
	const char *found = strstr(rest, ", addr ");
	char address[sizeof("00:00.0")];

	if (!found)
		return;
	level->has_address = true;
	qemu_copy_name(address, sizeof(address), found + 7, ",");
	if (level->nic)
		level->nic->has_source = !vtd_parse_source(address, &level->nic->source_id);
}

static void read_mmio(struct qemu_iommu *iommu, const char *rest)
{
	uint64_t base;

	rest = qemu_fixed_hex(rest, 16, &base);
	if (rest && *rest == '/')
		iommu->base = base;
}

static void read_property(struct tree *tree, struct level *level, char *line)
{
	const char *rest;
	char *equals;

	rest = qemu_after(line, "mmio ");
	if (rest && level->is_iommu)
		read_mmio(&tree->info->iommu, rest);
	rest = qemu_after(line, "class ");
	if (!rest)
		rest = qemu_after(line, "Class ");
	if (rest && !level->is_bus)
		read_address(level, rest);

	equals = strstr(line, " = ");
	if (!equals)
		return;
	*equals = '\0';
	if (level->is_iommu)
		read_iommu(&tree->info->iommu, line, equals + 3);
	if (level->nic)
		read_nic(level->nic, line, equals + 3);
}

static bool is_express_bus(const char *type)
{
	return !strcmp(type, "PCIE") || !strcmp(type, "CXL") || !strcmp(type, "pxb-pcie-bus");
}

static void read_line(struct tree *tree, size_t indent, char *line)
{
	struct level *level;
	const char *rest;

	while (tree->depth && current(tree)->indent >= indent)
		tree->depth--;
	rest = qemu_after(line, "dev: ");
	if (rest) {
		begin_device(tree, indent, rest);
		return;
	}
	if (qemu_after(line, "bus: ")) {
		begin_bus(tree, indent);
		return;
	}
	level = current(tree);
	if (!level)
		return;
	rest = qemu_after(line, "type ");
	if (rest && level->is_bus)
		level->is_express = is_express_bus(rest);
	else
		read_property(tree, level, line);
}

int qemu_read_tree(struct qemu_info *info, const char *text)
{
	struct tree tree = {.info = info};
	char line[QEMU_LINE_MAX];
	size_t indent;

	memset(info, 0, sizeof(*info));
	if (!qemu_after(text, "bus: "))
		return -EPROTO;
	while ((text = qemu_next_line(text, line, &indent)))
		read_line(&tree, indent, line);
	return 0;
}
