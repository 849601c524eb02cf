// SPDX-License-Identifier: GPL-2.0
/*
 * Registers of the intel-iommu: Intel VT-d specification, 11.4.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "qemu_info.h"
#include "qemu_text.h"
#include "vtd.h"

#define GSTS_TES (1U << 31)

/* The first, and how many words from there on */
#define CAP_REG 0x08
#define REGISTERS 4

void qemu_registers_command(const struct qemu_iommu *iommu, char command[QEMU_COMMAND_MAX])
{
	/* All at once, while no processor of the guest changes them */
	snprintf(command, QEMU_COMMAND_MAX, "xp /%dgx 0x%" PRIx64, REGISTERS,
		 iommu->base + CAP_REG);
}

/* "00000000fed90008: 0x00d2008c22260206 0x0000000000000f46" */
static int read_words(const char *text, uint64_t address, uint64_t *words, size_t count)
{
	uint64_t where;
	size_t i;

	for (i = 0; i < count; i++) {
		if (i % 2 == 0) {
			text = qemu_fixed_hex(text, 16, &where);
			if (!text || *text++ != ':' || where != address + 8 * i)
				return -EPROTO;
		}
		if (strncmp(text, " 0x", 3))
			return -EPROTO;
		text = qemu_fixed_hex(text + 3, 16, &words[i]);
		if (!text)
			return -EPROTO;
		if (i % 2 == 1 && *text++ != '\n')
			return -EPROTO;
	}
	return *text ? -EPROTO : 0;
}

int qemu_read_registers(struct qemu_registers *registers, const struct qemu_iommu *iommu,
			const char *text)
{
	uint64_t words[REGISTERS];
	int err = read_words(text, iommu->base + CAP_REG, words, REGISTERS);

	if (err)
		return err;
	*registers = (struct qemu_registers){
		.cap = words[0],
		.ecap = words[1],
		.gsts = (uint32_t)(words[2] >> 32), /* after GCMD_REG */
		.rtaddr = words[3],
	};
	return 0;
}

bool qemu_translates(const struct qemu_registers *registers)
{
	return registers->gsts & GSTS_TES;
}

static uint64_t bits(uint64_t word, unsigned int high, unsigned int low)
{
	return word >> low & (~0ULL >> (63 - (high - low)));
}

struct vtd_unit qemu_unit(const struct qemu_registers *registers)
{
	const uint64_t cap = registers->cap, ecap = registers->ecap;
	unsigned int width = (unsigned int)bits(cap, 21, 16) + 1;

	/* MGAW is the width of IOVAs; QEMU has no other one for guest-physical
	 * addresses. More than there may be, a broken QEMU says.
	 */
	return (struct vtd_unit){
		.root = registers->rtaddr,
		.address_width = width < 32   ? 32
				 : width > 52 ? 52
					      : (uint8_t)width,
		.sagaw = bits(cap, 12, 8) & VTD_WIDTHS,
		.large_pages = bits(cap, 35, 34),
		.flags = (bits(ecap, 6, 6) ? VTD_UNIT_PASS_THROUGH : 0) |
			 (bits(cap, 56, 56) ? VTD_UNIT_FIRST_1G : 0) |
			 (bits(cap, 60, 60) ? VTD_UNIT_FIRST_5 : 0) |
			 (bits(ecap, 26, 26) ? VTD_UNIT_NESTED : 0),
	};
}
