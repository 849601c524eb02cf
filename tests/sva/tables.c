// SPDX-License-Identifier: GPL-2.0
#include "tables.h"

#include "vtd.h"

#define ENTRIES (PAGE / sizeof(uint64_t))
#define LEVELS 4
#define WIDTH_FIELD 2ULL /* VTD_LEVELS(2) is 4 */

/* Pages. Those of device.h for rings come first. */
#define BUFFERS 16
#define LEGACY_ROOT 64
#define LEGACY_CONTEXT 65
#define SCALABLE_ROOT 66
#define SCALABLE_CONTEXT 67
#define DIRECTORY 68
#define PASIDS 69
#define SECOND_LEVEL 72
#define FIRST_LEVEL (SECOND_LEVEL + LEVELS)
#define OTHER_BUFFERS 160

/* What the second level exchanges: the halves of the memory */
#define EXCHANGED (GUEST_PAGES / 2)

static unsigned int exchanged;

/* No entry is accessed or dirty when it is written. */
static bool is_clear;

static uint64_t gpa_of(unsigned int page)
{
	return page * PAGE;
}

/* What a process has for the physical address of a page. */
static uint64_t seen(unsigned int page)
{
	return gpa_of(page ^ exchanged);
}

static void store(const struct device *d, unsigned int page, unsigned int nth, uint64_t entry)
{
	uint64_t *table = device_page(d, page);

	/* Others read while we write. */
	__atomic_store_n(&table[nth], entry, __ATOMIC_RELEASE);
}

static unsigned int first_level(int process)
{
	return FIRST_LEVEL + process * LEVELS;
}

static int queue_of(int process)
{
	return process == HEIR ? TX : process;
}

unsigned int tables_buffer(int process, unsigned int nth)
{
	return BUFFERS + process * NR_BUFFERS + nth;
}

unsigned int tables_other_buffer(int process, unsigned int nth)
{
	return OTHER_BUFFERS + process * NR_BUFFERS + nth;
}

static unsigned int index_of(uint64_t address, int level)
{
	return (address >> VTD_LEVELS_BITS(level - 1)) % ENTRIES;
}

static void build_second(const struct device *d)
{
	const uint64_t flags = VTD_SECOND_READ | VTD_SECOND_WRITE;

	for (int i = 0; i < LEVELS - 1; i++)
		store(d, SECOND_LEVEL + i, 0, gpa_of(SECOND_LEVEL + i + 1) | flags);
	for (unsigned int page = 0; page < GUEST_PAGES; page++)
		store(d, SECOND_LEVEL + LEVELS - 1, page, gpa_of(page ^ exchanged) | flags);
}

static void enter(const struct device *d, int process, uint64_t address, uint64_t entry)
{
	store(d, first_level(process) + LEVELS - 1, index_of(address, 1), entry);
}

static uint64_t readable(void)
{
	const uint64_t flags = is_clear ? 0 : VTD_FIRST_ACCESSED | VTD_FIRST_DIRTY;

	return VTD_FIRST_PRESENT | VTD_FIRST_USER | flags;
}

static void map(const struct device *d, int process, uint64_t address, unsigned int page)
{
	enter(d, process, address, seen(page) | VTD_FIRST_WRITE | readable());
}

void tables_map_buffer(const struct device *d, int process, unsigned int nth, unsigned int page)
{
	map(d, process, PROCESS_BUFFERS + nth * PAGE, page);
}

void tables_protect_buffer(const struct device *d, int process, unsigned int nth, unsigned int page)
{
	enter(d, process, PROCESS_BUFFERS + nth * PAGE, seen(page) | readable());
}

void tables_unmap_buffer(const struct device *d, int process, unsigned int nth)
{
	enter(d, process, PROCESS_BUFFERS + nth * PAGE, 0);
}

static void build_process(const struct device *d, int process)
{
	const uint64_t flags =
		VTD_FIRST_PRESENT | VTD_FIRST_WRITE | VTD_FIRST_USER | VTD_FIRST_ACCESSED;
	const unsigned int table = first_level(process);

	for (int i = 0; i < LEVELS - 1; i++)
		store(d, table + i, index_of(PROCESS_BASE, LEVELS - i),
		      seen(table + i + 1) | flags);
	for (int part = 0; part < NR_PARTS; part++)
		map(d, process, PROCESS_RINGS + part * PAGE,
		    device_ring_page(queue_of(process), part));
	for (unsigned int nth = 0; nth < NR_BUFFERS; nth++)
		tables_map_buffer(d, process, nth, tables_buffer(process, nth));
}

unsigned int tables_levels(void)
{
	return LEVELS;
}

uint64_t *tables_first_level(const struct device *d, int process, unsigned int nth)
{
	return device_page(d, first_level(process) + nth);
}

void tables_clear_flags(const struct device *d)
{
	is_clear = true;
	for (int process = 0; process < NR_PROCESSES; process++)
		for (unsigned int table = 0; table < LEVELS; table++) {
			uint64_t *entries = tables_first_level(d, process, table);

			for (unsigned int i = 0; i < ENTRIES; i++)
				__atomic_fetch_and(&entries[i],
						   ~(VTD_FIRST_ACCESSED | VTD_FIRST_DIRTY),
						   __ATOMIC_ACQ_REL);
		}
}

static void build_legacy(const struct device *d)
{
	const unsigned int nth = DEVICE_FUNCTION * VTD_CONTEXT_SIZE / sizeof(uint64_t);

	store(d, LEGACY_ROOT, 0, gpa_of(LEGACY_CONTEXT) | VTD_ROOT_PRESENT);
	store(d, LEGACY_CONTEXT, nth, gpa_of(SECOND_LEVEL) | VTD_CONTEXT_PRESENT);
	store(d, LEGACY_CONTEXT, nth + 1, WIDTH_FIELD);
}

static void enter_pasid(const struct device *d, int queue, unsigned int pasid)
{
	const unsigned int nth = pasid * VTD_PASID_SIZE / sizeof(uint64_t);

	store(d, PASIDS, nth,
	      gpa_of(SECOND_LEVEL) | WIDTH_FIELD << VTD_PASID_WIDTH_SHIFT | VTD_PASID_TYPE_NESTED |
		      VTD_PASID_PRESENT);
	store(d, PASIDS, nth + 2, tables_process_root(queue));
}

static void build_scalable(const struct device *d)
{
	const unsigned int nth = DEVICE_FUNCTION * VTD_SCALABLE_CONTEXT_SIZE / sizeof(uint64_t);

	store(d, SCALABLE_ROOT, 0, gpa_of(SCALABLE_CONTEXT) | VTD_ROOT_PRESENT);
	store(d, SCALABLE_CONTEXT, nth,
	      tables_directory() | VTD_SCALABLE_CONTEXT_PASID | VTD_SCALABLE_CONTEXT_PRESENT);
	store(d, DIRECTORY, 0, gpa_of(PASIDS) | VTD_DIRECTORY_PRESENT);
	enter_pasid(d, RX, PASID_RX);
	enter_pasid(d, TX, PASID_TX);
}

void tables_build(const struct device *d, bool is_flat)
{
	exchanged = is_flat ? 0 : EXCHANGED;
	build_second(d);
	for (int process = 0; process < NR_PROCESSES; process++)
		build_process(d, process);
	build_legacy(d);
	build_scalable(d);
}

uint64_t tables_legacy_root(void)
{
	return gpa_of(LEGACY_ROOT) | VTD_ROOT_MODE_LEGACY;
}

uint64_t tables_scalable_root(void)
{
	return gpa_of(SCALABLE_ROOT) | VTD_ROOT_MODE_SCALABLE;
}

uint64_t tables_directory(void)
{
	return gpa_of(DIRECTORY);
}

uint64_t tables_process_root(int process)
{
	return seen(first_level(process));
}
