// SPDX-License-Identifier: GPL-2.0
/*
 * Packets in both directions, while one thread answers misses, by mappings and
 * by failures, often too late, and another invalidates at random. Each buffer
 * comes back once, in order; what failed was not sent, all else was, and no
 * packet that is received gets lost.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/virtio_net.h>

#include "batch.h"
#include "check.h"
#include "fail.h"
#include "frame.h"
#include "slowness.h"

/* Packets in each direction at least, unless FAIL_PACKETS says how many. */
#define PACKETS 600

/* However long it all takes, so many of them do not. */
#define STALL_PACKETS 100
#define STALL_SECONDS 240

/* So many buffers are on offer at once, each on a page of its own. */
#define DEPTH 12
#define TX_PAGE FIRST_PAGE
#define RX_PAGE (FIRST_PAGE + DEPTH)

/* So many packets wait to be received. */
#define WAITING 6

struct race {
	struct failing failing;
	struct device *device;
	bool stop;
	unsigned int mapped, failed, stale, odd;
	int odd_error;
	unsigned int offered[NR_QUEUES], used[NR_QUEUES];
	unsigned int sent; /* frames that came out */
	int64_t last;	   /* of them */
	unsigned int injected, received, empty;
};

static bool is_over(const struct race *r)
{
	return __atomic_load_n(&r->stop, __ATOMIC_ACQUIRE);
}

static void count(struct race *r, unsigned int *well, int error)
{
	if (!error) {
		__atomic_add_fetch(well, 1, __ATOMIC_RELAXED);
	} else if (error == -ESTALE) {
		__atomic_add_fetch(&r->stale, 1, __ATOMIC_RELAXED);
	} else {
		r->odd++;
		r->odd_error = error;
	}
}

static void map(struct race *r, const struct vhost_iotlb_op *miss)
{
	unsigned int page = (miss->iova - device_iova(0)) / PAGE;

	count(r, &r->mapped, batch_map(r->device, page, VHOST_ACCESS_RW, miss->token));
}

/* Whatever waits for the page now. */
static void fail_whoever(struct race *r, const struct vhost_iotlb_op *miss)
{
	count(r, &r->failed, fail_access(r->device, miss->iova & -PAGE, PAGE, VHOST_ACCESS_RW));
}

/* The last word counts, and so it does in the other order. */
static void fail_and_map(struct race *r, const struct vhost_iotlb_op *miss, bool fail_last)
{
	unsigned int page = (miss->iova - device_iova(0)) / PAGE;
	struct batch b;
	int applied;

	batch_init(&b);
	if (!fail_last)
		batch_add(&b, VHOST_IOTLB_ACCESS_FAIL, miss->iova, 1)->perm = miss->perm;
	batch_add_map(&b, r->device, page, VHOST_ACCESS_RW);
	if (fail_last) {
		b.ops[0].type = VHOST_IOTLB_INVALIDATE;
		b.ops[0].uaddr = 0;
		b.ops[0].perm = 0;
		batch_add(&b, VHOST_IOTLB_ACCESS_FAIL, miss->iova, 1)->perm = miss->perm;
	}
	applied = batch_write(r->device, &b);
	count(r, fail_last ? &r->failed : &r->mapped, applied == 2 ? 0 : applied);
}

static void answer_buffer(struct race *r, const struct vhost_iotlb_op *miss, unsigned int how)
{
	switch (how) {
	case 0:
		count(r, &r->failed,
		      fail_by(r->device, miss->iova, miss->size, miss->perm, miss->token));
		break;
	case 1:
		fail_whoever(r, miss);
		break;
	case 2:
	case 3:
		fail_and_map(r, miss, how == 2);
		break;
	case 4:
		if (batch_retry(r->device, miss->iova, 1))
			r->odd++;
		break;
	default:
		map(r, miss);
	}
}

static void *answer(void *argument)
{
	struct race *r = argument;
	struct vhost_iotlb_op miss;
	unsigned int seed = 1;

	while (!is_over(r)) {
		if (batch_read_miss(r->device, &miss)) {
			sched_yield();
			continue;
		}
		/* What it goes by may change from here on. */
		if (rand_r(&seed) % 4 == 0)
			poll(NULL, 0, 1 + rand_r(&seed) % 3);
		if (miss.iova < device_iova(FIRST_PAGE))
			map(r, &miss);
		else
			answer_buffer(r, &miss, rand_r(&seed) % 12);
	}
	return NULL;
}

static void *invalidate(void *argument)
{
	struct race *r = argument;
	unsigned int seed = 2, page;
	int error;

	while (!is_over(r)) {
		page = rand_r(&seed) % (RX_PAGE + DEPTH);
		if (rand_r(&seed) % 8 == 0)
			error = batch_invalidate(r->device, 0, 0);
		else
			error = batch_invalidate(r->device, device_iova(page), 1);
		if (error)
			count(r, &r->odd, error);
		poll(NULL, 0, 1 + rand_r(&seed) % 2);
	}
	return NULL;
}

static void offer(struct race *r)
{
	struct device *d = r->device;
	unsigned int page;

	while (r->offered[TX] - r->used[TX] < DEPTH) {
		page = TX_PAGE + r->offered[TX] % DEPTH;
		frame_put(device_page(d, page), r->offered[TX]++);
		device_offer(d, TX, device_iova(page), FRAME_BUFFER);
	}
	while (r->offered[RX] - r->used[RX] < DEPTH) {
		page = RX_PAGE + r->offered[RX]++ % DEPTH;
		device_offer(d, RX, device_iova(page), PAGE);
	}
	while (r->injected - r->received < WAITING)
		device_inject(d, r->injected++);
	device_kick(d, TX);
	device_kick(d, RX);
}

/* Those that were sent come out in order. */
static bool take_sent(struct race *r)
{
	int64_t tag;

	while (poll(&(struct pollfd){.fd = r->device->socket, .events = POLLIN}, 1, 0) == 1) {
		tag = device_wait_frame(r->device);
		EXPECT(tag > r->last && tag < r->offered[TX], "frame %lld after %lld, with %u sent",
		       (long long)tag, (long long)r->last, r->offered[TX]);
		r->last = tag;
		r->sent++;
	}
	return true;
}

static bool take_received(struct race *r, const struct vring_used_elem *element)
{
	unsigned int page = RX_PAGE + r->used[RX] % DEPTH;
	int64_t tag;

	if (!element->len) {
		r->empty++;
		return true;
	}
	EXPECT(element->len == FRAME_BUFFER, "length %u", element->len);
	tag = frame_tag((uint8_t *)device_page(r->device, page) + FRAME_HEADER, FRAME_SIZE);
	EXPECT(tag == r->received, "packet %lld, not %u", (long long)tag, r->received);
	r->received++;
	return true;
}

static bool take_used(struct race *r, int queue)
{
	const uint16_t idx = device_used(r->device, queue);
	struct vring_used_elem element;

	for (; (uint16_t)r->used[queue] != idx; r->used[queue]++) {
		element = fail_used(r->device, queue, r->used[queue]);
		EXPECT(r->used[queue] != r->offered[queue], "more is used than was on offer");
		EXPECT(element.id == r->used[queue] % r->device->ring_size,
		       "%u is given back, not %u", element.id,
		       r->used[queue] % r->device->ring_size);
		if (queue == RX)
			PART(take_received(r, &element));
		else
			EXPECT(!element.len, "length %u", element.len);
	}
	return true;
}

static bool has_happened(const struct race *r)
{
	return __atomic_load_n(&r->mapped, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&r->failed, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&r->stale, __ATOMIC_RELAXED) && r->empty &&
	       r->sent + DEPTH < r->used[TX];
}

static bool exchange(struct race *r, unsigned int packets)
{
	unsigned int goal = STALL_PACKETS;

	while (r->used[TX] < packets || r->received < packets || !has_happened(r)) {
		if (r->used[TX] >= goal && r->received >= goal) {
			alarm(STALL_SECONDS * slowness());
			goal += STALL_PACKETS;
		}
		offer(r);
		sched_yield();
		PART(take_sent(r));
		PART(take_used(r, TX));
		PART(take_used(r, RX));
	}
	/* What is on its way. */
	while (r->used[TX] != r->offered[TX] || r->received != r->injected) {
		for (; r->offered[RX] - r->used[RX] < DEPTH; r->offered[RX]++)
			device_offer(r->device, RX, device_iova(RX_PAGE + r->offered[RX] % DEPTH),
				     PAGE);
		device_kick(r->device, RX);
		sched_yield();
		PART(take_used(r, TX));
		PART(take_used(r, RX));
	}
	return take_sent(r);
}

static bool race(uint64_t features)
{
	const char *wanted = getenv("FAIL_PACKETS");
	const unsigned int packets = wanted ? strtoul(wanted, NULL, 0) : PACKETS;
	const struct device_shape shape = {.features = features};
	struct race r = {.last = -1};
	pthread_t threads[2];
	unsigned int fails;
	bool good;

	fail_open(&r.failing, &shape);
	r.device = r.failing.device;
	if (pthread_create(&threads[0], NULL, answer, &r) ||
	    pthread_create(&threads[1], NULL, invalidate, &r))
		bail_out("cannot make a thread");
	good = exchange(&r, packets);
	__atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	device_flush(r.device);
	fails = fail_count(r.device);

	printf("# %u to send, of which %u were sent; %u received, %u buffers empty; answers: %u "
	       "mappings, %u failures, %u stale\n",
	       r.used[TX], r.sent, r.received, r.empty, r.mapped, r.failed, r.stale);
	PART(good);
	EXPECT(!r.odd, "error %d", r.odd_error);
	EXPECT(fails == r.used[TX] - r.sent + r.empty, "%u accesses have failed, not %u", fails,
	       r.used[TX] - r.sent + r.empty);
	EXPECT(fail_errors(&r.failing, TX) == r.used[TX] - r.sent, "told of other errors by TX");
	EXPECT(fail_errors(&r.failing, RX) == r.empty, "told of other errors by RX");
	return true;
}

static bool plain(void)
{
	return race(0);
}

static bool with_features(void)
{
	return race(1ULL << VIRTIO_NET_F_MRG_RXBUF | 1ULL << VIRTIO_RING_F_EVENT_IDX);
}

static const struct check list[] = {
	{"each buffer comes back once", plain, STOCK_LACKS},
	{"the same with events and merged buffers", with_features, STOCK_LACKS},
};

CHECK_GROUP(fail_race, list);
