// SPDX-License-Identifier: GPL-2.0
/*
 * What QEMU's human monitor says: up to a NUL, of its devices; up to another, of
 * the network; the rest, of the registers.
 */
#include <errno.h>
#include <stdio.h>

#include "number.h"
#include "qemu_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name, size_t size)
{
	CHECK(memchr(name, '\0', size));
	for (; *name; name++)
		CHECK(*name >= ' ' && *name <= '~');
}

static void check_nics(const struct qemu_info *info)
{
	size_t i;

	CHECK(info->nic_count <= QEMU_MAX_NICS);
	for (i = 0; i < info->nic_count; i++) {
		const struct qemu_nic *nic = &info->nics[i];
		const struct qemu_nic *found = qemu_find_nic(info, nic->tap);

		check_name(nic->id, sizeof(nic->id));
		check_name(nic->netdev, sizeof(nic->netdev));
		check_name(nic->mac, sizeof(nic->mac));
		check_name(nic->tap, sizeof(nic->tap));
		CHECK(nic->tap_fd >= -1);
		CHECK(nic->is_tap || (!*nic->tap && nic->tap_fd < 0));
		CHECK(!*nic->tap || nic->tap_fd < 0);
		CHECK(!found || found == nic);
	}
}

/* Written as QEMU does, they are the same. */
static void check_registers(const struct qemu_iommu *iommu, const char *text)
{
	struct qemu_registers registers;
	char again[200];
	int err = qemu_read_registers(&registers, iommu, text);
	uint64_t gsts;

	CHECK(!err || err == -EPROTO);
	if (err)
		return;
	CHECK(strlen(text) == 112);
	gsts = strtoull(text + 74, NULL, 16);
	snprintf(again, sizeof(again), "%016lx: 0x%016lx 0x%016lx\n%016lx: 0x%016lx 0x%016lx\n",
		 iommu->base + 8, registers.cap, registers.ecap, iommu->base + 24,
		 (uint64_t)registers.gsts << 32 | (uint32_t)gsts, registers.rtaddr);
	CHECK(!strcasecmp(text, again));
	CHECK(qemu_unit(&registers).address_width >= 32);
	CHECK(qemu_unit(&registers).address_width <= 52);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct qemu_info info;
	char command[QEMU_COMMAND_MAX], *text = malloc(size + 3), *network, *registers;
	int err;

	CHECK(text);
	memcpy(text, data, size);
	memset(text + size, 0, 3);
	network = text + strlen(text) + 1;
	registers = network + (network < text + size ? strlen(network) + 1 : 0);

	err = qemu_read_tree(&info, text);
	CHECK(!err || err == -EPROTO);
	check_name(info.other_iommu, sizeof(info.other_iommu));
	qemu_read_network(&info, network);
	check_nics(&info);
	qemu_registers_command(&info.iommu, command);
	check_registers(&info.iommu, registers);
	free(text);
	return 0;
}
