// SPDX-License-Identifier: GPL-2.0
#include "nic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vhost.h>
#include <linux/virtio_config.h>

#include "bench/frame.h"
#include "report.h"

#define VHOST_NET "/dev/vhost-net"
#define NO_IOTLB (1ULL << VIRTIO_F_VERSION_1)
#define FEATURES (NO_IOTLB | 1ULL << VIRTIO_F_ACCESS_PLATFORM)
#define V2 (1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2)
#define V3 (1ULL << VHOST_BACKEND_F_IOTLB_MSG_V3)

#define must_ioctl(fd, request, argument)                                                          \
	do {                                                                                       \
		if (ioctl(fd, request, argument) < 0)                                              \
			bail_out_errno("%s failed", #request);                                     \
	} while (0)

static int open_vhost(void)
{
	int fd = open(VHOST_NET, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		bail_out_errno("cannot open %s", VHOST_NET);
	return fd;
}

bool nic_can_have_tokens(void)
{
	uint64_t features;
	int fd = open_vhost();

	must_ioctl(fd, VHOST_GET_BACKEND_FEATURES, &features);
	close(fd);
	return features & V3;
}

static int new_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		bail_out_errno("cannot make an eventfd");
	return fd;
}

void nic_set_memory(const struct nic *n)
{
	uint8_t buffer[sizeof(struct vhost_memory) + 2 * sizeof(struct vhost_memory_region)] = {0};
	struct vhost_memory *table = (void *)buffer;

	table->nregions = 2;
	table->regions[0].guest_phys_addr = space_gpa(0, 0);
	table->regions[0].memory_size = BANK_SIZE;
	table->regions[0].userspace_addr = (uintptr_t)space_bank(n->space, n->space->bank);
	table->regions[1].guest_phys_addr = IOMMU_GPA;
	table->regions[1].memory_size = sizeof(n->space->iommu);
	table->regions[1].userspace_addr = (uintptr_t)&n->space->iommu;
	must_ioctl(n->fd, VHOST_SET_MEM_TABLE, table);
}

void nic_replace_iotlb(const struct nic *n)
{
	uint64_t features = FEATURES;

	must_ioctl(n->fd, VHOST_SET_FEATURES, &features);
}

static void set_up_queue(const struct nic *n, int queue, unsigned int next)
{
	struct vhost_vring_state size = {queue, RING_SIZE};
	struct vhost_vring_state base = {queue, next};
	struct vhost_vring_addr address = {
		.index = queue,
		.desc_user_addr = space_iova(ring_page(queue, DESC)),
		.avail_user_addr = space_iova(ring_page(queue, AVAIL)),
		.used_user_addr = space_iova(ring_page(queue, USED)),
	};
	struct vhost_vring_file kick = {queue, n->kick[queue]};
	struct vhost_vring_file call = {queue, n->call[queue]};

	must_ioctl(n->fd, VHOST_SET_VRING_NUM, &size);
	must_ioctl(n->fd, VHOST_SET_VRING_BASE, &base);
	must_ioctl(n->fd, VHOST_SET_VRING_ADDR, &address);
	must_ioctl(n->fd, VHOST_SET_VRING_KICK, &kick);
	must_ioctl(n->fd, VHOST_SET_VRING_CALL, &call);
}

/* @next: the first buffer of each queue that the device has not seen. */
static void set_up(const struct nic *n, const unsigned int *next)
{
	nic_replace_iotlb(n);
	nic_set_memory(n);
	for (int queue = 0; queue < NR_QUEUES; queue++)
		set_up_queue(n, queue, next[queue]);
}

static void own(const struct nic *n)
{
	uint64_t backend = n->has_tokens ? V2 | V3 : V2;

	must_ioctl(n->fd, VHOST_SET_OWNER, NULL);
	must_ioctl(n->fd, VHOST_SET_BACKEND_FEATURES, &backend);
}

void nic_open(struct nic *n, struct space *s, bool has_tokens)
{
	unsigned int next[NR_QUEUES] = {0};

	*n = (struct nic){.space = s, .fd = open_vhost(), .has_tokens = has_tokens};
	for (int queue = 0; queue < NR_QUEUES; queue++) {
		n->kick[queue] = new_eventfd();
		n->call[queue] = new_eventfd();
	}
	if (tap_open(&n->tap, 0, RX_SIZE))
		bail_out("no tap");
	own(n);
	set_up(n, next);
}

void nic_close(struct nic *n)
{
	close(n->fd);
	tap_close(&n->tap);
	for (int queue = 0; queue < NR_QUEUES; queue++) {
		close(n->kick[queue]);
		close(n->call[queue]);
	}
}

static int set_backend(const struct nic *n, int queue, int fd)
{
	struct vhost_vring_file backend = {queue, fd};

	return ioctl(n->fd, VHOST_NET_SET_BACKEND, &backend) ? -errno : 0;
}

void nic_kick(const struct nic *n, int queue)
{
	uint64_t one = 1;

	if (write(n->kick[queue], &one, sizeof(one)) != sizeof(one))
		bail_out_errno("cannot kick");
}

void nic_start(const struct nic *n, int queue)
{
	unsigned int page = ring_page(queue, USED);
	struct vhost_iotlb_op op = {
		.iova = space_iova(page),
		.size = PAGE,
		.uaddr = (uintptr_t)space_copy(n->space, page, n->space->entries[page].now),
		.type = VHOST_IOTLB_UPDATE,
		.perm = VHOST_ACCESS_RW,
	};
	int result;

	/* What vhost reads at the start must be mapped. */
	result = nic_update(n, &op);
	if (!result)
		result = set_backend(n, queue, n->tap.fd);
	if (result) {
		errno = -result;
		bail_out_errno("cannot start virtqueue %d", queue);
	}
	nic_kick(n, queue);
}

void nic_stop(const struct nic *n, int queue)
{
	int result = set_backend(n, queue, -1);

	if (result) {
		errno = -result;
		bail_out_errno("cannot stop virtqueue %d", queue);
	}
}

static void get_next(const struct nic *n, unsigned int *next)
{
	for (int queue = 0; queue < NR_QUEUES; queue++) {
		struct vhost_vring_state base = {.index = queue};

		must_ioctl(n->fd, VHOST_GET_VRING_BASE, &base);
		next[queue] = base.num;
	}
}

void nic_reset(const struct nic *n)
{
	unsigned int next[NR_QUEUES];

	get_next(n, next);
	must_ioctl(n->fd, VHOST_RESET_OWNER, NULL);
	own(n);
	set_up(n, next);
}

void nic_drop_iotlb(const struct nic *n)
{
	uint64_t features = NO_IOTLB;
	unsigned int next[NR_QUEUES];

	get_next(n, next);
	must_ioctl(n->fd, VHOST_SET_FEATURES, &features);
	set_up(n, next);
}

static int write_v2(const struct nic *n, const struct vhost_iotlb_op *op)
{
	struct vhost_msg_v2 msg = {
		.type = VHOST_IOTLB_MSG_V2,
		.iotlb =
			{
				.iova = op->iova,
				.size = op->size,
				.uaddr = op->uaddr,
				.perm = op->perm,
				.type = op->type,
			},
	};
	ssize_t written = write(n->fd, &msg, sizeof(msg));

	if (written < 0)
		return -errno;
	return written == sizeof(msg) ? 0 : -EIO;
}

int nic_write_ops(const struct nic *n, const struct vhost_iotlb_op *ops, unsigned int count)
{
	struct {
		struct vhost_msg_v3 head;
		struct vhost_iotlb_op ops[MAX_OPS];
	} msg;
	size_t size = sizeof(msg.head) + count * sizeof(*ops);
	ssize_t written;

	msg.head = (struct vhost_msg_v3){.type = VHOST_IOTLB_MSG_V3, .num = count};
	memcpy(msg.ops, ops, count * sizeof(*ops));
	written = write(n->fd, &msg, size);
	if (written < 0)
		return -errno;
	if (written < (ssize_t)sizeof(msg.head) || (written - sizeof(msg.head)) % sizeof(*ops))
		bail_out("%zu bytes were written, and %zd taken", size, written);
	return (written - sizeof(msg.head)) / sizeof(*ops);
}

int nic_update(const struct nic *n, const struct vhost_iotlb_op *op)
{
	int result;

	if (!n->has_tokens)
		return write_v2(n, op);
	result = nic_write_ops(n, op, 1);
	return result < 0 ? result : 0;
}

void nic_invalidate(const struct nic *n, uint64_t iova, uint64_t size)
{
	struct vhost_iotlb_op op = {.iova = iova, .size = size, .type = VHOST_IOTLB_INVALIDATE};
	int result = nic_update(n, &op);

	if (result) {
		errno = -result;
		bail_out_errno("INVALIDATE failed");
	}
}

static bool from_v2(const uint8_t *buffer, ssize_t size, struct vhost_iotlb_op *miss)
{
	const struct vhost_msg_v2 *msg = (const void *)buffer;

	*miss = (struct vhost_iotlb_op){
		.iova = msg->iotlb.iova,
		.type = msg->iotlb.type,
		.perm = msg->iotlb.perm,
	};
	return size == sizeof(*msg) && msg->type == VHOST_IOTLB_MSG_V2;
}

static bool from_v3(const uint8_t *buffer, ssize_t size, struct vhost_iotlb_op *miss)
{
	const struct vhost_msg_v3 *msg = (const void *)buffer;

	memcpy(miss, buffer + sizeof(*msg), sizeof(*miss));
	return size == sizeof(*msg) + sizeof(*miss) && msg->type == VHOST_IOTLB_MSG_V3 &&
	       msg->num == 1 && miss->flags == VHOST_IOTLB_OP_F_TOKEN;
}

bool nic_read_miss(const struct nic *n, struct vhost_iotlb_op *miss)
{
	uint8_t buffer[128] __attribute__((aligned(8))) = {0};
	ssize_t size = read(n->fd, buffer, sizeof(buffer));
	bool is_known;

	if (size < 0 && errno == EAGAIN)
		return false;
	if (size < 0)
		bail_out_errno("cannot read a miss");
	is_known = n->has_tokens ? from_v3(buffer, size, miss) : from_v2(buffer, size, miss);
	if (!is_known || miss->type != VHOST_IOTLB_MISS)
		bail_out("a message of %zd bytes, version %u, that is no miss", size,
			 *(uint32_t *)buffer);
	return true;
}

void nic_dump(const struct nic *n)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", n->fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		printf("# %s", line);
	if (file)
		fclose(file);
}
