// SPDX-License-Identifier: GPL-2.0
#include "stress.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "batch.h"
#include "check.h"
#include "device.h"
#include "fdinfo.h"
#include "frame.h"
#include "hook.h"
#include "module.h"

#define PACKETS 300
#define MAX_THREADS 8
#define CHANGE_ODDS 8 /* UPDATEs for each INVALIDATE */
#define TIMEOUT_MS 20

/* What each thread has done. */
enum count {
	PROGRAMS,
	DEVICES,
	CHANGES,
	ANSWERS, /* of misses that were read */
	RECORDS, /* of misses that the program has taken */
	STALE,	 /* answers that were refused */
	HANDED,
	RETRIES,
	REPLACED,
	NR_COUNTS,
};

struct stress {
	struct device *device;
	struct hook *hook;
	uint64_t id;
	bool stop;
	unsigned int counts[NR_COUNTS];
};

/* All go on until each has done what is asked of it at least. */
struct plan {
	void *(*threads[MAX_THREADS])(void *);
	unsigned int counts[NR_COUNTS];
};

static bool is_over(const struct stress *s)
{
	return __atomic_load_n(&s->stop, __ATOMIC_ACQUIRE);
}

static void count(struct stress *s, enum count what)
{
	__atomic_add_fetch(&s->counts[what], 1, __ATOMIC_RELEASE);
}

static unsigned int count_of(const struct stress *s, enum count what)
{
	return __atomic_load_n(&s->counts[what], __ATOMIC_ACQUIRE);
}

static void *attach_programs(void *arg)
{
	struct stress *s = arg;
	unsigned int seed = 2;
	int error;

	while (!is_over(s)) {
		/* Every third passes what it is asked. */
		hook_set_verdict(s->hook, s->counts[PROGRAMS] % 3 != 0);
		error = hook_attach(s->hook);
		if (error)
			bail_out("cannot attach: error %d", error);
		/* Now and then for so long that misses time out. */
		poll(NULL, 0, rand_r(&seed) % 8 ? 1 : 3 * TIMEOUT_MS);
		hook_detach(s->hook);
		poll(NULL, 0, 1);
		count(s, PROGRAMS);
	}
	return NULL;
}

/* Devices that go with what is outstanding, or change their owner. */
static void *open_devices(void *arg)
{
	struct stress *s = arg;

	while (!is_over(s)) {
		struct device *d = device_open_running();

		device_send(d, FIRST_PAGE, 1);
		device_map(d, FIRST_PAGE, VHOST_ACCESS_RO);
		device_send(d, FIRST_PAGE + 1, 2);
		if (s->counts[DEVICES] % 2)
			ioctl(d->fd, VHOST_RESET_OWNER, NULL);
		device_close(d);
		count(s, DEVICES);
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
		count(s, CHANGES);
	}
	return NULL;
}

/* Only those who are asked map anything, so that all that is lost shows. */
static void *invalidate_mappings(void *arg)
{
	struct stress *s = arg;
	unsigned int seed = 3;

	while (!is_over(s)) {
		for (unsigned int n = rand_r(&seed) % 8; n; n--) {
			unsigned int page = rand_r(&seed) % (2 * FIRST_PAGE);

			(rand_r(&seed) % 2 ? batch_invalidate
					   : device_invalidate)(s->device, device_iova(page), PAGE);
			count(s, CHANGES);
		}
		poll(NULL, 0, rand_r(&seed) % 3);
	}
	return NULL;
}

/* Many operations at once; none of them is an answer that is good. */
static void *write_batches(void *arg)
{
	struct stress *s = arg;
	unsigned int seed = 4;
	struct batch b;

	while (!is_over(s)) {
		unsigned int nr = rand_r(&seed) % 16;

		batch_init(&b);
		while (b.num < nr) {
			unsigned int page = rand_r(&seed) % (2 * FIRST_PAGE);
			struct vhost_iotlb_op *op;

			switch (rand_r(&seed) % 8) {
			case 0:
				batch_add(&b, VHOST_IOTLB_RETRY, 0, 0);
				count(s, RETRIES);
				break;
			case 1:
				batch_add(&b, VHOST_IOTLB_RETRY, device_iova(page), PAGE);
				break;
			case 2:
				batch_add(&b, VHOST_IOTLB_MISS, 0, 0);
				break;
			case 3:
				batch_add(&b, VHOST_IOTLB_MISS, device_iova(page), PAGE);
				break;
			case 4:
				batch_add(&b, VHOST_IOTLB_INVALIDATE, device_iova(page), PAGE);
				break;
			case 5:
				op = batch_add_map(&b, s->device, page, VHOST_ACCESS_RW);
				op->flags = VHOST_IOTLB_OP_F_TOKEN;
				break;
			default:
				batch_add_update(&b, 0x700000000ULL + page * PAGE, 2 * PAGE,
						 s->device->memory, VHOST_ACCESS_RW);
			}
		}
		if (batch_write(s->device, &b) < 0 && errno != ESTALE)
			bail_out_errno("a message is refused");
		poll(NULL, 0, 1);
	}
	return NULL;
}

/* Another IOTLB, or the same memory table again. */
static void *replace(void *arg)
{
	struct stress *s = arg;
	unsigned int seed = 5;

	while (!is_over(s)) {
		if (rand_r(&seed) % 2 ? device_set_features(s->device, true)
				      : device_set_memory_table(s->device))
			bail_out_errno("cannot replace the IOTLB or the memory table");
		count(s, REPLACED);
		poll(NULL, 0, 5 + rand_r(&seed) % 10);
	}
	return NULL;
}

/* An answer that is refused is forgotten. */
static void answer(struct stress *s, uint64_t iova, uint64_t token, enum count what)
{
	int error = batch_map(s->device, (iova - device_iova(0)) / PAGE, VHOST_ACCESS_RW, token);

	count(s, error == -ESTALE ? STALE : what);
	if (error && error != -ESTALE)
		bail_out("an answer is refused: error %d", error);
}

static void *answer_misses(void *arg)
{
	struct stress *s = arg;
	struct pollfd p = {.fd = s->device->fd, .events = POLLIN};
	struct vhost_iotlb_op op;

	while (!is_over(s)) {
		/* The time limit is there to see the end. */
		poll(&p, 1, 100);
		while (!batch_read_miss(s->device, &op))
			answer(s, op.iova, op.token, ANSWERS);
	}
	return NULL;
}

static void *answer_records(void *arg)
{
	struct stress *s = arg;
	struct hook_record r;
	unsigned int seed = 6;

	while (!is_over(s)) {
		while (!hook_take(s->hook, &r)) {
			unsigned int fate = rand_r(&seed) % 16;

			if (r.dev != s->id)
				continue;
			/* Some are lost: the watchdog is there for these. */
			if (fate == 0)
				continue;
			if (fate < 4) {
				batch_hand_back(s->device, r.iova, 1);
				count(s, HANDED);
			} else {
				answer(s, r.iova, r.token, RECORDS);
			}
		}
		poll(NULL, 0, 1);
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

static bool are_done(const struct stress *s, const struct plan *p)
{
	for (int i = 0; i < NR_COUNTS; i++)
		if (count_of(s, i) < p->counts[i])
			return false;
	return true;
}

static bool exchange_packets(struct stress *s, const struct plan *p)
{
	struct device *d = s->device;

	for (unsigned int i = 0; i < PACKETS || !are_done(s, p); i++) {
		unsigned int page = FIRST_PAGE + i % (FIRST_PAGE / 2);
		uint8_t *received = device_page(d, page + FIRST_PAGE / 2);

		frame_put(device_page(d, page), i);
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

static bool run(const struct plan *p)
{
	struct stress s = {.device = device_open_running()};
	pthread_t threads[MAX_THREADS];
	int nr, error;
	bool good;

	s.id = fdinfo_id(s.device->fd);
	batch_accept(s.device);
	s.hook = hook_load(HOOK_GOOD, &error);
	if (!s.hook)
		bail_out("cannot load the BPF program: error %d", error);
	module_set_parameter(MODULE_TIMEOUT, TIMEOUT_MS);
	for (nr = 0; nr < MAX_THREADS && p->threads[nr]; nr++)
		if (pthread_create(&threads[nr], NULL, p->threads[nr], &s))
			bail_out("cannot make a thread");
	good = exchange_packets(&s, p);
	__atomic_store_n(&s.stop, true, __ATOMIC_RELEASE);
	while (nr--)
		pthread_join(threads[nr], NULL);
	return good;
}

bool stress(void)
{
	static const struct plan plan = {
		.threads = {attach_programs, open_devices, change_mappings, answer_misses,
			    write_batches},
		.counts = {[PROGRAMS] = 50,
			   [DEVICES] = 20,
			   [CHANGES] = 5000,
			   [ANSWERS] = 1,
			   [RETRIES] = 50},
	};

	return run(&plan);
}

bool stress_answers(void)
{
	static const struct plan plan = {
		.threads = {attach_programs, open_devices, invalidate_mappings, answer_misses,
			    answer_records, write_batches, replace},
		.counts = {[PROGRAMS] = 50,
			   [DEVICES] = 10,
			   [CHANGES] = 500,
			   [ANSWERS] = 100,
			   [RECORDS] = 100,
			   [STALE] = 10,
			   [HANDED] = 20,
			   [RETRIES] = 50,
			   [REPLACED] = 50},
	};

	return run(&plan);
}
