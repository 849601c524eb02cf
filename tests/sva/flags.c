// SPDX-License-Identifier: GPL-2.0
#include "flags.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "tables.h"
#include "tests/kernel/check.h"
#include "vtd.h"

#define FLAGS (VTD_FIRST_ACCESSED | VTD_FIRST_DIRTY)

/* Software may use it. */
#define IGNORED VTD_BIT(10)

#define PAUSE_MS 10

/* More than a process has */
#define MAX_ENTRIES 64

struct visit {
	void (*fn)(uint64_t *entry, bool is_page, void *arg);
	void *arg;
};

static void visit(const struct device *d, int process, const struct visit *v)
{
	for (unsigned int table = 0; table < tables_levels(); table++) {
		uint64_t *entries = tables_first_level(d, process, table);

		for (unsigned int i = 0; i < PAGE / sizeof(*entries); i++)
			if (__atomic_load_n(&entries[i], __ATOMIC_ACQUIRE) & VTD_FIRST_PRESENT)
				v->fn(&entries[i], table == tables_levels() - 1, v->arg);
	}
}

static void count_one(uint64_t *entry, bool is_page, void *arg)
{
	const uint64_t flags = __atomic_load_n(entry, __ATOMIC_ACQUIRE) & FLAGS;
	struct flags_counts *counts = arg;

	if (flags == VTD_FIRST_DIRTY || (flags & VTD_FIRST_DIRTY && !is_page))
		counts->odd++;
	if (flags & VTD_FIRST_ACCESSED && is_page)
		counts->pages++;
	if (flags & VTD_FIRST_ACCESSED && !is_page)
		counts->tables++;
	if (flags & VTD_FIRST_DIRTY && is_page)
		counts->dirty++;
}

void flags_count(const struct device *d, int process, struct flags_counts *counts)
{
	const struct visit v = {.fn = count_one, .arg = counts};

	*counts = (struct flags_counts){};
	visit(d, process, &v);
}

struct flags_changer {
	pthread_t thread;
	bool done;
	unsigned int nr, changes;
	uint64_t *entries[NR_PROCESSES * MAX_ENTRIES];
	uint64_t expected[NR_PROCESSES * MAX_ENTRIES];
};

static void add_one(uint64_t *entry, bool is_page, void *arg)
{
	struct flags_changer *c = arg;

	(void)is_page;
	if (c->nr == NR_PROCESSES * MAX_ENTRIES)
		bail_out("more entries than there should be");
	c->entries[c->nr] = entry;
	c->expected[c->nr++] = __atomic_load_n(entry, __ATOMIC_ACQUIRE) & ~FLAGS;
}

static void *change(void *arg)
{
	struct flags_changer *c = arg;

	while (!__atomic_load_n(&c->done, __ATOMIC_ACQUIRE)) {
		for (unsigned int i = 0; i < c->nr; i++) {
			__atomic_fetch_xor(c->entries[i], IGNORED, __ATOMIC_ACQ_REL);
			__atomic_fetch_and(c->entries[i], ~FLAGS, __ATOMIC_ACQ_REL);
			c->expected[i] ^= IGNORED;
			c->changes++;
		}
		/*
		 * A walk that begins now has time to set them and to see that: who
		 * has to set them again and again gives up.
		 */
		poll(NULL, 0, PAUSE_MS);
	}
	return NULL;
}

struct flags_changer *flags_changer_begin(const struct device *d)
{
	struct flags_changer *c = calloc(1, sizeof(*c));
	const struct visit v = {.fn = add_one, .arg = c};

	if (!c)
		bail_out("no memory");
	for (int process = 0; process < NR_PROCESSES; process++)
		visit(d, process, &v);
	if (pthread_create(&c->thread, NULL, change, c))
		bail_out("cannot create a thread");
	return c;
}

unsigned int flags_changer_end(struct flags_changer *c)
{
	unsigned int changes;

	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	pthread_join(c->thread, NULL);
	changes = c->changes;
	for (unsigned int i = 0; i < c->nr; i++)
		if ((__atomic_load_n(c->entries[i], __ATOMIC_ACQUIRE) & ~FLAGS) != c->expected[i])
			changes = 0;
	free(c);
	return changes;
}
