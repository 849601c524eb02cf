// SPDX-License-Identifier: GPL-2.0
/*
 * The translator of an iotlbd that is part of the race: it takes the place of
 * the one that reads a table from a file, and walks the page table that the
 * mapper changes, in shared memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "dawdle.h"
#include "race.h"
#include "space.h"
#include "translator.h"

static uint64_t random_state;

static int shared_open(struct translator *translator, const struct translator_args *args)
{
	int fd = open(args->table_path, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	/* The tables, not the memory. */
	translator->state =
		mmap(NULL, offsetof(struct space, memory), PROT_READ, MAP_SHARED, fd, 0);
	if (translator->state == MAP_FAILED)
		err = -errno;
	close(fd);
	random_state = time(NULL) | 1;
	return err;
}

static uint32_t slot_of(const struct space *s, unsigned int page)
{
	return __atomic_load_n(&s->entries[page].slot, __ATOMIC_ACQUIRE);
}

static int shared_translate(struct translator *translator, const struct lookup *lookup,
			    struct finding *finding)
{
	const struct space *s = translator->state;
	int page = space_page_of(lookup->iova);
	unsigned int last = page;
	uint32_t slot;

	if (page < 0)
		return -ENOENT;
	slot = slot_of(s, page);
	if (random_below(&random_state, 4) == 0)
		while (last + 1 < NR_PAGES && slot_of(s, last + 1) == slot &&
		       space_permission(last + 1) == space_permission(page))
			last++;
	finding->mapping = (struct mapping){
		.iova = space_iova(page),
		.last = space_iova(last + 1) - 1,
		.gpa = space_gpa(page, slot),
		.perm = space_permission(page),
	};
	dawdle_awake(&random_state);
	return 0;
}

const struct translator_ops translator_table = {
	.name = "table",
	.summary = "the page table of the race",
	.open = shared_open,
	.translate = shared_translate,
};
