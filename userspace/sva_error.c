// SPDX-License-Identifier: GPL-2.0
#include "sva_error.h"

static const struct {
	const char *name;
	const char *text;
} words[SVA_NR_ERRORS] = {
	[SVA_OK] = {"ok", "nothing is wrong"},
	[SVA_NO_MEMORY] = {"no-memory", "there is no memory for it; try again later"},

	[SVA_BAD_RANGE] = {"bad-range", "the range of PASIDs is empty, or not within 1 to 1048575"},
	[SVA_QUOTA] = {"quota", "the device has as many PASIDs as it may have; free some, or start "
				"iotlbd with a greater --pasid-quota"},
	[SVA_EXHAUSTED] = {"exhausted", "no PASID of the range is free; give a wider one"},
	[SVA_BAD_PASID] = {"bad-pasid", "a PASID is a number from 1 to 1048575 here, as 0 are the "
					"requests without PASID"},
	[SVA_NOT_ALLOCATED] = {"not-allocated", "the PASID is not allocated; was it freed before?"},
	[SVA_OTHER_DEVICE] = {"other-device", "the PASID belongs to another device"},
	[SVA_OTHER_CLIENT] = {"other-client", "it belongs to another client, which has not said "
					      "that it stays (\"keep\")"},

	[SVA_TABLE_ATTACHED] = {"table-attached",
				"the device has a PASID table of the guest, which "
				"says what is bound; detach it first"},
	[SVA_NO_TABLE] = {"no-table", "the device has no PASID table attached"},
	[SVA_PASIDS_BOUND] = {"pasids-bound",
			      "page tables are bound to PASIDs of the device, which "
			      "a PASID table would contradict; unbind them first"},
	[SVA_TABLE_MISALIGNED] = {"table-misaligned",
				  "a PASID table begins at a page: the lower 12 "
				  "bits of its address must be 0"},
	[SVA_TABLE_BITS] = {"table-bits", "a PASID table of VT-d is for PASIDs of 13 to 20 bits"},
	[SVA_TABLE_OUTSIDE] = {"table-outside", "the PASID table is not within one region of the "
						"guest's memory"},

	[SVA_BOUND] = {"bound", "a page table is bound to the PASID already; unbind it first"},
	[SVA_NOT_BOUND] = {"not-bound", "no page table is bound to the PASID"},
	[SVA_ROOT_MISALIGNED] = {"root-misaligned", "a page table begins at a page: the lower 12 "
						    "bits of its address must be 0"},
	[SVA_ROOT_OUTSIDE] = {"root-outside",
			      "the root of the page table is no memory of the guest, or "
			      "has more than 52 bits"},
	[SVA_WIDTH] = {"width", "the first level is 48 or 57 bits wide (4 or 5 levels)"},
	[SVA_UNKNOWN_FLAGS] = {"unknown-flags", "there are flags that mean nothing"},
	[SVA_UNSUPPORTED_FLAGS] = {"unsupported-flags",
				   "vhost copies through the caches of the CPU "
				   "and sets no accessed bits, so that it has "
				   "no EAFE and no memory types; leave them "
				   "out"},
	[SVA_GUEST_PASID] = {"guest-pasid", "the guest's name for the PASID has more than 20 bits"},

	[SVA_CACHE] = {"cache", "the caches are a selection of iotlb, dev-iotlb and pasid, and not "
				"empty"},
	[SVA_CACHE_GRANULARITY] = {"cache-granularity", "a cache is not invalidated like that: "
							"dev-iotlb by pasid or address, iotlb by "
							"all, pasid by domain or pasid"},
	[SVA_NO_PASID] = {"no-pasid", "to invalidate by PASID takes one"},
	[SVA_GRANULE] = {"granule",
			 "a granule is a power of two, 4096 at least, and there is one at "
			 "least"},
	[SVA_ADDRESS_MISALIGNED] = {"address-misaligned", "the address is no multiple of the "
							  "granule"},
	[SVA_ADDRESS_RANGE] = {"address-range", "the range ends beyond the last address there is"},

	[SVA_SUBSCRIBED] = {"subscribed", "another client gets the page requests of the device"},
	[SVA_NOT_SUBSCRIBED] = {"not-subscribed",
				"this client does not get the page requests of the device"},
	[SVA_NO_REQUEST] = {"no-request",
			    "no request of this group is outstanding; it has ended, or "
			    "never was"},
	[SVA_REQUEST_PASID] = {"request-pasid", "the request of this group has another PASID"},
	[SVA_NO_ACCESS_FAIL] = {"no-access-fail",
				"this vhost cannot end a descriptor with an error; the virtqueue "
				"waits, and success can be answered when the page is there"},
};

const char *sva_error_name(enum sva_error error)
{
	return words[error].name;
}

const char *sva_error_text(enum sva_error error)
{
	return words[error].text;
}
