/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOP_TRACEPOINT_H
#define TOP_TRACEPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * vhost_has_tracepoint() - does the vhost module have this tracepoint?
 * @name:	without the group, as "vhost_iotlb_hit"
 *
 * Return: true if so; false also if the BTF of the module cannot be read.
 */
bool vhost_has_tracepoint(const char *name);

/**
 * vhost_tells_asid() - has this vhost address spaces, and do its tracepoints tell?
 *
 * Their last arguments are those then that the newest of them have, and struct
 * vhost_virtqueue has a member "asid".
 */
bool vhost_tells_asid(void);

/**
 * struct vhost_member - a member of a structure of the vhost module
 * @type:	the structure, without "struct"
 * @name:	the member, which is no bit field
 * @offset:	in bytes
 */
struct vhost_member {
	const char *type;
	const char *name;
	uint32_t offset;
};

/* Fills in the offsets, if all of these members are there. */
bool vhost_find_members(struct vhost_member *members, size_t count);

#endif /* TOP_TRACEPOINT_H */
