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

#include "vhost_msg_v3.h"

#define DEVICE_FEATURES (1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM)
#ifndef VHOST_BACKEND_F_IOTLB_ACCESS_FAIL
#define VHOST_BACKEND_F_IOTLB_ACCESS_FAIL 0xa
#endif

#define BACKEND_FEATURES (1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2)

static uint64_t wanted_features(const struct options *o)
{
	return DEVICE_FEATURES | (o->layout.indirect ? 1ULL << VIRTIO_RING_F_INDIRECT_DESC : 0) |
	       (o->event_idx ? 1ULL << VIRTIO_RING_F_EVENT_IDX : 0);
}

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

static int negotiate(struct vnet *v, const struct options *o)
{
	uint64_t device = wanted_features(o), backend = BACKEND_FEATURES;
	uint64_t offered = 0;

	if (ioctl(v->fd, VHOST_GET_FEATURES, &offered)) {
		warn("device %u: VHOST_GET_FEATURES failed", v->number);
		return -1;
	}
	if (~offered & DEVICE_FEATURES) {
		warnx("device %u: vhost-net of this kernel lacks VIRTIO_F_ACCESS_PLATFORM or "
		      "VIRTIO_F_VERSION_1 (it offers 0x%llx), so it has no IOTLB; Linux 4.8 or "
		      "later is needed",
		      v->number, (unsigned long long)offered);
		return -1;
	}
	if (~offered & device) {
		warnx("device %u: vhost-net of this kernel lacks VIRTIO_RING_F_INDIRECT_DESC or "
		      "VIRTIO_RING_F_EVENT_IDX (it offers 0x%llx); leave out --indirect and "
		      "--event-idx",
		      v->number, (unsigned long long)offered);
		return -1;
	}
	if (ioctl(v->fd, VHOST_GET_BACKEND_FEATURES, &offered) || ~offered & backend) {
		warnx("device %u: vhost-net of this kernel lacks IOTLB messages of version 2; "
		      "Linux 4.20 or later is needed",
		      v->number);
		return -1;
	}
	/* It takes such messages whether or not it is to send them. */
	v->has_batches = offered >> VHOST_BACKEND_F_IOTLB_MSG_V3 & 1;
	if (o->layout.processes && !(offered >> VHOST_BACKEND_F_IOTLB_ASID & 1)) {
		warnx("device %u: vhost-net of this kernel has no address spaces for virtqueues "
		      "(VHOST_BACKEND_F_IOTLB_ASID), which --sva needs; they come with the "
		      "patches of this project",
		      v->number);
		return -1;
	}
	if (o->refuse && !(offered >> VHOST_BACKEND_F_IOTLB_ACCESS_FAIL & 1)) {
		warnx("device %u: vhost-net of this kernel cannot be told that an access fails "
		      "(VHOST_BACKEND_F_IOTLB_ACCESS_FAIL); leave out --refuse",
		      v->number);
		return -1;
	}
	if (o->layout.processes)
		backend |= 1ULL << VHOST_BACKEND_F_IOTLB_ASID;
	if (o->refuse)
		backend |= 1ULL << VHOST_BACKEND_F_IOTLB_ACCESS_FAIL;
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
	table->nregions = g->nr_regions;
	for (unsigned int i = 0; i < g->nr_regions; i++) {
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

static int init_ring(struct vnet *v, enum direction direction, const struct options *o,
		     const struct guest *g)
{
	struct virtq *ring = &v->queues[direction].ring;
	struct ring_parts parts =
		layout_ring_parts(v->layout, v->queues[direction].home, direction);

	virtq_init(ring, guest_view(g, v->layout, parts.desc),
		   guest_view(g, v->layout, parts.avail), guest_view(g, v->layout, parts.used));
	if (!ring->desc || !ring->avail || !ring->used)
		return -1;
	/* They may have been another's before. */
	memset(ring->desc, 0, VIRTQ_DESC_BYTES);
	memset(ring->avail, 0, VIRTQ_AVAIL_BYTES);
	memset(ring->used, 0, VIRTQ_USED_BYTES);
	ring->chain = o->layout.chain;
	ring->has_events = o->event_idx;
	return 0;
}

/* An indirect table is that of a slot for good, and may lie in two pages. */
static void set_table(struct virtq_table *table, const struct layout *l, const struct guest *g,
		      struct place place)
{
	uint64_t room = SLOT_SIZE - place.at % SLOT_SIZE;

	table->iova = layout_iova(l, place);
	table->part[0] = guest_memory(g, layout_gpa(l, place));
	table->first = room / sizeof(struct vring_desc);
	if (l->pages == 1)
		return;
	place.at += room;
	table->part[1] = guest_memory(g, layout_gpa(l, place));
}

static int init_tables(struct vnet *v, enum direction direction, const struct guest *g)
{
	struct vnet_queue *q = &v->queues[direction];
	const struct layout *l = v->layout;

	if (!l->o.indirect)
		return 0;
	q->tables = calloc(l->o.in_flight, sizeof(*q->tables));
	if (!q->tables) {
		warn("device %u: no memory for its tables", v->number);
		return -1;
	}
	for (unsigned int i = 0; i < l->o.in_flight; i++)
		set_table(&q->tables[i], l, g, layout_table(l, q->home, direction, i));
	q->ring.tables = q->tables;
	return 0;
}

static void free_queue(const struct vnet *v, struct vnet_queue *q)
{
	guest_unview(v->layout, q->ring.desc);
	guest_unview(v->layout, q->ring.avail);
	guest_unview(v->layout, q->ring.used);
	q->ring = (struct virtq){0};
	free(q->tables);
	q->tables = NULL;
}

static int open_queue(struct vnet *v, enum direction direction, const struct options *o,
		      const struct guest *g)
{
	struct ring_place iova = layout_ring_iova(v->layout, v->number, direction);

	if (init_ring(v, direction, o, g) || init_tables(v, direction, g) ||
	    open_eventfds(&v->queues[direction]))
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

static void set_closed(struct vnet *v, unsigned int number, const struct layout *l)
{
	*v = (struct vnet){
		.number = number,
		.layout = l,
		.fd = -1,
		.tap = {-1, -1},
		.vhost_id = -1,
	};
	for (int i = 0; i < NR_DIRECTIONS; i++) {
		v->queues[i].home = number;
		v->queues[i].kick = -1;
		v->queues[i].call = -1;
		v->queues[i].error = -1;
	}
}

static int open_device(struct vnet *v, const struct options *o, const struct guest *g)
{
	v->fd = open_vhost();
	if (v->fd < 0)
		return -1;
	if (ioctl(v->fd, VHOST_SET_OWNER, NULL)) {
		warn("device %u: VHOST_SET_OWNER failed", v->number);
		return -1;
	}
	if (negotiate(v, o) || set_memory(v, g))
		return -1;
	for (int i = 0; i < NR_DIRECTIONS; i++)
		if (o->layout.has[i] && open_queue(v, i, o, g))
			return -1;
	v->vhost_id = read_vhost_id(v->fd);
	return tap_open(&v->tap, v->number, o->frame_size);
}

int vnet_open(struct vnet *v, unsigned int number, const struct options *o, const struct layout *l,
	      const struct guest *g)
{
	set_closed(v, number, l);
	if (!open_device(v, o, g))
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

void vnet_stop_queue(struct vnet *v, enum direction direction)
{
	set_backend(v, direction, -1);
	v->queues[direction].has_backend = false;
}

int vnet_bind(const struct vnet *v, enum direction direction, uint32_t asid)
{
	struct vhost_vring_state state = {direction, asid};

	if (!ioctl(v->fd, VHOST_SET_VRING_ASID, &state))
		return 0;
	warn("device %u: cannot put the %s virtqueue into address space %u (VHOST_SET_VRING_ASID)",
	     v->number, direction_name(direction), asid);
	return -1;
}

int vnet_move_queue(struct vnet *v, enum direction direction, unsigned int home,
		    const struct options *o, const struct guest *g)
{
	struct vhost_vring_state base = {direction, 0};

	free_queue(v, &v->queues[direction]);
	v->queues[direction].home = home;
	if (init_ring(v, direction, o, g) || init_tables(v, direction, g))
		return -1;
	if (!ioctl(v->fd, VHOST_SET_VRING_BASE, &base))
		return 0;
	warn("device %u: VHOST_SET_VRING_BASE failed", v->number);
	return -1;
}

uint64_t vnet_ring_errors(struct vnet *v, enum direction direction)
{
	uint64_t errors;

	if (read(v->queues[direction].error, &errors, sizeof(errors)) != sizeof(errors))
		return 0;
	return errors;
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
			vnet_stop_queue(v, i);
		close_fd(&q->kick);
		close_fd(&q->call);
		close_fd(&q->error);
	}
	close_fd(&v->fd);
	for (int i = 0; i < NR_DIRECTIONS; i++)
		free_queue(v, &v->queues[i]);
	tap_close(&v->tap);
}
