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
static bool compare_state(const struct model *m, const struct snapshot *s)
{
	if (*s->fault)
		return session_fail("the kernel's IOTLB is broken: %s", s->fault);
	if (s->has_iotlb != m->has_iotlb)
		return session_fail("there is %s IOTLB", s->has_iotlb ? "an" : "no");
	if (s->has_iotlb && s->asid != m->asid)
		return session_fail("address space %u is 0x%x", m->asid, s->asid);
	if (s->now != m->now)
		return session_fail("there were %llu invalidations in %u, and not %llu",
				    (unsigned long long)s->now, m->asid,
				    (unsigned long long)m->now);
	return true;
}

/*
 * After evictions, the kernel has a part of what the model has, which then
 * continues with that.
 */
static bool compare_evicted(struct model *m, const struct snapshot *s)
{
	const unsigned int most = session.limit + (session.device ? HELD_MAX : 0);
	const size_t nr = s->list.nr;

	if (nr > most)
		return session_fail("%zu mappings, %u allowed", nr, most);
	if (!mapping_is_part(&s->list, &m->list))
		return session_fail("mappings that there should not be");
	if (m->has_newest && !mapping_find(&s->list, m->newest))
		return session_fail("what was mapped last is gone");
	if (session.since == 1 && session.expected.result <= (ssize_t)sizeof(struct vhost_msg_v2) &&
	    nr < session.limit && nr < m->list.nr)
		return session_fail("evicted down to %zu mappings, where %u are allowed", nr,
				    session.limit);
	if (nr < m->list.nr)
		session.tally.evictions++;
	m->list.nr = nr;
	memcpy(m->list.at, s->list.at, nr * sizeof(m->list.at[0]));
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
			const struct mapping *m = session.snapshots[FIRST].ring[queue][part];
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

static bool compare_space(struct model *m, const struct snapshot *s)
{
	if (!compare_state(m, s))
		return false;
	if (session.tally.most < s->list.nr)
		session.tally.most = s->list.nr;
	if (m->peak <= session.limit || !m->has_iotlb) {
		if (!mapping_equal(&s->list, &m->list))
			return session_fail("the mappings in %u are not those of the model",
					    m->asid);
	} else if (!compare_evicted(m, s)) {
		return false;
	}
	m->peak = m->list.nr;
	return true;
}

bool session_compare(void)
{
	if (!snapshot_take(session.snapshots))
		return session_fail("vhost was not called");
	for (int i = 0; i < SNAPSHOT_SPACES; i++)
		if (!compare_space(&session.models[i], &session.snapshots[i]))
			return false;
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
	return snapshot_take(session.snapshots) || session_fail("vhost was not called");
}

bool session_expect(enum change change, const char *what)
{
	uint64_t times;

	if (!session_probe())
		return false;
	times = session.snapshots[FIRST].now - session.models[FIRST].now;
	/* Without an IOTLB, the number is of no use to anybody. */
	if (times < (change != CHANGE_NOTHING && session.models[FIRST].has_iotlb) ||
	    times > MOST_AT_ONCE)
		return session_fail("%s has counted as %lld invalidations", what, (long long)times);
	if (change == CHANGE_IOTLB || change == CHANGE_NO_IOTLB)
		model_replace_iotlb(&session.models[FIRST], change == CHANGE_IOTLB);
	else if (times)
		model_replace_memory(&session.models[FIRST]);
	while (session.models[FIRST].now < session.snapshots[FIRST].now)
		model_replace_memory(&session.models[FIRST]);
	session.models[FIRST].now = session.snapshots[FIRST].now;
	session.models[FIRST].peak = session.models[FIRST].list.nr;
	if (!compare_state(&session.models[FIRST], &session.snapshots[FIRST]))
		return false;
	if (!mapping_equal(&session.snapshots[FIRST].list, &session.models[FIRST].list))
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

static bool adopt_space(struct model *m, const struct snapshot *s)
{
	model_init(m);
	m->asid = s->has_iotlb ? s->asid : 0;
	/* What has happened so far, nobody has a token for. */
	while (m->now < s->now)
		model_replace_iotlb(m, true);
	m->has_iotlb = s->has_iotlb;
	m->can_fail = session.round.kind != ROUND_VSOCK;
	m->list.nr = s->list.nr;
	memcpy(m->list.at, s->list.at, m->list.nr * sizeof(m->list.at[0]));
	m->peak = m->list.nr;
	if (!compare_state(m, s))
		return false;
	if (!session.device && m->list.nr)
		return session_fail("a new IOTLB is not empty");
	return true;
}

bool session_adopt(void)
{
	if (!session_probe())
		return false;
	for (int i = 0; i < SNAPSHOT_SPACES; i++)
		if (!adopt_space(&session.models[i], &session.snapshots[i]))
			return false;
	session.since = 0;
	if (!session.round.asid)
		return true;
	if (session.snapshots[OTHER].asid != session.round.asid)
		return session_fail("the second address space is not there");
	session.models[FIRST].other = &session.models[OTHER];
	session.models[FIRST].has_asid = true;
	return true;
}
