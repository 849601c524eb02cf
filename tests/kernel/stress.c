// SPDX-License-Identifier: GPL-2.0
#include "stress.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "device.h"
#include "frame.h"
#include "hook.h"

/* Each thread does at least this much, and goes on until all have. */
#define PACKETS 300
#define PROGRAMS 50
#define DEVICES 20
#define CHANGES 5000
#define NR_THREADS 4
#define CHANGE_ODDS 8 /* UPDATEs for each INVALIDATE */

struct stress {
	struct device *device;
	bool stop;
	unsigned int programs, devices, changes, answers;
};

static bool is_over(const struct stress *s)
{
	return __atomic_load_n(&s->stop, __ATOMIC_ACQUIRE);
}

static void count(unsigned int *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELEASE);
}

static unsigned int count_of(const unsigned int *counter)
{
	return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

static void *attach_programs(void *arg)
{
	struct stress *s = arg;
	struct hook *h;
	int error;

	h = hook_load(HOOK_GOOD, &error);
	if (!h)
		bail_out("cannot load the BPF program: error %d", error);
	while (!is_over(s)) {
		/* Every third passes what it is asked. */
		hook_set_verdict(h, s->programs % 3 != 0);
		error = hook_attach(h);
		if (error)
			bail_out("cannot attach: error %d", error);
		poll(NULL, 0, 1);
		hook_detach(h);
		poll(NULL, 0, 1);
		count(&s->programs);
	}
	return NULL;
}

/* Devices that go with what is outstanding. */
static void *open_devices(void *arg)
{
	struct stress *s = arg;

	while (!is_over(s)) {
		struct device *d = device_open_running();

		device_send(d, FIRST_PAGE, 1);
		device_map(d, FIRST_PAGE, VHOST_ACCESS_RO);
		device_send(d, FIRST_PAGE + 1, 2);
		device_close(d);
		count(&s->devices);
	}
	return NULL;
}

/* The rings, and the buffers that are in use. */
static void *change_mappings(void *arg)
{
	struct stress *s = arg;
	unsigned int seed = 1;

	while (!is_over(s)) {
		unsigned int page = rand_r(&seed) % (2 * FIRST_PAGE);

		if (rand_r(&seed) % (CHANGE_ODDS + 1))
			device_map(s->device, page, VHOST_ACCESS_RW);
		else
			device_invalidate(s->device, device_iova(page), PAGE);
		count(&s->changes);
	}
	return NULL;
}

static void *answer_misses(void *arg)
{
	struct stress *s = arg;
	struct pollfd p = {.fd = s->device->fd, .events = POLLIN};
	struct vhost_iotlb_msg msg;

	while (!is_over(s)) {
		/* The time limit is there to see the end. */
		poll(&p, 1, 100);
		while (!device_read_miss(s->device, &msg)) {
			unsigned int page = (msg.iova - device_iova(0)) / PAGE;

			device_map(s->device, page, VHOST_ACCESS_RW);
			count(&s->answers);
		}
	}
	return NULL;
}

static bool wait_used(const struct device *d, int queue, unsigned int used)
{
	struct pollfd p = {.fd = d->queues[queue].call, .events = POLLIN};
	uint64_t value;

	while ((uint16_t)device_used(d, queue) != (uint16_t)used) {
		if (poll(&p, 1, LIMIT_MS) != 1)
			return false;
		(void)!read(p.fd, &value, sizeof(value));
	}
	return true;
}

static bool are_done(const struct stress *s)
{
	return count_of(&s->programs) >= PROGRAMS && count_of(&s->devices) >= DEVICES &&
	       count_of(&s->changes) >= CHANGES;
}

static bool exchange_packets(struct stress *s)
{
	struct device *d = s->device;

	for (unsigned int i = 0; i < PACKETS || !are_done(s); i++) {
		unsigned int page = FIRST_PAGE + i % (FIRST_PAGE / 2);
		uint8_t *received = device_page(d, page + FIRST_PAGE / 2);

		frame_fill((uint8_t *)device_page(d, page) + FRAME_HEADER, i);
		device_offer(d, TX, device_iova(page), FRAME_BUFFER);
		device_kick(d, TX);
		device_offer(d, RX, device_iova(page + FIRST_PAGE / 2), PAGE);
		device_kick(d, RX);
		device_inject(d, i);
		EXPECT(wait_used(d, TX, i + 1), "packet %u is stuck", i);
		EXPECT(wait_used(d, RX, i + 1), "frame %u is stuck", i);
		EXPECT(device_wait_frame(d) == i, "packet %u is bad", i);
		EXPECT(frame_tag(received + FRAME_HEADER, FRAME_SIZE) == i, "frame %u is bad", i);
	}
	return true;
}

bool stress(void)
{
	static void *(*const work[NR_THREADS])(void *) = {
		attach_programs,
		open_devices,
		change_mappings,
		answer_misses,
	};
	struct stress s = {.device = device_open_running()};
	pthread_t threads[NR_THREADS];
	bool good;

	for (int i = 0; i < NR_THREADS; i++)
		if (pthread_create(&threads[i], NULL, work[i], &s))
			bail_out("cannot make a thread");
	good = exchange_packets(&s);
	__atomic_store_n(&s.stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	EXPECT(count_of(&s.answers) > 0, "no miss was ever read");
	return good;
}
