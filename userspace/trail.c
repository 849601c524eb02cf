// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "guest_memory.h"
#include "trail.h"
#include "vtd_entry.h"

/* Where the entry of the same table is that a walk for @iova reads. */
static uint64_t guess(const struct trail_step *last, uint64_t iova)
{
	uint64_t page = last->gpa & ~(uint64_t)0xfff;

	/* Those above the page tables are the device's. */
	if (!last->level)
		return last->gpa;
	return page | (vtd_entry_offset(iova, last->level) & ~(uint64_t)(last->size - 1));
}

void trail_begin(struct trail_walk *walk, const struct guest_memory *memory, struct trail *trail,
		 uint64_t iova)
{
	struct guest_piece pieces[TRAIL_STEPS];
	size_t i, room = sizeof(walk->data);

	walk->memory = memory;
	walk->trail = trail;
	walk->at = walk->offset = walk->ahead_count = walk->made.count = 0;
	if (!trail)
		return;

	for (i = 0; i < trail->count && trail->steps[i].size <= room; i++) {
		walk->ahead[i] = trail->steps[i];
		walk->ahead[i].gpa = guess(&trail->steps[i], iova);
		pieces[i] = (struct guest_piece){walk->ahead[i].gpa, walk->ahead[i].size};
		room -= walk->ahead[i].size;
	}
	walk->ahead_count = guest_memory_read_pieces(memory, pieces, i, walk->data);
}

static void remember(struct trail_walk *walk, int level, uint64_t gpa, uint32_t size)
{
	if (walk->made.count < TRAIL_STEPS)
		walk->made.steps[walk->made.count] = (struct trail_step){
			.gpa = gpa,
			.size = size,
			.level = level,
		};
	walk->made.count++;
}

/* Is it what was read ahead, at its turn? */
static bool is_next(const struct trail_walk *walk, uint64_t gpa, uint32_t size)
{
	const struct trail_step *next = &walk->ahead[walk->at];

	return walk->at < walk->ahead_count && next->gpa == gpa && next->size == size;
}

int trail_read(void *arg, enum vtd_table table, int level, __u64 gpa, void *to, __u32 size)
{
	struct trail_walk *walk = arg;
	int err;

	(void)table;
	if (is_next(walk, gpa, size)) {
		memcpy(to, (char *)walk->data + walk->offset, size);
		walk->offset += size;
		walk->at++;
	} else {
		/* What was read after it is older than what it leads to. */
		walk->ahead_count = 0;
		err = guest_memory_read(walk->memory, gpa, to, size);
		if (err)
			return err;
	}
	remember(walk, level, gpa, size);
	return 0;
}

void trail_end(struct trail_walk *walk)
{
	struct trail *made = &walk->made;

	if (!walk->trail)
		return;
	/* With nesting, it is not the address that says where entries lie. */
	if (made->count > TRAIL_STEPS)
		for (made->count = 0; made->count < TRAIL_STEPS && !made->steps[made->count].level;
		     made->count++)
			;
	*walk->trail = *made;
}
