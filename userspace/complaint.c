// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "clock.h"
#include "complaint.h"
#include "iotlb_record.h"
#include "served.h"
#include "translator.h"
#include "vtd_name.h"

/* What a message is about, see log_subject(). */
enum matter {
	MATTER_UNMAPPED = 1,
	MATTER_UNBOUND,
	MATTER_FAULT,
	MATTER_FORBIDDEN,
	MATTER_OUTSIDE,
	MATTER_STRANGE,
	MATTER_FAILED,
	MATTER_CLIPPED,
	MATTER_THROTTLED,
};

static bool may_say(struct log_limit *limit, const struct served_device *device, uint64_t address,
		    enum matter matter)
{
	return log_limit_allows(limit, log_subject(device->info.dev, address, matter),
				clock_now_ns());
}

static const char *access_name(uint32_t access)
{
	switch (access) {
	case VHOST_ACCESS_RO:
		return "read";
	case VHOST_ACCESS_WO:
		return "write";
	default:
		return "read and write";
	}
}

struct place {
	char text[48];
};

/* The address of a miss, and whose it is */
static struct place place_of(const struct iotlb_record *miss)
{
	struct place place;

	if (miss->asid)
		snprintf(place.text, sizeof(place.text), "0x%" PRIx64 " of PASID %u",
			 (uint64_t)miss->iova, miss->asid);
	else
		snprintf(place.text, sizeof(place.text), "0x%" PRIx64, (uint64_t)miss->iova);
	return place;
}

static void complain_fault(struct log_limit *limit, const struct served_device *device,
			   const struct iotlb_record *miss, const struct vtd_walk *walk)
{
	if (!may_say(limit, device, miss->iova >> 12, MATTER_FAULT))
		return;
	log_warn(DEVICE_FORMAT ": no translation of %s: %s (fault %s, table %s, level %u); queue "
			       "%u waits to %s there",
		 DEVICE_ARGS(device), place_of(miss).text, vtd_fault_text(walk->fault),
		 vtd_fault_name(walk->fault), vtd_table_name(walk->fault_table), walk->fault_level,
		 miss->vq, access_name(miss->access));
}

void complain_unanswered(struct log_limit *limit, const struct served_device *device,
			 const struct iotlb_record *miss, int err, const struct finding *finding)
{
	const struct mapping *mapping = &finding->mapping;
	/* Once for a page: the guest chooses addresses. */
	uint64_t page = miss->iova >> 12;

	if (finding->walk.fault) {
		complain_fault(limit, device, miss, &finding->walk);
		return;
	}
	switch (err) {
	case -ENOLINK:
		if (may_say(limit, device, miss->asid, MATTER_UNBOUND))
			log_warn(DEVICE_FORMAT
				 ": nothing is bound to PASID %u; queue %u waits to %s 0x%" PRIx64,
				 DEVICE_ARGS(device), miss->asid, miss->vq,
				 access_name(miss->access), (uint64_t)miss->iova);
		break;
	case -ENOENT:
		if (may_say(limit, device, page, MATTER_UNMAPPED))
			log_warn(DEVICE_FORMAT ": nothing maps 0x%" PRIx64
					       "; queue %u waits to %s there",
				 DEVICE_ARGS(device), (uint64_t)miss->iova, miss->vq,
				 access_name(miss->access));
		break;
	case -EACCES:
		if (may_say(limit, device, page, MATTER_FORBIDDEN))
			log_warn(DEVICE_FORMAT ": the mapping 0x%" PRIx64 "-0x%" PRIx64
					       " does not allow to %s; queue %u waits at %s",
				 DEVICE_ARGS(device), mapping->iova, mapping->last,
				 access_name(miss->access), miss->vq, place_of(miss).text);
		break;
	case -EFAULT:
		if (may_say(limit, device, mapping->iova, MATTER_OUTSIDE))
			log_warn(DEVICE_FORMAT
				 ": the mapping 0x%" PRIx64 "-0x%" PRIx64 " leads %s"
				 " out of the guest's memory (no vhost-mem line of its fdinfo has "
				 "guest address 0x%" PRIx64 "); queue %u waits",
				 DEVICE_ARGS(device), mapping->iova, mapping->last,
				 place_of(miss).text,
				 (uint64_t)(mapping->gpa + (miss->iova - mapping->iova)), miss->vq);
		break;
	default:
		if (may_say(limit, device, err, MATTER_STRANGE))
			log_warn(DEVICE_FORMAT ": cannot translate %s: %s; queue %u waits",
				 DEVICE_ARGS(device), place_of(miss).text, strerror(-err),
				 miss->vq);
		break;
	}
}

void complain_clipped(struct log_limit *limit, const struct served_device *device,
		      const struct mapping *mapping, const struct answer *answer)
{
	if (may_say(limit, device, mapping->iova, MATTER_CLIPPED))
		log_warn(DEVICE_FORMAT ": of the mapping 0x%" PRIx64 "-0x%" PRIx64
				       ", only 0x%" PRIx64 "-0x%" PRIx64
				       " lies within one region of the guest's memory",
			 DEVICE_ARGS(device), mapping->iova, mapping->last, answer->iova,
			 answer->last);
}

void complain_failed(struct log_limit *limit, const struct served_device *device,
		     const struct vhost_iotlb_op *op, int err)
{
	/* The owner may reset the device at any time. */
	if (may_say(limit, device, err, MATTER_FAILED))
		log_warn(DEVICE_FORMAT ": vhost does not take the translation of 0x%" PRIx64
				       "-0x%" PRIx64 ": %s; the device was reset, or has no IOTLB",
			 DEVICE_ARGS(device), (uint64_t)op->iova,
			 (uint64_t)(op->iova + op->size - 1), strerror(-err));
}

void complain_throttled(struct log_limit *limit, const struct served_device *device)
{
	if (may_say(limit, device, 0, MATTER_THROTTLED))
		log_warn(DEVICE_FORMAT ": more than %" PRIu64
				       " misses within a second had no answer "
				       "(--max-unanswered); for a second at a time, its misses are "
				       "left to whoever reads its vhost fd",
			 DEVICE_ARGS(device), device->unanswered.max);
}
