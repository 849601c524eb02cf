/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOP_TRACEPOINT_H
#define TOP_TRACEPOINT_H

#include <stdbool.h>

/**
 * vhost_has_tracepoint() - does the vhost module have this tracepoint?
 * @name:	without the group, as "vhost_iotlb_hit"
 *
 * Return: true if so; false also if the BTF of the module cannot be read.
 */
bool vhost_has_tracepoint(const char *name);

#endif /* TOP_TRACEPOINT_H */
