// SPDX-License-Identifier: GPL-2.0
/*
 * Frames from a virtqueue that is moved between address spaces all the time,
 * while one thread answers misses, often too late, and another invalidates at
 * random. What an address space is about changes with each move, and now and
 * then without one. Each frame tells from which page it was sent.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "asid.h"
#include "batch.h"
#include "check.h"
#include "frame.h"
#include "hook.h"
#include "slowness.h"

#define QUEUED 1

/* Frames at least, unless ASID_FRAMES says how many. */
#define FRAMES 300

/* However long it all takes, so many of them do not. */
#define STALL_FRAMES 100
#define STALL_SECONDS 240

/* Page n has a frame with the tag n. */
#define TAGS (NR_PAGES - FIRST_PAGE)

/* TX is moved between these. */
static const uint32_t asids[] = {ASID_TX, ASID_TX + 1, ASID_OTHER};

#define NR_ASIDS (sizeof(asids) / sizeof(*asids))

struct race {
	struct device *device;
	struct hook *hook; /* takes the misses, or NULL */
	unsigned int seed; /* of the one who sends */
	size_t now;	   /* TX is in asids[now] */
	unsigned int pages[NR_ASIDS];
	bool stop;
	unsigned int taken; /* misses */
	unsigned int accepted, stale, gone, odd, invalidations;
	int odd_error;
};

static bool is_over(const struct race *r)
{
	return __atomic_load_n(&r->stop, __ATOMIC_ACQUIRE);
}

/* What the tables say of an address in an address space, or -1. */
static int page_of(const struct race *r, uint32_t asid, uint64_t iova)
{
	if (iova >= ASID_RINGS && iova < ASID_RINGS + NR_PARTS * PAGE)
		return device_ring_page(TX, (iova - ASID_RINGS) / PAGE);
	for (size_t i = 0; i < NR_ASIDS; i++)
		if (asids[i] == asid && iova / PAGE == ASID_BUFFER / PAGE)
			return __atomic_load_n(&r->pages[i], __ATOMIC_ACQUIRE);
	return -1;
}

/* Now and then for so long that all else may happen meanwhile. */
static void dawdle(unsigned int *seed)
{
	switch (rand_r(seed) % 4) {
	case 0:
		poll(NULL, 0, 1 + rand_r(seed) % 4);
		break;
	case 1:
		for (unsigned int i = rand_r(seed) % 20; i; i--)
			sched_yield();
		break;
	}
}

static bool take_miss(struct race *r, uint32_t *asid, uint64_t *iova, uint64_t *token)
{
	struct vhost_iotlb_op miss;
	struct hook_record record;

	if (r->hook) {
		if (hook_take(r->hook, &record))
			return false;
		*asid = record.asid;
		*iova = record.iova;
		*token = record.token;
		return true;
	}
	if (batch_read_miss(r->device, &miss))
		return false;
	*asid = miss.asid;
	*iova = miss.iova;
	*token = miss.token;
	return true;
}

static void count_answer(struct race *r, int error)
{
	switch (error) {
	case 0:
		r->accepted++;
		break;
	case -ESTALE:
		r->stale++;
		break;
	case -ENXIO:
		r->gone++;
		break;
	default:
		r->odd++;
		r->odd_error = error;
	}
}

static void *answer(void *arg)
{
	struct race *r = arg;
	unsigned int seed = 1;
	uint64_t iova, token;
	uint32_t asid;
	int page;

	while (!is_over(r)) {
		if (!take_miss(r, &asid, &iova, &token)) {
			sched_yield();
			continue;
		}
		page = page_of(r, asid, iova);
		__atomic_add_fetch(&r->taken, 1, __ATOMIC_RELEASE);
		if (page < 0) {
			count_answer(r, -ENOENT);
			continue;
		}
		/* The tables may change from here on. */
		dawdle(&seed);
		count_answer(r, asid_map_by(r->device, asid, iova & -PAGE, page, token));
	}
	return NULL;
}

static void *invalidate(void *arg)
{
	struct race *r = arg;
	unsigned int seed = 2;
	int error;

	while (!is_over(r)) {
		const uint32_t asid = asids[rand_r(&seed) % NR_ASIDS];

		switch (rand_r(&seed) % 4) {
		case 0:
			error = asid_write(r->device, asid, VHOST_IOTLB_INVALIDATE, 0, 0);
			break;
		case 1:
			error = asid_write_all(r->device, VHOST_IOTLB_INVALIDATE, ASID_BUFFER, 1);
			break;
		case 2:
			error = asid_write_all(r->device, VHOST_IOTLB_INVALIDATE, 0, 0);
			break;
		default:
			error = asid_write(r->device, asid, VHOST_IOTLB_INVALIDATE, ASID_BUFFER,
					   PAGE);
		}
		if (error)
			count_answer(r, error);
		__atomic_add_fetch(&r->invalidations, 1, __ATOMIC_RELAXED);
		/* Or else nothing would ever be mapped for long enough. */
		poll(NULL, 0, 1 + rand_r(&seed) % 3);
	}
	return NULL;
}

static void change_table(struct race *r, size_t i)
{
	__atomic_store_n(&r->pages[i], FIRST_PAGE + rand_r(&r->seed) % TAGS, __ATOMIC_RELEASE);
}

/*
 * Has all on offer been sent? Only who has stopped the device can say it: a frame
 * comes out before its buffer is given back.
 */
static bool all_sent(const struct race *r)
{
	return device_used(r->device, TX) == r->device->queues[TX].avail->idx;
}

static void offer(struct race *r)
{
	device_offer(r->device, TX, ASID_BUFFER, FRAME_BUFFER);
	device_kick(r->device, TX);
}

static bool comes_from(struct race *r, unsigned int page)
{
	int64_t tag = device_wait_frame(r->device);

	EXPECT(tag == page, "a frame from page %lld, not %u", (long long)tag, page);
	return true;
}

/* As soon as somebody has mapped its ring. */
static bool start(const struct race *r)
{
	int error;

	while ((error = device_start_queue(r->device, TX)) == -EFAULT)
		sched_yield();
	EXPECT(!error, "cannot start: error %d", error);
	return true;
}

static bool remap(struct race *r)
{
	change_table(r, r->now);
	EXPECT(!asid_write(r->device, asids[r->now], VHOST_IOTLB_INVALIDATE, ASID_BUFFER, PAGE),
	       "refused");
	return true;
}

/* Often while it waits, so that the answer is for where it was. */
static bool move_elsewhere(struct race *r)
{
	const size_t next = (r->now + 1 + rand_r(&r->seed) % (NR_ASIDS - 1)) % NR_ASIDS;
	const bool waits = rand_r(&r->seed) % 2;
	unsigned int taken, before;
	bool was_sent;

	if (waits)
		PART(remap(r));
	before = r->pages[r->now];
	taken = __atomic_load_n(&r->taken, __ATOMIC_ACQUIRE);
	offer(r);
	while (waits && __atomic_load_n(&r->taken, __ATOMIC_ACQUIRE) == taken && !all_sent(r))
		sched_yield();
	EXPECT(!device_stop_queue(r->device, TX), "cannot stop");
	was_sent = all_sent(r);
	/* Nobody is there, so that nothing has to be invalidated. */
	change_table(r, next);
	EXPECT(!asid_move(r->device, TX, asids[next]), "cannot move");
	r->now = next;
	PART(start(r));
	device_kick(r->device, TX);
	return comes_from(r, was_sent ? before : r->pages[next]);
}

/* Has everything that may become of an answer? */
static bool has_happened(const struct race *r)
{
	return __atomic_load_n(&r->accepted, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&r->stale, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&r->gone, __ATOMIC_RELAXED);
}

static bool send_all(struct race *r, unsigned int frames)
{
	PART(start(r));
	for (unsigned int i = 0; i < frames || !has_happened(r); i++) {
		if (i < frames && i % STALL_FRAMES == 0)
			alarm(STALL_SECONDS * slowness());
		if (rand_r(&r->seed) % 8 == 0) {
			PART(move_elsewhere(r));
			continue;
		}
		if (rand_r(&r->seed) % 3 == 0)
			PART(remap(r));
		offer(r);
		PART(comes_from(r, r->pages[r->now]));
	}
	return true;
}

static bool race(struct hook *hook, unsigned int seed)
{
	const char *wanted = getenv("ASID_FRAMES");
	const unsigned int frames = wanted ? strtoul(wanted, NULL, 0) : FRAMES;
	struct race r = {.device = asid_open(), .hook = hook, .seed = seed};
	pthread_t threads[2];
	bool good;

	for (unsigned int page = FIRST_PAGE; page < NR_PAGES; page++)
		frame_put(device_page(r.device, page), page);
	for (size_t i = 0; i < NR_ASIDS; i++)
		change_table(&r, i);
	if (pthread_create(&threads[0], NULL, answer, &r) ||
	    pthread_create(&threads[1], NULL, invalidate, &r))
		bail_out("cannot make a thread");
	good = send_all(&r, frames);
	__atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);

	printf("# %u frames or more, %u invalidations; %u answers accepted, %u stale, %u of what "
	       "has "
	       "gone\n",
	       frames, r.invalidations, r.accepted, r.stale, r.gone);
	EXPECT(!r.odd, "error %d", r.odd_error);
	return good;
}

static bool read_from_fd(void)
{
	return race(NULL, 1);
}

static bool taken(void)
{
	return race(hook_open(QUEUED), 2);
}

static const struct check list[] = {
	{"no frame from elsewhere, with misses from the fd", read_from_fd, STOCK_LACKS},
	{"no frame from elsewhere, with misses that a program takes", taken, STOCK_LACKS},
};

CHECK_GROUP(asid_race, list);
