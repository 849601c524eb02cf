// SPDX-License-Identifier: GPL-2.0
/*
 * The driver: sends packets and receives frames, and looks at what memory the
 * device has used for it.
 */
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_ether.h>

#include "bench/frame.h"
#include "bench/layout.h"
#include "race.h"
#include "report.h"

/* Waits end with an event; this is for the end of the run. */
#define LOOK_MS 100

/* A frame for the device, without what vhost puts before it. */
#define FRAME_BYTES 64

/* Of packets, whose in-flight number changes then. */
#define PHASE 64

/* Packets after the last change: now there is but one right epoch. */
#define LAST_PACKETS 200

/* What makes up a packet. */
struct sent {
	unsigned int pages[3];
	uint64_t ended[3]; /* epochs of these, when it was made available */
	struct ring_ended rings;
};

struct posted {
	uint64_t epoch; /* of its page, if no other can be used; else NO_EPOCH */
	struct ring_ended rings;
};

#define NO_EPOCH UINT64_MAX

struct traffic {
	struct race *race;
	struct ring *tx, *rx;
	struct sent sent[IN_FLIGHT];	 /* by number % IN_FLIGHT */
	struct posted posted[IN_FLIGHT]; /* likewise */
	uint64_t arrived;		 /* packets */
	uint64_t injected;		 /* frames */
	unsigned int window;		 /* packets in flight */
	uint64_t random;
};

static bool may_send(const struct traffic *t)
{
	/* It has arrived and vhost has given its buffer back. */
	return ring_has_room(t->tx) && t->tx->published - t->arrived < t->window &&
	       t->tx->published - t->tx->taken < t->window;
}

static void choose_window(struct traffic *t)
{
	/*
	 * A packet that waits behind others tells little of the moment when it
	 * was made available: most of the time there is only one or two.
	 */
	static const unsigned int windows[] = {1, 1, 2, IN_FLIGHT};

	if (t->tx->published % PHASE == 0)
		t->window = windows[random_below(&t->random, 4)];
}

static void send_packet(struct traffic *t)
{
	struct sent *sent = &t->sent[t->tx->published % IN_FLIGHT];
	struct space *s = t->race->space;
	struct buffer buffer;

	sent->pages[0] = FIRST_TX + random_below(&t->random, NR_TX);
	sent->pages[1] = FIRST_TX + random_below(&t->random, NR_TX - 1);
	sent->pages[2] = sent->pages[1] + 1;
	buffer = (struct buffer){
		.iova = {space_iova(sent->pages[0]) + HEAD_AT,
			 space_iova(sent->pages[1]) + TAIL_AT},
		.length = {HEAD_SIZE, TAIL_SIZE},
	};
	for (int i = 0; i < 3; i++)
		sent->ended[i] = get(&s->entries[sent->pages[i]].ended);
	ring_publish(t->tx, &buffer, &sent->rings);
	choose_window(t);
}

static void check_stamp(struct traffic *t, const struct sent *sent, int part, const uint8_t *stamp)
{
	uint64_t epoch;

	switch (space_check(t->race->space, stamp, sent->pages[part], sent->ended[part], &epoch)) {
	case STAMP_GOOD:
		break;
	case STAMP_STALE:
		race_complain(t->race, &t->race->counts.stale_data,
			      "packet %" PRIu64 ", part %d: page %u of epoch %" PRIu64
			      ", but all before %" PRIu64 " had ended when it was sent",
			      t->arrived, part, sent->pages[part], epoch, sent->ended[part]);
		break;
	case STAMP_TORN:
		race_complain(t->race, &t->race->counts.stale_data,
			      "packet %" PRIu64 ", part %d: what it holds was never in page %u",
			      t->arrived, part, sent->pages[part]);
		break;
	}
}

static void check_packet(struct traffic *t, const uint8_t *frame, ssize_t size)
{
	const struct sent *sent = &t->sent[t->arrived % IN_FLIGHT];
	ssize_t least = HEAD_SIZE - VNET_HEADER_SIZE + TAIL_SIZE;

	if (size < least || size >= least + PADS) {
		race_complain(t->race, &t->race->counts.corrupt, "a packet of %zd bytes", size);
		return;
	}
	for (int part = 0; part < 3; part++)
		check_stamp(t, sent, part, frame + ETH_HLEN + part * sizeof(struct stamp));
	if (!ring_pad_is_good(t->tx, size - least, sent->rings.desc))
		race_complain(t->race, &t->race->counts.stale_descriptors,
			      "packet %" PRIu64 ": descriptors of an epoch that had ended; they "
			      "say %zd of %u, and all before %" PRIu64 " had ended",
			      t->arrived, size - least, PADS, sent->rings.desc);
}

static void collect_packets(struct traffic *t)
{
	uint8_t frame[256];
	ssize_t size;

	while ((size = recv(t->race->nic.tap.packet, frame, sizeof(frame), MSG_DONTWAIT)) >= 0) {
		if (t->arrived == t->tx->published) {
			race_complain(t->race, &t->race->counts.corrupt,
				      "more packets than were sent");
			continue;
		}
		check_packet(t, frame, size);
		t->arrived++;
		count(&t->race->counts.packets);
	}
}

static void check_used(struct traffic *t, const struct ring *r, const struct used *used,
		       uint64_t ended)
{
	if (used->is_late)
		race_complain(t->race, &t->race->counts.stale_writes,
			      "queue %d, buffer %" PRIu64
			      " was given back in a used ring whose epoch had ended",
			      r->queue, r->taken - 1);
	if (!ring_head_is_good(r, r->taken - 1, used->head, ended))
		race_complain(t->race, &t->race->counts.stale_heads,
			      "queue %d, buffer %" PRIu64
			      ": an available ring of an epoch that had ended; it said %u, and all "
			      "before %" PRIu64 " had ended",
			      r->queue, r->taken - 1, used->head, ended);
}

static void take_sent(struct traffic *t)
{
	struct used used;

	while (ring_take(t->tx, &used))
		check_used(t, t->tx, &used, t->sent[(t->tx->taken - 1) % IN_FLIGHT].rings.avail);
}

static unsigned int rx_page(uint64_t number)
{
	return FIRST_RX + number % NR_RX;
}

static void post_buffer(struct traffic *t)
{
	struct posted *posted = &t->posted[t->rx->published % IN_FLIGHT];
	unsigned int page = rx_page(t->rx->published);
	const struct entry *e = &t->race->space->entries[page];
	struct buffer buffer = {.iova = {space_iova(page)}, .length = {RX_SIZE}};

	/* While a translation changes, the device may use either. */
	posted->epoch = get(&e->ended);
	if (posted->epoch != get(&e->epoch))
		posted->epoch = NO_EPOCH;
	ring_publish(t->rx, &buffer, &posted->rings);
}

static void build_frame(uint8_t *frame, uint64_t number)
{
	static const uint8_t head[ETH_HLEN] = {
		2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, FRAME_ETHERTYPE >> 8, FRAME_ETHERTYPE & 0xff,
	};

	memcpy(frame, head, sizeof(head));
	for (size_t i = sizeof(head); i < FRAME_BYTES; i++)
		frame[i] = number * 31 + i * 7;
	memcpy(frame + sizeof(head), &number, sizeof(number));
}

static void inject_frame(struct traffic *t)
{
	uint8_t frame[FRAME_BYTES];

	build_frame(frame, t->injected);
	if (send(t->race->nic.tap.packet, frame, sizeof(frame), MSG_DONTWAIT) != sizeof(frame))
		bail_out_errno("cannot send to the tap");
	t->injected++;
}

static void check_frame(struct traffic *t, uint64_t number, uint32_t length)
{
	const struct posted *posted = &t->posted[number % IN_FLIGHT];
	unsigned int page = rx_page(number);
	uint8_t received[RX_SIZE], expected[FRAME_BYTES];
	const struct entry *e = &t->race->space->entries[page];
	uint64_t epoch;

	if (length != VNET_HEADER_SIZE + FRAME_BYTES)
		race_complain(t->race, &t->race->counts.corrupt, "a frame of %u bytes", length);

	/* Only if this one memory was all that the device could use. */
	if (posted->epoch == NO_EPOCH)
		return;
	memcpy(received, space_walk(t->race->space, page, &epoch), sizeof(received));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (get(&e->epoch) != posted->epoch)
		return;
	count(&t->race->counts.checked);
	build_frame(expected, number);
	if (memcmp(received + VNET_HEADER_SIZE, expected, sizeof(expected)))
		race_complain(t->race, &t->race->counts.corrupt,
			      "frame %" PRIu64 " is not in page %u", number, page);
}

static void take_received(struct traffic *t)
{
	struct used used;

	while (ring_take(t->rx, &used)) {
		uint64_t number = t->rx->taken - 1;

		check_used(t, t->rx, &used, t->posted[number % IN_FLIGHT].rings.avail);
		check_frame(t, number, used.length);
		count(&t->race->counts.frames);
	}
}

static void wait_for_event(const struct traffic *t)
{
	const struct nic *n = &t->race->nic;
	struct pollfd fds[] = {
		{.fd = n->tap.packet, .events = POLLIN},
		{.fd = n->call[RX], .events = POLLIN},
		{.fd = n->call[TX], .events = POLLIN},
	};
	uint64_t signals;

	if (poll(fds, 3, LOOK_MS) <= 0)
		return;
	for (int queue = 0; queue < NR_QUEUES; queue++)
		if (fds[1 + queue].revents)
			(void)!read(n->call[queue], &signals, sizeof(signals));
}

static void exchange(struct traffic *t, bool stopping)
{
	bool kick[NR_QUEUES] = {false};

	while (!stopping && may_send(t)) {
		send_packet(t);
		kick[TX] = true;
	}
	while (ring_has_room(t->rx)) {
		post_buffer(t);
		kick[RX] = true;
	}
	while (!stopping && t->injected - t->rx->taken < t->window)
		inject_frame(t);
	for (int queue = 0; queue < NR_QUEUES; queue++)
		if (kick[queue])
			nic_kick(&t->race->nic, queue);
}

void *traffic_run(void *arg)
{
	struct race *r = arg;
	struct traffic t = {
		.race = r,
		.tx = &r->rings[TX],
		.rx = &r->rings[RX],
		.window = 1,
		.random = random_start(r, 1),
	};
	uint64_t last = UINT64_MAX;
	bool stopping;

	do {
		if (last == UINT64_MAX && is_set(&r->mapper_done))
			last = t.tx->published + LAST_PACKETS;
		stopping = t.tx->published >= last;
		exchange(&t, stopping);
		wait_for_event(&t);
		collect_packets(&t);
		take_sent(&t);
		take_received(&t);
	} while (!stopping || t.arrived < t.tx->published || t.tx->taken < t.tx->published ||
		 t.rx->taken < t.injected);
	set_flag(&r->traffic_done);
	return NULL;
}
