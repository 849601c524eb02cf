// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the page walk in the kernel: a BPF program at the hook of a vhost device
 * walks through the device's memory. Is what it finds what is found in user
 * space, in guests made at random? And what does the longest walk cost?
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "compare.h"
#include "deep.h"
#include "generate.h"
#include "kernel_walk.h"
#include "tests/number.h"
#include "vtd_name.h"
#include "vtd_walk.h"

/* Requests to a guest. */
#define REQUESTS 100

/* What leaves room for a program around the walk: the verifier's limit is a million. */
#define MAX_VERIFIED 300000

/* With so many walks, they end in all ways. */
#define ENOUGH 100000

/* Times that the same walk is made, to see what it costs. */
#define REPEAT 50

static struct {
	uint64_t seed, count;
	bool cost;
} options = {.seed = 1, .count = ENOUGH};

static struct scene scene;

/* The guest's memory as it must be: with the flags that iotlbd's program has set. */
static struct guest expected;

/* As the request says; and as iotlbd's program asks. */
static struct comparison any, plain;

static struct kernel_walk found;
static uint64_t ends[VTD_NR_FAULTS], mapped[3], sent, skipped, set;
static unsigned int number, failed;

static void usage(FILE *stream)
{
	fputs("Usage: walk_in_kernel [OPTION]...\n"
	      "\n"
	      "Compares the page walk of a BPF program at vhost's hook with that in user\n"
	      "space, in guests made at random.\n"
	      "\n"
	      "  --seed N      what the guests follow from (default 1)\n"
	      "  --count N     how many walks to compare (default 100000)\n"
	      "  --cost        print what the longest walks take\n"
	      "  --help        show this\n"
	      "\n"
	      "Exit status: 0 all is good, 1 it is not, 2 usage.\n",
	      stream);
}

static void parse_options(int argc, char **argv)
{
	static const struct option list[] = {
		{"seed", required_argument, NULL, 's'},
		{"count", required_argument, NULL, 'c'},
		{"cost", no_argument, NULL, 'x'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", list, NULL)) != -1) {
		switch (option) {
		case 's':
			options.seed = number_of(optarg, UINT64_MAX);
			break;
		case 'c':
			options.count = number_of(optarg, UINT64_MAX);
			break;
		case 'x':
			options.cost = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
}

static void print_result(bool good, const char *what)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++number, what);
	failed += !good;
}

/* Pages of the guest as what addresses lead to: else hardly any would. */
static void add_memory(struct scene *s, struct random *r)
{
	const uint64_t address = VTD_PAGE_ADDRESS;
	const struct range *tables[] = {&s->second[1], &s->first[1]};

	for (unsigned int i = 0; i < 2; i++)
		for (unsigned int page = 0; page < tables[i]->nr * (GUEST_PAGE / 8); page++) {
			uint64_t *entry = &s->guest.page[tables[i]->first][page];
			const unsigned int to = random_below(r, s->guest.nr);

			if (random_chance(r, 300))
				*entry = (*entry & ~address) |
					 ((i ? s->via[to] : s->guest.gpa[to]) & address);
		}
}

static const char *compare_reads(void)
{
	const struct in_kernel_result *result = &found.result;

	if (result->returned != any.quick.fault || result->where.fault != any.quick.fault)
		return "the fault is another";
	if (result->reads != any.quick_nr)
		return "more or less is read";
	if (!any.quick.fault)
		return NULL;
	if (result->where.fault_table != any.quick.fault_table)
		return "the fault is in another table";
	if (result->where.fault_level != any.quick.fault_level)
		return "the fault is at another level";
	return NULL;
}

/* What vhost must have said to the translation, which is for reading. */
static int expected_mapped(void)
{
	if (!(any.translation.perm & VTD_READ))
		return -EACCES;
	return guest_find(&expected, any.expected.gpa) < 0 ? -EFAULT : 0;
}

static const char *compare_translation(void)
{
	const struct vtd_translation *a = &found.result.translation, *b = &any.translation;

	if (any.returned)
		return NULL;
	if (a->iova != b->iova || a->gpa != b->gpa || a->size != b->size)
		return "the range is another";
	if (a->perm != b->perm)
		return "the permission is another";
	if (a->level != b->level)
		return "the page is of another level";
	if (found.result.mapped != expected_mapped())
		return "vhost says something else to the translation";
	mapped[!found.result.mapped ? 0 : found.result.mapped == -EFAULT ? 1 : 2]++;
	return NULL;
}

static bool is_same_data(const struct guest *guest, int page)
{
	const uint64_t gpa = plain.expected.gpa;
	const uint8_t *bytes = (const uint8_t *)guest->page[page];

	return found.size == kernel_walk_size(gpa) &&
	       !memcmp(found.data, bytes + gpa % GUEST_PAGE, found.size);
}

/* iotlbd's program: what it has counted, and where the device has read. */
static const char *compare_resolved(const struct guest *guest)
{
	const bool is_large = !plain.returned && plain.translation.level != 1;
	const bool is_page = !plain.returned && !is_large;
	const int page = is_page ? guest_find(guest, plain.expected.gpa) : -1;

	if (found.large != is_large)
		return "iotlbd's program finds another level";
	if (found.resolved != (page >= 0) || found.faults != (!is_large && page < 0))
		return "iotlbd's program finds something else";
	if (found.is_sent != (page >= 0))
		return "what iotlbd's program finds does not decide";
	if (page >= 0 && !is_same_data(guest, page))
		return "the device has read from elsewhere";
	sent += found.is_sent;
	return NULL;
}

/* What is set, is set in the guest's memory; all else there stays as it is. */
static void set_flags(void)
{
	for (unsigned int i = 0; i < plain.nr_set; i++) {
		const struct reference_flags *entry = &plain.set[i];
		uint64_t *page = expected.page[guest_find(&expected, entry->gpa)];

		page[entry->gpa % GUEST_PAGE / 8] |= entry->flags;
	}
	set += plain.nr_set;
}

static void begin_guest(const struct guest *guest, bool is_one)
{
	expected = *guest;
	kernel_walk_set_memory(guest, is_one);
}

static bool guest_is_as_expected(const struct guest *guest)
{
	return !memcmp(guest->page, expected.page, guest->nr * GUEST_PAGE);
}

static const char *compare(const struct vtd_unit *unit, const struct vtd_request *request,
			   const struct guest *guest)
{
	struct vtd_request wanted = *request;
	const struct walk_case as_said = {.unit = unit, .request = request, .guest = &expected};
	const struct walk_case as_asked = {
		.unit = unit,
		.request = &wanted,
		.guest = &expected,
		.can_set = true,
	};
	const char *wrong;

	wanted.access = VTD_READ;
	wanted.merge = 0;
	if (!compare_walk(&any, &as_said))
		return any.difference;
	if (!compare_walk(&plain, &as_asked))
		return plain.difference;
	set_flags();
	wrong = kernel_walk_run(unit, request, &found);
	if (!wrong)
		wrong = compare_reads();
	if (!wrong)
		wrong = compare_translation();
	if (!wrong)
		wrong = compare_resolved(guest);
	ends[any.returned]++;
	return wrong;
}

static void print_difference(uint64_t at, const char *wrong)
{
	const struct in_kernel_result *r = &found.result;
	const struct vtd_translation *t = &r->translation;

	printf("# walk %" PRIu64 " of seed %" PRIu64 ": %s\n", at, options.seed, wrong);
	compare_print(&any, stdout);
	printf("#   in the kernel: fault %d, %d at level %d of table %d, %u reads, map says %d\n",
	       (int)r->returned, (int)r->where.fault, r->where.fault_level,
	       (int)r->where.fault_table, r->reads, r->mapped);
	printf("#   %#" PRIx64 " to %#" PRIx64 " size %#" PRIx64 " perm %u level %u\n",
	       (uint64_t)t->iova, (uint64_t)t->gpa, (uint64_t)t->size, t->perm, t->level);
	printf("#   iotlbd's program: resolved %u large %u faults %u, %s\n", found.resolved,
	       found.large, found.faults, found.is_sent ? "sent" : "on the fd");
}

static bool compare_all(void)
{
	struct random r = {options.seed};
	struct vtd_request request;
	const char *wrong;

	for (uint64_t i = 0; i < options.count; i++) {
		if (i % REQUESTS == 0) {
			if (!guest_is_as_expected(&scene.guest)) {
				printf("# before walk %" PRIu64
				       ": something else than flags was written\n",
				       i);
				return false;
			}
			generate_scene(&scene, &r, &(struct wish){.chaos = -1});
			add_memory(&scene, &r);
			begin_guest(&scene.guest, false);
		}
		do
			generate_request(&scene, &r, &request);
		while (kernel_walk_is_taken(request.iova) && ++skipped);
		wrong = compare(&scene.unit, &request, &scene.guest);
		if (wrong) {
			print_difference(i, wrong);
			return false;
		}
	}
	return true;
}

static bool all_ends(void)
{
	bool good = true;

	for (int i = 0; i < VTD_NR_FAULTS; i++) {
		printf("# %8" PRIu64 " %s\n", ends[i], vtd_fault_name(i));
		good &= ends[i] > 0;
	}
	printf("# what vhost says to translations: %" PRIu64 " good, %" PRIu64
	       " no memory, %" PRIu64 " no permission\n",
	       mapped[0], mapped[1], mapped[2]);
	printf("# %" PRIu64 " resolved and sent, %" PRIu64 " left out, in %" PRIu64
	       " entries flags were set\n",
	       sent, skipped, set);
	return good && mapped[0] && mapped[1] && mapped[2] && sent && set;
}

static void check_equality(void)
{
	bool good, all;
	double began;

	printf("1..3\n# seed %" PRIu64 "\n", options.seed);
	printf("# %u instructions verified\n", kernel_walk_verified());
	print_result(kernel_walk_verified() <= MAX_VERIFIED, "the verifier has little to look at");
	began = clock_seconds();
	good = compare_all();
	if (good)
		printf("# %" PRIu64 " walks in %.1f s, %.0f each second\n", options.count,
		       clock_seconds() - began, options.count / (clock_seconds() - began));
	print_result(good, "walks in the kernel are as in user space");
	all = all_ends();
	if (options.count < ENOUGH)
		print_result(good, "they end in all ways # SKIP there were not enough walks");
	else
		print_result(good && all, "they end in all ways");
}

/* The least of some, because the clock may be late, and interrupts come. */
static bool measure(const struct guest *guest, const struct vtd_unit *unit,
		    const struct vtd_request *request, int64_t *least_ns)
{
	int64_t took;

	*least_ns = INT64_MAX;
	for (int i = 0; i < REPEAT; i++) {
		const char *wrong = compare(unit, request, guest);

		if (wrong) {
			print_difference(i, wrong);
			return false;
		}
		took = found.result.took_ns - found.result.clock_ns;
		if (took < *least_ns)
			*least_ns = took;
	}
	return true;
}

static const struct {
	const char *name;
	enum deep_kind kind;
	unsigned int levels, reads;
} deep[] = {
	{"legacy mode, 4 levels", DEEP_LEGACY, 4, VTD_MAX_READS_LEGACY - 1},
	{"legacy mode, 5 levels", DEEP_LEGACY, 5, VTD_MAX_READS_LEGACY},
	{"scalable mode, second level, 5 levels", DEEP_SECOND, 5, VTD_MAX_READS_SCALABLE},
	{"scalable mode, first level, 5 levels", DEEP_FIRST, 5, VTD_MAX_READS_SCALABLE},
	{"scalable mode, nested, 4 levels each", DEEP_NESTED, 4, 28},
	{"scalable mode, nested, 5 levels each", DEEP_NESTED, 5, VTD_MAX_READS_NESTED},
};

#define NR_DEEP (sizeof(deep) / sizeof(*deep))

static void check_cost(void)
{
	printf("1..%zu\n# ns, the least of %d; with --icount, instructions\n", 2 * NR_DEEP, REPEAT);
	for (size_t i = 0; i < 2 * NR_DEEP; i++) {
		const bool is_one = i % 2;
		struct vtd_request request;
		struct vtd_unit unit;
		int64_t least_ns;
		char what[100];
		bool good;

		deep_make(&scene.guest, deep[i / 2].kind, deep[i / 2].levels, is_one, &unit,
			  &request);
		begin_guest(&scene.guest, is_one);
		good = measure(&scene.guest, &unit, &request, &least_ns);
		printf("# %5" PRId64 " ns, %u reads: %s, %s\n", least_ns, found.result.reads,
		       deep[i / 2].name, is_one ? "one region" : "64 regions");
		snprintf(what, sizeof(what), "%s, %s: %u reads", deep[i / 2].name,
			 is_one ? "one region" : "64 regions", deep[i / 2].reads);
		print_result(good && !any.returned && found.result.reads == deep[i / 2].reads,
			     what);
	}
}

int main(int argc, char **argv)
{
	parse_options(argc, argv);
	setlinebuf(stdout);
	kernel_walk_open();
	if (options.cost)
		check_cost();
	else
		check_equality();
	kernel_walk_close();
	return failed ? 1 : 0;
}
