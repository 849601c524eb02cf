// SPDX-License-Identifier: GPL-2.0
/*
 * The mapper changes translations, in all the ways in which vhost can be told.
 * A step begins epochs, lets the tables say so, tells vhost, and then, when
 * vhost has confirmed it, ends the epochs before.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/prctl.h>

#include "dawdle.h"
#include "race.h"
#include "report.h"

/* On the average */
#define STEPS_AT_ONCE 8
#define STORM 256

struct mapper {
	struct race *race;
	uint64_t random;
};

typedef uint64_t page_set; /* bit n is I/O virtual page n */

static page_set movable(const struct race *r, page_set pages)
{
	return r->fixed_rings ? pages & ((1ULL << FIRST_RING) - 1) : pages;
}

#define for_each_page(page, pages)                                                                 \
	for (unsigned int page = 0; page < NR_PAGES; page++)                                       \
		if ((pages)&1ULL << page)

static void begin(struct race *r, page_set pages, bool new_bank)
{
	for_each_page (page, movable(r, pages)) {
		if (!space_begin(r->space, page, new_bank))
			race_complain(r, &r->counts.stale_writes,
				      "page %u: memory was written to after its epoch", page);
		if (page >= FIRST_RING)
			ring_begin(&r->rings[(page - FIRST_RING) / NR_PARTS],
				   (page - FIRST_RING) % NR_PARTS);
	}
}

static void commit(struct race *r, page_set pages)
{
	for_each_page (page, movable(r, pages))
		space_commit(r->space, page);
}

static void begin_and_commit(struct race *r, page_set pages)
{
	begin(r, pages, false);
	commit(r, pages);
}

static void end(struct race *r, page_set pages)
{
	for_each_page (page, movable(r, pages)) {
		if (page >= FIRST_RING)
			ring_end(&r->rings[(page - FIRST_RING) / NR_PARTS],
				 (page - FIRST_RING) % NR_PARTS);
		space_end(r->space, page);
		count(&r->counts.epochs);
	}
}

static void invalidate(struct race *r, uint64_t iova, uint64_t size)
{
	nic_invalidate(&r->nic, iova, size);
	count(&r->counts.invalidations);
}

static unsigned int random_page(struct mapper *m)
{
	return random_below(&m->random, NR_PAGES);
}

static struct vhost_iotlb_op mapping_of(const struct race *r, unsigned int page)
{
	return (struct vhost_iotlb_op){
		.iova = space_iova(page),
		.size = PAGE,
		.uaddr = (uintptr_t)space_copy(r->space, page, r->space->entries[page].now),
		.type = VHOST_IOTLB_UPDATE,
		.perm = space_permission(page),
	};
}

static void change_page(struct race *r, unsigned int page)
{
	begin_and_commit(r, 1ULL << page);
	invalidate(r, space_iova(page), PAGE);
	end(r, 1ULL << page);
}

static void step_page(struct mapper *m)
{
	change_page(m->race, random_page(m));
}

/*
 * One page, more often than vhost remembers: an answer for another page is then
 * too old to tell whether it is stale.
 */
static void step_storm(struct mapper *m)
{
	unsigned int times = STORM / 2 + random_below(&m->random, STORM);
	unsigned int page = random_page(m);

	while (times--)
		change_page(m->race, page);
}

static void step_range(struct mapper *m)
{
	unsigned int first = random_page(m);
	unsigned int number = 1 + random_below(&m->random, NR_PAGES - first);
	page_set pages = ((1ULL << number) - 1) << first;

	begin_and_commit(m->race, pages);
	invalidate(m->race, space_iova(first), number * PAGE);
	end(m->race, pages);
}

static void step_all(struct mapper *m)
{
	begin_and_commit(m->race, ALL_PAGES);
	invalidate(m->race, 0, 0);
	end(m->race, ALL_PAGES);
}

/* The mapper says at once what is there now: nobody else knows it better. */
static void step_map(struct mapper *m)
{
	unsigned int page = random_page(m);
	struct vhost_iotlb_op op;
	int result;

	begin_and_commit(m->race, 1ULL << page);
	invalidate(m->race, space_iova(page), PAGE);
	end(m->race, 1ULL << page);
	op = mapping_of(m->race, page);
	result = nic_update(&m->race->nic, &op);
	if (result)
		bail_out("an UPDATE without a token failed: %s", strerror(-result));
}

static void write_batch(struct mapper *m, page_set pages)
{
	struct vhost_iotlb_op ops[3 * NR_PAGES];
	unsigned int n = 0;
	int result;

	for_each_page (page, pages) {
		ops[n++] = (struct vhost_iotlb_op){
			.iova = space_iova(page),
			.size = PAGE,
			.type = VHOST_IOTLB_INVALIDATE,
		};
		if (!random_below(&m->random, 3))
			ops[n++] = mapping_of(m->race, page);
		if (!random_below(&m->random, 16))
			ops[n++] = (struct vhost_iotlb_op){
				.iova = space_iova(random_page(m)),
				.size = PAGE,
				.type = VHOST_IOTLB_RETRY,
			};
		count(&m->race->counts.invalidations);
	}
	if (!random_below(&m->random, 16))
		ops[n++] = (struct vhost_iotlb_op){.type = VHOST_IOTLB_MISS};
	result = nic_write_ops(&m->race->nic, ops, n);
	if (result < 0)
		bail_out("a message of %u operations failed: %s", n, strerror(-result));
	if (result != (int)n)
		bail_out("of %u operations, %d were applied", n, result);
}

static void change_batch(struct mapper *m, page_set pages)
{
	begin_and_commit(m->race, pages);
	write_batch(m, pages);
	end(m->race, pages);
}

static void step_batch(struct mapper *m)
{
	page_set pages = 0;

	for (int i = 0; i < 6; i++)
		pages |= 1ULL << random_page(m);
	change_batch(m, pages);
}

static void step_long_batch(struct mapper *m)
{
	change_batch(m, ALL_PAGES);
}

static void step_retry(struct mapper *m)
{
	struct vhost_iotlb_op op = {.type = VHOST_IOTLB_RETRY};
	int result = nic_write_ops(&m->race->nic, &op, 1);

	if (result != 1)
		bail_out("RETRY failed: %s", result < 0 ? strerror(-result) : "not applied");
}

static void step_replace(struct mapper *m)
{
	begin_and_commit(m->race, ALL_PAGES);
	nic_replace_iotlb(&m->race->nic);
	count(&m->race->counts.replacements);
	end(m->race, ALL_PAGES);
}

/*
 * The same guest-physical addresses in other memory. The new memory table
 * outdates the answers by the old one; what is in the IOTLB stays until it is
 * invalidated.
 */
static void step_memory(struct mapper *m)
{
	struct race *r = m->race;

	begin(r, ALL_PAGES, true);
	space_commit_bank(r->space);
	nic_set_memory(&r->nic);
	for_each_page (page, ALL_PAGES)
		space_refuse(r->space, page);
	count(&r->counts.memory_tables);
	dawdle(&m->random);
	invalidate(r, 0, 0);
	end(r, ALL_PAGES);
}

static void start(struct race *r, int queue)
{
	ring_restart(&r->rings[queue]);
	nic_start(&r->nic, queue);
}

static void step_stop(struct mapper *m)
{
	int queue = random_below(&m->random, NR_QUEUES);
	struct race *r = m->race;
	page_set pages = 0;

	for (int i = 0; i < 6; i++)
		pages |= 1ULL << random_page(m);
	begin_and_commit(r, pages);
	nic_stop(&r->nic, queue);
	for_each_page (page, pages)
		invalidate(r, space_iova(page), PAGE);
	end(r, pages);
	start(r, queue);
	/* Without the patches, vhost has dropped what the other one waits for. */
	if (!r->nic.has_tokens)
		nic_kick(&r->nic, !queue);
}

static void step_reset(struct mapper *m)
{
	struct race *r = m->race;

	begin_and_commit(r, ALL_PAGES);
	for (int queue = 0; queue < NR_QUEUES; queue++)
		nic_stop(&r->nic, queue);
	if (random_below(&m->random, 2))
		nic_reset(&r->nic);
	else
		nic_drop_iotlb(&r->nic);
	count(&r->counts.replacements);
	end(r, ALL_PAGES);
	mapper_start(r);
}

void mapper_start(struct race *r)
{
	for (int queue = 0; queue < NR_QUEUES; queue++)
		start(r, queue);
}

struct kind {
	void (*step)(struct mapper *m);
	unsigned int weight;
	bool wants_ops;	  /* messages of version 3 */
	bool moves_rings; /* always */
	bool identity;	  /* only by the memory table */
	bool has_calm;	  /* nothing happens for a while then */
};

static const struct kind kinds[] = {
	{.step = step_page, .weight = 7000},
	{.step = step_range, .weight = 1000},
	{.step = step_storm, .weight = 20, .has_calm = true},
	{.step = step_all, .weight = 100},
	{.step = step_map, .weight = 300},
	{.step = step_batch, .weight = 1300, .wants_ops = true},
	{.step = step_long_batch, .weight = 100, .wants_ops = true},
	{.step = step_retry, .weight = 150, .wants_ops = true},
	{.step = step_replace, .weight = 30, .has_calm = true},
	{.step = step_memory, .weight = 50, .moves_rings = true, .identity = true},
	{.step = step_stop, .weight = 8, .has_calm = true},
	{.step = step_reset, .weight = 4, .has_calm = true},
};

#define NR_KINDS (sizeof(kinds) / sizeof(*kinds))

static bool is_possible(const struct race *r, const struct kind *kind)
{
	if ((kind->wants_ops && !r->nic.has_tokens) || (kind->moves_rings && r->fixed_rings))
		return false;
	return kind->identity || !r->identity;
}

static void step(struct mapper *m)
{
	const struct kind *kind;
	unsigned int all = 0, number;

	for (kind = kinds; kind < kinds + NR_KINDS; kind++)
		if (is_possible(m->race, kind))
			all += kind->weight;
	number = random_below(&m->random, all);
	for (kind = kinds;; kind++) {
		if (!is_possible(m->race, kind))
			continue;
		if (number < kind->weight)
			break;
		number -= kind->weight;
	}
	kind->step(m);
	count(&m->race->counts.steps);
	/* What is stale now is not gone with the next step. */
	if (kind->has_calm)
		nap(&m->random);
}

void mapper_run(struct race *r, uint64_t invalidations)
{
	struct mapper m = {.race = r, .random = random_start(r, 0)};

	prctl(PR_SET_TIMERSLACK, 1);
	while (get(&r->counts.invalidations) < invalidations) {
		step(&m);
		/* The others need time to get into the middle of something. */
		if (!random_below(&m.random, r->identity ? 1 : STEPS_AT_ONCE))
			dawdle(&m.random);
	}
}

void mapper_check_pages(struct race *r)
{
	/* All copies have their turn, and are looked at then. */
	for (int i = 0; i < SLOTS; i++) {
		begin_and_commit(r, ALL_PAGES);
		invalidate(r, 0, 0);
		end(r, ALL_PAGES);
	}
}
