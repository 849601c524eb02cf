/* SPDX-License-Identifier: GPL-2.0 */
/* Messages of type V3: many operations in one write(). */
#ifndef KERNEL_TEST_BATCH_H
#define KERNEL_TEST_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "vhost_msg_v3.h"

/* A struct vhost_msg_v3 that has room for one more than what is allowed. */
struct batch {
	uint32_t type;
	uint32_t num;
	struct vhost_iotlb_op ops[VHOST_IOTLB_MAX_OPS + 1];
};

_Static_assert(offsetof(struct batch, ops) == sizeof(struct vhost_msg_v3), "the same layout");

void batch_init(struct batch *b);

/* Return: the operation, to be changed. */
struct vhost_iotlb_op *batch_add(struct batch *b, int type, uint64_t iova, uint64_t size);
struct vhost_iotlb_op *batch_add_update(struct batch *b, uint64_t iova, uint64_t size,
					const void *target, int perm);

/* What device_map() does. */
struct vhost_iotlb_op *batch_add_map(struct batch *b, const struct device *d, unsigned int page,
				     int perm);

/* Bytes of a message of @num operations. */
size_t batch_size(unsigned int num);

/* Return: the number of operations that were applied, or a negative errno. */
int batch_write(const struct device *d, const struct batch *b);

/* One operation. Return: 0 or a negative errno. */
int batch_write_op(const struct device *d, const struct vhost_iotlb_op *op);

/* device_map() with a token. */
int batch_map(const struct device *d, unsigned int page, int perm, uint64_t token);

int batch_invalidate(const struct device *d, uint64_t iova, uint64_t size);
int batch_hand_back(const struct device *d, uint64_t iova, uint64_t size);
int batch_retry(const struct device *d, uint64_t iova, uint64_t size);

/* Have misses reported in this form. */
void batch_accept(const struct device *d);

/* As device_read_miss(), in this form. */
int batch_read_miss(const struct device *d, struct vhost_iotlb_op *op);

#endif /* KERNEL_TEST_BATCH_H */
