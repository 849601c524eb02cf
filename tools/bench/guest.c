// SPDX-License-Identifier: GPL-2.0
#include "guest.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void add_region(struct guest *g, uint64_t gpa, uint64_t size)
{
	if (!size)
		return;
	g->regions[g->nr_regions++] = (struct guest_region){
		.gpa = gpa,
		.size = size,
		.at = g->size,
	};
	g->size += size;
}

/* From one piece that the run touches to the next, and pages of 4K in each. */
static void pieces(const struct layout *l, int area, uint64_t *stride, unsigned int *pages)
{
	bool is_buffers = area == AREA_TX || area == AREA_RX;

	*stride = is_buffers ? l->slot_stride : SLOT_SIZE;
	*pages = is_buffers ? l->pages : 1;
}

static uint64_t touched(const struct layout *l)
{
	uint64_t bytes = 0, stride;
	unsigned int pages;

	for (int i = 0; i < NR_AREAS; i++) {
		pieces(l, i, &stride, &pages);
		bytes += l->areas[i].used / stride * pages * SLOT_SIZE;
	}
	return bytes;
}

/* What the run touches must not fault in the middle of it. */
static void touch(const struct guest *g, const struct layout *l)
{
	uint64_t stride;
	unsigned int pages;

	for (int i = 0; i < NR_AREAS; i++) {
		const struct area_place *area = &l->areas[i];

		pieces(l, i, &stride, &pages);
		for (uint64_t at = 0; at < area->used; at += stride)
			memset(guest_memory(g, area->gpa + at), 0, pages * SLOT_SIZE);
	}
}

/* Sparse: a granule of 1G is address space, and takes no memory. */
static int map_memory(struct guest *g)
{
	g->fd = memfd_create("guest", MFD_CLOEXEC);
	if (g->fd < 0 || ftruncate(g->fd, g->size)) {
		warn("cannot make %" PRIu64 " MiB of guest memory", g->size >> 20);
		return -1;
	}
	g->memory =
		mmap(NULL, g->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, g->fd, 0);
	if (g->memory == MAP_FAILED) {
		g->memory = NULL;
		warnx("cannot map %" PRIu64
		      " MiB of guest memory: %s; try a smaller --page or fewer --devices",
		      g->size >> 20, strerror(errno));
		return -1;
	}
	/* Small pages whatever the host's policy: the same cost every time. */
	madvise(g->memory, g->size, MADV_NOHUGEPAGE);
	return 0;
}

static int check_room(const struct layout *l)
{
	uint64_t need = touched(l);
	uint64_t have = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

	/* The rest of the machine wants to live, too. */
	if (need <= have / 4 * 3)
		return 0;
	warnx("the run takes %" PRIu64 " MiB of memory, and this machine has %" PRIu64
	      "; try a smaller --working-set or fewer --devices",
	      need >> 20, have >> 20);
	return -1;
}

int guest_create(struct guest *g, const struct layout *l)
{
	const struct area_place *a = l->areas;

	*g = (struct guest){.fd = -1};
	add_region(g, a[AREA_VTD].gpa, a[AREA_VTD].size);
	add_region(g, a[AREA_RING].gpa,
		   a[AREA_RING].size + a[AREA_USED].size + a[AREA_INDIRECT].size);
	add_region(g, a[AREA_TX].gpa, a[AREA_TX].size + a[AREA_RX].size);
	if (check_room(l))
		return -1;
	if (map_memory(g)) {
		guest_destroy(g);
		return -1;
	}
	for (unsigned int i = 0; i < g->nr_regions; i++)
		g->regions[i].hva = g->memory + g->regions[i].at;
	touch(g, l);
	return 0;
}

void guest_destroy(struct guest *g)
{
	if (g->memory)
		munmap(g->memory, g->size);
	/* Nothing of it is known before it is created. */
	if (g->size && g->fd >= 0)
		close(g->fd);
	*g = (struct guest){.fd = -1};
}

static const struct guest_region *region_of(const struct guest *g, uint64_t gpa)
{
	for (unsigned int i = 0; i < g->nr_regions; i++)
		if (gpa >= g->regions[i].gpa && gpa - g->regions[i].gpa < g->regions[i].size)
			return &g->regions[i];
	return NULL;
}

void *guest_memory(const struct guest *g, uint64_t gpa)
{
	const struct guest_region *r = region_of(g, gpa);

	return r ? r->hva + (gpa - r->gpa) : NULL;
}

static int view_page(const struct guest *g, uint64_t gpa, uint8_t *where)
{
	const struct guest_region *r = region_of(g, gpa);

	if (mmap(where, SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
		 g->fd, r->at + (gpa - r->gpa)) == MAP_FAILED)
		return -1;
	return 0;
}

void *guest_view(const struct guest *g, const struct layout *l, struct place place)
{
	uint64_t start = place.at % SLOT_SIZE;
	uint8_t *view;

	if (l->pages == 1)
		return guest_memory(g, layout_gpa(l, place));
	view = mmap(NULL, l->pages * SLOT_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (view == MAP_FAILED) {
		warn("cannot map a view of guest memory");
		return NULL;
	}
	for (unsigned int i = 0; i < l->pages; i++) {
		struct place page = {place.area, place.at - start + i * SLOT_SIZE};

		if (view_page(g, layout_gpa(l, page), view + i * SLOT_SIZE)) {
			warn("cannot map a view of guest memory");
			munmap(view, l->pages * SLOT_SIZE);
			return NULL;
		}
	}
	return view + start;
}

void guest_unview(const struct layout *l, void *view)
{
	if (view && l->pages > 1)
		munmap((void *)((uintptr_t)view & ~(uintptr_t)(SLOT_SIZE - 1)),
		       l->pages * SLOT_SIZE);
}
