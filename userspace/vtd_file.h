/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtual IOMMU (VT-d) as a text file describes it, one fact a line:
 *
 *	root 0x1000		# RTADDR_REG as the guest wrote it
 *	width 48		# of guest-physical addresses, 39..52
 *	sagaw 39,48		# widths of I/O virtual addresses
 *	large 2m,1g		# pages of the second level; or none
 *	pass-through yes
 *	first-level 1g		# 1g: pages of 1G, 5: five levels; or none
 *	nested yes
 *	device 00:03.0		# of the first vhost device, and so on
 *	pasid 5			# of all requests; without, they have none
 *
 * What is shown is the default, but for root and device, which must be there,
 * and pasid.
 */
#ifndef IOTLB_VTD_FILE_H
#define IOTLB_VTD_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "vtd_types.h"

#define VTD_FILE_MAX_DEVICES 4096

#define VTD_FILE_ERROR_MAX 512

#define VTD_MAX_PASID ((1 << 20) - 1)

/**
 * struct vtd_file - what it says
 * @unit:	the IOMMU
 * @pasid:	of requests, VTD_NO_PASID for none
 * @count:	of @sources, one at least
 * @sources:	source ids of a process's vhost devices, in the order of their
 *		ids; the last one is that of all further devices
 */
struct vtd_file {
	struct vtd_unit unit;
	uint32_t pasid;
	size_t count;
	uint16_t sources[VTD_FILE_MAX_DEVICES];
};

/**
 * vtd_file_read() - read such a text
 * @file:	filled in if all is well
 * @stream:	the text
 * @name:	how errors name it
 * @error:	what is wrong, "name:line: what"
 *
 * Return: 0, -EINVAL a fault in the text, or another negative errno if reading
 * has failed.
 */
int vtd_file_read(struct vtd_file *file, FILE *stream, const char *name,
		  char error[VTD_FILE_ERROR_MAX]);

/* The same from a file; 0, or a negative errno after a message. */
int vtd_file_load(struct vtd_file *file, const char *path);

/* A source id as lspci(8) prints it, "00:03.0"; 0 or -EINVAL. */
int vtd_parse_source(const char *text, uint16_t *source);

/* Source id of a process's vhost device; the first has index 0. */
static inline uint16_t vtd_file_source(const struct vtd_file *file, size_t index)
{
	return file->sources[index < file->count ? index : file->count - 1];
}

#endif /* IOTLB_VTD_FILE_H */
