/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is said of misses that go wrong: each thing once, and not more than the
 * log can bear, since guests choose what they miss.
 */
#ifndef IOTLB_COMPLAINT_H
#define IOTLB_COMPLAINT_H

#include "log.h"
#include "vhost_msg_v3.h"

struct answer;
struct finding;
struct iotlb_record;
struct mapping;
struct served_device;

/* No translation can be given; @err and @finding are those of answer_find(). */
void complain_unanswered(struct log_limit *limit, const struct served_device *device,
			 const struct iotlb_record *miss, int err, const struct finding *finding);

/* The device gets less than the whole mapping. */
void complain_clipped(struct log_limit *limit, const struct served_device *device,
		      const struct mapping *mapping, const struct answer *answer);

/* vhost did not take a translation. */
void complain_failed(struct log_limit *limit, const struct served_device *device,
		     const struct vhost_iotlb_op *op, int err);

/* The device has had more misses without an answer than it may have. */
void complain_throttled(struct log_limit *limit, const struct served_device *device);

#endif /* IOTLB_COMPLAINT_H */
