// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vtd_file.h"

static struct vtd_file file;
static char error[VTD_FILE_ERROR_MAX];

static int read_bytes(const char *text, size_t size)
{
	FILE *stream = fmemopen((void *)text, size, "r");
	int err;

	assert_non_null(stream);
	err = vtd_file_read(&file, stream, "v", error);
	fclose(stream);
	return err;
}

static void assert_good(const char *text)
{
	if (read_bytes(text, strlen(text)))
		fail_msg("%s", error);
}

static void assert_fault(const char *text, const char *expected)
{
	assert_int_equal(read_bytes(text, strlen(text)), -EINVAL);
	assert_string_equal(error, expected);
}

/* What a line is, in a file that is good without it */
static void assert_bad_line(const char *line, const char *expected)
{
	char text[600], message[600];

	snprintf(text, sizeof(text), "device 00:01.0\n%s\nroot 0x1000\n", line);
	snprintf(message, sizeof(message), "v:2: %s", expected);
	assert_fault(text, message);
}

static void test_defaults(void **state)
{
	(void)state;
	assert_good("root 0x1000\ndevice 00:03.0\n");
	assert_int_equal(file.unit.root, 0x1000);
	assert_int_equal(file.unit.address_width, 48);
	assert_int_equal(file.unit.sagaw, 1 << 1 | 1 << 2);
	assert_int_equal(file.unit.large_pages, 3);
	assert_int_equal(file.unit.flags,
			 VTD_UNIT_PASS_THROUGH | VTD_UNIT_FIRST_1G | VTD_UNIT_NESTED);
	assert_int_equal(file.pasid, VTD_NO_PASID);
	assert_int_equal(file.count, 1);
	assert_int_equal(vtd_file_source(&file, 0), 0x18);
	assert_int_equal(vtd_file_source(&file, 1000), 0x18);
}

static void test_everything(void **state)
{
	(void)state;
	assert_good("# all there is\n"
		    "\n"
		    "\troot  0x7ffffff400   # scalable\r\n"
		    "width 39\n"
		    "sagaw 57,39\n"
		    "large 1g\n"
		    "pass-through no\n"
		    "first-level 1g,5\n"
		    "nested no\n"
		    "pasid 0xfffff\n"
		    "device 00:01.0\n"
		    "device Ff:1f.7\n"
		    "device 01:00.1# no newline \xc3\xa4");
	assert_int_equal(file.unit.root, 0x7ffffff400);
	assert_int_equal(file.unit.address_width, 39);
	assert_int_equal(file.unit.sagaw, 1 << 1 | 1 << 3);
	assert_int_equal(file.unit.large_pages, 2);
	assert_int_equal(file.unit.flags, VTD_UNIT_FIRST_1G | VTD_UNIT_FIRST_5);
	assert_int_equal(file.pasid, 0xfffff);
	assert_int_equal(file.count, 3);
	assert_int_equal(vtd_file_source(&file, 0), 0x0008);
	assert_int_equal(vtd_file_source(&file, 1), 0xffff);
	assert_int_equal(vtd_file_source(&file, 2), 0x0101);
	assert_int_equal(vtd_file_source(&file, 3), 0x0101);

	assert_good("root 0\ndevice 00:00.0\naddress_width 52\nlarge none\nfirst-level none\n"
		    "pass-through yes\nnested yes\npasid 0");
	assert_int_equal(file.unit.address_width, 52);
	assert_int_equal(file.unit.large_pages, 0);
	assert_int_equal(file.unit.flags, VTD_UNIT_PASS_THROUGH | VTD_UNIT_NESTED);
	assert_int_equal(file.pasid, 0);
}

static void test_bad_values(void **state)
{
	static const char number[] =
		"a number from 39 to 52: the width of guest-physical addresses";
	static const char *const widths[] = {"38", "53", "0x2g", "-40", "+40", "0x0x28", "40,", ""};
	char line[100], message[VTD_FILE_ERROR_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
		snprintf(line, sizeof(line), "width %s", widths[i]);
		if (*widths[i])
			snprintf(message, sizeof(message), "width \"%s\" is not %s", widths[i],
				 number);
		else
			snprintf(message, sizeof(message), "after width, there must be %s", number);
		assert_bad_line(line, message);
	}
	assert_bad_line("sagaw 39,40",
			"sagaw \"39,40\" is not some of 39, 48 and 57, each once, with commas "
			"between them");
	assert_bad_line("sagaw 39,39",
			"sagaw \"39,39\" is not some of 39, 48 and 57, each once, with commas "
			"between them");
	assert_bad_line("sagaw none",
			"sagaw \"none\" is not some of 39, 48 and 57, each once, with commas "
			"between them");
	assert_bad_line("large 4k", "large \"4k\" is not 2m, 1g, 2m,1g or none");
	assert_bad_line("large 2m,", "large \"2m,\" is not 2m, 1g, 2m,1g or none");
	assert_bad_line("nested 1", "nested \"1\" is not yes or no");
	assert_bad_line("pass-through", "after pass-through, there must be yes or no");
	assert_bad_line("first-level 6", "first-level \"6\" is not 1g, 5, 1g,5 or none");
	assert_bad_line("pasid 0x100000", "pasid \"0x100000\" is not a number below 0x100000");
}

static void test_bad_devices(void **state)
{
	static const char *const bad[] = {"00:20.0", "00:01.8", "0:01.0",  "0000:00:01.0",
					  "00-01.0", "00:01",	"00:0g.0", "00:+1.0"};
	char line[100], message[VTD_FILE_ERROR_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(line, sizeof(line), "device %s", bad[i]);
		snprintf(message, sizeof(message),
			 "device \"%s\" is not bus, device and function in hexadecimal, as 00:03.0",
			 bad[i]);
		assert_bad_line(line, message);
	}
}

static void test_bad_roots(void **state)
{
	(void)state;
	assert_fault("device 00:01.0\nroot 4711\n",
		     "v:2: bits 9:0 of root 4711 are not 0, which no IOMMU allows; write what the "
		     "guest wrote to RTADDR_REG");
	assert_fault("device 00:01.0\nroot 0x1800\n",
		     "v:2: bits 11:10 of root 0x1800, the translation table mode, are neither 00 "
		     "(legacy) nor 01 (scalable)");
	assert_fault("root 0x10000000000000000\n",
		     "v:1: root \"0x10000000000000000\" is not a number: RTADDR_REG as the guest "
		     "wrote it");
	assert_fault(
		"root 0x8000000000\nwidth 39\ndevice 00:01.0\n",
		"v:1: root 0x8000000000 is beyond the 39 bits of guest-physical addresses; see "
		"width");
}

static void test_bad_lines(void **state)
{
	(void)state;
	assert_bad_line("dev 00:01.0",
			"\"dev\" is none of root, width, sagaw, large, pass-through, first-level, "
			"nested, pasid, device");
	assert_bad_line(
		"large 2m, 1g",
		"\"1g\" follows large 2m,; a line holds one fact, and a list has no blanks");
	assert_bad_line("width\xa0"
			"48",
			"a character that is not printable ASCII; only comments may have others");
	assert_fault("root 0\n\nroot 0\n", "v:3: root stands in line 1 already; keep one of them");
	assert_fault("width 40\naddress_width 40\n",
		     "v:2: address_width stands in line 1 already; keep one of them");
}

static void test_missing(void **state)
{
	(void)state;
	assert_fault("device 00:01.0\n",
		     "v:1: root is missing; add a line \"root ADDRESS\", with what the guest wrote "
		     "to RTADDR_REG");
	assert_fault("root 0\n# end\n",
		     "v:2: device is missing; add a line \"device BB:DD.F\", with the PCI address "
		     "of the vhost device in the guest");
}

static void test_long_lines(void **state)
{
	char text[400];

	(void)state;
	memset(text, ' ', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_bad_line(text, "the line is longer than 254 characters, or holds a NUL");
	assert_int_equal(read_bytes("root\0 0\ndevice 00:01.0\n", 23), -EINVAL);
	/* Also where no newline tells that there is more. */
	assert_int_equal(read_bytes("root 0\ndevice 00:01.0\0x", 23), -EINVAL);
	assert_int_equal(read_bytes("root 0\ndevice 00:01.0\0", 22), -EINVAL);
	assert_int_equal(read_bytes("root 0\ndevice 00:01.0\n#\0", 24), -EINVAL);
	assert_int_equal(read_bytes("root 0\ndevice 00:01.0", 21), 0);
}

/* The longest line, with a newline and without */
static void test_length(void **state)
{
	char text[300];

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "root 0\ndevice 00:01.0\n", 22);
	text[22 + 254] = '\n';
	assert_int_equal(read_bytes(text, 22 + 254), 0);
	assert_int_equal(read_bytes(text, 22 + 255), 0);
	text[22 + 254] = ' ';
	assert_int_equal(read_bytes(text, 22 + 255), -EINVAL);
}

static void test_many_devices(void **state)
{
	static char text[VTD_FILE_MAX_DEVICES * 16 + 100];
	size_t i, used = sprintf(text, "root 0\n");

	(void)state;
	for (i = 0; i < VTD_FILE_MAX_DEVICES; i++)
		used += sprintf(text + used, "device %02zx:01.0\n", i & 0xff);
	assert_good(text);
	assert_int_equal(file.count, VTD_FILE_MAX_DEVICES);
	strcpy(text + used, "device 00:01.0\n");
	assert_fault(text, "v:4098: there are more than 4096 devices");
}

static void test_missing_file(void **state)
{
	(void)state;
	assert_int_equal(vtd_file_load(&file, "/nowhere/vtd"), -ENOENT);
	assert_int_equal(vtd_file_load(&file, "/"), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),     cmocka_unit_test(test_everything),
		cmocka_unit_test(test_bad_values),   cmocka_unit_test(test_bad_devices),
		cmocka_unit_test(test_bad_roots),    cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_missing),	     cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_length),	     cmocka_unit_test(test_many_devices),
		cmocka_unit_test(test_missing_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
