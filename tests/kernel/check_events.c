// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints. How often everything happens are different prime numbers,
 * so that no two of them can be mistaken for each other.
 */
#include <errno.h>

#include "batch.h"
#include "check.h"
#include "device.h"
#include "fdinfo.h"
#include "frame.h"
#include "trace.h"

#define MISSES 7
#define RETRIES 11
#define HITS 5
#define REFUSED 3
#define INVALIDATES 2
#define RING_CHANGES 13

/*
 * Each run of the virtqueue looks up the ring: its parts one by one after one
 * of them was mapped anew, else all at once.
 */
#define PART_RUNS RING_CHANGES
#define RING_RUNS (2 * MISSES + RETRIES + HITS)

static unsigned long long id_of(const struct device *d)
{
	return fdinfo_id(d->fd);
}

static bool work(struct device *d)
{
	void *kernel = (void *)0xffff888000000000ULL;

	for (int i = 0; i < MISSES; i++) {
		device_send(d, FIRST_PAGE + i, i);
		for (int j = 0; i == 0 && j < RETRIES; j++)
			device_kick_and_flush(d, TX);
		EXPECT(!device_map(d, FIRST_PAGE + i, VHOST_ACCESS_RO), "refused");
		device_flush(d);
	}
	for (int i = 0; i < HITS; i++)
		device_send(d, FIRST_PAGE + i, i);
	for (int i = 0; i < REFUSED; i++)
		EXPECT(device_update(d, device_iova(40), PAGE, kernel, VHOST_ACCESS_RW) < 0,
		       "the kernel's memory was mapped");
	for (int i = 0; i < INVALIDATES; i++)
		EXPECT(!device_invalidate(d, device_iova(FIRST_PAGE + i), PAGE), "refused");
	for (int i = 0; i < RING_CHANGES; i++) {
		EXPECT(!device_map(d, device_ring_page(TX, i % NR_PARTS), VHOST_ACCESS_RW),
		       "refused");
		device_kick_and_flush(d, TX);
	}
	EXPECT(device_used(d, TX) == MISSES + HITS, "%u sent", device_used(d, TX));
	return true;
}

static bool is_count(unsigned int expected, const char *event, const char *fields,
		     unsigned long long dev)
{
	unsigned int count = trace_count(event, "dev=%llu %s", dev, fields);

	EXPECT(count == expected, "%u events, not %u, of %s with %s", count, expected, event,
	       fields);
	return true;
}

static bool counts(void)
{
	struct device *d = device_open_running();
	unsigned long long dev = id_of(d);

	trace_open();
	PART(work(d));
	PART(is_count(MISSES, "miss", "", dev));
	PART(is_count(MISSES, "miss", "vq=1 len=212 access=r area=buffer verdict=0", dev));
	PART(is_count(MISSES + REFUSED + RING_CHANGES, "update", "", dev));
	PART(is_count(MISSES, "update", "size=0x1000 perm=r ret=0", dev));
	PART(is_count(RING_CHANGES, "update", "size=0x1000 perm=rw ret=0", dev));
	PART(is_count(REFUSED, "update", "perm=rw ret=-14", dev));
	PART(is_count(INVALIDATES, "invalidate", "size=0x1000", dev));
	PART(is_count(0, "evict", "", dev));

	PART(is_count(MISSES + HITS, "hit", "vq=1 area=buffer", dev));
	PART(is_count(MISSES + HITS, "hit", "len=212 area=buffer", dev));
	PART(is_count(PART_RUNS, "hit", "vq=1 area=desc", dev));
	PART(is_count(PART_RUNS, "hit", "vq=1 area=avail", dev));
	PART(is_count(PART_RUNS, "hit", "vq=1 area=used", dev));
	PART(is_count(RING_RUNS, "hit", "vq=1 area=ring", dev));
	PART(is_count(0, "", "vq=0", dev));
	EXPECT(trace_count("", " ") == trace_count("", "dev=%llu", dev),
	       "events of another device");
	return true;
}

/* Bytes of a part of the ring that the device touches. */
static unsigned int part_size(int part)
{
	switch (part) {
	case DESC:
		return RING_SIZE * sizeof(struct vring_desc);
	case AVAIL:
		return sizeof(struct vring_avail) + RING_SIZE * sizeof(__virtio16);
	default:
		return sizeof(struct vring_used) + RING_SIZE * sizeof(struct vring_used_elem);
	}
}

/* A run that has nothing to do looks up all of TX's ring at once. */
static bool ring_is_known(struct device *d)
{
	unsigned long long iova = device_iova(device_ring_page(TX, DESC)), dev = id_of(d);

	trace_clear();
	device_kick_and_flush(d, TX);
	EXPECT(trace_count("hit", "dev=%llu vq=1 iova=0x%llx area=ring", dev, iova) == 1,
	       "not one of the whole ring");
	EXPECT(trace_count("hit", "dev=%llu", dev) == 1, "more hits");
	return true;
}

static const char *const areas[] = {"desc", "avail", "used"};

static bool ring_is_looked_up(struct device *d)
{
	unsigned long long dev = id_of(d);

	trace_clear();
	device_kick_and_flush(d, TX);
	for (int part = 0; part < NR_PARTS; part++) {
		unsigned long long iova = device_iova(device_ring_page(TX, part));

		EXPECT(trace_count("hit", "dev=%llu vq=1 iova=0x%llx len=%u area=%s", dev, iova,
				   part_size(part), areas[part]) == 1,
		       "not one of %s at its address", areas[part]);
	}
	EXPECT(trace_count("hit", "dev=%llu", dev) == NR_PARTS, "more hits");
	return true;
}

static bool ring_hits(void)
{
	struct device *d = device_open_running();

	trace_open();
	PART(ring_is_known(d));
	for (int part = 0; part < NR_PARTS; part++) {
		unsigned int page = device_ring_page(TX, part);

		/* What is told about a part makes vhost look at the ring anew. */
		device_map(d, page, VHOST_ACCESS_RW);
		PART(ring_is_looked_up(d));
		PART(ring_is_known(d));
		device_invalidate(d, device_iova(page) + 1, 1);
		trace_clear();
		device_kick_and_flush(d, TX);
		EXPECT(trace_count("miss", "area=%s", areas[part]) == 1, "%s is still known",
		       areas[part]);
		device_map(d, page, VHOST_ACCESS_RW);
		device_flush(d);
		PART(ring_is_known(d));
	}
	return true;
}

/* Right beside the ring, and the ring of the other virtqueue. */
static bool ring_is_spared(void)
{
	struct device *d = device_open_running();
	struct batch b;

	trace_open();
	device_map(d, FIRST_PAGE, VHOST_ACCESS_RW);
	PART(ring_is_known(d));
	device_invalidate(d, device_iova(FIRST_PAGE), PAGE);
	PART(ring_is_known(d));
	device_map(d, RING_PAGES, VHOST_ACCESS_RW);
	PART(ring_is_known(d));
	device_invalidate(d, device_iova(RING_PAGES), 1);
	PART(ring_is_known(d));
	device_map(d, device_ring_page(RX, USED), VHOST_ACCESS_RW);
	PART(ring_is_known(d));
	device_invalidate(d, device_iova(device_ring_page(RX, DESC)), NR_PARTS * PAGE);
	PART(ring_is_known(d));

	/* One message has addresses on both sides of it. */
	batch_init(&b);
	batch_add_map(&b, d, device_ring_page(TX, USED) + 1, VHOST_ACCESS_RW);
	batch_add_map(&b, d, device_ring_page(TX, DESC) - 1, VHOST_ACCESS_RW);
	batch_add(&b, VHOST_IOTLB_INVALIDATE, 0x1000, PAGE);
	EXPECT(batch_write(d, &b) == (int)b.num, "refused");
	PART(ring_is_known(d));
	batch_add(&b, VHOST_IOTLB_RETRY, 0, 0);
	batch_add_map(&b, d, device_ring_page(TX, AVAIL), VHOST_ACCESS_RW);
	EXPECT(batch_write(d, &b) == (int)b.num, "refused");
	return ring_is_looked_up(d);
}

static bool order(void)
{
	struct device *d = device_open_running();
	unsigned long long iova = device_iova(FIRST_PAGE);
	unsigned long long dev = id_of(d);
	int missed, updated, found, gone;

	trace_open();
	device_send(d, FIRST_PAGE, 1);
	device_map(d, FIRST_PAGE, VHOST_ACCESS_RW);
	device_flush(d);
	device_invalidate(d, iova, PAGE);

	missed = trace_place("miss", "dev=%llu vq=1 iova=0x%llx", dev, iova);
	updated =
		trace_place("update", "dev=%llu iova=0x%llx size=0x1000 uaddr=0x%llx perm=rw ret=0",
			    dev, iova, (unsigned long long)(uintptr_t)device_page(d, FIRST_PAGE));
	found = trace_place("hit", "dev=%llu vq=1 iova=0x%llx area=buffer", dev, iova);
	gone = trace_place("invalidate", "dev=%llu iova=0x%llx size=0x1000", dev, iova);
	EXPECT(missed >= 0 && missed < updated && updated < found && found < gone,
	       "miss, update, hit, invalidate at %d, %d, %d, %d", missed, updated, found, gone);
	return true;
}

static bool receive(void)
{
	struct device *d = device_open_running();
	unsigned long long iova = device_iova(FIRST_PAGE);
	unsigned long long dev = id_of(d);

	trace_open();
	device_offer(d, RX, iova, PAGE);
	device_inject(d, 2);
	device_flush(d);
	EXPECT(trace_count("miss",
			   "dev=%llu vq=0 iova=0x%llx len=4096 access=w area=buffer verdict=0", dev,
			   iova) == 1,
	       "not one miss");
	device_map(d, FIRST_PAGE, VHOST_ACCESS_WO);
	device_flush(d);
	EXPECT(device_used(d, RX) == 1, "not received");
	EXPECT(trace_count("hit", "dev=%llu vq=0 iova=0x%llx len=4096 area=buffer", dev, iova) == 1,
	       "not one hit");
	EXPECT(trace_count("miss", "dev=%llu", dev) == 1, "more misses");
	return true;
}

/* A buffer that begins on a page that is mapped and ends on one that is not. */
static bool spanning(void)
{
	struct device *d = device_open_running();
	unsigned long long second = device_iova(FIRST_PAGE + 1);
	unsigned long long dev = id_of(d);
	const unsigned int head = 100;

	trace_open();
	device_map(d, FIRST_PAGE, VHOST_ACCESS_RO);
	device_offer(d, TX, second - head, FRAME_BUFFER);
	device_kick_and_flush(d, TX);
	EXPECT(trace_count("miss", "dev=%llu", dev) == 1, "not one miss");
	EXPECT(trace_count("miss", "dev=%llu vq=1 iova=0x%llx len=%u access=r", dev, second,
			   FRAME_BUFFER - head) == 1,
	       "not of what is still wanted");
	EXPECT(trace_count("hit", "dev=%llu area=buffer iova=0x%llx len=%u", dev, second - head,
			   head) == 1,
	       "not one hit of the first part");

	device_map(d, FIRST_PAGE + 1, VHOST_ACCESS_RO);
	device_flush(d);
	EXPECT(trace_count("hit", "dev=%llu area=buffer iova=0x%llx len=%u", dev, second - head,
			   head) == 2,
	       "not two hits of the first part");
	EXPECT(trace_count("hit", "dev=%llu area=buffer iova=0x%llx len=%u", dev, second,
			   FRAME_BUFFER - head) == 1,
	       "not one hit of the second part");
	EXPECT(device_used(d, TX) == 1, "not sent");
	return true;
}

static bool new_misses(void)
{
	struct device *d = device_open_running();
	unsigned long long dev = id_of(d);
	struct vhost_iotlb_msg msg;
	unsigned int descriptor;

	trace_open();
	descriptor = device_send(d, FIRST_PAGE, 3);
	EXPECT(!device_read_miss(d, &msg), "no miss");
	device_kick_and_flush(d, TX);
	EXPECT(trace_count("miss", "dev=%llu", dev) == 1, "a retry counts as a miss");

	device_set_address(d, TX, descriptor, device_iova(FIRST_PAGE + 1));
	device_kick_and_flush(d, TX);
	EXPECT(trace_count("miss", "dev=%llu", dev) == 2, "a miss elsewhere does not count");

	/* Answered, taken away before it is used: a miss once more. */
	device_set_address(d, TX, descriptor, device_iova(FIRST_PAGE + 2));
	device_map(d, FIRST_PAGE + 1, VHOST_ACCESS_RO);
	device_flush(d);
	device_set_address(d, TX, descriptor, device_iova(FIRST_PAGE + 1));
	device_invalidate(d, device_iova(FIRST_PAGE + 1), PAGE);
	device_kick_and_flush(d, TX);
	EXPECT(trace_count("miss", "dev=%llu", dev) == 4, "%u misses, not 4",
	       trace_count("miss", "dev=%llu", dev));
	return true;
}

static bool ring_misses(void)
{
	struct device *d = device_open();
	unsigned long long dev = id_of(d);

	trace_open();
	EXPECT(device_start_queue(d, TX) == -EFAULT, "started");
	EXPECT(device_start_queue(d, TX) == -EFAULT, "started");
	EXPECT(trace_count("miss", "dev=%llu", dev) == 1, "not one miss");
	device_map(d, device_ring_page(TX, USED), VHOST_ACCESS_RW);
	EXPECT(!device_start_queue(d, TX), "cannot start");
	device_kick_and_flush(d, TX);
	device_map(d, device_ring_page(TX, DESC), VHOST_ACCESS_RO);
	device_flush(d);

	for (int part = 0; part < NR_PARTS; part++) {
		unsigned long long iova = device_iova(device_ring_page(TX, part));
		const char *access = part == USED ? "w" : "r";

		EXPECT(trace_count("miss", "dev=%llu vq=1 iova=0x%llx access=%s area=%s", dev, iova,
				   access, areas[part]) == 1,
		       "not one of %s", areas[part]);
	}
	EXPECT(trace_count("miss", "dev=%llu", dev) == NR_PARTS, "more misses");
	return true;
}

/* The memory table is searched by the same functions. */
static bool without_iotlb(void)
{
	struct device *d = device_open_without_iotlb();

	EXPECT(!device_start_queue(d, TX), "cannot start");
	trace_open();
	device_offer(d, TX, FIRST_PAGE * PAGE, FRAME_BUFFER);
	device_kick_and_flush(d, TX);
	EXPECT(device_used(d, TX) == 1, "not sent");
	device_offer(d, TX, NR_PAGES * PAGE, FRAME_BUFFER);
	device_kick_and_flush(d, TX);
	EXPECT(device_used(d, TX) == 1, "sent from beyond the memory");
	EXPECT(trace_count("", " ") == 0, "%u events", trace_count("", " "));
	EXPECT(!device_has_message(d), "a miss");
	return true;
}

static const struct check list[] = {
	{"exact counts of a workload", counts, STOCK_LACKS},
	{"hits of a ring, in parts after a message about it, else as a whole", ring_hits,
	 STOCK_LACKS},
	{"messages that do not concern a ring spare its translation", ring_is_spared, STOCK_LACKS},
	{"miss, update, hit, invalidate come in this order", order, STOCK_LACKS},
	{"RX misses for write", receive, STOCK_LACKS},
	{"a buffer on two pages misses for what is still wanted", spanning, STOCK_LACKS},
	{"a retry is no second miss, another address is", new_misses, STOCK_LACKS},
	{"each part of a ring that is not mapped is one miss", ring_misses, STOCK_LACKS},
	{"no events of a device without an IOTLB", without_iotlb, STOCK_LACKS},
};

CHECK_GROUP(events, list);
