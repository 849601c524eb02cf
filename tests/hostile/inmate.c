// SPDX-License-Identifier: GPL-2.0
#include "inmate.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_ether.h>

#include "tests/kernel/check.h"
#include "tests/kernel/frame.h"

/* Headers of packets, by virtqueue */
#define HEAD (FRAME_HEADER + ETH_HLEN)

/* Around the addresses of buffers, far from those of rings. */
#define SPACE (1ULL << 39)

static unsigned int head_page(int queue)
{
	return FIRST_PAGE + queue;
}

void inmate_open(struct inmate *in, enum deep_kind kind, unsigned int levels)
{
	memset(in, 0, sizeof(*in));
	prison_open(&in->prison, kind, levels);
	in->device = device_open_running();
	prison_set_memory(&in->prison, in->device, -1, 0, 0);
	for (int queue = 0; queue < NR_QUEUES; queue++)
		if (device_map(in->device, head_page(queue), VHOST_ACCESS_RW))
			bail_out("cannot map a page");
	frame_put(device_page(in->device, head_page(TX)), 0);
}

uint64_t inmate_address(struct inmate *in)
{
	return in->prison.request.iova + in->addresses++ % (GUEST_PAGE / INMATE_DATA) * INMATE_DATA;
}

void inmate_offer(struct inmate *in, int queue, uint64_t iova)
{
	const struct segment parts[] = {
		{device_iova(head_page(queue)), HEAD},
		{iova, INMATE_DATA},
	};

	if (in->offered[queue])
		device_set_address(in->device, queue, 1, iova);
	else
		device_offer_chain(in->device, queue, parts, 2);
	in->offered[queue] = true;
	device_kick(in->device, queue);
}

void inmate_feed(const struct inmate *in)
{
	uint64_t frame[(2 + ETH_HLEN + INMATE_DATA) / 8];
	uint8_t *bytes = (uint8_t *)frame + 2;
	struct ethhdr header = {.h_proto = htons(FRAME_ETHERTYPE)};

	for (size_t i = 0; i < sizeof(frame) / 8; i++)
		frame[i] = BROUGHT_WORD;
	header.h_dest[0] = header.h_source[0] = 2;
	memcpy(bytes, &header, sizeof(header));
	if (send(in->device->socket, bytes, ETH_HLEN + INMATE_DATA, 0) < 0)
		bail_out_errno("cannot send to the tap");
}

static void receive(struct inmate *in)
{
	uint8_t frame[FRAME_MAX];
	const ssize_t size = recv(in->device->socket, frame, sizeof(frame), 0);

	if (size != ETH_HLEN + INMATE_DATA)
		bail_out("a packet has %zd bytes", size);
	memcpy(in->sent, frame + ETH_HLEN, INMATE_DATA);
	in->offered[TX] = false;
}

/*
 * Rings and headers are no matter of the tables. iotlbd invalidates them too
 * when the memory table changes.
 */
static bool answer_device(const struct inmate *in, uint64_t iova)
{
	const uint64_t page = (iova - device_iova(0)) / PAGE;

	if (iova < device_iova(0) || page > head_page(TX))
		return false;
	if (device_map(in->device, page, VHOST_ACCESS_RW))
		bail_out("vhost does not take an answer");
	return true;
}

/* As QEMU: if there is a translation, and memory there. Return: whether there was. */
static bool answer(struct inmate *in, const struct vhost_iotlb_msg *miss)
{
	struct vtd_request request = in->prison.request;
	struct reference found;
	const void *target;
	int page;

	request.iova = miss->iova;
	request.access = miss->perm;
	prison_expect(&in->prison, &request, &found);
	page = found.fault ? -1 : guest_find(&in->prison.guest, found.gpa);
	if (in->is_mute || page < 0)
		return false;
	target = prison_page(&in->prison, page);
	if (device_update(in->device, miss->iova - miss->iova % GUEST_PAGE, GUEST_PAGE, target,
			  found.perm))
		bail_out("vhost does not take an answer");
	in->answers++;
	return true;
}

enum inmate_end inmate_wait(struct inmate *in, uint64_t iova)
{
	struct pollfd p[] = {
		{.fd = in->device->fd, .events = POLLIN},
		{.fd = in->device->socket, .events = POLLIN},
	};
	struct vhost_iotlb_msg miss;

	while (poll(p, 2, LIMIT_MS) > 0) {
		if (p[1].revents) {
			receive(in);
			return INMATE_DONE;
		}
		if (device_read_miss(in->device, &miss) || answer_device(in, miss.iova))
			continue;
		if (miss.iova - iova < INMATE_DATA && !answer(in, &miss))
			return INMATE_WAITS;
	}
	return INMATE_STUCK;
}

void inmate_invalidate(const struct inmate *in)
{
	if (device_invalidate(in->device, in->prison.request.iova & ~(SPACE - 1), SPACE))
		bail_out("vhost does not invalidate");
}

bool inmate_sent_from(const struct inmate *in, int page, uint64_t iova)
{
	const uint8_t *bytes = (const uint8_t *)in->prison.guest.page[page];

	return !memcmp(in->sent, bytes + iova % GUEST_PAGE, INMATE_DATA);
}

bool inmate_send(struct inmate *in, uint64_t iova)
{
	inmate_offer(in, TX, iova);
	return inmate_wait(in, iova) == INMATE_DONE && inmate_sent_from(in, in->prison.data, iova);
}

bool inmate_settle(struct inmate *in)
{
	for (int tries = 0; tries < LIMIT_MS; tries++) {
		in->answers = 0;
		if (!inmate_send(in, inmate_address(in)))
			return false;
		inmate_invalidate(in);
		if (!in->answers)
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}
