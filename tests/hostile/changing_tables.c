// SPDX-License-Identifier: GPL-2.0
/*
 * Entries of the tables change between good and bad, one after the other, as
 * fast as can be, while the device sends and receives. Nobody can say where a
 * packet comes from, or goes; but it is the guest's memory, in which every word
 * is known.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "bad_entry.h"
#include "clock.h"
#include "hostile.h"
#include "tests/kernel/check.h"
#include "tests/walk/random.h"

/* Packets that wait for buffers, at most. */
#define MOST_FED 64

#define MOST_WORDS (REFERENCE_STEPS * 4 * (BAD_ENTRIES + 1) + GUEST_PAGES * 64)

/* A word of the tables, and what it is changed into. */
struct change {
	uint64_t *word;
	uint64_t good;
	unsigned int nr;
	uint64_t list[BAD_ENTRIES];
};

static struct change changes[REFERENCE_STEPS];
static unsigned int nr_changes;
static uint64_t known[MOST_WORDS];
static size_t nr_known;
static uint64_t nr_changed;
static bool stop;

static void know(uint64_t word)
{
	if (nr_known == MOST_WORDS)
		bail_out("too many words");
	known[nr_known++] = word;
}

static int compare_words(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool is_known(uint64_t word)
{
	return !word || word == BROUGHT_WORD || word - DATA_WORD(0) < GUEST_PAGE / 8 ||
	       bsearch(&word, known, nr_known, sizeof(word), compare_words);
}

static void prepare(const struct prison *p)
{
	for (unsigned int page = 0; page < p->guest.nr; page++)
		for (unsigned int i = 0; i < GUEST_PAGE / 8; i++)
			if ((int)page != p->bait && (int)page != p->data && p->guest.page[page][i])
				know(p->guest.page[page][i]);
	for (unsigned int i = 0; i < p->good.nr; i++) {
		const uint64_t gpa = p->good.step[i].gpa;
		struct change *c = &changes[nr_changes++];

		c->word = &prison_page(p, guest_find(&p->guest, gpa))[gpa % GUEST_PAGE / 8];
		c->good = prison_read(p, gpa);
		c->nr = bad_entries(p, gpa, c->good, c->list);
		for (unsigned int bad = 0; bad < c->nr; bad++)
			know(c->list[bad]);
	}
	qsort(known, nr_known, sizeof(*known), compare_words);
}

/* Let others see what was written, for a time of which nobody knows how long it is. */
static void linger(struct random *r)
{
	for (unsigned int n = random_below(r, 64); n; n--)
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void *change_tables(void *unused)
{
	struct random r = {1};

	(void)unused;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		const struct change *c = &changes[random_below(&r, nr_changes)];

		__atomic_store_n(c->word, c->list[random_below(&r, c->nr)], __ATOMIC_RELAXED);
		linger(&r);
		__atomic_store_n(c->word, c->good, __ATOMIC_RELAXED);
		linger(&r);
		nr_changed++;
	}
	return NULL;
}

struct counts {
	unsigned int sent, waits, received, fed, strange, bait;
	bool is_stuck;
};

static void look_at_sent(const struct inmate *in, struct counts *c)
{
	for (unsigned int i = 0; i < INMATE_DATA / 8; i++) {
		c->bait += in->sent[i] == prison_bait_entry(&in->prison);
		if (is_known(in->sent[i]))
			continue;
		if (c->strange++ < 10)
			printf("# a packet with 0x%" PRIx64 "\n", in->sent[i]);
	}
}

static void receive(struct inmate *in, struct counts *c, unsigned int used_before)
{
	const unsigned int received = (uint16_t)(device_used(in->device, RX) - used_before);

	if (received > c->received % 65536)
		in->offered[RX] = false;
	c->received = received;
	if (c->fed - c->received < MOST_FED) {
		inmate_feed(in);
		c->fed++;
	}
	inmate_offer(in, RX, inmate_address(in));
}

static bool is_enough(const struct counts *c)
{
	return c->sent > 20 && c->received > 20 && c->waits > 10;
}

/* Each buffer has another address, so that each is missed anew. */
static void flow(struct inmate *in, struct counts *c, unsigned int seconds)
{
	const unsigned int used_before = device_used(in->device, RX);
	const double start = clock_seconds(), limit = start + LIMIT_MS / 1000.0;

	while (!c->is_stuck && clock_seconds() < limit &&
	       (clock_seconds() < start + seconds || !is_enough(c))) {
		const uint64_t iova = inmate_address(in);

		receive(in, c, used_before);
		inmate_offer(in, TX, iova);
		switch (inmate_wait(in, iova)) {
		case INMATE_DONE:
			look_at_sent(in, c);
			c->sent++;
			break;
		case INMATE_WAITS:
			c->waits++;
			break;
		default:
			c->is_stuck = true;
		}
		inmate_invalidate(in);
	}
}

void check_changing_tables(struct inmate *in, unsigned int seconds)
{
	struct counts c = {0};
	pthread_t thread;

	prepare(&in->prison);
	in->is_mute = true;
	if (pthread_create(&thread, NULL, change_tables, NULL))
		bail_out("cannot make a thread");
	flow(in, &c, seconds);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	in->is_mute = false;

	printf("# %" PRIu64 " changes; %u packets sent, %u received, %u times none went\n",
	       nr_changed, c.sent, c.received, c.waits);
	print_result(!c.is_stuck && is_enough(&c), "entries change while packets flow");
	print_result(!c.bait && !c.strange, "all that was sent is of the guest");
	print_result(prison_is_intact(&in->prison), "nothing else was changed");

	prison_restore(&in->prison);
	inmate_invalidate(in);
	in->answers = 0;
	print_result(inmate_send(in, inmate_address(in)) && inmate_send(in, inmate_address(in)),
		     "with good tables, packets get through");
}
