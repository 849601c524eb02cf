// SPDX-License-Identifier: GPL-2.0
#include "miss.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/vhost.h>

#include "area.h"
#include "state.h"
#include "tests/kernel/device.h"
#include "vhost_msg_v3.h"

/* Is this a message of the version that was asked for? */
bool miss_parse(const uint8_t *bytes, ssize_t size, struct miss *miss)
{
	struct {
		struct vhost_msg_v3 head;
		struct vhost_iotlb_op op;
	} v3;
	struct vhost_msg_v2 v2;

	if (session.round.v3) {
		if (size != sizeof(v3))
			return session_fail("a miss of version 3 has %zd bytes", size);
		memcpy(&v3, bytes, sizeof(v3));
		*miss = (struct miss){v3.op.iova, v3.op.token, v3.op.perm};
		if (v3.head.type != VHOST_IOTLB_MSG_V3 || v3.head.num != 1 ||
		    v3.op.type != VHOST_IOTLB_MISS || v3.op.flags != VHOST_IOTLB_OP_F_TOKEN ||
		    v3.op.asid || v3.op.uaddr || !v3.op.size)
			return session_fail("a miss of version 3 is malformed");
		if (v3.op.token != session.models[FIRST].now)
			return session_fail("a miss is read with token %llu, not %llu",
					    (unsigned long long)v3.op.token,
					    (unsigned long long)session.models[FIRST].now);
		return true;
	}
	if (size != sizeof(v2))
		return session_fail("a miss of version 2 has %zd bytes", size);
	memcpy(&v2, bytes, sizeof(v2));
	*miss = (struct miss){v2.iotlb.iova, 0, v2.iotlb.perm};
	if (v2.type != VHOST_IOTLB_MSG_V2 || v2.iotlb.type != VHOST_IOTLB_MISS)
		return session_fail("a miss of version 2 is malformed");
	return true;
}

/* What is mapped, no virtqueue waits for. */
static bool miss_check(const uint8_t *bytes, ssize_t size, struct miss *miss)
{
	const struct mapping *mapping;

	if (!miss_parse(bytes, size, miss))
		return false;
	session.tally.misses++;
	/* Without what has been evicted. */
	if (!session_sync())
		return false;
	mapping = mapping_find(&session.models[FIRST].list, miss->iova);
	if (mapping && (mapping->perm & miss->perm) == miss->perm)
		return session_fail("a miss of 0x%llx with permission %u, which is mapped",
				    (unsigned long long)miss->iova, miss->perm);
	return true;
}

bool miss_read(size_t size)
{
	uint8_t *to = session.area + AREA_SIZE - size;
	struct miss miss;
	ssize_t got = area_result(read(session.fd, to, size));

	if (size < sizeof(struct vhost_msg))
		return got ? session_fail("a read of %zu bytes returns %zd", size, got) : true;
	if (got == -EAGAIN)
		return true;
	if (got < 0 || !session.device)
		return session_fail("a read returns %zd", got);
	return miss_check(to, got, &miss);
}

/* The message must not be lost. */
bool miss_read_fault(size_t size)
{
	uint8_t *to = session.area + AREA_SIZE - size / 2;
	struct miss miss;
	ssize_t got = area_result(read(session.fd, to, size));

	if (size < sizeof(struct vhost_msg) || got == -EAGAIN)
		return true;
	if (!session.device)
		return session_fail("a read returns %zd", got);
	if (got == 48 || got == sizeof(struct vhost_msg))
		return true;
	to = session.area;
	got = area_result(read(session.fd, to, sizeof(struct vhost_msg)));
	return miss_check(to, got, &miss);
}

/* An answer was refused because it is stale: the virtqueues that wait ask again. */
bool miss_read_after_stale(const struct message *m)
{
	struct vhost_iotlb_op op;
	struct miss miss;
	ssize_t got;

	memcpy(&op, m->bytes + sizeof(struct vhost_msg_v3), sizeof(op));
	device_flush(session.device);
	for (int i = 0; i < NR_QUEUES; i++) {
		got = area_result(read(session.fd, session.area, sizeof(struct vhost_msg)));
		if (got == -EAGAIN)
			return true;
		if (!miss_check(session.area, got, &miss))
			return false;
		if (miss.iova >= op.iova && miss.iova <= op.iova + op.size - 1)
			session.tally.anew++;
	}
	return true;
}
