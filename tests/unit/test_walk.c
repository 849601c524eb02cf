// SPDX-License-Identifier: GPL-2.0
/* What iotlb-walk says of entries, good ones and bad ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/walk/walk_decode.h"
#include "tools/walk/walk_memory.h"
#include "tools/walk/walk_record.h"
#include "tools/walk/walk_space.h"
#include "tools/walk/walk_view.h"

static struct vtd_unit unit;
static struct walk_space space;
static struct walk_record record;

static int set_up(void **state)
{
	(void)state;
	unit = (struct vtd_unit){
		.root = 0x1000,
		.address_width = 40,
		.sagaw = 1 << 2,
		.large_pages = 1,
	};
	space = (struct walk_space){.kind = WALK_SPACE_IOMMU};
	record = (struct walk_record){
		.unit = &unit,
		.space = &space,
		.request = {.iova = 0x1234, .pasid = VTD_NO_PASID, .access = VTD_READ},
	};
	return 0;
}

static struct walk_step *add(enum vtd_table table, int level, size_t count)
{
	struct walk_step *step = &record.steps[record.count++];

	*step = (struct walk_step){.table = table, .level = level, .count = count};
	return step;
}

/* The last step means this. */
static void assert_means(const char *expected)
{
	struct walk_decoded decoded;
	char text[1024] = "";
	size_t i;

	walk_decode(&record, record.count - 1, &decoded);
	for (i = 0; i < decoded.count; i++) {
		if (i)
			strcat(text, ", ");
		strcat(text, decoded.phrases[i]);
	}
	assert_string_equal(text, expected);
}

static void assert_entry(enum vtd_table table, int level, uint64_t word, const char *expected)
{
	add(table, level, 1)->words[0] = word;
	assert_means(expected);
	record.count--;
}

static void test_root(void **state)
{
	struct walk_step *step = add(VTD_TABLE_ROOT, 0, 2);

	(void)state;
	assert_means("not present");
	step->words[0] = 0x2001;
	assert_means("present, context table at 0x2000");
	step->words[0] = 0x10000002003;
	step->words[1] = 4;
	assert_means("present, context table at 0x10000002000, reserved 0x10000000002 set, "
		     "reserved 0x4 set in word 1");

	/* Scalable mode: the upper half is that of devfn 128 on. */
	unit.root |= 1 << 10;
	record.request.source_id = 0x80;
	step->words[1] = 0x3001;
	assert_means("present, context table at 0x3000");
}

static void test_context(void **state)
{
	struct walk_step *step = add(VTD_TABLE_CONTEXT, 0, 2);

	(void)state;
	step->words[0] = 0x3005;
	step->words[1] = 0x702;
	assert_means("present, second level, with device TLB, 48 bits, page table at 0x3000, "
		     "domain 7");
	step->words[0] = 0x300b;
	step->words[1] = 0x1000081;
	assert_means("present, pass-through, 39 bits, not supported, domain 0, faults are not "
		     "reported, reserved 0x1000080 set in word 1");
	step->words[0] = 0x1d;
	step->words[1] = 4;
	assert_means("present, type 3, which is reserved, width 4, which is reserved, page table "
		     "at 0x0, domain 0, reserved 0x10 set");
}

static void test_pasid(void **state)
{
	struct walk_step *step;

	(void)state;
	step = add(VTD_TABLE_SCALABLE_CONTEXT, 0, 4);
	step->words[0] = 0x4009;
	step->words[1] = 5;
	assert_means("present, PASID directory at 0x4000, PASIDs below 0x2000, PASID 0x5 for "
		     "requests without, requests with PASID");
	assert_entry(VTD_TABLE_PASID_DIRECTORY, 0, 0x5005,
		     "present, PASID table at 0x5000, reserved 0x4 set");

	step = add(VTD_TABLE_PASID, 0, 3);
	step->words[0] = 0x6000 | 2 << 6 | 2 << 2 | 1;
	step->words[1] = 9;
	assert_means("present, second level, 48 bits, its table at 0x6000, domain 9");
	step->words[0] = 1 << 6 | 1;
	step->words[2] = 0x7000 | 1 << 2 | 1;
	assert_means("present, first level of 5, not supported, its table at 0x7000, privileged "
		     "requests, domain 9");
	step->words[0] = 5 << 6 | 1;
	assert_means("present, type 5, which is reserved, domain 9");
}

static void test_second_level(void **state)
{
	(void)state;
	assert_entry(VTD_TABLE_SECOND_LEVEL, 4, 0, "not present");
	assert_entry(VTD_TABLE_SECOND_LEVEL, 4, 0x5003, "present, read, write, table at 0x5000");
	assert_entry(VTD_TABLE_SECOND_LEVEL, 4, 0x5881,
		     "present, read, table at 0x5000, reserved 0x880 set");
	assert_entry(VTD_TABLE_SECOND_LEVEL, 3, 0x40000083,
		     "present, read, write, page of 1G at 0x40000000, not supported");
	assert_entry(VTD_TABLE_SECOND_LEVEL, 2, 0x201082,
		     "present, write, page of 2M at 0x200000, reserved 0x1000 set");
	assert_entry(VTD_TABLE_SECOND_LEVEL, 1, 0xb00 | 0x10000000001,
		     "present, read, page of 4K at 0x10000000000, accessed, dirty, reserved "
		     "0x10000000000 set");
}

static void test_first_level(void **state)
{
	struct walk_step *pasid = add(VTD_TABLE_PASID, 0, 3);

	(void)state;
	assert_entry(VTD_TABLE_FIRST_LEVEL, 1, 0x8000000000005007,
		     "present, read and write, user, page of 4K at 0x5000, not accessed, not "
		     "dirty, reserved 0x8000000000000000 set");
	pasid->words[2] = 1 << 5;
	assert_entry(VTD_TABLE_FIRST_LEVEL, 1, 0x5027,
		     "present, read and write, user, page of 4K at 0x5000, accessed, not dirty");
	assert_entry(VTD_TABLE_FIRST_LEVEL, 3, 0x5067,
		     "present, read and write, user, table at 0x5000, accessed");
	assert_entry(VTD_TABLE_FIRST_LEVEL, 1, 0x8000000000005001,
		     "present, read only, supervisor, page of 4K at 0x5000, not accessed, "
		     "no-execute");
	assert_entry(VTD_TABLE_FIRST_LEVEL, 2, 0x2030e5,
		     "present, read only, user, page of 2M at 0x200000, accessed, dirty, reserved "
		     "0x2000 set");
	assert_entry(VTD_TABLE_FIRST_LEVEL, 5, 0x5081,
		     "present, read only, supervisor, table at 0x5000, not accessed, reserved "
		     "0x80 set");

	/* What is bound has no entry that could say so. */
	pasid->words[2] = 0;
	space.kind = WALK_SPACE_BOUND;
	assert_entry(VTD_TABLE_FIRST_LEVEL, 1, 0x8000000000005021,
		     "present, read only, supervisor, page of 4K at 0x5000, accessed, "
		     "no-execute");
}

static void test_unreadable(void **state)
{
	(void)state;
	add(VTD_TABLE_SECOND_LEVEL, 1, 1)->err = -EFAULT;
	assert_means("cannot be read: Bad address");
}

static void assert_shown(void (*view)(FILE *out, const struct walk_record *record),
			 const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	view(out, &record);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void test_views(void **state)
{
	struct walk_step *step = add(VTD_TABLE_SECOND_LEVEL, 1, 1);

	(void)state;
	step->gpa = 0x3008;
	step->words[0] = 0x5001;
	record.translation = (struct vtd_translation){
		.iova = 0x1000,
		.gpa = 0x5000,
		.size = 0x1000,
		.perm = VTD_READ,
		.level = 1,
	};
	assert_shown(walk_view_text,
		     "0x1234, read, by 00:00.0\n"
		     "TABLE            LEVEL                 AT              ENTRY MEANING\n"
		     "second-level         1             0x3008 0x0000000000005001 present, read, "
		     "page of 4K at 0x5000\n"
		     "0x1234 is 0x5234, page of 4K, read\n");
	assert_shown(walk_view_json,
		     "{\"iova\":\"0x1234\",\"source\":\"00:00.0\",\"pasid\":null,\"access\":\"r\","
		     "\"bound\":null,\"attached\":null,\"steps\":[{\"table\":\"second-level\","
		     "\"level\":1,\"gpa\":\"0x3008\","
		     "\"entry\":[\"0x5001\"],\"meaning\":[\"present\",\"read\",\"page of 4K at "
		     "0x5000\"]}],\"fault\":null,\"translation\":{\"gpa\":\"0x5234\",\"level\":1,"
		     "\"access\":\"r\",\"range_iova\":\"0x1000\",\"range_gpa\":\"0x5000\","
		     "\"range_size\":\"0x1000\"}}\n");

	record.where = (struct vtd_walk){
		.fault = VTD_FAULT_PERMISSION,
		.fault_level = 1,
		.fault_table = VTD_TABLE_SECOND_LEVEL,
	};
	record.count = 0;
	assert_shown(walk_view_text,
		     "0x1234, read, by 00:00.0\n"
		     "TABLE            LEVEL                 AT              ENTRY MEANING\n"
		     "fault permission: the paging entry does not allow the access (table "
		     "second-level, level 1)\n");
}

/* Guest memory, in which the tables of a process map its second page. */
#define ROOT 0x1000
#define IOVA 0x1234
#define PAGE 0x7000

static struct walk_memory memory;

static void put(uint64_t gpa, uint64_t word)
{
	assert_int_equal(pwrite(memory.files[0].fd, &word, sizeof(word), gpa), sizeof(word));
}

static int set_up_memory(void **state)
{
	uint64_t level;

	set_up(state);
	memory = (struct walk_memory){.file_count = 1};
	memory.files[0].fd = memfd_create("guest", 0);
	memory.files[0].size = 0x40000;
	if (memory.files[0].fd < 0 || ftruncate(memory.files[0].fd, 0x40000))
		return 1;
	for (level = 0; level < 3; level++)
		put(ROOT + level * 0x1000, (ROOT + (level + 1) * 0x1000) | 0x27);
	put(ROOT + 0x3000 + 8, PAGE | 0x67 | 1ULL << 63);
	unit = walk_space_any_unit();
	record.memory = &memory;
	record.request.iova = IOVA;
	record.request.pasid = 5;
	return 0;
}

static int tear_down_memory(void **state)
{
	(void)state;
	close(memory.files[0].fd);
	return 0;
}

static void assert_shows(const char *what)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	walk_view_text(out, &record);
	fclose(out);
	if (!strstr(text, what))
		fail_msg("\"%s\" is not in:\n%s", what, text);
	free(text);
}

static void test_bound(void **state)
{
	(void)state;
	space = (struct walk_space){
		.kind = WALK_SPACE_BOUND,
		.binding = {.root = ROOT, .width = 48},
	};
	walk_record(&record);
	assert_int_equal(record.where.fault, VTD_OK);
	assert_int_equal(record.count, 4);
	assert_shows("0x1234, read, PASID 0x5\n"
		     "bound: first level of 4 at 0x1000, nested in none\n");
	assert_shows("\n0x1234 is 0x7234, page of 4K, read and write\n");

	record.request.iova = IOVA + 0x1000;
	walk_record(&record);
	assert_shows("\nfault present: ");
	assert_shows(" (table first-level, level 1)\n");

	/* One level more than there are tables */
	space.binding.width = 57;
	record.request.iova = IOVA;
	walk_record(&record);
	assert_shows("bound: first level of 5 at 0x1000");
	assert_int_equal(record.count, 4);
	assert_int_equal(record.where.fault, VTD_FAULT_PRESENT);
}

static void test_bound_and_nested(void **state)
{
	(void)state;
	space = (struct walk_space){
		.kind = WALK_SPACE_BOUND,
		.binding = {.root = ROOT, .width = 48},
		.has_iommu = true,
	};
	unit.root = 0x10000;
	record.request.source_id = 8;

	/* Not even the IOMMU knows the device. */
	walk_record(&record);
	assert_int_equal(record.where.fault, VTD_FAULT_ROOT_PRESENT);
	assert_shows(" (table root, level 0)\n");

	/* A page of 1G, in a second level of 3. */
	put(0x10000, 0x11001);
	put(0x11000 + 8 * 16, 0x12001);
	put(0x11000 + 8 * 16 + 8, 0x101);
	put(0x12000, 0x83);
	walk_record(&record);
	assert_int_equal(record.where.fault, VTD_OK);
	assert_shows("0x1234, read, by 00:01.0, PASID 0x5\n"
		     "bound: first level of 4 at 0x1000, nested in the second level of 3 at "
		     "0x12000\n");
	assert_shows("\n0x1234 is 0x7234, page of 4K, read and write\n");
	/* Root and context, and before each of four tables and the page, one. */
	assert_int_equal(record.count, 2 + 4 + 5);
}

static void test_attached(void **state)
{
	(void)state;
	space = (struct walk_space){
		.kind = WALK_SPACE_ATTACHED,
		.table = {.base = 0x20000, .bits = 13},
	};
	put(0x20000, 0x21001);
	put(0x21000 + 5 * 64, 1 << 6 | 1);
	put(0x21000 + 5 * 64 + 16, ROOT | 1 << 5);
	walk_record(&record);
	assert_shows("attached: PASID directory at 0x20000, of 13 bits\n");
	assert_shows("\n0x1234 is 0x7234, page of 4K, read and write\n");
	assert_int_equal(record.count, 2 + 4);

	record.request.pasid = 6;
	walk_record(&record);
	assert_int_equal(record.where.fault, VTD_FAULT_PASID_PRESENT);
	record.request.pasid = 1 << 13;
	walk_record(&record);
	assert_int_equal(record.where.fault, VTD_FAULT_PASID_REQUEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_root, set_up),
		cmocka_unit_test_setup(test_context, set_up),
		cmocka_unit_test_setup(test_pasid, set_up),
		cmocka_unit_test_setup(test_second_level, set_up),
		cmocka_unit_test_setup(test_first_level, set_up),
		cmocka_unit_test_setup(test_unreadable, set_up),
		cmocka_unit_test_setup(test_views, set_up),
		cmocka_unit_test_setup_teardown(test_bound, set_up_memory, tear_down_memory),
		cmocka_unit_test_setup_teardown(test_bound_and_nested, set_up_memory,
						tear_down_memory),
		cmocka_unit_test_setup_teardown(test_attached, set_up_memory, tear_down_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
