// SPDX-License-Identifier: GPL-2.0
#include "device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_config.h>

#include "check.h"
#include "clock.h"
#include "frame.h"
#include "module.h"

/* Above 4 GiB: whatever loses the upper half of an address shows. */
#define IOVA_BASE 0x300000000ULL

static struct device *devices;

void device_enter_namespace(void)
{
	static const char ipv6[] = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
	int fd;

	if (unshare(CLONE_NEWNET))
		bail_out_errno("cannot make a network namespace");

	/* The kernel must not send frames of its own through our taps. */
	fd = open(ipv6, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0 || write(fd, "1", 1) != 1)
		bail_out_errno("cannot write %s", ipv6);
	close(fd);
}

static int try_ioctl(int fd, unsigned long request, const void *argument)
{
	return ioctl(fd, request, argument) ? -errno : 0;
}

#define must_ioctl(fd, request, argument)                                                          \
	do {                                                                                       \
		if (try_ioctl(fd, request, argument))                                              \
			bail_out_errno("%s failed", #request);                                     \
	} while (0)

/* The headers of an older system do not know it. */
#ifndef VHOST_SET_FORK_FROM_OWNER
#define VHOST_SET_FORK_FROM_OWNER _IOW(VHOST_VIRTIO, 0x84, __u8)
#endif

static int open_vhost(const char *path, uint64_t features, bool kthread)
{
	uint64_t backend = 1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2;
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		bail_out_errno("cannot open %s", path);
	if (kthread)
		must_ioctl(fd, VHOST_SET_FORK_FROM_OWNER, &(uint8_t){0});
	must_ioctl(fd, VHOST_SET_OWNER, NULL);
	must_ioctl(fd, VHOST_SET_BACKEND_FEATURES, &backend);
	must_ioctl(fd, VHOST_SET_FEATURES, &features);
	return fd;
}

int device_open_bare(const char *path, uint64_t features)
{
	return open_vhost(path, features, false);
}

#define MAX_REGIONS 8

int device_set_regions(const struct device *d, const struct vhost_memory_region *regions,
		       unsigned int nr)
{
	uint8_t buffer[sizeof(struct vhost_memory) + MAX_REGIONS * sizeof(*regions)] = {0};
	struct vhost_memory *table = (void *)buffer;

	if (nr > MAX_REGIONS)
		bail_out("too many regions");
	table->nregions = nr;
	memcpy(table->regions, regions, nr * sizeof(*regions));
	return try_ioctl(d->fd, VHOST_SET_MEM_TABLE, table);
}

int device_set_memory_table(const struct device *d)
{
	struct vhost_memory_region region = {
		.memory_size = d->nr_pages * PAGE,
		.userspace_addr = (uintptr_t)d->memory,
	};

	return device_set_regions(d, &region, 1);
}

static uint64_t features_of(bool has_iotlb)
{
	return 1ULL << VIRTIO_F_VERSION_1 | (uint64_t)has_iotlb << VIRTIO_F_ACCESS_PLATFORM;
}

int device_set_features(const struct device *d, bool has_iotlb)
{
	uint64_t features = features_of(has_iotlb);

	return try_ioctl(d->fd, VHOST_SET_FEATURES, &features);
}

static void open_tap(struct device *d)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(FRAME_ETHERTYPE),
	};
	struct ifreq request = {0};
	int header = FRAME_HEADER, on = 1;

	d->tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	d->socket = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->tap < 0 || d->socket < 0)
		bail_out_errno("cannot open a tap and a packet socket");

	strcpy(request.ifr_name, "test%d");
	request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	must_ioctl(d->tap, TUNSETIFF, &request);
	must_ioctl(d->tap, TUNSETVNETHDRSZ, &header);
	request.ifr_flags = IFF_UP;
	must_ioctl(d->socket, SIOCSIFFLAGS, &request);
	must_ioctl(d->socket, SIOCGIFINDEX, &request);
	address.sll_ifindex = request.ifr_ifindex;
	/* Without a queueing discipline, send() ends when the tap has it. */
	if (setsockopt(d->socket, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) ||
	    bind(d->socket, (struct sockaddr *)&address, sizeof(address)))
		bail_out_errno("cannot bind a packet socket");
}

static int new_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		bail_out_errno("cannot make an eventfd");
	return fd;
}

static size_t part_size(const struct device *d, int part)
{
	switch (part) {
	case DESC:
		return d->ring_size * sizeof(struct vring_desc);
	case AVAIL:
		return sizeof(struct vring_avail) + d->ring_size * sizeof(__virtio16);
	default:
		return sizeof(struct vring_used) + d->ring_size * sizeof(struct vring_used_elem);
	}
}

/* Page of a part of a ring, or, of the part after the last, the end. */
static unsigned int ring_page(const struct device *d, int queue, int part)
{
	unsigned int page = 0;

	for (int i = 0; i < queue * NR_PARTS + part; i++)
		page += (part_size(d, i % NR_PARTS) + PAGE - 1) / PAGE;
	return page;
}

unsigned int device_ring_pages(const struct device *d)
{
	return ring_page(d, NR_QUEUES, 0);
}

static uint64_t part_address(const struct device *d, int queue, int part, bool has_iotlb)
{
	unsigned int page = ring_page(d, queue, part);

	return has_iotlb ? device_iova(page) : (uintptr_t)device_page(d, page);
}

void device_set_rings(struct device *d, bool has_iotlb)
{
	for (int queue = 0; queue < NR_QUEUES; queue++) {
		struct vhost_vring_addr address = {
			.index = queue,
			.desc_user_addr = part_address(d, queue, DESC, has_iotlb),
			.avail_user_addr = part_address(d, queue, AVAIL, has_iotlb),
			.used_user_addr = part_address(d, queue, USED, has_iotlb),
		};

		must_ioctl(d->fd, VHOST_SET_VRING_ADDR, &address);
	}
}

static void find_ring(struct device *d, int queue)
{
	struct queue *q = &d->queues[queue];

	q->desc = device_page(d, ring_page(d, queue, DESC));
	q->avail = device_page(d, ring_page(d, queue, AVAIL));
	q->used = device_page(d, ring_page(d, queue, USED));
}

void device_move_memory(struct device *d, void *memory)
{
	memcpy(memory, d->memory, d->nr_pages * PAGE);
	d->memory = memory;
	for (int queue = 0; queue < NR_QUEUES; queue++)
		find_ring(d, queue);
}

static void set_up_queue(struct device *d, int queue)
{
	struct queue *q = &d->queues[queue];
	struct vhost_vring_state size = {queue, d->ring_size};
	struct vhost_vring_file file = {.index = queue};

	must_ioctl(d->fd, VHOST_SET_VRING_NUM, &size);
	file.fd = q->kick;
	must_ioctl(d->fd, VHOST_SET_VRING_KICK, &file);
	file.fd = q->call;
	must_ioctl(d->fd, VHOST_SET_VRING_CALL, &file);
}

void device_set_up_queues(struct device *d)
{
	for (int queue = 0; queue < NR_QUEUES; queue++)
		set_up_queue(d, queue);
	device_set_rings(d, true);
}

static void open_queue(struct device *d, int queue)
{
	find_ring(d, queue);
	d->queues[queue].kick = new_eventfd();
	d->queues[queue].call = new_eventfd();
	set_up_queue(d, queue);
}

/* Threads open and close devices too. */
static void list_device(struct device *d)
{
	do {
		d->next = __atomic_load_n(&devices, __ATOMIC_ACQUIRE);
	} while (!__atomic_compare_exchange_n(&devices, &d->next, d, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
}

static struct device *open_device(const char *path, bool has_iotlb,
				  const struct device_shape *shape)
{
	struct device *d = calloc(1, sizeof(*d));

	if (!d)
		bail_out_errno("no memory");
	d->nr_pages = shape->nr_pages ? shape->nr_pages : NR_PAGES;
	d->ring_size = shape->ring_size ? shape->ring_size : RING_SIZE;
	d->memory = mmap(NULL, d->nr_pages * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (d->memory == MAP_FAILED)
		bail_out_errno("no memory");
	d->fd = open_vhost(path, features_of(has_iotlb) | shape->features, shape->kthread);
	d->tap = -1;
	d->socket = -1;
	if (device_set_memory_table(d))
		bail_out("VHOST_SET_MEM_TABLE failed");
	for (int queue = 0; queue < NR_QUEUES; queue++)
		open_queue(d, queue);
	device_set_rings(d, has_iotlb);
	list_device(d);
	return d;
}

static const struct device_shape usual;

struct device *device_open_shaped(const struct device_shape *shape)
{
	struct device *d = open_device(VHOST_NET, true, shape);

	open_tap(d);
	return d;
}

struct device *device_open(void)
{
	return device_open_shaped(&usual);
}

struct device *device_open_without_iotlb(void)
{
	struct device *d = open_device(VHOST_NET, false, &usual);

	open_tap(d);
	return d;
}

struct device *device_open_vsock(void)
{
	if (!module_load("vhost_vsock"))
		bail_out("modprobe vhost_vsock failed");
	return open_device(VHOST_VSOCK, true, &usual);
}

/* A small IOTLB may have lost the ring before it is asked for. */
static bool map_missing(struct device *d)
{
	struct vhost_iotlb_msg msg;
	bool found = false;

	while (!device_read_miss(d, &msg)) {
		device_map(d, (msg.iova - device_iova(0)) / PAGE, VHOST_ACCESS_RW);
		found = true;
	}
	return found;
}

static void start_queue(struct device *d, int queue)
{
	while (device_start_queue(d, queue))
		if (!map_missing(d))
			bail_out("cannot start virtqueue %d", queue);
}

void device_run(struct device *d)
{
	for (unsigned int page = 0; page < device_ring_pages(d); page++)
		if (device_map(d, page, VHOST_ACCESS_RW))
			bail_out("cannot map the rings");
	for (int queue = 0; queue < NR_QUEUES; queue++)
		start_queue(d, queue);
	/* They look at their rings once. */
	do
		device_flush(d);
	while (map_missing(d));
}

struct device *device_open_running(void)
{
	struct device *d = device_open();

	device_run(d);
	return d;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The struct stays on the list: threads walk it without a lock. */
void device_close(struct device *d)
{
	close_fd(&d->fd);
	close_fd(&d->tap);
	close_fd(&d->socket);
	for (int queue = 0; queue < NR_QUEUES; queue++) {
		close_fd(&d->queues[queue].kick);
		close_fd(&d->queues[queue].call);
	}
	if (d->memory)
		munmap(d->memory, d->nr_pages * PAGE);
	d->memory = NULL;
}

void device_close_all(void)
{
	while (devices) {
		struct device *d = devices;

		devices = d->next;
		device_close(d);
		free(d);
	}
}

uint64_t device_iova(unsigned int page)
{
	return IOVA_BASE + page * PAGE;
}

void *device_page(const struct device *d, unsigned int page)
{
	return d->memory + page * PAGE;
}

unsigned int device_ring_page(int queue, int part)
{
	return queue * NR_PARTS + part;
}

static int write_message(const struct device *d, uint32_t asid, const struct vhost_iotlb_msg *iotlb)
{
	struct vhost_msg_v2 msg = {
		.type = VHOST_IOTLB_MSG_V2,
		.asid = asid,
		.iotlb = *iotlb,
	};
	ssize_t written = write(d->fd, &msg, sizeof(msg));

	if (written < 0)
		return -errno;
	return written == sizeof(msg) ? 0 : -EIO;
}

int device_update_in(const struct device *d, uint32_t asid, uint64_t iova, uint64_t size,
		     const void *target, int perm)
{
	struct vhost_iotlb_msg msg = {
		.iova = iova,
		.size = size,
		.uaddr = (uintptr_t)target,
		.perm = perm,
		.type = VHOST_IOTLB_UPDATE,
	};

	return write_message(d, asid, &msg);
}

int device_update(const struct device *d, uint64_t iova, uint64_t size, const void *target,
		  int perm)
{
	return device_update_in(d, 0, iova, size, target, perm);
}

int device_map(const struct device *d, unsigned int page, int perm)
{
	return device_update(d, device_iova(page), PAGE, device_page(d, page), perm);
}

int device_invalidate_in(const struct device *d, uint32_t asid, uint64_t iova, uint64_t size)
{
	struct vhost_iotlb_msg msg = {
		.iova = iova,
		.size = size,
		.type = VHOST_IOTLB_INVALIDATE,
	};

	return write_message(d, asid, &msg);
}

int device_invalidate(const struct device *d, uint64_t iova, uint64_t size)
{
	return device_invalidate_in(d, 0, iova, size);
}

int device_read_miss_in(const struct device *d, uint32_t *asid, struct vhost_iotlb_msg *msg)
{
	struct vhost_msg_v2 message;
	ssize_t size = read(d->fd, &message, sizeof(message));

	if (size < 0)
		return -errno;
	if (size != sizeof(message) || message.type != VHOST_IOTLB_MSG_V2 ||
	    message.iotlb.type != VHOST_IOTLB_MISS)
		return -EPROTO;
	*asid = message.asid;
	*msg = message.iotlb;
	return 0;
}

int device_read_miss(const struct device *d, struct vhost_iotlb_msg *msg)
{
	uint32_t asid;

	return device_read_miss_in(d, &asid, msg);
}

int device_read_miss_v1(const struct device *d, struct vhost_iotlb_msg *msg)
{
	struct vhost_msg message;
	ssize_t size = read(d->fd, &message, sizeof(message));

	if (size < 0)
		return -errno;
	if (size != sizeof(message) || message.type != VHOST_IOTLB_MSG ||
	    message.iotlb.type != VHOST_IOTLB_MISS)
		return -EPROTO;
	*msg = message.iotlb;
	return 0;
}

int device_map_v1(const struct device *d, unsigned int page, int perm)
{
	struct vhost_msg msg = {
		.type = VHOST_IOTLB_MSG,
		.iotlb =
			{
				.iova = device_iova(page),
				.size = PAGE,
				.uaddr = (uintptr_t)device_page(d, page),
				.perm = perm,
				.type = VHOST_IOTLB_UPDATE,
			},
	};

	return write(d->fd, &msg, sizeof(msg)) == sizeof(msg) ? 0 : -errno;
}

static bool poll_in(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1 && (p.revents & POLLIN);
}

bool device_has_message(const struct device *d)
{
	return poll_in(d->fd, 0);
}

/* poll() looks again at the end, when nobody has woken it. */
bool device_wait_message(const struct device *d)
{
	uint64_t end = clock_now_ns() + LIMIT_MS * NS_PER_MS;

	return poll_in(d->fd, LIMIT_MS) && clock_now_ns() < end;
}

static int set_backend(const struct device *d, int queue, int fd)
{
	struct vhost_vring_file backend = {.index = queue, .fd = fd};

	return try_ioctl(d->fd, VHOST_NET_SET_BACKEND, &backend);
}

int device_start_queue(const struct device *d, int queue)
{
	return set_backend(d, queue, d->tap);
}

int device_stop_queue(const struct device *d, int queue)
{
	return set_backend(d, queue, -1);
}

static void make_available(struct device *d, int queue, unsigned int descriptor)
{
	struct vring_avail *avail = d->queues[queue].avail;
	uint16_t idx = avail->idx;

	avail->ring[idx % d->ring_size] = descriptor;
	__atomic_store_n(&avail->idx, idx + 1, __ATOMIC_RELEASE);
}

unsigned int device_offer(struct device *d, int queue, uint64_t iova, uint32_t length)
{
	struct queue *q = &d->queues[queue];
	uint16_t idx = q->avail->idx;
	unsigned int descriptor = idx % d->ring_size;

	q->desc[descriptor] = (struct vring_desc){
		.addr = iova,
		.len = length,
		.flags = queue == RX ? VRING_DESC_F_WRITE : 0,
	};
	make_available(d, queue, descriptor);
	return descriptor;
}

static void fill_chain(struct vring_desc *table, int queue, const struct segment *parts,
		       unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		table[i] = (struct vring_desc){
			.addr = parts[i].iova,
			.len = parts[i].length,
			.flags = (queue == RX ? VRING_DESC_F_WRITE : 0) |
				 (i + 1 < nr ? VRING_DESC_F_NEXT : 0),
			.next = i + 1,
		};
}

void device_offer_chain(struct device *d, int queue, const struct segment *parts, unsigned int nr)
{
	fill_chain(d->queues[queue].desc, queue, parts, nr);
	make_available(d, queue, 0);
}

void device_offer_indirect(struct device *d, int queue, struct vring_desc *table, uint64_t iova,
			   const struct segment *parts, unsigned int nr)
{
	fill_chain(table, queue, parts, nr);
	d->queues[queue].desc[0] = (struct vring_desc){
		.addr = iova,
		.len = nr * sizeof(*table),
		.flags = VRING_DESC_F_INDIRECT,
	};
	make_available(d, queue, 0);
}

void device_set_address(struct device *d, int queue, unsigned int descriptor, uint64_t iova)
{
	__atomic_store_n(&d->queues[queue].desc[descriptor].addr, iova, __ATOMIC_RELEASE);
}

unsigned int device_used(const struct device *d, int queue)
{
	return __atomic_load_n(&d->queues[queue].used->idx, __ATOMIC_ACQUIRE);
}

void device_kick(const struct device *d, int queue)
{
	uint64_t one = 1;

	/* Ours to reset: vhost is woken but does not read it. */
	(void)!read(d->queues[queue].kick, &(uint64_t){0}, sizeof(one));
	if (write(d->queues[queue].kick, &one, sizeof(one)) != sizeof(one))
		bail_out_errno("cannot kick");
}

/*
 * The kernel flushes all work of a device when a virtqueue is given another
 * eventfd for kicks. The new one must be clear, or else it is a kick.
 */
void device_flush(struct device *d)
{
	struct queue *q = &d->queues[RX];
	struct vhost_vring_file file = {.index = RX, .fd = new_eventfd()};

	must_ioctl(d->fd, VHOST_SET_VRING_KICK, &file);
	close(q->kick);
	q->kick = file.fd;
}

void device_kick_and_flush(struct device *d, int queue)
{
	device_kick(d, queue);
	device_flush(d);
}

unsigned int device_send(struct device *d, unsigned int page, uint32_t tag)
{
	unsigned int descriptor;

	frame_put(device_page(d, page), tag);
	descriptor = device_offer(d, TX, device_iova(page), FRAME_BUFFER);
	device_kick_and_flush(d, TX);
	return descriptor;
}

int64_t device_transmit(struct device *d, uint64_t iova)
{
	unsigned int used = device_used(d, TX);

	device_offer(d, TX, iova, FRAME_BUFFER);
	device_kick_and_flush(d, TX);
	if (device_used(d, TX) != used + 1)
		return -1;
	return device_wait_frame(d);
}

void device_inject_size(const struct device *d, size_t size, uint32_t tag)
{
	uint8_t frame[FRAME_MAX];

	frame_fill_size(frame, size, tag);
	if (send(d->socket, frame, size, 0) != (ssize_t)size)
		bail_out_errno("cannot send to the tap");
}

void device_inject(const struct device *d, uint32_t tag)
{
	device_inject_size(d, FRAME_SIZE, tag);
}

int64_t device_wait_frame(const struct device *d)
{
	uint8_t frame[FRAME_MAX + 1];
	ssize_t size;

	if (!poll_in(d->socket, LIMIT_MS))
		return -1;
	size = recv(d->socket, frame, sizeof(frame), 0);
	return size < 0 ? -1 : frame_tag(frame, size);
}
