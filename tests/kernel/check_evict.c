// SPDX-License-Identifier: GPL-2.0
/*
 * An IOTLB that is full: what goes, what stays, and that everybody makes
 * progress. Good for every limit from 1 on (the module parameter
 * max_iotlb_entries); more happens with a small one.
 */
#include <errno.h>
#include <string.h>
#include <linux/virtio_net.h>

#include "asid.h"
#include "check.h"
#include "device.h"
#include "fdinfo.h"
#include "frame.h"
#include "trace.h"

#define MORE 13 /* entries beyond the limit */
#define PACKETS 61
#define PAGES 17

/* By so many entries may virtqueues that wait exceed the limit. */
#define EXCESS (NR_QUEUES * 1280)

/* By so many a stream of packets does: what a packet and the rings take. */
#define HANDFUL 16

/* The longest chains: as much as a small frame, or a ring, is good for. */
#define MANY_PARTS 200
#define MAX_PARTS 1000

/* Addresses of which only the mappings matter. */
static uint64_t iova_of(unsigned int entry)
{
	return 0x700000000ULL + entry * 2 * PAGE;
}

static int add_in(const struct device *d, uint32_t asid, unsigned int entry)
{
	return device_update_in(d, asid, iova_of(entry), PAGE, d->memory, VHOST_ACCESS_WO);
}

static int add(const struct device *d, unsigned int entry)
{
	return add_in(d, 0, entry);
}

static unsigned int entries(const struct device *d)
{
	return fdinfo_entries(d->fd);
}

static bool oldest_goes(void)
{
	struct device *d = device_open();
	unsigned int limit = fdinfo_limit();
	unsigned long long dev = fdinfo_id(d->fd);
	int last = -1;

	for (unsigned int i = 0; i < limit; i++)
		EXPECT(!add(d, i), "entry %u is refused", i);
	EXPECT(entries(d) == limit, "%u entries", entries(d));

	trace_open();
	for (unsigned int i = 0; i < MORE; i++) {
		EXPECT(!add(d, limit + i), "entry %u is refused", limit + i);
		EXPECT(entries(d) == limit, "%u entries", entries(d));
	}
	EXPECT(trace_count("evict", "dev=%llu", dev) == MORE, "%u evictions",
	       trace_count("evict", "dev=%llu", dev));
	for (unsigned int i = 0; i < MORE; i++) {
		int place = trace_place("evict", "dev=%llu iova=0x%llx size=0x1000 perm=w", dev,
					(unsigned long long)iova_of(i));

		EXPECT(place > last, "entry %u was not next to go", i);
		last = place;
	}
	return true;
}

/* What an UPDATE replaces makes the room that it needs. */
static bool replacing(void)
{
	struct device *d = device_open();
	unsigned int limit = fdinfo_limit();

	for (unsigned int i = 0; i < limit; i++)
		EXPECT(!add(d, i), "entry %u is refused", i);
	trace_open();
	for (unsigned int i = 0; i < limit && i < MORE; i++)
		EXPECT(!add(d, i), "entry %u is refused", i);
	EXPECT(trace_count("evict", " ") == 0, "%u evictions", trace_count("evict", " "));
	EXPECT(entries(d) == limit, "%u entries", entries(d));

	/* Those are the newest now. */
	EXPECT(!add(d, limit), "refused");
	EXPECT(trace_count("evict", "iova=0x%llx",
			   (unsigned long long)iova_of(limit > MORE ? MORE : 0)) == 1,
	       "not the oldest went");
	return true;
}

/*
 * What is sent and received beyond the device's own pages: any number of
 * addresses, which share its last PAGES pages.
 */
static unsigned int sweep_page(const struct device *d, unsigned int number)
{
	return d->nr_pages + number;
}

static void *memory_of(const struct device *d, unsigned int page)
{
	if (page >= d->nr_pages)
		page = d->nr_pages - PAGES + page % PAGES;
	return device_page(d, page);
}

static unsigned int page_of(uint64_t iova)
{
	return (iova - device_iova(0)) / PAGE;
}

struct traffic {
	struct device *device;
	unsigned int sent, received; /* packets that have been offered */
	unsigned int misses, answers;
	unsigned int rarely; /* look at the entries at each so many misses */
	unsigned int peak;   /* entries at most, in one address space */
	bool apart;	     /* virtqueues are in address spaces of their own */
	bool large_ring;     /* rings are mapped in one */
	unsigned int watched, watched_misses;
	unsigned int waiting; /* nobody answers for this page; 0 if there is none */
};

static bool answer(struct traffic *t, uint32_t asid, uint64_t iova)
{
	struct device *d = t->device;
	unsigned int page = page_of(iova), count = 0;

	t->watched_misses += page == t->watched;
	if (page < device_ring_pages(d) && t->large_ring)
		EXPECT(!device_update_in(d, asid, device_iova(0), device_ring_pages(d) * PAGE,
					 d->memory, VHOST_ACCESS_RW),
		       "refused");
	else
		EXPECT(!device_update_in(d, asid, device_iova(page), PAGE, memory_of(d, page),
					 VHOST_ACCESS_RW),
		       "refused");
	if (!t->rarely || ++t->answers % t->rarely == 0)
		count = fdinfo_entries_in(d->fd, asid);
	if (count > t->peak)
		t->peak = count;
	return true;
}

static bool is_done(const struct traffic *t)
{
	return (uint16_t)device_used(t->device, TX) == (uint16_t)t->sent &&
	       (uint16_t)device_used(t->device, RX) == (uint16_t)t->received;
}

/*
 * Answers until all is used. Each attempt of a virtqueue gets further than the
 * one before, so that none of @pages is missed twice, but for a few.
 */
static bool serve(struct traffic *t, unsigned int pages)
{
	struct device *d = t->device;
	struct vhost_iotlb_msg msg;
	unsigned int misses = 0;
	bool answered = true;
	uint32_t asid;

	device_flush(d);
	while (!is_done(t)) {
		EXPECT(answered, "stuck without a miss, %u of %u sent, %u of %u received",
		       device_used(d, TX), t->sent, device_used(d, RX), t->received);
		answered = false;
		while (!device_read_miss_in(d, &asid, &msg)) {
			if (t->waiting && page_of(msg.iova) == t->waiting)
				continue;
			EXPECT(misses++ < pages + HANDFUL,
			       "no progress, the last miss is of page %u", page_of(msg.iova));
			PART(answer(t, asid, msg.iova));
			answered = true;
		}
		device_flush(d);
	}
	t->misses += misses;
	return true;
}

static void start(struct traffic *t, struct device *d)
{
	*t = (struct traffic){.device = d};
	device_run(d);
}

/* What other address spaces are used for is of no use to them. */
static bool start_apart(struct traffic *t, struct device *d)
{
	struct vhost_iotlb_msg msg;
	uint32_t asid;

	*t = (struct traffic){.device = d, .apart = true};
	EXPECT(!asid_accept(d, false), "no address spaces");
	EXPECT(!asid_move(d, RX, ASID_RX) && !asid_move(d, TX, ASID_TX), "refused");
	for (int queue = 0; queue < NR_QUEUES; queue++)
		while (device_start_queue(d, queue)) {
			EXPECT(!device_read_miss_in(d, &asid, &msg), "cannot start");
			PART(answer(t, asid, msg.iova));
		}
	return true;
}

/* In all address spaces. */
static bool add_all(const struct traffic *t, unsigned int nr)
{
	const struct device *d = t->device;

	for (unsigned int i = 0; i < nr; i++)
		if (t->apart)
			EXPECT(!add_in(d, ASID_RX, i) && !add_in(d, ASID_TX, i),
			       "entry %u is refused", i);
		else
			EXPECT(!add(d, i), "entry %u is refused", i);
	return true;
}

/* In the buffer at the start of @page. */
static bool receive_one(struct traffic *t, unsigned int page, uint32_t tag)
{
	struct device *d = t->device;

	device_offer(d, RX, device_iova(page), PAGE);
	t->received++;
	device_inject(d, tag);
	device_kick(d, RX);
	PART(serve(t, 1 + device_ring_pages(d)));
	EXPECT(frame_tag((uint8_t *)memory_of(d, page) + FRAME_HEADER, FRAME_SIZE) == tag,
	       "frame %u is bad", tag);
	return true;
}

/* A packet at the start of @page. */
static bool send_one(struct traffic *t, unsigned int page, uint32_t tag)
{
	struct device *d = t->device;

	frame_put(memory_of(d, page), tag);
	device_offer(d, TX, device_iova(page), FRAME_BUFFER);
	t->sent++;
	device_kick(d, TX);
	PART(serve(t, 1 + device_ring_pages(d)));
	EXPECT(device_wait_frame(d) == tag, "packet %u is bad", tag);
	return true;
}

/* The rings take one entry, and stay, because vhost knows where they are. */
static bool rings_stay(void)
{
	struct device *d = device_open();
	struct traffic t = {.device = d, .large_ring = true};
	unsigned int limit = fdinfo_limit();

	EXPECT(!device_update(d, device_iova(0), RING_PAGES * PAGE, d->memory, VHOST_ACCESS_RW),
	       "refused");
	for (int queue = 0; queue < NR_QUEUES; queue++)
		EXPECT(!device_start_queue(d, queue), "cannot start");
	device_flush(d);
	trace_open();
	for (unsigned int i = 0; i < PACKETS; i++)
		PART(send_one(&t, FIRST_PAGE + i % PAGES, i));
	if (limit > PAGES) {
		EXPECT(trace_count("evict", " ") == 0, "evictions");
		EXPECT(t.misses == PAGES, "%u misses", t.misses);
	} else {
		EXPECT(trace_count("evict", " ") > PACKETS / 2, "nothing was evicted");
		EXPECT(t.misses == PACKETS, "%u misses", t.misses);
	}
	EXPECT(trace_count("evict", "iova=0x%llx size=0x6000 perm=rw",
			   (unsigned long long)device_iova(0)) == 0,
	       "the rings were evicted");
	/* A packet needs two entries. */
	EXPECT(t.peak <= (limit < 3 ? 3 : limit), "%u entries", t.peak);
	return true;
}

/* Puts each byte of a buffer, or some of them, on a page of its own. */
static unsigned int scatter(struct segment *parts, unsigned int nr, unsigned int page,
			    unsigned int length)
{
	for (unsigned int i = 0; i < nr; i++)
		parts[i] = (struct segment){
			.iova = device_iova(page + i) + 7 * i % 3000,
			/* What does not divide is in the last one. */
			.length = i + 1 < nr ? length / nr : length - length / nr * (nr - 1),
		};
	return page + nr;
}

static void copy(const struct device *d, const struct segment *parts, unsigned int nr, void *buffer,
		 bool to_device)
{
	uint8_t *at = buffer;

	for (unsigned int i = 0; i < nr; at += parts[i++].length) {
		uint8_t *memory = d->memory + (parts[i].iova - device_iova(0));

		memcpy(to_device ? memory : at, to_device ? at : memory, parts[i].length);
	}
}

/* How the descriptors of a packet lie. */
struct layout {
	unsigned int nr_parts;
	bool indirect;
};

static void offer(struct device *d, int queue, const struct layout *l, const struct segment *parts,
		  unsigned int *page)
{
	uint64_t at;

	if (!l->indirect) {
		device_offer_chain(d, queue, parts, l->nr_parts);
		return;
	}
	/* The table begins near the end of a page. */
	at = (*page + 1) * PAGE - 3 * sizeof(struct vring_desc);
	*page += 2;
	device_offer_indirect(d, queue, (void *)(d->memory + at), device_iova(0) + at, parts,
			      l->nr_parts);
}

/* A packet in each direction at once. */
static bool exchange(struct traffic *t, const struct layout *l, uint32_t tag)
{
	struct segment sent[MAX_PARTS], received[MAX_PARTS];
	struct device *d = t->device;
	unsigned int page = device_ring_pages(d), first = page;
	/* At least a byte for each part. */
	size_t size = l->nr_parts > MANY_PARTS ? l->nr_parts + 100 : FRAME_SIZE;
	uint8_t packet[FRAME_HEADER + FRAME_MAX] = {0};

	page = scatter(sent, l->nr_parts, page, FRAME_HEADER + size);
	page = scatter(received, l->nr_parts, page, FRAME_HEADER + size);
	frame_fill_size(packet + FRAME_HEADER, size, tag);
	copy(d, sent, l->nr_parts, packet, true);
	memset(packet, 0xa5, sizeof(packet));
	copy(d, received, l->nr_parts, packet, true);

	offer(d, RX, l, received, &page);
	offer(d, TX, l, sent, &page);
	t->sent++;
	t->received++;
	device_inject_size(d, size, tag + 1);
	device_kick(d, RX);
	device_kick(d, TX);
	PART(serve(t, page - first + device_ring_pages(d)));

	EXPECT(device_wait_frame(d) == tag, "packet %u is bad", tag);
	copy(d, received, l->nr_parts, packet, false);
	EXPECT(frame_tag(packet + FRAME_HEADER, size) == tag + 1, "frame %u is bad", tag + 1);
	return true;
}

static bool exchange_some(const struct device_shape *shape, const struct layout *l, bool apart)
{
	struct device *d = device_open_shaped(shape);
	/* Two chains, their tables and the rings. */
	unsigned int all = 2 * l->nr_parts + 4 + device_ring_pages(d), limit = fdinfo_limit();
	struct traffic t;

	if (apart)
		PART(start_apart(&t, d));
	else
		start(&t, d);
	for (unsigned int i = 0; i < (l->nr_parts > MANY_PARTS ? 1 : 3); i++) {
		PART(exchange(&t, l, 100 * i + l->nr_parts));
		/* With a small limit, nothing of this is left then. */
		PART(add_all(&t, 2 * all));
	}
	EXPECT(t.peak <= limit + EXCESS, "%u entries", t.peak);
	EXPECT(t.peak <= (limit > all ? limit : all) + HANDFUL, "%u entries", t.peak);
	if (limit > 2 * all)
		EXPECT(t.misses <= all, "%u misses, with room for everything", t.misses);
	return true;
}

static bool exchange_chains(const struct device_shape *shape, bool apart)
{
	static const struct layout layouts[] = {
		{1, false}, {2, false}, {16, false}, {MANY_PARTS, false},
		{1, true},  {2, true},	{16, true},  {MANY_PARTS, true},
	};

	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++)
		PART(exchange_some(shape, &layouts[i], apart));
	return true;
}

static const struct device_shape usual_rings = {
	.ring_size = 256,
	.nr_pages = 2 * MANY_PARTS + 64,
	.features = 1ULL << VIRTIO_RING_F_INDIRECT_DESC,
};

static bool chains(void)
{
	return exchange_chains(&usual_rings, false);
}

static bool chains_apart(void)
{
	return exchange_chains(&usual_rings, true);
}

/* No part of the ring but one has a single translation that vhost could keep. */
static bool large_rings(void)
{
	return exchange_chains(
		&(struct device_shape){
			.ring_size = 1024,
			.nr_pages = 2 * MANY_PARTS + 64,
			.features = 1ULL << VIRTIO_RING_F_INDIRECT_DESC,
		},
		false);
}

/* All that a ring has, in both directions at once. */
static bool longest_chains(void)
{
	return exchange_some(
		&(struct device_shape){
			.ring_size = 1024,
			.nr_pages = 2 * MAX_PARTS + 64,
		},
		&(struct layout){MAX_PARTS, false}, false);
}

/* A frame that takes many buffers, each of which vhost asks the ring for. */
static bool merged_buffers(void)
{
	const struct device_shape shape = {
		.features = 1ULL << VIRTIO_NET_F_MRG_RXBUF,
	};
	const unsigned int length = 16, nr = (FRAME_BUFFER + length - 1) / length;
	struct device *d = device_open_shaped(&shape);
	uint8_t packet[FRAME_BUFFER + 16];
	struct traffic t;

	start(&t, d);
	for (unsigned int n = 0; n < 3; n++) {
		for (unsigned int i = 0; i < nr; i++)
			device_offer(d, RX, device_iova(FIRST_PAGE + i) + i, length);
		t.received += nr;
		device_inject(d, n);
		device_kick(d, RX);
		PART(serve(&t, nr + RING_PAGES));
		for (unsigned int i = 0; i < nr; i++)
			memcpy(packet + i * length, (uint8_t *)device_page(d, FIRST_PAGE + i) + i,
			       length);
		EXPECT(frame_tag(packet + FRAME_HEADER, FRAME_SIZE) == n, "frame %u is bad", n);
	}
	return true;
}

/* Many packets, each at another address. */
static bool stream(void)
{
	const unsigned int packets = 1000;
	unsigned int limit = fdinfo_limit();
	struct device *d = device_open();
	struct traffic t;

	start(&t, d);
	for (unsigned int i = 0; i < packets; i++)
		PART(send_one(&t, sweep_page(d, i), i));
	EXPECT(t.peak <= limit + HANDFUL, "%u entries", t.peak);
	EXPECT(t.peak >= (limit < packets ? limit : packets), "only %u entries", t.peak);
	return true;
}

/*
 * A page is used by each seventh packet, and many others are used once. If the
 * oldest went, the page would be missed each time that all others have gone.
 */
static bool hot_page(void)
{
	unsigned int limit = fdinfo_limit(), misses;
	/* Where it matters; the rest need not take as long. */
	const unsigned int packets = limit == 64 ? 10000 : 1500, hot = FIRST_PAGE;
	struct device *d = device_open();
	struct traffic t;

	start(&t, d);
	t.watched = hot;
	t.rarely = 31;
	trace_open_event("miss");
	for (unsigned int i = 0; i < packets; i++) {
		unsigned int page = sweep_page(d, i);
		/* It comes second, so that the miss is not of its attempt. */
		const struct segment parts[] = {
			{device_iova(page), FRAME_HEADER + 10},
			{device_iova(i % 7 ? page : hot) + PAGE / 2, FRAME_SIZE - 10},
		};
		uint8_t packet[FRAME_BUFFER], *second = memory_of(d, i % 7 ? page : hot);

		frame_put(packet, i);
		memcpy(memory_of(d, page), packet, parts[0].length);
		memcpy(second + PAGE / 2, packet + parts[0].length, parts[1].length);
		device_offer_chain(d, TX, parts, 2);
		t.sent++;
		device_kick(d, TX);
		PART(serve(&t, 2 + RING_PAGES));
		EXPECT(device_wait_frame(d) == i, "packet %u is bad", i);
	}
	misses =
		trace_count("miss", "iova=0x%llx", (unsigned long long)device_iova(hot) + PAGE / 2);
	EXPECT(misses == t.watched_misses, "%u events, %u messages", misses, t.watched_misses);
	EXPECT(t.misses >= packets, "only %u misses", t.misses);
	/* The rings, each part by itself, and seven packets of two parts. */
	if (limit >= RING_PAGES + 14)
		EXPECT(misses <= 4, "%u misses of a page in use", misses);
	EXPECT(t.peak <= limit + HANDFUL, "%u entries", t.peak);
	return true;
}

/* RX waits for ever: what it has used is kept, but not for ever. */
static bool waits_for_ever(void)
{
	unsigned int limit = fdinfo_limit(), packets = 3 * EXCESS + limit;
	struct device *d = device_open();
	struct traffic t;

	start(&t, d);
	t.rarely = 7;
	t.waiting = FIRST_PAGE;
	device_offer(d, RX, device_iova(FIRST_PAGE), PAGE);
	device_inject(d, 77);
	for (unsigned int i = 0; i < packets; i++) {
		PART(send_one(&t, sweep_page(d, i), i));
		/* It tries again now and then, and still waits. */
		if (i < EXCESS / 2 && i % 64 == 0)
			device_kick(d, RX);
	}
	EXPECT(t.peak <= limit + EXCESS, "%u entries", t.peak);
	EXPECT(entries(d) <= limit + HANDFUL, "%u entries stay", entries(d));

	t.waiting = 0;
	t.received = 1;
	device_kick(d, RX);
	PART(serve(&t, 1 + RING_PAGES));
	EXPECT(frame_tag((uint8_t *)device_page(d, FIRST_PAGE) + FRAME_HEADER, FRAME_SIZE) == 77,
	       "the frame is bad");
	return true;
}

/* TX waits: it keeps nothing of what is mapped in the address space of RX. */
static bool waits_elsewhere(void)
{
	const unsigned int limit = fdinfo_limit();
	struct device *d = device_open();
	unsigned int misses;
	struct traffic t;

	PART(start_apart(&t, d));
	t.waiting = FIRST_PAGE;
	frame_put(device_page(d, FIRST_PAGE), 77);
	device_offer(d, TX, device_iova(FIRST_PAGE), FRAME_BUFFER);
	device_kick(d, TX);
	PART(receive_one(&t, FIRST_PAGE + 1, 1));
	for (unsigned int i = 0; i < limit + 2 * HANDFUL; i++)
		EXPECT(!add_in(d, ASID_RX, i), "entry %u is refused", i);
	EXPECT(fdinfo_entries_in(d->fd, ASID_RX) <= (int)limit + HANDFUL, "%d entries",
	       fdinfo_entries_in(d->fd, ASID_RX));
	/* What RX keeps itself is its ring. */
	misses = t.misses;
	PART(receive_one(&t, FIRST_PAGE + 2, 2));
	EXPECT(t.misses == misses + 1, "%u misses, not just of the buffer", t.misses - misses);

	t.waiting = 0;
	t.sent = 1;
	device_kick(d, TX);
	PART(serve(&t, 1 + RING_PAGES));
	EXPECT(device_wait_frame(d) == 77, "the packet is bad");
	return true;
}

/*
 * RX, which has nothing to do, missed its ring when it started. That is over,
 * and does not keep what TX uses.
 */
static bool idle_holds_nothing(void)
{
	const unsigned int packets = 300;
	unsigned int limit = fdinfo_limit();
	struct device *d = device_open();
	struct traffic t = {.device = d};

	for (int queue = 0; queue < NR_QUEUES; queue++) {
		EXPECT(device_start_queue(d, queue) == -EFAULT, "started without a ring");
		EXPECT(!device_map(d, device_ring_page(queue, USED), VHOST_ACCESS_RW), "refused");
		EXPECT(!device_start_queue(d, queue), "cannot start");
	}
	for (unsigned int i = 0; i < packets; i++) {
		device_kick(d, RX);
		PART(send_one(&t, sweep_page(d, i), i));
	}
	EXPECT(t.peak <= limit + HANDFUL, "%u entries", t.peak);
	return true;
}

/* All that there is room for is known to the rings and to nobody else. */
static bool room_for_a_ring(void)
{
	struct device *d = device_open();
	unsigned int limit = fdinfo_limit();
	struct traffic t;

	start(&t, d);
	for (unsigned int i = 0; i < limit + 2 * EXCESS; i++)
		EXPECT(!add(d, i), "entry %u is refused", i);
	EXPECT(entries(d) <= (limit > RING_PAGES ? limit : RING_PAGES + 1), "%u entries",
	       entries(d));
	trace_open();
	PART(send_one(&t, FIRST_PAGE, 1));
	EXPECT(t.misses == 1, "%u misses, not just of the buffer", t.misses);
	return true;
}

static const struct check list[] = {
	{"never above the limit, the oldest goes", oldest_goes, STOCK_LACKS},
	{"an UPDATE that replaces evicts nothing", replacing, STOCK_LACKS},
	{"all packets go out, and the rings stay", rings_stay, STOCK_LACKS},
	{"chains of 1, 2, 16, 200 buffers, direct and indirect, both ways", chains, STOCK_LACKS},
	{"the same with rings of several pages", large_rings, STOCK_LACKS},
	{"the same with each way in an address space of its own", chains_apart, STOCK_LACKS},
	{"chains of 1000 buffers both ways", longest_chains, STOCK_LACKS},
	{"frames in merged buffers", merged_buffers, STOCK_LACKS},
	{"a stream of packets keeps to the limit", stream, STOCK_LACKS},
	{"a page in use stays beside thousands of others", hot_page, STOCK_LACKS},
	{"a virtqueue that waits for ever lets the IOTLB shrink again", waits_for_ever,
	 STOCK_LACKS},
	{"a virtqueue that waits holds nothing in another address space", waits_elsewhere,
	 STOCK_LACKS},
	{"an idle virtqueue holds nothing", idle_holds_nothing, STOCK_LACKS},
	{"the rings stay whatever is mapped", room_for_a_ring, STOCK_LACKS},
};

CHECK_GROUP(evict, list);
