// SPDX-License-Identifier: GPL-2.0
#include "batch.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "check.h"

void batch_init(struct batch *b)
{
	*b = (struct batch){.type = VHOST_IOTLB_MSG_V3};
}

struct vhost_iotlb_op *batch_add(struct batch *b, int type, uint64_t iova, uint64_t size)
{
	struct vhost_iotlb_op *op = &b->ops[b->num++];

	*op = (struct vhost_iotlb_op){.type = type, .iova = iova, .size = size};
	return op;
}

struct vhost_iotlb_op *batch_add_update(struct batch *b, uint64_t iova, uint64_t size,
					const void *target, int perm)
{
	struct vhost_iotlb_op *op = batch_add(b, VHOST_IOTLB_UPDATE, iova, size);

	op->uaddr = (uintptr_t)target;
	op->perm = perm;
	return op;
}

struct vhost_iotlb_op *batch_add_map(struct batch *b, const struct device *d, unsigned int page,
				     int perm)
{
	return batch_add_update(b, device_iova(page), PAGE, device_page(d, page), perm);
}

size_t batch_size(unsigned int num)
{
	return sizeof(struct vhost_msg_v3) + num * sizeof(struct vhost_iotlb_op);
}

int batch_write(const struct device *d, const struct batch *b)
{
	ssize_t written = write(d->fd, b, batch_size(b->num));
	unsigned int applied;

	if (written < 0)
		return -errno;
	applied = (written - batch_size(0)) / sizeof(*b->ops);
	return batch_size(applied) == (size_t)written ? (int)applied : -EPROTO;
}

int batch_write_op(const struct device *d, const struct vhost_iotlb_op *op)
{
	struct batch b = {.type = VHOST_IOTLB_MSG_V3, .num = 1, .ops[0] = *op};
	int applied = batch_write(d, &b);

	if (applied < 0)
		return applied;
	return applied == 1 ? 0 : -EPROTO;
}

int batch_map(const struct device *d, unsigned int page, int perm, uint64_t token)
{
	struct batch b = {.type = VHOST_IOTLB_MSG_V3};
	struct vhost_iotlb_op *op = batch_add_map(&b, d, page, perm);

	op->token = token;
	op->flags = VHOST_IOTLB_OP_F_TOKEN;
	return batch_write_op(d, op);
}

static int write_range(const struct device *d, int type, uint64_t iova, uint64_t size)
{
	struct vhost_iotlb_op op = {.type = type, .iova = iova, .size = size};

	return batch_write_op(d, &op);
}

int batch_invalidate(const struct device *d, uint64_t iova, uint64_t size)
{
	return write_range(d, VHOST_IOTLB_INVALIDATE, iova, size);
}

int batch_hand_back(const struct device *d, uint64_t iova, uint64_t size)
{
	return write_range(d, VHOST_IOTLB_MISS, iova, size);
}

int batch_retry(const struct device *d, uint64_t iova, uint64_t size)
{
	return write_range(d, VHOST_IOTLB_RETRY, iova, size);
}

void batch_accept(const struct device *d)
{
	uint64_t features =
		1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2 | 1ULL << VHOST_BACKEND_F_IOTLB_MSG_V3;

	if (ioctl(d->fd, VHOST_SET_BACKEND_FEATURES, &features))
		bail_out_errno("VHOST_SET_BACKEND_FEATURES failed");
}

int batch_read_miss(const struct device *d, struct vhost_iotlb_op *op)
{
	struct batch b;
	ssize_t size = read(d->fd, &b, sizeof(b));

	if (size < 0)
		return -errno;
	if (size != (ssize_t)batch_size(1) || b.type != VHOST_IOTLB_MSG_V3 || b.num != 1 ||
	    b.ops[0].type != VHOST_IOTLB_MISS)
		return -EPROTO;
	*op = b.ops[0];
	return 0;
}
