// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "top/model.h"

/* A source of which the tests set every reading and owner. */
struct source {
	struct source_reading readings[16];
	size_t nr_readings;
	struct vhost_device owners[4];
	size_t nr_owners;
	uint64_t lost;
	uint64_t unavailable;
	int can_reclaim;
	int stopped;
	int reclaimed;
	/* Counted while the device was about to be reclaimed. */
	uint64_t late_misses;
};

static int fake_mark(struct source *source)
{
	(void)source;
	return 0;
}

static int fake_owners(struct source *source, vhost_device_fn fn, void *arg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < source->nr_owners && !err; i++)
		err = fn(&source->owners[i], arg);
	return err;
}

static int fake_read(struct source *source, source_fn fn, void *arg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < source->nr_readings && !err; i++)
		err = fn(&source->readings[i], arg);
	return err;
}

static int fake_reclaim(struct source *source, source_gone_fn gone, source_fn fn, void *arg)
{
	size_t i, kept = 0;
	int err = 0;

	if (!source->can_reclaim)
		return -EOPNOTSUPP;
	for (i = 0; i < source->nr_readings && !err; i++) {
		const struct iotlb_thing thing = {
			.dev = source->readings[i].dev,
			.vq = source->readings[i].vq,
			.asid = source->readings[i].asid,
		};

		if (!gone(&thing, arg)) {
			source->readings[kept++] = source->readings[i];
			continue;
		}
		source->readings[i].counters.count[IOTLB_MISS] += source->late_misses;
		source->reclaimed++;
		err = fn(&source->readings[i], arg);
	}
	source->nr_readings = kept;
	return err;
}

static uint64_t fake_lost(struct source *source)
{
	return source->lost;
}

static uint64_t fake_unavailable(struct source *source)
{
	return source->unavailable;
}

static void fake_stop(struct source *source)
{
	source->stopped++;
}

static const struct source_ops fake = {
	.mark = fake_mark,
	.owners = fake_owners,
	.read = fake_read,
	.reclaim = fake_reclaim,
	.lost = fake_lost,
	.unavailable = fake_unavailable,
	.stop = fake_stop,
};

static struct source source;
static struct model *model;
static struct top_sample sample;

static int setup(void **state)
{
	(void)state;
	source = (struct source){.can_reclaim = 1};
	model = model_new(&fake, &source, 0);
	return !model;
}

static int teardown(void **state)
{
	(void)state;
	model_free(model);
	return 0;
}

static struct source_reading *reading(uint64_t dev, uint32_t vq, uint64_t misses)
{
	struct source_reading *r = &source.readings[source.nr_readings++];

	*r = (struct source_reading){.dev = dev, .vq = vq};
	r->counters.count[IOTLB_MISS] = misses;
	return r;
}

static void owner(pid_t pid, uint64_t dev, const char *comm)
{
	struct vhost_device *o = &source.owners[source.nr_owners++];

	*o = (struct vhost_device){.pid = pid, .has_id = true, .id = dev};
	snprintf(o->comm, sizeof(o->comm), "%s", comm);
	strcpy(o->path, "/dev/vhost-net");
}

static void take(bool final)
{
	assert_int_equal(model_sample(model, final, &sample), 0);
}

static uint64_t delta_misses(size_t device, size_t queue)
{
	return sample.devices[device]->queues[queue].tally.delta.count[IOTLB_MISS];
}

static uint64_t total_misses(size_t device, size_t queue)
{
	return sample.devices[device]->queues[queue].tally.total.count[IOTLB_MISS];
}

static void a_sample_holds_what_happened_since_the_last(void **state)
{
	struct source_reading *r = reading(7, 1, 10);

	(void)state;
	owner(42, 7, "qemu");
	take(false);
	assert_int_equal(sample.count, 1);
	assert_int_equal(delta_misses(0, 0), 10);
	r->counters.count[IOTLB_MISS] = 13;
	take(false);
	assert_int_equal(delta_misses(0, 0), 3);
	assert_int_equal(total_misses(0, 0), 13);
	assert_int_equal(sample.sum.count[IOTLB_MISS], 3);
	assert_int_equal(sample.sum_total.count[IOTLB_MISS], 13);
}

static void several_readings_of_one_thing_add_up(void **state)
{
	(void)state;
	owner(42, 7, "qemu");
	reading(7, 1, 10);
	reading(7, 1, 5);
	take(false);
	assert_int_equal(sample.devices[0]->count, 1);
	assert_int_equal(total_misses(0, 0), 15);
}

static void devices_and_queues_are_in_order(void **state)
{
	(void)state;
	owner(42, 9, "qemu");
	owner(41, 7, "qemu");
	reading(9, 1, 1);
	reading(7, 3, 2);
	reading(7, 0, 3);
	reading(7, IOTLB_VQ_DEVICE, 0)->counters.count[IOTLB_UPDATE] = 4;
	take(false);
	assert_int_equal(sample.count, 2);
	assert_int_equal(sample.devices[0]->id, 7);
	assert_int_equal(sample.devices[0]->count, 2);
	assert_int_equal(sample.devices[0]->queues[0].vq, 0);
	assert_int_equal(sample.devices[0]->queues[1].vq, 3);
	assert_int_equal(sample.devices[0]->tally.total.count[IOTLB_UPDATE], 4);
	assert_int_equal(sample.devices[0]->sum.count[IOTLB_MISS], 5);
	assert_int_equal(sample.devices[1]->id, 9);
}

static void an_idle_device_is_shown(void **state)
{
	(void)state;
	owner(42, 7, "qemu");
	take(false);
	assert_int_equal(sample.count, 1);
	assert_int_equal(sample.devices[0]->count, 0);
	assert_int_equal(sample.devices[0]->state, TOP_HELD);
	assert_string_equal(sample.devices[0]->path, "/dev/vhost-net");
}

static void a_device_has_an_interface_and_entries(void **state)
{
	(void)state;
	owner(42, 7, "qemu");
	strcpy(source.owners[0].tap, "tap0");
	source.owners[0].has_iotlb = true;
	source.owners[0].entries = 5;
	source.owners[0].limit = 2048;
	take(false);
	assert_string_equal(sample.devices[0]->tap, "tap0");
	assert_true(sample.devices[0]->has_entries);
	assert_int_equal(sample.devices[0]->entries, 5);
	assert_int_equal(sample.devices[0]->limit, 2048);

	/* Without a backend for a moment, it is the same device still. */
	source.owners[0].tap[0] = '\0';
	source.owners[0].has_iotlb = false;
	take(false);
	assert_string_equal(sample.devices[0]->tap, "tap0");
	assert_false(sample.devices[0]->has_entries);
	source.owners[0].has_iotlb = true;
	take(false);
	source.nr_owners = 0;
	take(false);
	assert_int_equal(sample.devices[0]->state, TOP_GONE);
	assert_false(sample.devices[0]->has_entries);
}

static void a_device_that_is_gone_is_shown_once_more(void **state)
{
	(void)state;
	owner(42, 7, "qemu");
	reading(7, 0, 10);
	take(false);
	source.nr_owners = 0;
	source.readings[0].counters.count[IOTLB_MISS] = 12;
	take(false);
	assert_int_equal(sample.count, 1);
	assert_int_equal(sample.devices[0]->state, TOP_GONE);
	assert_string_equal(sample.devices[0]->comm, "qemu");
	assert_int_equal(delta_misses(0, 0), 2);
	take(false);
	assert_int_equal(sample.count, 0);
	assert_int_equal(source.reclaimed, 1);
	assert_int_equal(source.nr_readings, 0);
}

static void the_final_sample_tells_of_all(void **state)
{
	(void)state;
	reading(7, 0, 10);
	take(false);
	take(false);
	assert_int_equal(sample.count, 0);
	take(true);
	assert_int_equal(source.stopped, 1);
	assert_int_equal(sample.count, 1);
	assert_int_equal(sample.devices[0]->state, TOP_RETIRED);
	assert_int_equal(delta_misses(0, 0), 0);
	assert_int_equal(total_misses(0, 0), 10);
	assert_int_equal(sample.sum_total.count[IOTLB_MISS], 10);
}

static void nothing_counted_at_the_last_moment_is_lost(void **state)
{
	(void)state;
	reading(7, 0, 10);
	source.late_misses = 3;
	take(false);
	take(false);
	/* Shown again, so that the deltas still add up to the total. */
	assert_int_equal(sample.count, 1);
	assert_int_equal(delta_misses(0, 0), 3);
	assert_int_equal(total_misses(0, 0), 13);
}

static void a_device_may_come_back(void **state)
{
	(void)state;
	reading(7, 0, 10);
	take(false);
	take(false);
	owner(42, 7, "qemu");
	reading(7, 0, 4);
	take(false);
	assert_int_equal(sample.count, 1);
	assert_int_equal(sample.devices[0]->state, TOP_HELD);
	assert_int_equal(delta_misses(0, 0), 4);
	assert_int_equal(total_misses(0, 0), 14);
}

static void without_reclaiming_the_gone_are_shown_once_too(void **state)
{
	(void)state;
	source.can_reclaim = 0;
	reading(7, 0, 10);
	take(false);
	assert_int_equal(sample.count, 1);
	take(false);
	assert_int_equal(sample.count, 0);
	take(true);
	assert_int_equal(total_misses(0, 0), 10);
}

static void the_worker_tells_the_owner_from_a_helper(void **state)
{
	(void)state;
	/* The daemon holds a duplicate, and comes first. */
	owner(40, 7, "iotlbd");
	owner(42, 7, "qemu");
	reading(7, 0, 1)->tgid = 42;
	take(false);
	take(false);
	assert_int_equal(sample.devices[0]->pid, 42);
	assert_string_equal(sample.devices[0]->comm, "qemu");
}

static void a_device_too_short_lived_has_a_name_still(void **state)
{
	struct source_reading *r = reading(7, 0, 1);

	(void)state;
	r->tgid = 42;
	strcpy(r->comm, "qe\033mu");
	take(false);
	assert_int_equal(sample.devices[0]->state, TOP_GONE);
	assert_int_equal(sample.devices[0]->pid, 42);
	assert_string_equal(sample.devices[0]->comm, "qe?mu");
}

static void only_the_process_asked_for_counts(void **state)
{
	(void)state;
	model_free(model);
	model = model_new(&fake, &source, 42);
	owner(42, 7, "qemu");
	owner(43, 8, "other");
	reading(7, 0, 1);
	reading(8, 0, 100);
	take(false);
	assert_int_equal(sample.count, 1);
	assert_int_equal(sample.devices[0]->id, 7);
	assert_int_equal(sample.sum_total.count[IOTLB_MISS], 1);
}

static void totals_outlive_the_oldest(void **state)
{
	uint64_t dev;

	(void)state;
	for (dev = 1; dev <= MODEL_RETIRED_MAX + 10; dev++) {
		reading(dev, 0, 1);
		take(false);
	}
	take(true);
	assert_int_equal(sample.count, MODEL_RETIRED_MAX);
	assert_int_equal(sample.devices[0]->id, 11);
	assert_int_equal(sample.sum_total.count[IOTLB_MISS], MODEL_RETIRED_MAX + 10);
}

static void losses_are_told(void **state)
{
	(void)state;
	source.lost = 5;
	take(false);
	assert_int_equal(sample.lost, 5);
	source.lost = 7;
	take(false);
	assert_int_equal(sample.lost, 2);
	assert_int_equal(sample.lost_total, 7);
}

static void misses_that_change_hands_add_up(void **state)
{
	struct source_reading *r = reading(7, 1, 10), *device = reading(7, IOTLB_VQ_DEVICE, 0);

	(void)state;
	owner(42, 7, "qemu");
	r->counters.count[IOTLB_FALLBACK_TIMEOUT] = 7;
	reading(7, 0, 0)->counters.count[IOTLB_FALLBACK_TIMEOUT] = 2;
	r->counters.count[IOTLB_FALLBACK_REFUSED] = 3;
	device->counters.count[IOTLB_UPDATE_STALE] = 5;
	take(false);
	r->counters.count[IOTLB_FALLBACK_TIMEOUT] = 11;
	r->counters.count[IOTLB_FALLBACK_DETACHED] = 1;
	take(false);
	assert_int_equal(sample.sum.count[IOTLB_FALLBACK_TIMEOUT], 4);
	assert_int_equal(sample.sum.count[IOTLB_FALLBACK_REFUSED], 0);
	assert_int_equal(sample.sum.count[IOTLB_FALLBACK_DETACHED], 1);
	assert_int_equal(sample.sum.count[IOTLB_UPDATE_STALE], 0);
	assert_int_equal(sample.sum_total.count[IOTLB_FALLBACK_TIMEOUT], 13);
	assert_int_equal(sample.sum_total.count[IOTLB_UPDATE_STALE], 5);
	assert_int_equal(sample.devices[0]->tally.total.count[IOTLB_UPDATE_STALE], 5);
	assert_int_equal(sample.sum_total.count[IOTLB_UPDATE_FAILED], 0);
}

static void what_the_source_cannot_have_is_told(void **state)
{
	(void)state;
	source.unavailable = UNAVAILABLE_LATENCY;
	take(false);
	assert_true(sample.unavailable == UNAVAILABLE_LATENCY);
}

/* The watchdog was the first to be seen, and its thread says nothing. */
static void the_owner_may_become_known_later(void **state)
{
	struct source_reading *r = reading(7, 0, 0);

	(void)state;
	owner(40, 7, "iotlbd");
	owner(42, 7, "qemu");
	r->counters.count[IOTLB_FALLBACK_TIMEOUT] = 1;
	take(false);
	assert_int_equal(sample.devices[0]->pid, 40);
	r->tgid = 42;
	strcpy(r->comm, "qemu");
	take(false);
	assert_int_equal(sample.devices[0]->pid, 42);
	assert_string_equal(sample.devices[0]->comm, "qemu");
}

/* Puts a virtqueue of the first owner's device into an address space. */
static void move(uint32_t vq, uint32_t asid)
{
	struct vhost_device *o = &source.owners[0];
	size_t i;

	o->has_iotlb = true;
	for (i = 0; i < o->nr_spaces; i++)
		o->spaces[i].vqs &= ~(1ULL << vq);
	for (i = 0; i < o->nr_spaces; i++)
		if (!o->spaces[i].vqs)
			o->spaces[i] = o->spaces[--o->nr_spaces];
	for (i = 0; i < o->nr_spaces && o->spaces[i].asid != asid; i++)
		;
	if (asid && i == o->nr_spaces)
		o->spaces[o->nr_spaces++] = (struct vhost_space){.asid = asid, .entries = asid};
	if (asid)
		o->spaces[i].vqs |= 1ULL << vq;
}

static void assert_space(size_t space, uint32_t asid, uint64_t misses, uint64_t updates)
{
	const struct top_space *s = &sample.devices[0]->spaces[space];

	assert_int_equal(s->asid, asid);
	assert_int_equal(s->sum_total.count[IOTLB_MISS], misses);
	assert_int_equal(s->sum_total.count[IOTLB_UPDATE], updates);
}

static void who_has_but_one_address_space_has_none(void **state)
{
	(void)state;
	owner(42, 7, "qemu");
	source.owners[0].has_iotlb = true;
	reading(7, 1, 10);
	take(false);
	assert_int_equal(sample.devices[0]->nr_spaces, 0);
	assert_int_equal(sample.devices[0]->queues[0].asid, 0);
}

static void counts_are_shared_out_among_address_spaces(void **state)
{
	struct source_reading *rx = reading(7, 0, 10), *tx = reading(7, 1, 5);
	struct source_reading *device = reading(7, IOTLB_VQ_DEVICE, 0), *five;

	(void)state;
	owner(42, 7, "qemu");
	source.owners[0].has_iotlb = true;
	device->counters.count[IOTLB_UPDATE] = 15;
	take(false);

	/* What was before the first one is of 0. */
	move(1, 5);
	tx->counters.count[IOTLB_MISS] += 3;
	rx->counters.count[IOTLB_MISS] += 1;
	device->counters.count[IOTLB_UPDATE] += 1;
	five = reading(7, IOTLB_VQ_SPACE, 0);
	five->asid = 5;
	five->counters.count[IOTLB_UPDATE] = 3;
	take(false);
	assert_int_equal(sample.devices[0]->nr_spaces, 2);
	assert_space(0, 0, 16, 16);
	assert_space(1, 5, 3, 3);
	assert_int_equal(sample.devices[0]->spaces[1].entries, 5);
	assert_int_equal(sample.devices[0]->spaces[0].sum.count[IOTLB_UPDATE], 1);
	assert_int_equal(sample.devices[0]->queues[1].asid, 5);
	/* The virtqueue has kept what it had, and the device has it once. */
	assert_int_equal(total_misses(0, 1), 8);
	assert_int_equal(sample.sum_total.count[IOTLB_MISS], 19);
	assert_int_equal(sample.sum_total.count[IOTLB_UPDATE], 19);
}

static void who_moves_leaves_its_counts_behind(void **state)
{
	struct source_reading *tx = reading(7, 1, 5), *five = reading(7, IOTLB_VQ_SPACE, 0);

	(void)state;
	owner(42, 7, "qemu");
	move(1, 5);
	five->asid = 5;
	five->counters.count[IOTLB_UPDATE] = 5;
	take(false);
	move(1, 9);
	tx->counters.count[IOTLB_MISS] += 2;
	take(false);
	assert_int_equal(sample.devices[0]->nr_spaces, 3);
	assert_space(1, 5, 5, 5);
	assert_space(2, 9, 2, 0);
	assert_int_equal(sample.devices[0]->spaces[1].state, TOP_GONE);
	assert_false(sample.devices[0]->spaces[1].has_entries);
	assert_int_equal(sample.devices[0]->spaces[2].state, TOP_HELD);

	/* Its slot is given back, and it may come back itself. */
	take(false);
	assert_int_equal(source.reclaimed, 1);
	assert_int_equal(sample.devices[0]->spaces[1].state, TOP_RETIRED);
	move(1, 5);
	tx->counters.count[IOTLB_MISS] += 4;
	take(false);
	assert_space(1, 5, 9, 5);
	assert_int_equal(sample.devices[0]->spaces[1].state, TOP_HELD);
}

static void who_is_gone_is_where_it_missed(void **state)
{
	struct source_reading *tx = reading(7, 1, 5);

	(void)state;
	tx->asid = 9;
	take(false);
	assert_int_equal(sample.devices[0]->nr_spaces, 2);
	assert_space(0, 0, 0, 0);
	assert_space(1, 9, 5, 0);
	assert_int_equal(sample.devices[0]->spaces[1].state, TOP_GONE);
}

static void address_spaces_are_forgotten_but_not_their_counts(void **state)
{
	struct source_reading *device = reading(7, IOTLB_VQ_DEVICE, 0), *space;
	uint32_t asid;

	(void)state;
	owner(42, 7, "qemu");
	source.owners[0].has_iotlb = true;
	for (asid = 1; asid <= 3 * 64; asid++) {
		space = reading(7, IOTLB_VQ_SPACE, 0);
		space->asid = asid;
		space->counters.count[IOTLB_INVALIDATE] = 2;
		take(false);
	}
	device->counters.count[IOTLB_INVALIDATE]++;
	take(true);
	assert_in_range(sample.devices[0]->nr_spaces, 64, 66);
	assert_int_equal(sample.devices[0]->spaces[0].sum_total.count[IOTLB_INVALIDATE], 1);
	assert_int_equal(sample.sum_total.count[IOTLB_INVALIDATE], 2 * 3 * 64 + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sample_holds_what_happened_since_the_last),
		TEST(several_readings_of_one_thing_add_up),
		TEST(devices_and_queues_are_in_order),
		TEST(an_idle_device_is_shown),
		TEST(a_device_has_an_interface_and_entries),
		TEST(a_device_that_is_gone_is_shown_once_more),
		TEST(the_final_sample_tells_of_all),
		TEST(nothing_counted_at_the_last_moment_is_lost),
		TEST(a_device_may_come_back),
		TEST(without_reclaiming_the_gone_are_shown_once_too),
		TEST(the_worker_tells_the_owner_from_a_helper),
		TEST(a_device_too_short_lived_has_a_name_still),
		TEST(only_the_process_asked_for_counts),
		TEST(totals_outlive_the_oldest),
		TEST(losses_are_told),
		TEST(misses_that_change_hands_add_up),
		TEST(what_the_source_cannot_have_is_told),
		TEST(the_owner_may_become_known_later),
		TEST(who_has_but_one_address_space_has_none),
		TEST(counts_are_shared_out_among_address_spaces),
		TEST(who_moves_leaves_its_counts_behind),
		TEST(who_is_gone_is_where_it_missed),
		TEST(address_spaces_are_forgotten_but_not_their_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
