// SPDX-License-Identifier: GPL-2.0
/*
 * Ends the test if something that must go on has not for STUCK_SECONDS, with
 * all that can be said of the state. Seconds are counted one by one, so that a
 * machine that stands still as a whole is no reason; and there are many, because
 * a VM whose clock was set on a busy machine may take five for one.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#include "race.h"
#include "report.h"
#include "tests/kernel/slowness.h"

#define STUCK_SECONDS 60

static void dump(struct race *r)
{
	race_show(r);
	printf("# page: epoch, ended, copy\n");
	for (unsigned int page = 0; page < NR_PAGES; page++) {
		const struct entry *e = &r->space->entries[page];

		printf("#   0x%" PRIx64 ": %" PRIu64 " %" PRIu64 " %u\n", space_iova(page),
		       e->epoch, e->ended, e->now);
	}
	nic_dump(&r->nic);
	for (int queue = 0; queue < NR_QUEUES; queue++)
		ring_dump(&r->rings[queue]);
}

void *watchdog_run(void *arg)
{
	struct race *r = arg;
	const struct {
		const char *name;
		const uint64_t *counter;
		const bool *is_done;
	} watched[] = {
		{"changes of translations", &r->counts.steps, &r->mapper_done},
		{"packets", &r->counts.packets, &r->traffic_done},
		{"frames", &r->counts.frames, &r->traffic_done},
	};
	unsigned int limit = STUCK_SECONDS * slowness();
	uint64_t seen[3] = {0};
	unsigned int seconds[3] = {0};

	while (!is_set(&r->servers_done)) {
		poll(NULL, 0, 1000);
		for (int i = 0; i < 3; i++) {
			uint64_t now = get(watched[i].counter);

			seconds[i] = now == seen[i] ? seconds[i] + 1 : 0;
			seen[i] = now;
			if (seconds[i] < limit || is_set(watched[i].is_done))
				continue;
			dump(r);
			bail_out("stuck: no %s for %u s after %" PRIu64, watched[i].name,
				 seconds[i], now);
		}
	}
	return NULL;
}
