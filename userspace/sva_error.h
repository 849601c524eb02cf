/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_SVA_ERROR_H
#define IOTLB_SVA_ERROR_H

/* Why sva.h or page_requests.h has refused something; sva_error.c has names and words for it. */
enum sva_error {
	SVA_OK,
	SVA_NO_MEMORY,
	/* PASIDs */
	SVA_BAD_RANGE,
	SVA_QUOTA,
	SVA_EXHAUSTED,
	SVA_BAD_PASID,
	SVA_NOT_ALLOCATED,
	SVA_OTHER_DEVICE,
	SVA_OTHER_CLIENT,
	/* PASID tables */
	SVA_TABLE_ATTACHED,
	SVA_NO_TABLE,
	SVA_PASIDS_BOUND,
	SVA_TABLE_MISALIGNED,
	SVA_TABLE_BITS,
	SVA_TABLE_OUTSIDE,
	/* guest page tables */
	SVA_BOUND,
	SVA_NOT_BOUND,
	SVA_ROOT_MISALIGNED,
	SVA_ROOT_OUTSIDE,
	SVA_WIDTH,
	SVA_UNKNOWN_FLAGS,
	SVA_UNSUPPORTED_FLAGS,
	SVA_GUEST_PASID,
	/* invalidations */
	SVA_CACHE,
	SVA_CACHE_GRANULARITY,
	SVA_NO_PASID,
	SVA_GRANULE,
	SVA_ADDRESS_MISALIGNED,
	SVA_ADDRESS_RANGE,
	/* page requests */
	SVA_SUBSCRIBED,
	SVA_NOT_SUBSCRIBED,
	SVA_NO_REQUEST,
	SVA_REQUEST_PASID,
	SVA_NO_ACCESS_FAIL,
	SVA_NR_ERRORS,
};

/* For programs: "not-allocated" */
const char *sva_error_name(enum sva_error error);

/* For people: what is wrong, and what to do */
const char *sva_error_text(enum sva_error error);

#endif /* IOTLB_SVA_ERROR_H */
