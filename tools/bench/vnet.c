// SPDX-License-Identifier: GPL-2.0
#include "vnet.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vhost.h>
#include <linux/virtio_config.h>

#define DEVICE_FEATURES (1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM)
#define BACKEND_FEATURES (1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2)

static int open_vhost(void)
{
	/* The reader of misses waits in epoll, never in read(). */
	int fd = open("/dev/vhost-net", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		warnx("cannot open /dev/vhost-net: %s; is the module loaded? try: modprobe "
		      "vhost_net",
		      strerror(errno));
	else if (errno == EACCES || errno == EPERM)
		warnx("cannot open /dev/vhost-net: %s; run as root", strerror(errno));
	else
		warn("cannot open /dev/vhost-net");
	return -1;
}

static int negotiate(const struct vnet *v)
{
	uint64_t device = DEVICE_FEATURES, backend = BACKEND_FEATURES;
	uint64_t offered = 0;

	if (ioctl(v->fd, VHOST_GET_FEATURES, &offered)) {
		warn("device %u: VHOST_GET_FEATURES failed", v->number);
		return -1;
	}
	if (~offered & device) {
		warnx("device %u: vhost-net of this kernel lacks VIRTIO_F_ACCESS_PLATFORM or "
		      "VIRTIO_F_VERSION_1 (it offers 0x%llx), so it has no IOTLB; Linux 4.8 or "
		      "later is needed",
		      v->number, (unsigned long long)offered);
		return -1;
	}
	if (ioctl(v->fd, VHOST_GET_BACKEND_FEATURES, &offered) || ~offered & backend) {
		warnx("device %u: vhost-net of this kernel lacks IOTLB messages of version 2; "
		      "Linux 4.20 or later is needed",
		      v->number);
		return -1;
	}
	if (ioctl(v->fd, VHOST_SET_BACKEND_FEATURES, &backend) ||
	    ioctl(v->fd, VHOST_SET_FEATURES, &device)) {
		warn("device %u: vhost refuses the features that it offered", v->number);
		return -1;
	}
	return 0;
}

static int set_memory(const struct vnet *v, const struct guest *g)
{
	struct vhost_memory *table;
	int result;

	table = calloc(1, sizeof(*table) + GUEST_REGIONS * sizeof(table->regions[0]));
	if (!table) {
		warn("device %u: no memory for the memory table", v->number);
		return -1;
	}
	table->nregions = GUEST_REGIONS;
	for (int i = 0; i < GUEST_REGIONS; i++) {
		table->regions[i].guest_phys_addr = g->regions[i].gpa;
		table->regions[i].memory_size = g->regions[i].size;
		table->regions[i].userspace_addr = (uintptr_t)g->regions[i].hva;
	}
	result = ioctl(v->fd, VHOST_SET_MEM_TABLE, table);
	if (result)
		warn("device %u: VHOST_SET_MEM_TABLE failed", v->number);
	free(table);
	return result;
}

static int open_eventfds(struct vnet_queue *q)
{
	q->kick = eventfd(0, EFD_CLOEXEC);
	q->call = eventfd(0, EFD_CLOEXEC);
	q->error = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->kick < 0 || q->call < 0 || q->error < 0) {
		warn("cannot make an eventfd");
		return -1;
	}
	return 0;
}

static int set_ring(const struct vnet *v, enum direction direction, const struct ring_place *iova)
{
	const struct vnet_queue *q = &v->queues[direction];
	struct vhost_vring_state size = {direction, VIRTQ_SIZE};
	struct vhost_vring_state base = {direction, 0};
	struct vhost_vring_addr address = {
		.index = direction,
		.desc_user_addr = iova->desc,
		.avail_user_addr = iova->avail,
		.used_user_addr = iova->used,
	};
	struct vhost_vring_file kick = {direction, q->kick};
	struct vhost_vring_file call = {direction, q->call};
	struct vhost_vring_file error = {direction, q->error};

	if (ioctl(v->fd, VHOST_SET_VRING_NUM, &size) || ioctl(v->fd, VHOST_SET_VRING_BASE, &base) ||
	    ioctl(v->fd, VHOST_SET_VRING_ADDR, &address) ||
	    ioctl(v->fd, VHOST_SET_VRING_KICK, &kick) ||
	    ioctl(v->fd, VHOST_SET_VRING_CALL, &call) ||
	    ioctl(v->fd, VHOST_SET_VRING_ERR, &error)) {
		warn("device %u: cannot set up the %s virtqueue", v->number,
		     direction_name(direction));
		return -1;
	}
	return 0;
}

static int open_queue(struct vnet *v, enum direction direction, const struct layout *l,
		      const struct guest *g)
{
	struct ring_place gpa = layout_ring_gpa(l, v->number, direction);
	struct ring_place iova = layout_ring_iova(l, v->number, direction);
	struct vnet_queue *q = &v->queues[direction];

	virtq_init(&q->ring, guest_memory(g, gpa.desc), guest_memory(g, gpa.avail),
		   guest_memory(g, gpa.used));
	if (open_eventfds(q))
		return -1;
	return set_ring(v, direction, &iova);
}

/* Kernels that trace the device IOTLB name each device; others do not. */
static int64_t read_vhost_id(int fd)
{
	char path[64], line[128];
	long long id = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (id < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "vhost-id: %lld", &id) != 1)
			id = -1;
	fclose(file);
	return id;
}

static void set_closed(struct vnet *v, unsigned int number)
{
	*v = (struct vnet){
		.number = number,
		.fd = -1,
		.tap = {-1, -1},
		.vhost_id = -1,
	};
	for (int i = 0; i < NR_DIRECTIONS; i++) {
		v->queues[i].kick = -1;
		v->queues[i].call = -1;
		v->queues[i].error = -1;
	}
}

static int open_device(struct vnet *v, const struct layout *l, const struct guest *g,
		       size_t frame_size)
{
	v->fd = open_vhost();
	if (v->fd < 0)
		return -1;
	if (ioctl(v->fd, VHOST_SET_OWNER, NULL)) {
		warn("device %u: VHOST_SET_OWNER failed", v->number);
		return -1;
	}
	if (negotiate(v) || set_memory(v, g))
		return -1;
	for (int i = 0; i < NR_DIRECTIONS; i++)
		if (l->o.has[i] && open_queue(v, i, l, g))
			return -1;
	v->vhost_id = read_vhost_id(v->fd);
	return tap_open(&v->tap, v->number, frame_size);
}

int vnet_open(struct vnet *v, unsigned int number, const struct layout *l, const struct guest *g,
	      size_t frame_size)
{
	set_closed(v, number);
	if (!open_device(v, l, g, frame_size))
		return 0;
	vnet_close(v);
	return -1;
}

static int set_backend(const struct vnet *v, enum direction direction, int fd)
{
	struct vhost_vring_file file = {direction, fd};

	return ioctl(v->fd, VHOST_NET_SET_BACKEND, &file) ? -errno : 0;
}

int vnet_start_queue(struct vnet *v, enum direction direction)
{
	int result = set_backend(v, direction, v->tap.fd);

	if (!result) {
		v->queues[direction].has_backend = true;
		/* Of the attempts before the used ring was translated. */
		vnet_ring_errors(v, direction);
	}
	return result;
}

uint64_t vnet_ring_errors(struct vnet *v, enum direction direction)
{
	uint64_t errors;

	if (read(v->queues[direction].error, &errors, sizeof(errors)) != sizeof(errors))
		return 0;
	return errors;
}

int vnet_map(const struct vnet *v, const struct guest *g, const struct mapping *mapping)
{
	struct vhost_msg_v2 message = {
		.type = VHOST_IOTLB_MSG_V2,
		.iotlb =
			{
				.type = VHOST_IOTLB_UPDATE,
				.iova = mapping->iova,
				.size = mapping->size,
				.uaddr = (uintptr_t)guest_memory(g, mapping->gpa),
				.perm = mapping->perm,
			},
	};
	ssize_t written = write(v->fd, &message, sizeof(message));

	if (written == sizeof(message))
		return 0;
	return written < 0 ? -errno : -EIO;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void vnet_close(struct vnet *v)
{
	for (int i = 0; i < NR_DIRECTIONS; i++) {
		struct vnet_queue *q = &v->queues[i];

		if (q->has_backend)
			set_backend(v, i, -1);
		q->has_backend = false;
		close_fd(&q->kick);
		close_fd(&q->call);
		close_fd(&q->error);
	}
	close_fd(&v->fd);
	tap_close(&v->tap);
}
