// SPDX-License-Identifier: GPL-2.0
#include "guest.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

/* Pages that the run will touch must not fault in the middle of it. */
static void touch(const struct guest *g, const struct layout *l)
{
	for (int i = 0; i < NR_AREAS; i++)
		if (l->areas[i].used)
			memset(guest_memory(g, l->areas[i].gpa), 0, l->areas[i].used);
}

int guest_create(struct guest *g, const struct layout *l)
{
	const struct area_place *a = l->areas;
	uint8_t *memory;

	*g = (struct guest){0};
	g->regions[0].gpa = a[AREA_RING].gpa;
	g->regions[0].size = a[AREA_RING].size + a[AREA_USED].size;
	g->regions[1].gpa = a[AREA_TX].gpa;
	g->regions[1].size = a[AREA_TX].size + a[AREA_RX].size;
	g->size = g->regions[0].size + g->regions[1].size;

	/* A granule of 1G is address space, not memory: nothing is reserved. */
	memory = mmap(NULL, g->size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) {
		warnx("cannot map %" PRIu64
		      " MiB of guest memory: %s; try a smaller --page or fewer --devices",
		      g->size >> 20, strerror(errno));
		return -1;
	}
	/* Small pages whatever the host's policy: the same cost every time. */
	madvise(memory, g->size, MADV_NOHUGEPAGE);
	g->regions[0].hva = memory;
	g->regions[1].hva = memory + g->regions[0].size;
	touch(g, l);
	return 0;
}

void guest_destroy(struct guest *g)
{
	if (g->size)
		munmap(g->regions[0].hva, g->size);
	g->size = 0;
}

void *guest_memory(const struct guest *g, uint64_t gpa)
{
	for (int i = 0; i < GUEST_REGIONS; i++) {
		const struct guest_region *r = &g->regions[i];

		if (gpa >= r->gpa && gpa - r->gpa < r->size)
			return r->hva + (gpa - r->gpa);
	}
	return NULL;
}
