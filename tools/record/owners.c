// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "clock.h"
#include "owners.h"

/**
 * struct owners - who had which device when it was last looked for
 * @below:	where all comes from
 * @again_ns:	when to look again
 * @was_new:	for a device that was new: its tap may come later
 * @found:	what was found
 * @count:	elements of @found
 * @room:	for so many
 */
static struct owners {
	const struct source_ops *below;
	uint64_t again_ns;
	bool was_new;
	struct vhost_device *found;
	size_t count;
	size_t room;
} owners;

void owners_init(const struct source_ops *below)
{
	owners = (struct owners){.below = below};
}

static struct source *owners_open(const struct source_options *options)
{
	return owners.below->open(options);
}

static int owners_mark(struct source *source)
{
	return owners.below->mark(source);
}

static int take_owner(const struct vhost_device *device, void *arg)
{
	size_t room = owners.room ? owners.room * 2 : 16;
	struct vhost_device *found;

	(void)arg;
	if (owners.count == owners.room) {
		found = reallocarray(owners.found, room, sizeof(*found));
		if (!found)
			return -ENOMEM;
		owners.found = found;
		owners.room = room;
	}
	owners.found[owners.count++] = *device;
	return 0;
}

static bool has_space(const struct vhost_device *device, uint32_t asid)
{
	size_t i;

	for (i = 0; i < device->nr_spaces; i++)
		if (device->spaces[i].asid == asid)
			return true;
	return false;
}

/* Not 0 if nobody is known to own it: it, or its address space, may be new. */
static int is_unknown(const struct source_reading *reading, void *arg)
{
	size_t i;

	(void)arg;
	for (i = 0; i < owners.count; i++)
		if (owners.found[i].has_id && owners.found[i].id == reading->dev)
			return reading->vq == IOTLB_VQ_SPACE &&
			       !has_space(&owners.found[i], reading->asid);
	return 1;
}

static int look(struct source *source, bool is_new)
{
	const uint64_t begin = clock_now_ns();
	uint64_t end, pause;
	int err;

	owners.count = 0;
	owners.was_new = is_new;
	err = owners.below->owners(source, take_owner, NULL);
	end = clock_now_ns();
	pause = (end - begin) * OWNERS_SHARE;
	owners.again_ns = end + (pause > OWNERS_NS ? pause : OWNERS_NS);
	return err;
}

static int owners_owners(struct source *source, vhost_device_fn fn, void *arg)
{
	const bool is_new = owners.below->read(source, is_unknown, NULL);
	size_t i;
	int err = 0;

	if (is_new || owners.was_new || clock_now_ns() >= owners.again_ns)
		err = look(source, is_new);
	for (i = 0; i < owners.count && !err; i++)
		err = fn(&owners.found[i], arg);
	return err;
}

static int owners_read(struct source *source, source_fn fn, void *arg)
{
	return owners.below->read(source, fn, arg);
}

static int owners_reclaim(struct source *source, source_gone_fn gone, source_fn fn, void *arg)
{
	return owners.below->reclaim(source, gone, fn, arg);
}

static uint64_t owners_lost(struct source *source)
{
	return owners.below->lost(source);
}

static uint64_t owners_unavailable(struct source *source)
{
	return owners.below->unavailable(source);
}

static void owners_stop(struct source *source)
{
	owners.below->stop(source);
}

static void owners_close(struct source *source)
{
	owners.below->close(source);
	free(owners.found);
	owners.found = NULL;
	owners.count = owners.room = 0;
}

const struct source_ops source_owners = {
	.open = owners_open,
	.mark = owners_mark,
	.owners = owners_owners,
	.read = owners_read,
	.reclaim = owners_reclaim,
	.lost = owners_lost,
	.unavailable = owners_unavailable,
	.stop = owners_stop,
	.close = owners_close,
};
