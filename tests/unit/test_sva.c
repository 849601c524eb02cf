// SPDX-License-Identifier: GPL-2.0
/* PASIDs, bindings, and what is dropped from the device IOTLBs for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "memory_table.h"
#include "sva.h"

#define QUOTA 4
#define EMITTED_MAX 64

/* 1 MiB at 0, and 1 MiB more, elsewhere, at 4 GiB */
static const char fdinfo[] = "vhost-mem:\t0x0 0x100000 0x70000000\n"
			     "vhost-mem:\t0x100000000 0x100000 0x7f000000\n";

static struct memory_table memory;
static struct sva *sva;

/* Two clients of device 7, one of device 8 */
static const struct sva_caller alice = {.client = 1, .device = 7, .memory = &memory};
static const struct sva_caller bob = {.client = 2, .device = 7, .memory = &memory};
static const struct sva_caller other = {.client = 1, .device = 8, .memory = &memory};

static struct {
	uint64_t device;
	struct vhost_iotlb_op op;
} emitted[EMITTED_MAX];
static size_t emitted_count;

static void emit(void *arg, uint64_t device, const struct vhost_iotlb_op *op)
{
	assert_ptr_equal(arg, &emitted);
	assert_true(emitted_count < EMITTED_MAX);
	emitted[emitted_count].device = device;
	emitted[emitted_count++].op = *op;
}

#define assert_error(call, expected) assert_string_equal(sva_error_name(call), expected)

/* Exactly this was emitted since it was last asked. */
static void assert_emitted_one(uint64_t device, const struct vhost_iotlb_op *op)
{
	assert_int_equal(emitted_count, 1);
	assert_int_equal(emitted[0].device, device);
	assert_memory_equal(&emitted[0].op, op, sizeof(*op));
	emitted_count = 0;
}

static void assert_dropped(const struct sva_caller *caller, uint32_t pasid)
{
	assert_emitted_one(caller->device, &(struct vhost_iotlb_op){
						   .type = VHOST_IOTLB_INVALIDATE,
						   .asid = pasid,
					   });
}

static void assert_dropped_all(const struct sva_caller *caller)
{
	assert_emitted_one(caller->device, &(struct vhost_iotlb_op){
						   .type = VHOST_IOTLB_INVALIDATE,
						   .flags = VHOST_IOTLB_OP_F_ALL_ASIDS,
					   });
}

/* In one address space, or in all if there is none of this PASID. */
static void assert_retried(const struct sva_caller *caller, uint32_t pasid)
{
	assert_emitted_one(caller->device, &(struct vhost_iotlb_op){
						   .type = VHOST_IOTLB_RETRY,
						   .asid = pasid,
						   .flags = pasid ? 0 : VHOST_IOTLB_OP_F_ALL_ASIDS,
					   });
}

static void assert_nothing_emitted(void)
{
	assert_int_equal(emitted_count, 0);
}

static int begin_with(uint32_t quota)
{
	emitted_count = 0;
	sva = sva_open(&(struct sva_options){.quota = quota, .emit = emit, .arg = &emitted});
	return sva ? memory_table_parse(&memory, fdinfo) : -1;
}

static int begin(void **state)
{
	(void)state;
	return begin_with(QUOTA);
}

static int end(void **state)
{
	(void)state;
	sva_close(sva);
	memory_table_clear(&memory);
	return 0;
}

static uint32_t alloc(const struct sva_caller *caller, bool keep)
{
	uint32_t pasid = 0;

	assert_error(sva_alloc(sva, caller, 1, SVA_PASID_LAST, keep, &pasid), "ok");
	assert_in_range(pasid, 1, SVA_PASID_LAST);
	return pasid;
}

static const struct sva_binding good = {.root = 0x5000, .width = 48};

static uint32_t alloc_bound(const struct sva_caller *caller, bool keep)
{
	uint32_t pasid = alloc(caller, keep);

	assert_error(sva_bind(sva, caller, pasid, &good), "ok");
	assert_retried(caller, pasid);
	return pasid;
}

/* PASIDs */

static void test_alloc(void **state)
{
	uint32_t pasid, next;

	(void)state;
	assert_error(sva_alloc(sva, &alice, 100, 101, false, &pasid), "ok");
	assert_int_equal(pasid, 100);
	assert_error(sva_alloc(sva, &other, 100, 101, false, &next), "ok");
	assert_int_equal(next, 101);
	/* One that was freed is the last to be given out again. */
	assert_error(sva_free(sva, &alice, 100), "ok");
	assert_error(sva_alloc(sva, &alice, 99, 101, false, &pasid), "ok");
	assert_int_equal(pasid, 99);
	assert_error(sva_alloc(sva, &alice, 99, 101, false, &pasid), "ok");
	assert_int_equal(pasid, 100);
	assert_int_equal(sva_count_of(sva, 7), 2);
	assert_int_equal(sva_count_of(sva, 8), 1);
	assert_nothing_emitted();
}

static void test_alloc_edges(void **state)
{
	uint32_t pasid = 55;

	(void)state;
	assert_error(sva_alloc(sva, &alice, 0, 9, false, &pasid), "bad-range");
	assert_error(sva_alloc(sva, &alice, 9, 8, false, &pasid), "bad-range");
	assert_error(sva_alloc(sva, &alice, 1, 1 << 20, false, &pasid), "bad-range");
	assert_int_equal(pasid, 55);
	assert_error(sva_alloc(sva, &alice, 0xfffff, 0xfffff, false, &pasid), "ok");
	assert_int_equal(pasid, 0xfffff);
	/* Behind the last, it begins anew. */
	assert_error(sva_alloc(sva, &alice, 1, 0xfffff, false, &pasid), "ok");
	assert_int_equal(pasid, 1);
	assert_error(sva_alloc(sva, &alice, 0xfffff, 0xfffff, false, &pasid), "exhausted");
}

static void test_quota(void **state)
{
	uint32_t pasid, last = 0;
	size_t i;

	(void)state;
	for (i = 0; i < QUOTA; i++)
		last = alloc(&alice, false);
	assert_error(sva_alloc(sva, &alice, 1, 1000, false, &pasid), "quota");
	/* It is the device's, whoever asks, */
	assert_error(sva_alloc(sva, &bob, 1, 1000, false, &pasid), "quota");
	/* and no other device's. */
	alloc(&other, false);
	assert_error(sva_free(sva, &alice, last), "ok");
	alloc(&bob, false);
	assert_error(sva_alloc(sva, &alice, 1, 1000, false, &pasid), "quota");
}

static void test_all_pasids(void **state)
{
	uint32_t pasid, i;

	end(state);
	assert_int_equal(begin_with(2 * SVA_MAX_PASIDS), 0);
	for (i = 0; i < SVA_MAX_PASIDS; i++)
		if (sva_alloc(sva, &alice, 1, SVA_PASID_LAST, false, &pasid))
			fail_msg("only %u", i);
	assert_error(sva_alloc(sva, &other, 1, SVA_PASID_LAST, false, &pasid), "exhausted");
	assert_error(sva_free(sva, &alice, 77), "ok");
	alloc(&other, false);
	sva_client_gone(sva, 1);
	assert_int_equal(sva_count_of(sva, 7), 0);
	alloc(&other, false);
}

static void test_free_one(void **state)
{
	uint32_t pasid = alloc(&alice, false);

	(void)state;
	assert_error(sva_free(sva, &other, pasid), "other-device");
	assert_error(sva_free(sva, &bob, pasid), "other-client");
	assert_error(sva_free(sva, &alice, pasid), "ok");
	assert_error(sva_free(sva, &alice, pasid), "not-allocated");
	assert_error(sva_free(sva, &alice, 0), "bad-pasid");
	assert_error(sva_free(sva, &alice, 1 << 20), "bad-pasid");
	assert_error(sva_free(sva, &alice, UINT32_MAX), "bad-pasid");
	assert_nothing_emitted();
}

static void test_use_after_free(void **state)
{
	const struct sva_invalidation drop = {
		.caches = SVA_CACHE_IOTLB,
		.granularity = SVA_PASID,
		.has_pasid = true,
		.pasid = 9,
	};
	uint32_t pasid;

	(void)state;
	assert_error(sva_alloc(sva, &alice, 9, 9, false, &pasid), "ok");
	assert_error(sva_bind(sva, &alice, 9, &good), "ok");
	assert_error(sva_free(sva, &alice, 9), "ok");
	emitted_count = 0;
	assert_error(sva_bind(sva, &alice, 9, &good), "not-allocated");
	assert_error(sva_unbind(sva, &alice, 9), "not-allocated");
	assert_error(sva_invalidate(sva, &alice, &drop), "not-allocated");
	assert_null(sva_binding_of(sva, 7, 9));
	/* Another device has it now. */
	assert_error(sva_alloc(sva, &other, 9, 9, false, &pasid), "ok");
	assert_error(sva_bind(sva, &alice, 9, &good), "other-device");
	assert_error(sva_unbind(sva, &alice, 9), "other-device");
	assert_error(sva_invalidate(sva, &alice, &drop), "other-device");
	assert_nothing_emitted();
}

/* Bindings */

static void test_bind(void **state)
{
	uint32_t pasid = alloc_bound(&alice, false);
	const struct sva_binding *binding = sva_binding_of(sva, 7, pasid);

	(void)state;
	assert_non_null(binding);
	assert_int_equal(binding->root, 0x5000);
	assert_null(sva_binding_of(sva, 8, pasid));
	assert_null(sva_binding_of(sva, 7, pasid + 1));
	assert_null(sva_binding_of(sva, 7, UINT32_MAX));

	assert_error(sva_bind(sva, &alice, pasid, &good), "bound");
	assert_error(sva_unbind(sva, &bob, pasid), "other-client");
	assert_nothing_emitted();
	assert_error(sva_unbind(sva, &alice, pasid), "ok");
	assert_null(sva_binding_of(sva, 7, pasid));
	assert_dropped(&alice, pasid);
	assert_error(sva_unbind(sva, &alice, pasid), "not-bound");
	assert_nothing_emitted();
}

/* Freeing it unbinds it, and drops what came of it. */
static void test_free_bound(void **state)
{
	uint32_t pasid = alloc_bound(&alice, false);

	(void)state;
	assert_error(sva_free(sva, &alice, pasid), "ok");
	assert_dropped(&alice, pasid);
	/* What was not bound has nothing to drop, and nothing is counted as bound. */
	pasid = alloc(&alice, false);
	assert_error(sva_free(sva, &alice, pasid), "ok");
	assert_nothing_emitted();
	assert_error(sva_attach(sva, &alice, &(struct sva_table){.bits = 13}, false), "ok");
}

/* Where the guest has an IOMMU, the second level may lead anywhere. */
static void test_nested_roots(void **state)
{
	static const struct {
		uint64_t root;
		const char *error;
	} cases[] = {
		{0x5000, "ok"},		 {0x5800, "root-misaligned"},  {0x100000, "ok"},
		{0xffffffffff000, "ok"}, {1ULL << 52, "root-outside"}, {~0xfffULL, "root-outside"},
	};
	struct sva_caller nested = alice;
	uint32_t pasid = alloc(&alice, false);
	struct sva_binding binding = good;
	size_t i;

	(void)state;
	nested.has_iommu = true;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		binding.root = cases[i].root;
		assert_error(sva_bind(sva, &nested, pasid, &binding), cases[i].error);
		sva_unbind(sva, &nested, pasid);
		emitted_count = 0;
	}
}

/* Of whom the page requests may be */
static void test_usable(void **state)
{
	const struct sva_table table = {.bits = 13};
	uint32_t mine = alloc(&alice, false), kept;

	(void)state;
	assert_true(sva_is_usable(sva, alice.client, 7, mine));
	assert_true(sva_has_usable(sva, alice.client, 7));
	assert_false(sva_is_usable(sva, bob.client, 7, mine));
	assert_false(sva_has_usable(sva, bob.client, 7));
	assert_false(sva_is_usable(sva, alice.client, 8, SVA_PASID_LAST + 1) &&
		     sva_is_usable(sva, alice.client, 7, SVA_PASID_LAST + 1));
	/* Nobody manages those of a device that is not known. */
	assert_true(sva_is_usable(sva, bob.client, 9, mine));
	assert_true(sva_has_usable(sva, bob.client, 9));
	kept = alloc(&alice, true);
	assert_true(sva_is_usable(sva, bob.client, 7, kept));
	assert_true(sva_has_usable(sva, bob.client, 7));
	/* Another device's is none of this one. */
	alloc(&other, false);
	assert_false(sva_is_usable(sva, alice.client, 8, mine));

	/* What is in a table, is its client's. */
	assert_error(sva_attach(sva, &alice, &table, false), "ok");
	assert_true(sva_is_usable(sva, alice.client, 7, 100));
	assert_false(sva_is_usable(sva, bob.client, 7, 100));
	assert_false(sva_is_usable(sva, alice.client, 7, 1 << 13));
	emitted_count = 0;
}

static void test_bad_bindings(void **state)
{
	static const struct {
		struct sva_binding binding;
		const char *error;
	} cases[] = {
		{{.root = 0x5008, .width = 48}, "root-misaligned"},
		{{.root = 0x5800, .width = 57}, "root-misaligned"},
		{{.root = 0xff000, .width = 48}, "ok"},
		{{.root = 0x100000, .width = 48}, "root-outside"},
		{{.root = 0x1000ff000, .width = 57}, "ok"},
		{{.root = 0x100100000, .width = 57}, "root-outside"},
		{{.root = ~0xfffULL, .width = 48}, "root-outside"},
		{{.root = 0x5000, .width = 0}, "width"},
		{{.root = 0x5000, .width = 39}, "width"},
		{{.root = 0x5000, .width = 49}, "width"},
		{{.root = 0x5000, .width = 64}, "width"},
		{{.root = 0x5000, .width = 48, .flags = SVA_BIND_SRE | SVA_BIND_WPE}, "ok"},
		{{.root = 0x5000, .width = 48, .flags = SVA_BIND_EAFE}, "unsupported-flags"},
		{{.root = 0x5000, .width = 48, .flags = SVA_BIND_PCD}, "unsupported-flags"},
		{{.root = 0x5000, .width = 48, .flags = SVA_BIND_CD}, "unsupported-flags"},
		{{.root = 0x5000, .width = 48, .flags = 1U << 7}, "unknown-flags"},
		{{.root = 0x5000, .width = 48, .flags = 1U << 31}, "unknown-flags"},
		{{.root = 0x5000, .width = 48, .has_guest_pasid = true, .guest_pasid = 0xfffff},
		 "ok"},
		{{.root = 0x5000, .width = 48, .has_guest_pasid = true, .guest_pasid = 0x100000},
		 "guest-pasid"},
	};
	uint32_t pasid = alloc(&alice, false);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		emitted_count = 0;
		assert_error(sva_bind(sva, &alice, pasid, &cases[i].binding), cases[i].error);
		if (!strcmp(cases[i].error, "ok")) {
			assert_error(sva_unbind(sva, &alice, pasid), "ok");
			continue;
		}
		assert_nothing_emitted();
		assert_null(sva_binding_of(sva, 7, pasid));
	}
}

/* PASID tables */

static void test_attach(void **state)
{
	const struct sva_table table = {.base = 0x8000, .bits = 20};
	uint32_t pasid = alloc_bound(&alice, false);

	(void)state;
	assert_error(sva_detach(sva, &alice), "no-table");
	assert_error(sva_attach(sva, &alice, &table, false), "pasids-bound");
	assert_null(sva_table_of(sva, 7));
	assert_nothing_emitted();
	/* It is no matter of another device. */
	assert_error(sva_attach(sva, &other, &table, false), "ok");
	assert_retried(&other, 0);

	assert_error(sva_unbind(sva, &alice, pasid), "ok");
	emitted_count = 0;
	assert_error(sva_attach(sva, &alice, &table, false), "ok");
	assert_retried(&alice, 0);
	assert_int_equal(sva_table_of(sva, 7)->base, 0x8000);
	assert_error(sva_attach(sva, &alice, &table, false), "table-attached");
	assert_error(sva_bind(sva, &alice, pasid, &good), "table-attached");
	assert_error(sva_detach(sva, &bob), "other-client");
	assert_nothing_emitted();
	assert_error(sva_detach(sva, &alice), "ok");
	assert_dropped_all(&alice);
	assert_null(sva_table_of(sva, 7));
	assert_error(sva_bind(sva, &alice, pasid, &good), "ok");
}

static void test_bad_tables(void **state)
{
	static const struct {
		struct sva_table table;
		const char *error;
	} cases[] = {
		{{.base = 0x8001, .bits = 13}, "table-misaligned"},
		{{.base = 0x8000, .bits = 12}, "table-bits"},
		{{.base = 0x8000, .bits = 21}, "table-bits"},
		{{.base = 0x8000, .bits = 255}, "table-bits"},
		{{.base = 0x200000, .bits = 13}, "table-outside"},
		/* 20 bits take 128 KiB. */
		{{.base = 0xe0000, .bits = 20}, "ok"},
		{{.base = 0xe1000, .bits = 20}, "table-outside"},
		{{.base = 0xff000, .bits = 15}, "ok"},
		{{.base = 0xff000, .bits = 16}, "table-outside"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_error(sva_attach(sva, &alice, &cases[i].table, false), cases[i].error);
		assert_int_equal(!!sva_table_of(sva, 7), !strcmp(cases[i].error, "ok"));
		if (sva_table_of(sva, 7))
			assert_error(sva_detach(sva, &alice), "ok");
	}
}

/* Invalidations */

static void test_domain(void **state)
{
	struct sva_invalidation all = {.caches = SVA_CACHE_IOTLB, .granularity = SVA_DOMAIN};

	(void)state;
	/* Of a device of which nothing is known, too */
	assert_error(sva_invalidate(sva, &bob, &all), "ok");
	assert_dropped_all(&bob);
	all.caches = SVA_CACHE_IOTLB | SVA_CACHE_PASID;
	assert_error(sva_invalidate(sva, &other, &all), "ok");
	assert_dropped_all(&other);
}

static void test_caches(void **state)
{
	static const struct {
		enum sva_granularity granularity;
		uint32_t caches;
		const char *error;
	} cases[] = {
		{SVA_DOMAIN, 0, "cache"},
		{SVA_DOMAIN, 8, "cache"},
		{SVA_DOMAIN, SVA_CACHE_DEV_IOTLB, "cache-granularity"},
		{SVA_DOMAIN, SVA_CACHE_DEV_IOTLB | SVA_CACHE_IOTLB, "cache-granularity"},
		{SVA_DOMAIN, SVA_CACHE_PASID, "ok"},
		{SVA_PASID, SVA_CACHE_DEV_IOTLB | SVA_CACHE_IOTLB | SVA_CACHE_PASID, "ok"},
		{SVA_ADDRESS, SVA_CACHE_PASID, "cache-granularity"},
		{SVA_ADDRESS, SVA_CACHE_DEV_IOTLB | SVA_CACHE_IOTLB, "ok"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sva_invalidation what = {
			.caches = cases[i].caches,
			.granularity = cases[i].granularity,
			.has_pasid = true,
			.granule = 4096,
			.count = 1,
		};

		emitted_count = 0;
		assert_error(sva_invalidate(sva, &alice, &what), cases[i].error);
		assert_int_equal(emitted_count, !strcmp(cases[i].error, "ok"));
	}
}

static void test_pasid(void **state)
{
	struct sva_invalidation what = {.caches = SVA_CACHE_IOTLB, .granularity = SVA_PASID};
	uint32_t pasid = alloc(&alice, false);

	(void)state;
	assert_error(sva_invalidate(sva, &alice, &what), "no-pasid");
	what.has_pasid = true;
	assert_error(sva_invalidate(sva, &alice, &what), "ok");
	assert_dropped(&alice, 0);
	what.pasid = pasid;
	assert_error(sva_invalidate(sva, &alice, &what), "ok");
	assert_dropped(&alice, pasid);
	assert_error(sva_invalidate(sva, &bob, &what), "other-client");
	assert_error(sva_invalidate(sva, &other, &what), "other-device");
	what.pasid = pasid + 1;
	assert_error(sva_invalidate(sva, &alice, &what), "not-allocated");
	assert_nothing_emitted();

	/* PASIDs of a guest's table are the guest's. */
	assert_error(sva_attach(sva, &alice, &(struct sva_table){.bits = 13}, false), "ok");
	emitted_count = 0;
	what.pasid = 8191;
	assert_error(sva_invalidate(sva, &alice, &what), "ok");
	assert_dropped(&alice, 8191);
	what.pasid = 8192;
	assert_error(sva_invalidate(sva, &alice, &what), "not-allocated");
	assert_nothing_emitted();
}

static void test_ranges(void **state)
{
	static const struct {
		uint64_t address, granule, count;
		const char *error;
		uint64_t size;
	} cases[] = {
		{0x3000, 0x1000, 5, "ok", 0x5000},
		{0x200000, 0x200000, 2, "ok", 0x400000},
		{0x7f0040000000, 0x40000000, 1, "ok", 0x40000000},
		{0xffff800000000000, 0x1000, 1, "ok", 0x1000},
		{0x3000, 0, 1, "granule", 0},
		{0x3000, 0x800, 1, "granule", 0},
		{0x3000, 0x3000, 1, "granule", 0},
		{0x3000, 0x1001, 1, "granule", 0},
		{0x3000, 0x1000, 0, "granule", 0},
		{0x3800, 0x1000, 1, "address-misaligned", 0},
		{0x1000, 0x200000, 1, "address-misaligned", 0},
		/* The last page, and no further */
		{~0xfffULL, 0x1000, 1, "ok", 0x1000},
		{~0xfffULL, 0x1000, 2, "address-range", 0},
		{0x1000, 0x1000, UINT64_MAX, "address-range", 0},
		{0, 0x1000, 1ULL << 52, "ok", 0},
		{0, 0x1000, (1ULL << 52) + 1, "address-range", 0},
		{0x1000, 0x1000, (1ULL << 52) - 1, "ok", ~0xfffULL},
		{0x1000, 0x1000, 1ULL << 52, "address-range", 0},
		{1ULL << 63, 1ULL << 63, 1, "ok", 1ULL << 63},
		{1ULL << 63, 1ULL << 63, 2, "address-range", 0},
	};
	uint32_t pasid = alloc(&alice, false);
	size_t i;

	(void)state;
	for (i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
		const size_t at = i / 2;
		struct sva_invalidation what = {
			.caches = SVA_CACHE_IOTLB,
			.granularity = SVA_ADDRESS,
			.has_pasid = true,
			.pasid = pasid,
			.address = cases[at].address,
			.granule = cases[at].granule,
			.count = cases[at].count,
			/* That it is the leaves only changes nothing. */
			.leaf = i % 2,
		};

		assert_error(sva_invalidate(sva, &alice, &what), cases[at].error);
		if (strcmp(cases[at].error, "ok") != 0) {
			assert_nothing_emitted();
			continue;
		}
		assert_emitted_one(7, &(struct vhost_iotlb_op){
					      .type = VHOST_IOTLB_INVALIDATE,
					      .iova = cases[at].address,
					      .size = cases[at].size,
					      .asid = pasid,
				      });
	}
}

static void test_range_of_all(void **state)
{
	const struct sva_invalidation what = {
		.caches = SVA_CACHE_IOTLB,
		.granularity = SVA_ADDRESS,
		.address = 0x3000,
		.granule = 0x1000,
		.count = 1,
	};

	(void)state;
	/* Without a PASID, it is the range of each. */
	assert_error(sva_invalidate(sva, &alice, &what), "ok");
	assert_emitted_one(7, &(struct vhost_iotlb_op){
				      .type = VHOST_IOTLB_INVALIDATE,
				      .iova = 0x3000,
				      .size = 0x1000,
				      .flags = VHOST_IOTLB_OP_F_ALL_ASIDS,
			      });
}

/* Those who go */

static void test_client_gone(void **state)
{
	uint32_t own = alloc_bound(&alice, false), kept = alloc_bound(&alice, true);
	uint32_t bobs = alloc_bound(&bob, false), idle = alloc(&alice, false);

	(void)state;
	alloc(&other, false);
	assert_error(sva_attach(sva, &other, &(struct sva_table){.bits = 13}, false), "ok");
	emitted_count = 0;
	sva_client_gone(sva, 1);
	/* Of device 7 a PASID that was bound, of device 8 all. */
	assert_int_equal(emitted_count, 2);
	assert_int_equal(emitted[0].device, 7);
	assert_int_equal(emitted[0].op.asid, own);
	assert_int_equal(emitted[0].op.flags, 0);
	assert_int_equal(emitted[1].device, 8);
	assert_int_equal(emitted[1].op.flags, VHOST_IOTLB_OP_F_ALL_ASIDS);

	assert_int_equal(sva_count_of(sva, 8), 0);
	assert_null(sva_table_of(sva, 8));
	assert_int_equal(sva_count_of(sva, 7), 2);
	assert_null(sva_binding_of(sva, 7, own));
	assert_error(sva_free(sva, &alice, idle), "not-allocated");
	assert_non_null(sva_binding_of(sva, 7, bobs));
	/* What is kept is anybody's. */
	assert_non_null(sva_binding_of(sva, 7, kept));
	assert_error(sva_free(sva, &bob, kept), "ok");
	assert_error(sva_attach(sva, &alice, &(struct sva_table){.bits = 13}, true),
		     "pasids-bound");
	assert_error(sva_free(sva, &bob, bobs), "ok");
	assert_error(sva_attach(sva, &alice, &(struct sva_table){.bits = 13}, true), "ok");
	sva_client_gone(sva, 1);
	assert_non_null(sva_table_of(sva, 7));
	assert_error(sva_detach(sva, &bob), "ok");
}

static bool is_eight(void *arg, uint64_t device)
{
	assert_null(arg);
	return device == 8;
}

static void test_device_gone(void **state)
{
	uint32_t gone = alloc_bound(&alice, true), stays = alloc_bound(&other, false);

	(void)state;
	sva_forget_gone(sva, is_eight, NULL);
	assert_nothing_emitted();
	assert_int_equal(sva_count_of(sva, 7), 0);
	assert_null(sva_binding_of(sva, 7, gone));
	assert_non_null(sva_binding_of(sva, 8, stays));
	assert_error(sva_free(sva, &alice, gone), "not-allocated");
}

static void test_next(void **state)
{
	struct sva_pasid_info info;
	uint32_t pasid;

	(void)state;
	assert_false(sva_next(sva, 7, 0, &info));
	assert_error(sva_alloc(sva, &alice, 30, 30, false, &pasid), "ok");
	assert_error(sva_alloc(sva, &bob, 10, 10, true, &pasid), "ok");
	assert_error(sva_alloc(sva, &other, 20, 20, false, &pasid), "ok");
	assert_error(sva_bind(sva, &alice, 30,
			      &(struct sva_binding){.root = 0x7000,
						    .width = 57,
						    .has_guest_pasid = true,
						    .guest_pasid = 3}),
		     "ok");
	assert_true(sva_next(sva, 7, 0, &info));
	assert_int_equal(info.pasid, 10);
	assert_int_equal(info.client, SVA_KEPT);
	assert_false(info.is_bound);
	assert_true(sva_next(sva, 7, 10, &info));
	assert_int_equal(info.pasid, 30);
	assert_int_equal(info.client, 1);
	assert_true(info.is_bound);
	assert_int_equal(info.binding.width, 57);
	assert_int_equal(info.binding.guest_pasid, 3);
	assert_false(sva_next(sva, 7, 30, &info));
}

/* What is told of device 7, and what is written to it, in their order */
static char told[256];

static void tell(const char *what, uint64_t device, uint32_t pasid)
{
	size_t used = strlen(told);

	assert_int_equal(device, 7);
	snprintf(told + used, sizeof(told) - used, "%s %u\n", what, pasid);
}

static void tell_op(void *arg, uint64_t device, const struct vhost_iotlb_op *op)
{
	(void)arg;
	if (op->type == VHOST_IOTLB_INVALIDATE)
		tell("invalidate", device, op->asid);
}

static void tell_changed(void *arg, uint64_t device, uint32_t pasid)
{
	struct sva_space space;
	const char *what = "unknown";

	(void)arg;
	if (sva_find(sva, device, pasid, &space))
		what = "nothing";
	if (space.binding)
		what = "binding";
	if (space.table)
		what = "table";
	assert_int_equal(space.pasid, pasid);
	tell(what, device, pasid);
}

static void assert_told(const char *expected)
{
	assert_string_equal(told, expected);
	*told = '\0';
}

/* Who answers misses hears of it before anything is dropped: what is looked up from
 * then on is new, and what was looked up before is dropped.
 */
static void test_changes(void **state)
{
	const struct sva_table table = {.base = 0x8000, .bits = 13};
	uint32_t pasid;

	end(state);
	*told = '\0';
	sva = sva_open(&(struct sva_options){
		.quota = QUOTA,
		.emit = tell_op,
		.changed = tell_changed,
	});
	assert_non_null(sva);
	assert_int_equal(memory_table_parse(&memory, fdinfo), 0);

	assert_error(sva_alloc(sva, &alice, 5, 5, false, &pasid), "ok");
	assert_told("nothing 0\n");
	assert_error(sva_alloc(sva, &bob, 6, 6, true, &pasid), "ok");
	assert_told("");
	assert_error(sva_bind(sva, &alice, 5, &good), "ok");
	assert_told("binding 5\n");
	assert_error(sva_unbind(sva, &alice, 5), "ok");
	assert_told("nothing 5\ninvalidate 5\n");
	assert_error(sva_bind(sva, &alice, 5, &good), "ok");
	assert_error(sva_bind(sva, &bob, 6, &good), "ok");
	*told = '\0';
	assert_error(sva_free(sva, &bob, 6), "ok");
	assert_told("nothing 6\ninvalidate 6\n");
	sva_client_gone(sva, 1);
	assert_told("nothing 5\ninvalidate 5\nunknown 0\n");

	assert_error(sva_attach(sva, &alice, &table, false), "ok");
	assert_told("nothing 0\ntable 0\n");
	assert_error(sva_detach(sva, &alice), "ok");
	assert_told("nothing 0\ninvalidate 0\nunknown 0\n");

	assert_error(sva_alloc(sva, &alice, 5, 5, true, &pasid), "ok");
	assert_error(sva_bind(sva, &alice, 5, &good), "ok");
	*told = '\0';
	sva_forget_gone(sva, is_eight, NULL);
	assert_told("nothing 5\nunknown 0\n");
	/* At the end there may be nobody any more who could be told. */
	assert_error(sva_alloc(sva, &alice, 5, 5, true, &pasid), "ok");
	*told = '\0';
	sva_close(sva);
	assert_told("");
	sva = NULL;
}

static void test_words(void **state)
{
	enum sva_error error, same;

	(void)state;
	for (error = SVA_OK; error < SVA_NR_ERRORS; error++) {
		assert_non_null(sva_error_name(error));
		assert_non_null(sva_error_text(error));
		for (same = SVA_OK; same < error; same++)
			assert_string_not_equal(sva_error_name(same), sva_error_name(error));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_alloc),	 TEST(test_alloc_edges), TEST(test_quota),
		TEST(test_all_pasids),	 TEST(test_free_one),	 TEST(test_use_after_free),
		TEST(test_bind),	 TEST(test_free_bound),	 TEST(test_bad_bindings),
		TEST(test_nested_roots), TEST(test_usable),	 TEST(test_attach),
		TEST(test_bad_tables),	 TEST(test_domain),	 TEST(test_caches),
		TEST(test_pasid),	 TEST(test_ranges),	 TEST(test_range_of_all),
		TEST(test_client_gone),	 TEST(test_device_gone), TEST(test_next),
		TEST(test_changes),	 TEST(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
