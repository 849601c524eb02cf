// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that does all it can with the tables of its IOMMU, which others walk
 * for it: the kernel and iotlbd.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"
#include "tests/kernel/check.h"

static const struct {
	const char *name;
	enum deep_kind kind;
	unsigned int levels;
} kinds[] = {
	{"legacy", DEEP_LEGACY, 4}, {"legacy-5", DEEP_LEGACY, 5}, {"second-5", DEEP_SECOND, 5},
	{"first-5", DEEP_FIRST, 5}, {"nested-4", DEEP_NESTED, 4}, {"nested-5", DEEP_NESTED, 5},
};

#define NR_KINDS (sizeof(kinds) / sizeof(*kinds))

static unsigned int number, failed;

static void usage(FILE *stream)
{
	fputs("Usage: hostile_guest KIND [SECONDS]\n"
	      "       hostile_guest KIND --write-vtd\n"
	      "\n"
	      "Is a guest with bad tables, and, for SECONDS (default 3), with tables that\n"
	      "change, while iotlbd serves it; or describes its IOMMU for iotlbd. KIND is one of\n",
	      stream);
	for (size_t i = 0; i < NR_KINDS; i++)
		fprintf(stream, "  %s\n", kinds[i].name);
	fputs("\nExit status: 0 all is good, 1 it is not, 2 usage.\n", stream);
}

void print_result(bool good, const char *what)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++number, what);
	failed += !good;
}

static void describe(enum deep_kind kind, unsigned int levels)
{
	static struct guest guest;
	struct vtd_request request;
	struct vtd_unit unit;

	deep_make(&guest, kind, levels, false, &unit, &request);
	printf("root 0x%llx\nwidth %u\nsagaw 39,48,57\nlarge 2m,1g\nfirst-level 1g,5\n"
	       "nested yes\npass-through yes\ndevice 00:00.0\n",
	       (unsigned long long)unit.root, unit.address_width);
}

static void run(enum deep_kind kind, unsigned int levels, unsigned int seconds)
{
	static struct inmate in;

	printf("1..8\n");
	neighbour_begin(kind, levels);
	device_enter_namespace();
	inmate_open(&in, kind, levels);
	if (!inmate_settle(&in))
		bail_out("no packet gets through without the owner; is iotlbd there?");

	check_bad_tables(&in);
	check_changing_tables(&in, seconds);
	check_neighbour();
	device_close_all();
}

int main(int argc, char **argv)
{
	setlinebuf(stdout);
	for (size_t i = 0; argc > 1 && i < NR_KINDS; i++) {
		if (strcmp(argv[1], kinds[i].name))
			continue;
		if (argc > 2 && !strcmp(argv[2], "--write-vtd"))
			describe(kinds[i].kind, kinds[i].levels);
		else
			run(kinds[i].kind, kinds[i].levels, argc > 2 ? atoi(argv[2]) : 3);
		return failed ? 1 : 0;
	}
	usage(stderr);
	return 2;
}
