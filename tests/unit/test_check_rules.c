// SPDX-License-Identifier: GPL-2.0
/* What iotlb-check concludes from what it knows. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "check/facts.h"
#include "check/rules.h"

static struct check_facts facts;
static struct findings findings;

/* A guest that is set up as it should be, and does nothing. */
static void begin(void)
{
	facts = (struct check_facts){
		.pid = 4711,
		.has_monitor = true,
		.has_iommu = true,
		.device_iotlb = true,
		.translating = true,
		.nics = {{
			.name = "net0",
			.tap = "tap7",
			.iommu_platform = true,
			.ats = true,
			.has_vhost = true,
			.domain = CHECK_DOMAIN_TRANSLATED,
		}},
		.nic_count = 1,
		.patched = true,
		.seconds = 5,
		.devices = {{.id = 3, .tap = "tap7", .has_iotlb = true, .limit = 2048}},
		.device_count = 1,
	};
}

static uint64_t *counter(enum iotlb_counter which)
{
	return (uint64_t *)&facts.devices[0].counters.count[which];
}

static const struct finding *found(const char *name)
{
	for (size_t i = 0; i < findings.count; i++)
		if (!strcmp(findings.list[i].name, name))
			return &findings.list[i];
	return NULL;
}

/* Exactly these, in this order; "a b" */
static void assert_concludes(const char *names)
{
	char text[1024] = "";

	check_rules(&facts, &findings);
	for (size_t i = 0; i < findings.count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 findings.list[i].name);
	assert_string_equal(text, names);
	for (size_t i = 0; i < findings.count; i++) {
		assert_true(findings.list[i].what[0]);
		assert_true(findings.list[i].subject[0]);
		if (findings.list[i].kind == FINDING_PROBLEM)
			assert_true(findings.list[i].advice[0]);
	}
}

static void test_idle(void **state)
{
	(void)state;
	begin();
	assert_concludes("idle");
	assert_false(findings_have_problem(&findings));
}

static void test_set_up_wrong(void **state)
{
	(void)state;
	begin();
	facts.has_iommu = false;
	assert_concludes("no-iommu idle");
	assert_true(findings_have_problem(&findings));

	begin();
	facts.translating = false;
	assert_concludes("iommu-off idle");

	begin();
	facts.nic_count = 0;
	assert_concludes("no-nic idle");

	begin();
	facts.nics[0].has_vhost = false;
	assert_concludes("no-vhost idle");

	/* Whether it has ATS is then of no interest. */
	begin();
	facts.nics[0].iommu_platform = false;
	facts.nics[0].ats = false;
	assert_concludes("no-iommu-platform idle");

	begin();
	facts.nics[0].ats = false;
	assert_concludes("no-ats idle");

	begin();
	facts.nics[0].root_bus = true;
	assert_concludes("root-bus idle");

	begin();
	facts.device_iotlb = false;
	assert_concludes("no-device-iotlb idle");

	begin();
	facts.nics[0].domain = CHECK_DOMAIN_PASS_THROUGH;
	assert_concludes("pass-through idle");
}

static void test_not_known(void **state)
{
	(void)state;
	begin();
	facts.has_monitor = false;
	facts.has_iommu = false;
	facts.nic_count = 0;
	assert_concludes("not-asked idle");

	begin();
	facts.patched = false;
	assert_concludes("not-watched");

	begin();
	facts.device_count = 0;
	assert_concludes("no-vhost-device");

	begin();
	facts.devices[0].has_iotlb = false;
	assert_concludes("no-iotlb");
}

/* 1000 packets, each with a mapping of its own; answered by user space. */
static void make_strict(void)
{
	begin();
	*counter(IOTLB_HIT_BUFFER) = 1000;
	*counter(IOTLB_MISS) = *counter(IOTLB_MISS_BUFFER) = 1000;
	*counter(IOTLB_MISS_FD) = 1000;
	*counter(IOTLB_UPDATE) = 1000;
	facts.devices[0].invalidations.page = 1000;
}

static void test_strict(void **state)
{
	(void)state;
	make_strict();
	assert_concludes("strict misses");
	assert_true(findings_have_problem(&findings));
	assert_non_null(strstr(found("misses")->evidence, "1000 misses for 1000 buffers"));
	assert_non_null(strstr(found("misses")->advice, "iotlbd -p 4711"));
}

static void test_resolved(void **state)
{
	(void)state;
	make_strict();
	*counter(IOTLB_HIT_BUFFER) = 0;
	*counter(IOTLB_RESOLVED) = *counter(IOTLB_RESOLVED_BUFFER) = 1000;
	*counter(IOTLB_MISS_FD) = *counter(IOTLB_UPDATE) = 0;
	assert_concludes("strict resolved");
	assert_false(findings_have_problem(&findings));
}

static void test_lazy(void **state)
{
	(void)state;
	make_strict();
	facts.devices[0].invalidations.page = 0;
	facts.devices[0].invalidations.all = 98;
	assert_concludes("lazy misses");
}

static void test_hits(void **state)
{
	(void)state;
	begin();
	*counter(IOTLB_HIT_BUFFER) = 5000;
	*counter(IOTLB_MISS) = *counter(IOTLB_MISS_BUFFER) = 4;
	*counter(IOTLB_MISS_FD) = *counter(IOTLB_UPDATE) = 4;
	assert_concludes("hits");
	assert_false(findings_have_problem(&findings));
}

static void test_thrashing(void **state)
{
	(void)state;
	make_strict();
	facts.devices[0].invalidations.page = 0;
	*counter(IOTLB_EVICT) = 900;
	assert_concludes("thrashing misses");
}

static void test_needless(void **state)
{
	(void)state;
	begin();
	*counter(IOTLB_HIT_BUFFER) = 5000;
	*counter(IOTLB_UPDATE) = 3;
	facts.devices[0].invalidations.page = 1000;
	assert_concludes("needless hits");
	/* What the kernel resolved was there to be invalidated. */
	make_strict();
	*counter(IOTLB_UPDATE) = 0;
	*counter(IOTLB_RESOLVED) = *counter(IOTLB_RESOLVED_BUFFER) = 1000;
	check_rules(&facts, &findings);
	assert_null(found("needless"));
}

static void test_timeouts(void **state)
{
	(void)state;
	begin();
	*counter(IOTLB_FALLBACK_TIMEOUT) = 1;
	assert_concludes("timeouts idle");
}

/* As many as there may be, all that can be said of each, names as long as can be. */
static void test_bounds(void **state)
{
	struct check_nic *nic = facts.nics;

	(void)state;
	make_strict();
	*counter(IOTLB_EVICT) = *counter(IOTLB_FALLBACK_TIMEOUT) = UINT64_MAX / 2;
	facts.device_count = CHECK_MAX_DEVICES;
	for (size_t i = 1; i < CHECK_MAX_DEVICES; i++)
		facts.devices[i] = facts.devices[0];

	memset(nic->name, 'x', sizeof(nic->name) - 1);
	memset(nic->tap, 'y', sizeof(nic->tap) - 1);
	nic->ats = nic->has_vhost = false;
	nic->domain = CHECK_DOMAIN_PASS_THROUGH;
	facts.nic_count = CHECK_MAX_NICS;
	for (size_t i = 1; i < CHECK_MAX_NICS; i++)
		facts.nics[i] = facts.nics[0];

	check_rules(&facts, &findings);
	assert_int_equal(findings.count, 3 * CHECK_MAX_NICS + 4 * CHECK_MAX_DEVICES);
}

static void test_pasids(void **state)
{
	struct check_space *space = &facts.devices[0].spaces[0];

	(void)state;
	begin();
	facts.devices[0].space_count = 2;
	space[0] = (struct check_space){.pasid = 5, .limit = 2048};
	space[1] = (struct check_space){.pasid = 9, .entries = 1};
	assert_concludes("pasid-silent idle");
	assert_string_equal(found("pasid-silent")->subject, "vhost device 3, tap7, PASID 5");
	assert_false(findings_have_problem(&findings));

	space->counters.count[IOTLB_MISS] = 1;
	assert_concludes("pasid-waits idle");
	assert_non_null(strstr(found("pasid-waits")->advice, " --pasid 5 "));
	assert_true(findings_have_problem(&findings));

	/* An answer is on its way, or was needed for the ring only. */
	space->counters.count[IOTLB_UPDATE] = 1;
	assert_concludes("idle");
	space->counters.count[IOTLB_UPDATE] = 0;
	space->counters.count[IOTLB_RESOLVED] = 1;
	assert_concludes("idle");
	space->counters.count[IOTLB_RESOLVED] = 0;
	space->counters.count[IOTLB_HIT_BUFFER] = 1;
	assert_concludes("idle");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle),	     cmocka_unit_test(test_pasids),
		cmocka_unit_test(test_set_up_wrong), cmocka_unit_test(test_not_known),
		cmocka_unit_test(test_strict),	     cmocka_unit_test(test_resolved),
		cmocka_unit_test(test_lazy),	     cmocka_unit_test(test_hits),
		cmocka_unit_test(test_thrashing),    cmocka_unit_test(test_needless),
		cmocka_unit_test(test_timeouts),     cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
