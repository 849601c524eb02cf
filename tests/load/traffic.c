// SPDX-License-Identifier: GPL-2.0
#include "traffic.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "load.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"
#include "tests/kernel/frame.h"

/* Pages that are used in turn, in each direction. */
#define PAGES 16

/* After so many packets everything is unmapped, the rings too. */
#define UNMAP_ALL 16

/* Time after which the reader sees that it is to end. */
#define READER_MS 100

static bool is_set(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void set(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

static bool wait_used(const struct traffic *t, int queue, unsigned int used)
{
	struct pollfd p = {.fd = t->device->queues[queue].call, .events = POLLIN};
	uint64_t value, end = clock_now_ns() + t->limit_ms * NS_PER_MS;

	while ((uint16_t)device_used(t->device, queue) != (uint16_t)used) {
		uint64_t now = clock_now_ns();

		if (now >= end)
			return false;
		if (poll(&p, 1, (end - now) / NS_PER_MS + 1) == 1)
			(void)!read(p.fd, &value, sizeof(value));
	}
	return true;
}

static void arrived(struct traffic *t)
{
	uint64_t took = clock_now_ns() - t->sent_ns;

	if (took > t->longest_ns)
		t->longest_ns = took;
}

static bool collect(struct traffic *t, int queue, unsigned int page, uint32_t tag)
{
	struct pollfd p = {.fd = t->device->socket, .events = POLLIN};
	int64_t found;

	if (!wait_used(t, queue, tag + 1)) {
		fprintf(stderr, "%s: packet %u at IOVA 0x%llx is stuck\n",
			queue == TX ? "tx" : "rx", tag, (unsigned long long)device_iova(page));
		t->stuck++;
		return false;
	}
	if (queue == RX) {
		const uint8_t *buffer = device_page(t->device, page);

		found = frame_tag(buffer + FRAME_HEADER, FRAME_SIZE);
	} else if (poll(&p, 1, t->limit_ms) == 1) {
		found = device_wait_frame(t->device);
	} else {
		fprintf(stderr, "tx: packet %u is lost\n", tag);
		t->lost++;
		return false;
	}
	arrived(t);
	if (found == tag)
		t->verified++;
	else
		t->corrupted++;
	return true;
}

static void send_packet(struct traffic *t, unsigned int page)
{
	struct device *d = t->device;

	frame_fill((uint8_t *)device_page(d, page) + FRAME_HEADER, t->exchanges);
	device_offer(d, TX, device_iova(page), FRAME_BUFFER);
	device_kick(d, TX);
}

static void make_packet_come(struct traffic *t, unsigned int page)
{
	device_offer(t->device, RX, device_iova(page), PAGE);
	device_kick(t->device, RX);
	device_inject(t->device, t->exchanges);
}

bool traffic_exchange(struct traffic *t)
{
	uint32_t tag = t->exchanges;
	unsigned int tx_page = FIRST_PAGE + tag % PAGES;
	unsigned int rx_page = tx_page + PAGES;
	struct device *d = t->device;

	t->sent_ns = clock_now_ns();
	send_packet(t, tx_page);
	if (!t->is_tx_only)
		make_packet_come(t, rx_page);
	if (!collect(t, TX, tx_page, tag))
		return false;
	if (!t->is_tx_only && !collect(t, RX, rx_page, tag))
		return false;

	if (tag % UNMAP_ALL == 0) {
		device_invalidate(d, 0, 0);
	} else {
		device_invalidate(d, device_iova(tx_page), PAGE);
		device_invalidate(d, device_iova(rx_page), PAGE);
	}
	__atomic_store_n(&t->exchanges, tag + 1, __ATOMIC_RELEASE);
	return true;
}

static void *drive(void *arg)
{
	struct traffic *t = arg;

	while (!is_set(&t->stop) && traffic_exchange(t)) {
		unsigned int pause_us = __atomic_load_n(&t->pause_us, __ATOMIC_RELAXED);

		if (pause_us)
			sleep_ns(pause_us * NS_PER_US);
	}
	return NULL;
}

static void answer(struct traffic *t, const struct vhost_iotlb_msg *miss)
{
	unsigned int page = (miss->iova - device_iova(0)) / PAGE;

	if (miss->iova < device_iova(0) || page >= NR_PAGES)
		bail_out("vhost wants 0x%llx", (unsigned long long)miss->iova);
	if (device_map(t->device, page, VHOST_ACCESS_RW))
		bail_out("vhost does not take an answer");
	t->answers++;
}

static void *read_misses(void *arg)
{
	struct traffic *t = arg;
	struct pollfd p = {.fd = t->device->fd, .events = POLLIN};
	struct vhost_iotlb_msg miss;

	while (!is_set(&t->stop_reader))
		if (poll(&p, 1, READER_MS) == 1)
			while (!device_read_miss(t->device, &miss))
				answer(t, &miss);
	return NULL;
}

void traffic_start(struct traffic *t)
{
	if (pthread_create(&t->driver, NULL, drive, t) ||
	    (t->has_reader && pthread_create(&t->reader, NULL, read_misses, t)))
		bail_out("cannot make a thread");
}

void traffic_stop(struct traffic *t)
{
	set(&t->stop);
	pthread_join(t->driver, NULL);
	if (!t->has_reader)
		return;
	/* The last packets may have needed it. */
	set(&t->stop_reader);
	pthread_join(t->reader, NULL);
}

void traffic_set_pause(struct traffic *t, unsigned int pause_us)
{
	__atomic_store_n(&t->pause_us, pause_us, __ATOMIC_RELAXED);
}

unsigned int traffic_count(const struct traffic *t)
{
	return __atomic_load_n(&t->exchanges, __ATOMIC_ACQUIRE);
}

void traffic_print(const struct traffic *t, unsigned int count)
{
	struct traffic sum = {0};

	for (; count; count--, t++) {
		sum.verified += t->verified;
		sum.corrupted += t->corrupted;
		sum.stuck += t->stuck;
		sum.lost += t->lost;
		sum.answers += t->answers;
		if (t->longest_ns > sum.longest_ns)
			sum.longest_ns = t->longest_ns;
	}
	print_number("verified", sum.verified);
	print_number("corrupted", sum.corrupted);
	print_number("stuck", sum.stuck);
	print_number("lost", sum.lost);
	print_number("answers_from_fd", sum.answers);
	print_number("longest_us", sum.longest_ns / NS_PER_US);
}
