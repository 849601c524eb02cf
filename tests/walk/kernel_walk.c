// SPDX-License-Identifier: GPL-2.0
#include "kernel_walk.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_ether.h>

#include "in_kernel.skel.h" /* has their types in it */
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"
#include "tests/kernel/frame.h"

/* What is before the data of each packet. */
#define HEAD (FRAME_HEADER + ETH_HLEN)

static struct in_kernel_bpf *skel;
static struct bpf_link *link_held;
static struct device *device;

/* The device has not given back the last buffer. */
static bool is_offered;

void kernel_walk_open(void)
{
	device_enter_namespace();
	device = device_open_running();
	frame_put(device_page(device, FIRST_PAGE), 0);
	if (device_map(device, FIRST_PAGE, VHOST_ACCESS_RO))
		bail_out("cannot map a page");

	skel = in_kernel_bpf__open_and_load();
	if (!skel)
		bail_out_errno("cannot load the BPF program");
	link_held = bpf_map__attach_struct_ops(skel->maps.test_walk);
	if (!link_held)
		bail_out_errno("cannot attach the BPF program");
}

void kernel_walk_close(void)
{
	bpf_link__destroy(link_held);
	in_kernel_bpf__destroy(skel);
	device_close_all();
}

unsigned int kernel_walk_verified(void)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (bpf_prog_get_info_by_fd(bpf_program__fd(skel->progs.walk_miss), &info, &size))
		bail_out_errno("no information about the BPF program");
	return info.verified_insns;
}

bool kernel_walk_is_taken(uint64_t iova)
{
	return iova - device_iova(0) < (FIRST_PAGE + 1) * PAGE;
}

void kernel_walk_set_memory(const struct guest *guest, bool is_one)
{
	static struct {
		struct vhost_memory head;
		struct vhost_memory_region regions[GUEST_PAGES];
	} table;

	table.head.nregions = is_one ? 1 : guest->nr;
	for (unsigned int i = 0; i < table.head.nregions; i++)
		table.regions[i] = (struct vhost_memory_region){
			.guest_phys_addr = guest->gpa[i],
			.memory_size = is_one ? guest->nr * GUEST_PAGE : GUEST_PAGE,
			.userspace_addr = (uintptr_t)guest->page[i],
		};
	if (ioctl(device->fd, VHOST_SET_MEM_TABLE, &table))
		bail_out_errno("VHOST_SET_MEM_TABLE failed");
}

size_t kernel_walk_size(uint64_t iova)
{
	const uint64_t rest = GUEST_PAGE - iova % GUEST_PAGE;

	return rest < KERNEL_WALK_DATA ? rest : KERNEL_WALK_DATA;
}

static void offer(uint64_t iova)
{
	const struct segment parts[] = {
		{device_iova(FIRST_PAGE), HEAD},
		{iova, kernel_walk_size(iova)},
	};

	if (!is_offered) {
		device_offer_chain(device, TX, parts, 2);
		is_offered = true;
		return;
	}
	device->queues[TX].desc[1].len = parts[1].length;
	device_set_address(device, TX, 1, iova);
}

static const char *receive(struct kernel_walk *walk)
{
	uint8_t frame[FRAME_MAX];
	const ssize_t size = recv(device->socket, frame, sizeof(frame), 0);

	if (size < ETH_HLEN || size > ETH_HLEN + KERNEL_WALK_DATA)
		return "the packet has another size";
	walk->is_sent = true;
	walk->size = size - ETH_HLEN;
	memcpy(walk->data, frame + ETH_HLEN, walk->size);
	is_offered = false;
	return NULL;
}

static const char *read_miss(uint64_t iova)
{
	struct vhost_iotlb_msg msg;

	if (device_read_miss(device, &msg))
		return "the miss cannot be read";
	return msg.iova == iova ? NULL : "the miss is another";
}

/* Either the packet or the miss. */
static const char *wait_for_end(uint64_t iova, struct kernel_walk *walk)
{
	struct pollfd p[] = {
		{.fd = device->fd, .events = POLLIN},
		{.fd = device->socket, .events = POLLIN},
	};

	if (poll(p, 2, LIMIT_MS) < 1)
		return "nothing happens";
	return p[1].revents ? receive(walk) : read_miss(iova);
}

const char *kernel_walk_run(const struct vtd_unit *unit, const struct vtd_request *request,
			    struct kernel_walk *walk)
{
	struct in_kernel_bpf__bss *bss = skel->bss;
	const uint64_t number = bss->number + 1;
	const char *wrong;

	memset(walk, 0, sizeof(*walk));
	bss->device.unit = *unit;
	bss->device.pasid = request->pasid;
	bss->device.source_id = request->source_id;
	bss->device.resolved = bss->device.large = bss->device.faults = 0;
	bss->request = *request;
	__atomic_store_n(&bss->number, number, __ATOMIC_RELEASE);

	offer(request->iova);
	device_kick(device, TX);
	wrong = wait_for_end(request->iova, walk);
	if (wrong)
		return wrong;
	if (__atomic_load_n(&bss->result.number, __ATOMIC_ACQUIRE) != number)
		return "the program was not asked";
	walk->result = bss->result;
	walk->resolved = bss->device.resolved;
	walk->large = bss->device.large;
	walk->faults = bss->device.faults;
	return NULL;
}
