// SPDX-License-Identifier: GPL-2.0
/* The kernel's side and the model of it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "state.h"
#include "tests/kernel/device.h"
#include "vhost_msg_v3.h"

/* An operation of SET_FEATURES or the like invalidates this often at most. */
#define MOST_AT_ONCE 4

/* Does the kernel see the device's state as the model does, but for mappings? */
static bool compare_state(void)
{
	if (*session.snapshot.fault)
		return session_fail("the kernel's IOTLB is broken: %s", session.snapshot.fault);
	if (session.snapshot.has_iotlb != session.model.has_iotlb)
		return session_fail("there is %s IOTLB", session.snapshot.has_iotlb ? "an" : "no");
	if (session.snapshot.now != session.model.now)
		return session_fail("there were %llu invalidations, and not %llu",
				    (unsigned long long)session.snapshot.now,
				    (unsigned long long)session.model.now);
	return true;
}

/*
 * After evictions, the kernel has a part of what the model has, which then
 * continues with that.
 */
static bool compare_evicted(void)
{
	const unsigned int most = session.limit + (session.device ? HELD_MAX : 0);
	const size_t nr = session.snapshot.list.nr;

	if (nr > most)
		return session_fail("%zu mappings, %u allowed", nr, most);
	if (!mapping_is_part(&session.snapshot.list, &session.model.list))
		return session_fail("mappings that there should not be");
	if (session.model.has_newest && !mapping_find(&session.snapshot.list, session.model.newest))
		return session_fail("what was mapped last is gone");
	if (session.since == 1 && session.expected.result <= (ssize_t)sizeof(struct vhost_msg_v2) &&
	    nr < session.limit && nr < session.model.list.nr)
		return session_fail("evicted down to %zu mappings, where %u are allowed", nr,
				    session.limit);
	if (nr < session.model.list.nr)
		session.tally.evictions++;
	session.model.list.nr = nr;
	memcpy(session.model.list.at, session.snapshot.list.at,
	       nr * sizeof(session.model.list.at[0]));
	return true;
}

/* Are the mappings that virtqueues keep for their rings good for that? */
bool session_compare_rings(void)
{
	static const struct {
		uint64_t size;
		uint32_t perm;
	} parts[NR_PARTS] = {
		[DESC] = {RING_SIZE * sizeof(struct vring_desc), VHOST_ACCESS_RO},
		[AVAIL] = {(2 + RING_SIZE) * sizeof(uint16_t), VHOST_ACCESS_RO},
		[USED] = {2 * sizeof(uint16_t) + RING_SIZE * sizeof(struct vring_used_elem),
			  VHOST_ACCESS_WO},
	};

	for (int queue = 0; session.device && queue < NR_QUEUES; queue++) {
		for (int part = 0; part < NR_PARTS; part++) {
			const struct mapping *m = session.snapshot.ring[queue][part];
			uint64_t iova = device_iova(device_ring_page(queue, part));

			if (!m)
				continue;
			session.tally.rings++;
			if (m->start > iova || m->last < iova + parts[part].size - 1 ||
			    !(m->perm & parts[part].perm))
				return session_fail("virtqueue %d keeps 0x%llx-0x%llx for part %d",
						    queue, (unsigned long long)m->start,
						    (unsigned long long)m->last, part);
		}
	}
	return true;
}

bool session_compare(void)
{
	if (!snapshot_take(&session.snapshot))
		return session_fail("vhost was not called");
	if (!compare_state())
		return false;
	if (session.tally.most < session.snapshot.list.nr)
		session.tally.most = session.snapshot.list.nr;
	if (session.model.peak <= session.limit || !session.model.has_iotlb) {
		if (!mapping_equal(&session.snapshot.list, &session.model.list))
			return session_fail("the mappings are not those of the model");
	} else if (!compare_evicted()) {
		return false;
	}
	session.model.peak = session.model.list.nr;
	session.since = 0;
	return session_compare_rings();
}

static bool write_nothing(void)
{
	snapshot_enable(true);
	if (write(session.fd, "", 1) != -1 || errno != EINVAL)
		return session_fail("a message of one byte is not refused");
	return true;
}

/* A write that is refused, to see the device's state. */
bool session_probe(void)
{
	if (!write_nothing())
		return false;
	return snapshot_take(&session.snapshot) || session_fail("vhost was not called");
}

bool session_expect(enum change change, const char *what)
{
	uint64_t times;

	if (!session_probe())
		return false;
	times = session.snapshot.now - session.model.now;
	/* Without an IOTLB, the number is of no use to anybody. */
	if (times < (change != CHANGE_NOTHING && session.model.has_iotlb) || times > MOST_AT_ONCE)
		return session_fail("%s has counted as %lld invalidations", what, (long long)times);
	if (change == CHANGE_IOTLB || change == CHANGE_NO_IOTLB)
		model_replace_iotlb(&session.model, change == CHANGE_IOTLB);
	else if (times)
		model_replace_memory(&session.model);
	while (session.model.now < session.snapshot.now)
		model_replace_memory(&session.model);
	session.model.now = session.snapshot.now;
	session.model.peak = session.model.list.nr;
	if (!compare_state())
		return false;
	if (!mapping_equal(&session.snapshot.list, &session.model.list))
		return session_fail("after %s, the mappings are not those of the model", what);
	session.since = 0;
	return true;
}

bool session_sync(void)
{
	if (!session.since)
		return true;
	return write_nothing() && session_compare();
}

bool session_adopt(void)
{
	const struct mapping_list *list = &session.snapshot.list;

	if (!session_probe())
		return false;
	/* What has happened so far, nobody has a token for. */
	model_init(&session.model);
	while (session.model.now < session.snapshot.now)
		model_replace_iotlb(&session.model, true);
	session.model.has_iotlb = true;
	session.model.list.nr = list->nr;
	memcpy(session.model.list.at, list->at, list->nr * sizeof(list->at[0]));
	session.model.peak = list->nr;
	session.since = 0;
	if (!compare_state())
		return false;
	if (!session.device && list->nr)
		return session_fail("a new IOTLB is not empty");
	return true;
}
