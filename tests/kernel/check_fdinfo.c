// SPDX-License-Identifier: GPL-2.0
/* What fdinfo tells of a device. */
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <linux/virtio_config.h>

#include "check.h"
#include "device.h"
#include "fdinfo.h"

#define DEVICES 5

static int open_vhost(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		bail_out_errno("cannot open %s", path);
	return fd;
}

static bool ids(void)
{
	int fds[DEVICES];
	uint64_t last = 0;

	for (int i = 0; i < DEVICES; i++)
		fds[i] = open_vhost(VHOST_NET);
	for (int i = 0; i < DEVICES; i++) {
		uint64_t id = fdinfo_id(fds[i]);

		FEATURE(id > last, "device %d has id %llu after %llu", i, (unsigned long long)id,
			(unsigned long long)last);
		last = id;
		EXPECT(fdinfo_id(fds[i]) == id, "the id has changed");
	}
	for (int i = 0; i < DEVICES; i++)
		close(fds[i]);

	fds[0] = open_vhost(VHOST_NET);
	FEATURE(fdinfo_id(fds[0]) > last, "an id is used again");
	close(fds[0]);
	return true;
}

/* All kinds of devices are numbered together. */
static bool vsock(void)
{
	struct device *first = device_open(), *second = device_open_vsock();
	struct fdinfo info;
	uint64_t id = fdinfo_id(first->fd);

	fdinfo_read(&info, second->fd);
	FEATURE(id && info.id > id, "ids %llu and %llu", (unsigned long long)id,
		(unsigned long long)info.id);
	EXPECT(info.has_iotlb && info.nr_regions == 1, "lines are missing");
	return true;
}

static bool no_iotlb(void)
{
	int fd = device_open_bare(VHOST_NET, 1ULL << VIRTIO_F_VERSION_1);
	struct fdinfo info;

	fdinfo_read(&info, fd);
	FEATURE(info.has_id, "no id");
	EXPECT(!info.has_iotlb, "entries of an IOTLB that is not there");
	EXPECT(!info.nr_regions, "regions of a table that is not there");
	close(fd);

	fd = device_open_bare(VHOST_NET,
			      1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM);
	fdinfo_read(&info, fd);
	FEATURE(info.has_iotlb, "no line of the IOTLB");
	EXPECT(info.entries == 0, "%u entries", info.entries);
	close(fd);
	return true;
}

static bool has_entries(const struct device *d, unsigned int expected)
{
	struct fdinfo info;

	fdinfo_read(&info, d->fd);
	FEATURE(info.has_iotlb && info.limit == fdinfo_limit(), "limit %u", info.limit);
	EXPECT(info.entries == expected, "%u entries, not %u", info.entries, expected);
	return true;
}

static bool entries(void)
{
	struct device *d = device_open_running();

	PART(has_entries(d, RING_PAGES));
	for (int i = 0; i < 13; i++)
		device_map(d, FIRST_PAGE + i, VHOST_ACCESS_RW);
	PART(has_entries(d, RING_PAGES + 13));
	for (int i = 0; i < 13; i++)
		device_map(d, FIRST_PAGE + i, VHOST_ACCESS_RO);
	PART(has_entries(d, RING_PAGES + 13));

	/* One that overlaps three takes their place, but for the two ends. */
	device_update(d, device_iova(FIRST_PAGE) + PAGE / 2, 2 * PAGE, d->memory, VHOST_ACCESS_RO);
	PART(has_entries(d, RING_PAGES + 13));
	device_update(d, device_iova(FIRST_PAGE), 3 * PAGE, d->memory, VHOST_ACCESS_RO);
	PART(has_entries(d, RING_PAGES + 11));
	device_invalidate(d, 0, ~0ULL);
	PART(has_entries(d, 0));
	return true;
}

static void set_table(int fd, const struct fdinfo_region *regions, unsigned int nr)
{
	uint8_t buffer[sizeof(struct vhost_memory) +
		       FDINFO_REGIONS * sizeof(struct vhost_memory_region)] = {0};
	struct vhost_memory *table = (void *)buffer;

	table->nregions = nr;
	for (unsigned int i = 0; i < nr; i++) {
		table->regions[i].guest_phys_addr = regions[i].gpa;
		table->regions[i].memory_size = regions[i].size;
		table->regions[i].userspace_addr = regions[i].hva;
	}
	if (ioctl(fd, VHOST_SET_MEM_TABLE, table))
		bail_out_errno("VHOST_SET_MEM_TABLE failed");
}

static bool has_table(int fd, const struct fdinfo_region *regions, unsigned int nr)
{
	struct fdinfo info;

	fdinfo_read(&info, fd);
	FEATURE(info.nr_regions == nr, "%u regions, not %u", info.nr_regions, nr);
	for (unsigned int i = 0; i < nr; i++)
		EXPECT(!memcmp(&info.regions[i], &regions[i], sizeof(*regions)),
		       "region %u is 0x%llx 0x%llx 0x%llx", i,
		       (unsigned long long)info.regions[i].gpa,
		       (unsigned long long)info.regions[i].size,
		       (unsigned long long)info.regions[i].hva);
	return true;
}

static bool memory(void)
{
	int fd = device_open_bare(VHOST_NET, 1ULL << VIRTIO_F_VERSION_1);
	uint64_t hva;
	void *pages =
		mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		bail_out_errno("no memory");
	hva = (uintptr_t)pages;
	const struct fdinfo_region first[] = {
		{0, 0xa0000, hva},
		{0xc0000, 3 * PAGE, hva + 7 * PAGE},
		{0x100000000ULL, 5 * PAGE, hva + 31 * PAGE},
	};
	const struct fdinfo_region second[] = {
		{0x100000, 11 * PAGE, hva + PAGE},
		{0xffff00000000ULL, 2 * PAGE, hva + 20 * PAGE},
	};

	set_table(fd, first, 3);
	PART(has_table(fd, first, 3));
	set_table(fd, second, 2);
	PART(has_table(fd, second, 2));
	munmap(pages, 64 * PAGE);
	close(fd);
	return true;
}

static bool has_tap(const struct device *d, const char *expected)
{
	struct fdinfo info;

	fdinfo_read(&info, d->fd);
	FEATURE(!strcmp(info.tap, expected), "backend \"%s\", not \"%s\"", info.tap, expected);
	return true;
}

/* Of a device that runs at least one virtqueue. */
static bool backend(void)
{
	struct device *d = device_open_running();
	struct ifreq request = {0};

	if (ioctl(d->tap, TUNGETIFF, &request))
		bail_out_errno("cannot get the name of the tap");
	PART(has_tap(d, request.ifr_name));
	device_stop_queue(d, RX);
	PART(has_tap(d, request.ifr_name));
	device_stop_queue(d, TX);
	PART(has_tap(d, ""));
	device_start_queue(d, RX);
	PART(has_tap(d, request.ifr_name));
	return true;
}

static const struct check list[] = {
	{"ids are unique and increase", ids, STOCK_FAILS},
	{"a vhost-vsock device has the same lines, and an id of its own", vsock, STOCK_FAILS},
	{"the line of the IOTLB is there if there is an IOTLB", no_iotlb, STOCK_FAILS},
	{"entries and limit of the IOTLB", entries, STOCK_FAILS},
	{"memory table, as it was set last", memory, STOCK_FAILS},
	{"the tap that packets go to, while there is one", backend, STOCK_FAILS},
};

CHECK_GROUP(fdinfo, list);
