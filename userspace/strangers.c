// SPDX-License-Identifier: GPL-2.0
#include "strangers.h"

static struct stranger *slot_of(struct strangers *strangers, uint64_t dev)
{
	return &strangers->slots[dev % STRANGERS_SLOTS];
}

static void set(struct strangers *strangers, uint64_t dev, uint64_t until_ns)
{
	struct stranger *slot = slot_of(strangers, dev);

	strangers->wanted -= slot->until_ns == STRANGER_WANTED;
	strangers->wanted += until_ns == STRANGER_WANTED;
	*slot = (struct stranger){.dev = dev, .until_ns = until_ns};
}

bool strangers_know(const struct strangers *strangers, uint64_t dev, uint64_t now_ns)
{
	const struct stranger *slot = &strangers->slots[dev % STRANGERS_SLOTS];

	return slot->dev == dev && now_ns < slot->until_ns;
}

bool strangers_want(const struct strangers *strangers, uint64_t dev)
{
	const struct stranger *slot = &strangers->slots[dev % STRANGERS_SLOTS];

	return slot->dev == dev && slot->until_ns == STRANGER_WANTED;
}

void strangers_add(struct strangers *strangers, uint64_t dev)
{
	set(strangers, dev, STRANGER_WANTED);
}

void strangers_ignore(struct strangers *strangers, uint64_t dev, uint64_t until_ns)
{
	set(strangers, dev, until_ns);
}

uint64_t strangers_next_wanted(const struct strangers *strangers, size_t *slot)
{
	while (strangers->slots[*slot].until_ns != STRANGER_WANTED)
		++*slot;
	return strangers->slots[*slot].dev;
}
