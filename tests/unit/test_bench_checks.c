// SPDX-License-Identifier: GPL-2.0
/* Options that do not go together are refused, and the message says why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bench/bench_checks.h"

static const struct map_mode *mode(const char *name)
{
	for (int i = 0; map_modes[i]; i++)
		if (!strcmp(map_modes[i]->name, name))
			return map_modes[i];
	fail_msg("no map mode %s", name);
	return NULL;
}

static struct options defaults(const char *map)
{
	return (struct options){
		.layout =
			{
				.map = mode(map),
				.page = 4096,
				.packets = 100,
				.working_set = strcmp(map, "random") ? 0 : 1024,
				.devices = 1,
				.in_flight = 1,
				.chain = 1,
				.has = {true, true},
			},
		.page = "4k",
	};
}

static void set_iova(struct options *o, enum iova_kind iova)
{
	o->iova = iova;
	o->layout.identity = iova == IOVA_IDENTITY;
	o->layout.vtd = iova == IOVA_VTD;
}

static void good(const struct options *o)
{
	char *message = bench_check(o);

	if (message)
		fail_msg("refused: %s", message);
}

static void bad(const struct options *o, const char *why)
{
	char *message = bench_check(o);

	if (!message)
		fail_msg("taken, though: %s", why);
	else if (!strstr(message, why))
		fail_msg("'%s' does not say '%s'", message, why);
	free(message);
}

static void maps_and_servers(void **state)
{
	struct options o;

	(void)state;
	for (int i = 0; map_modes[i]; i++)
		for (int iova = IOVA_TABLE; iova <= IOVA_VTD; iova++)
			for (int server = SERVER_FD; server <= SERVER_KERNEL; server++) {
				bool changes = map_modes[i]->is_dynamic;

				o = defaults(map_modes[i]->name);
				set_iova(&o, iova);
				o.server = server;
				if (map_modes[i]->kind == MAP_KIND_REMAP)
					bad(&o, "--map remap needs --sva");
				else if (iova == IOVA_IDENTITY &&
					 (changes || map_modes[i]->kind == MAP_KIND_SWEEP))
					bad(&o, "--iova identity needs --map fixed");
				else if (changes && iova == IOVA_TABLE && !options_serves(&o))
					bad(&o, "needs --iova vtd");
				else if (server == SERVER_KERNEL && iova != IOVA_VTD)
					bad(&o, "--server kernel needs --iova vtd");
				else
					good(&o);
			}
}

static void fragments_and_chains(void **state)
{
	struct options o = defaults("fixed");

	(void)state;
	o.layout.fragments = true;
	good(&o);
	o.layout.page = 1 << 21;
	o.page = "2m";
	bad(&o, "--fragments needs --page 4k");
	o = defaults("fixed");
	o.layout.fragments = true;
	set_iova(&o, IOVA_IDENTITY);
	bad(&o, "--fragments does not go with --iova identity");
	o = defaults("fixed");
	o.layout.chain = 16;
	o.layout.in_flight = 16;
	good(&o);
	o.layout.in_flight = 17;
	bad(&o, "--indirect puts them elsewhere");
	o.layout.indirect = true;
	good(&o);
}

static void working_sets(void **state)
{
	struct options o = defaults("random");

	(void)state;
	o.layout.in_flight = 256;
	good(&o);
	o.layout.working_set = 1023;
	bad(&o, "--working-set 1023 is too small for --in-flight 256");
	o = defaults("sweep");
	o.layout.working_set = 1024;
	bad(&o, "--working-set goes with --map random only");
	o = defaults("sweep");
	o.has_seed = true;
	bad(&o, "--seed goes with --map random only");
	assert_true(bench_default_working_set() >= 16);
}

static void silence(void **state)
{
	struct options o = defaults("lazy");

	(void)state;
	o.no_invalidate = true;
	good(&o);
	o = defaults("sweep");
	o.no_invalidate = true;
	bad(&o, "--no-invalidate goes with --map strict, lazy and remap only");
}

static void files(void **state)
{
	struct options o = defaults("fixed");

	(void)state;
	o.run = true;
	bad(&o, "--run goes with --write-table or --write-vtd only");
	o.table = "-";
	bad(&o, "--write-table -");
	o.table = "file";
	good(&o);
	o.vtd = "other";
	bad(&o, "--write-vtd goes with --iova vtd only");
	set_iova(&o, IOVA_VTD);
	good(&o);
	o.vtd = "file";
	bad(&o, "both write file");
	o = defaults("strict");
	set_iova(&o, IOVA_VTD);
	o.vtd = "-";
	good(&o);
	o.run = true;
	bad(&o, "--write-vtd -");
	o.run = false;
	o.table = "file";
	bad(&o, "--write-table does not go with --map strict");
	o = defaults("fixed");
	o.iotlbd = "x";
	bad(&o, "--iotlbd goes with --server ring or kernel only");
	o.server = SERVER_RING;
	good(&o);
}

static void limits(void **state)
{
	struct options o = defaults("sweep");

	(void)state;
	o.layout.packets = 100000000;
	set_iova(&o, IOVA_VTD);
	bad(&o, "tables of the IOMMU would take");
	o.layout.page = 1 << 30;
	o.page = "1g";
	bad(&o, "more IOVA space than the 48 bits");
	o.layout.packets = 65536;
	good(&o);
	o = defaults("strict");
	o.layout.page = 1 << 30;
	o.page = "1g";
	o.layout.in_flight = 256;
	o.layout.devices = 64;
	bad(&o, "more guest memory than there can be");
}

static struct options processes(const char *map, unsigned int count, unsigned int devices)
{
	struct options o = defaults(map);

	set_iova(&o, IOVA_VTD);
	o.layout.processes = count;
	o.layout.devices = devices;
	return o;
}

static void processes_have_devices_or_queues(void **state)
{
	struct options o;

	(void)state;
	o = processes("fixed", 3, 3);
	good(&o);
	o = processes("fixed", 6, 3);
	good(&o);
	assert_int_equal(bench_default_devices(&o), 3);
	o = processes("fixed", 5, 3);
	bad(&o, "each of its 2 virtqueues");
	assert_int_equal(bench_default_devices(&o), 5);
	o.layout.has[DIRECTION_RX] = false;
	o.layout.processes = 6;
	bad(&o, "each of its 1 virtqueues");
	assert_int_equal(bench_default_devices(&o), 6);
}

static void processes_and_the_rest(void **state)
{
	static const char *const maps[] = {"fixed", "strict", "lazy", "random", "remap"};
	struct options o;

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		o = processes(maps[i], 2, 1);
		o.lifetime = 10;
		o.layout.mortal = true;
		good(&o);
	}
	o = processes("sweep", 2, 1);
	bad(&o, "not go with --map sweep");
	o = processes("fixed", 2, 1);
	set_iova(&o, IOVA_TABLE);
	bad(&o, "--iova");
	o = processes("fixed", 2, 1);
	o.page = "2m";
	o.layout.page = 2 << 20;
	bad(&o, "needs --page 4k");
	o = processes("fixed", 2, 1);
	o.prefault = true;
	bad(&o, "--prefault");
	o = processes("fixed", 2, 1);
	o.server = SERVER_NONE;
	good(&o);
	o.control = true;
	bad(&o, "--control goes with --server ring");
	o.server = SERVER_RING;
	good(&o);
	o = processes("fixed", 2, 1);
	o.table = "file";
	bad(&o, "--write-table");
}

static void pages_that_are_asked_for(void **state)
{
	struct options o = processes("fixed", 2, 1);

	(void)state;
	o.refuse = 2;
	bad(&o, "--refuse goes with --page-requests");
	o.layout.paged = true;
	good(&o);
	o.layout.in_flight = 2;
	bad(&o, "--refuse needs --in-flight 1");
	o.refuse = 0;
	good(&o);
	o.server = SERVER_KERNEL;
	bad(&o, "--page-requests with --server kernel needs --control");
	o.control = true;
	good(&o);
	o = processes("fixed", 2, 1);
	o.layout.paged = true;
	o.layout.one_space = true;
	bad(&o, "not go with --one-space");
	o = defaults("fixed");
	o.layout.paged = true;
	bad(&o, "--page-requests goes with --sva");
}

static void mistakes_of_processes(void **state)
{
	struct options o = processes("fixed", 2, 1);

	(void)state;
	o.layout.one_space = true;
	good(&o);
	o.layout.devices = 2;
	bad(&o, "process for each virtqueue");
	o = processes("fixed", 2, 1);
	o.layout.one_space = true;
	o.lifetime = 5;
	bad(&o, "do not end");
	o = processes("strict", 2, 1);
	o.layout.one_space = true;
	bad(&o, "fixed or random");
}

static void without_processes(void **state)
{
	struct options o = defaults("remap");

	(void)state;
	bad(&o, "--map remap needs --sva");
	o = defaults("fixed");
	o.lifetime = 5;
	bad(&o, "--lifetime goes with --sva");
	o = defaults("fixed");
	o.control = true;
	bad(&o, "--control goes with --sva");
	o = defaults("fixed");
	o.layout.one_space = true;
	bad(&o, "--one-space goes with --sva");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_and_servers),
		cmocka_unit_test(fragments_and_chains),
		cmocka_unit_test(working_sets),
		cmocka_unit_test(silence),
		cmocka_unit_test(files),
		cmocka_unit_test(limits),
		cmocka_unit_test(processes_have_devices_or_queues),
		cmocka_unit_test(processes_and_the_rest),
		cmocka_unit_test(pages_that_are_asked_for),
		cmocka_unit_test(mistakes_of_processes),
		cmocka_unit_test(without_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
