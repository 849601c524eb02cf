// SPDX-License-Identifier: GPL-2.0
#include "iotlb_record.h"
#include "once_more.h"

bool once_more_take(struct once_more *all, const struct iotlb_record *miss, uint64_t now_ns)
{
	const unsigned int at = miss->vq % ONCE_MORE_QUEUES;
	const bool is_recent =
		all->tried[at].since_ns && now_ns - all->tried[at].since_ns < ONCE_MORE_NS;

	if (is_recent && all->tried[at].vq != miss->vq)
		return false;
	if (is_recent && all->tried[at].iova == miss->iova && all->tried[at].asid == miss->asid) {
		all->tried[at].since_ns = 0;
		return false;
	}
	all->tried[at].since_ns = now_ns;
	all->tried[at].iova = miss->iova;
	all->tried[at].asid = miss->asid;
	all->tried[at].vq = miss->vq;
	return true;
}
