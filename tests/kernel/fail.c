// SPDX-License-Identifier: GPL-2.0
#include "fail.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "batch.h"
#include "check.h"

void fail_watch(struct failing *f, struct device *d)
{
	f->device = d;
	for (int queue = 0; queue < NR_QUEUES; queue++) {
		struct vhost_vring_file file = {queue, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

		if (file.fd < 0 || ioctl(d->fd, VHOST_SET_VRING_ERR, &file))
			bail_out_errno("cannot be told of errors");
		f->errors[queue] = file.fd;
	}
}

void fail_open(struct failing *f, const struct device_shape *shape)
{
	struct device *d = device_open_shaped(shape);

	device_run(d);
	batch_accept(d);
	fail_watch(f, d);
}

void fail_close(struct failing *f)
{
	device_close(f->device);
	for (int queue = 0; queue < NR_QUEUES; queue++)
		close(f->errors[queue]);
}

static struct vhost_iotlb_op fail_op(uint64_t iova, uint64_t size, int perm)
{
	return (struct vhost_iotlb_op){
		.type = VHOST_IOTLB_ACCESS_FAIL,
		.iova = iova,
		.size = size,
		.perm = perm,
	};
}

int fail_in(const struct device *d, uint32_t asid, uint64_t iova, uint64_t size, int perm)
{
	struct vhost_iotlb_op op = fail_op(iova, size, perm);

	op.asid = asid;
	return batch_write_op(d, &op);
}

int fail_access(const struct device *d, uint64_t iova, uint64_t size, int perm)
{
	return fail_in(d, 0, iova, size, perm);
}

int fail_by(const struct device *d, uint64_t iova, uint64_t size, int perm, uint64_t token)
{
	struct vhost_iotlb_op op = fail_op(iova, size, perm);

	op.token = token;
	op.flags = VHOST_IOTLB_OP_F_TOKEN;
	return batch_write_op(d, &op);
}

unsigned int fail_count(const struct device *d)
{
	char path[64], line[256];
	unsigned int count = -1U;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", d->fd);
	file = fopen(path, "re");
	if (!file)
		bail_out_errno("cannot open %s", path);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "vhost-iotlb-fail:\t%u", &count) == 1)
			break;
	fclose(file);
	return count;
}

unsigned int fail_errors(const struct failing *f, int queue)
{
	uint64_t count = 0;

	(void)!read(f->errors[queue], &count, sizeof(count));
	return count;
}

struct vring_used_elem fail_used(const struct device *d, int queue, unsigned int nr)
{
	return d->queues[queue].used->ring[nr % d->ring_size];
}

bool fail_is_asked(const struct device *d, uint64_t iova, int perm, uint64_t *token)
{
	struct vhost_iotlb_op op;

	EXPECT(!batch_read_miss(d, &op), "no miss of 0x%llx", (unsigned long long)iova);
	EXPECT(op.iova == iova, "a miss of 0x%llx, not 0x%llx", (unsigned long long)op.iova,
	       (unsigned long long)iova);
	EXPECT(op.perm == perm, "for an access of %u, not %d", op.perm, perm);
	if (token)
		*token = op.token;
	return true;
}

bool fail_has_none(const struct failing *f, int queue, unsigned int used)
{
	unsigned int errors = fail_errors(f, queue);

	EXPECT(!errors, "told of %u errors", errors);
	EXPECT(device_used(f->device, queue) == used, "%u used, not %u",
	       device_used(f->device, queue), used);
	return true;
}

bool fail_gives_back(const struct failing *f, int queue, unsigned int used, unsigned int head)
{
	unsigned int errors = fail_errors(f, queue);
	struct vring_used_elem element;

	EXPECT(device_used(f->device, queue) == used, "%u used, not %u",
	       device_used(f->device, queue), used);
	element = fail_used(f->device, queue, used - 1);
	EXPECT(element.id == head, "%u is given back, not %u", element.id, head);
	EXPECT(element.len == 0, "with length %u", element.len);
	EXPECT(errors == 1, "told of %u errors", errors);
	return true;
}
