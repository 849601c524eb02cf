// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "record/owners.h"

/* What the source below has, and how often it was asked for owners. */
static uint64_t counted, owned;
static int looks, told;

static int fake_owners(struct source *source, vhost_device_fn fn, void *arg)
{
	uint64_t id;
	int err = 0;

	(void)source;
	looks++;
	for (id = 1; id <= owned && !err; id++)
		err = fn(&(struct vhost_device){.has_id = true, .id = id, .pid = 7}, arg);
	return err;
}

static int fake_read(struct source *source, source_fn fn, void *arg)
{
	uint64_t id;
	int err = 0;

	(void)source;
	for (id = 1; id <= counted && !err; id++)
		err = fn(&(struct source_reading){.dev = id}, arg);
	return err;
}

static void fake_close(struct source *source)
{
	(void)source;
}

static const struct source_ops fake = {
	.owners = fake_owners,
	.read = fake_read,
	.close = fake_close,
};

static int setup(void **state)
{
	(void)state;
	counted = owned = 0;
	looks = 0;
	owners_init(&fake);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	source_owners.close(NULL);
	return 0;
}

static int tell(const struct vhost_device *device, void *arg)
{
	(void)arg;
	assert_int_equal(device->pid, 7);
	told++;
	return 0;
}

/* How many owners there are said to be. */
static int owners(void)
{
	told = 0;
	assert_int_equal(source_owners.owners(NULL, tell, NULL), 0);
	return told;
}

static void owners_are_remembered(void **state)
{
	int i;

	(void)state;
	owned = 40;
	for (i = 0; i < 3; i++)
		assert_int_equal(owners(), 40);
	assert_int_equal(looks, 1);
}

static void a_new_device_is_looked_for_twice(void **state)
{
	(void)state;
	owned = 1;
	assert_int_equal(owners(), 1);
	counted = owned = 2;
	assert_int_equal(owners(), 2);
	assert_int_equal(looks, 2);
	/* By now it may have its tap. */
	assert_int_equal(owners(), 2);
	assert_int_equal(looks, 3);
	assert_int_equal(owners(), 2);
	assert_int_equal(looks, 3);
}

static void after_a_time_all_is_looked_for_anew(void **state)
{
	(void)state;
	owned = 2;
	assert_int_equal(owners(), 2);
	owned = 1;
	usleep(OWNERS_NS / 1000 + 1000);
	assert_int_equal(owners(), 1);
	assert_int_equal(looks, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(owners_are_remembered, setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_device_is_looked_for_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(after_a_time_all_is_looked_for_anew, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
