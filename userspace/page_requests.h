/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page requests: a virtqueue has missed at an address for which the page table of
 * a process in the guest has no page, or none that it may access so. A client is
 * asked for the page in the name of the guest, while the virtqueue waits, and
 * answers success (it is there, try again), invalid (there is none) or failure
 * (ask no more). These are the requests and responses of PCIe PRI and VT-d; the
 * structs that are named here are those of <linux/iommu.h> (iommu_fault_page_request,
 * iommu_page_response) and <linux/iommufd.h> (iommu_hwpt_pgfault,
 * iommu_hwpt_page_response).
 *
 * A virtqueue stops at its first miss, so that a group of requests is one request,
 * what one virtqueue waits for, and the last of its group. Groups have numbers that
 * are never used again: they are grpid and cookie in one, and an answer that comes
 * late, or twice, is for nothing.
 *
 * Nothing is written or read here, and what the time is, is passed in. What has to
 * be written to vhost is emitted as operations, in their order. All memory is
 * bounded, and in what is asked of a client: each request that it is asked ends
 * exactly once, by its answer, or by what it is told of.
 */
#ifndef IOTLB_PAGE_REQUESTS_H
#define IOTLB_PAGE_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sva_error.h"
#include "vhost_msg.h"
#include "vtd_types.h"

struct page_requests;

/* Outstanding at a time: of a device, and of all of them. The rest waits until there
 * are less, and is asked then.
 */
#define PAGE_REQUESTS_OF_DEVICE 64
#define PAGE_REQUESTS_MAX 1024

/* So many answers of success in a row for an address where there is still no page,
 * and it is taken as invalid.
 */
#define PAGE_REQUEST_TRIES 8

/* Client of a device that has no subscriber; no client has this number. */
#define PAGE_REQUESTS_NOBODY 0

/**
 * struct page_request - a page request
 * @device:	id of the device (dev_id)
 * @group:	its number (grpid, cookie); 0 for a fault that nobody was asked about
 * @pasid:	of the virtqueue (pasid)
 * @queue:	the virtqueue
 * @access:	VHOST_ACCESS_*, what it wants (perm)
 * @address:	where (addr; not rounded)
 * @length:	so many bytes from there on it still wants (length, a hint)
 * @has_token:	the next is valid
 * @token:	state of the device when it missed, as of struct iotlb_record
 */
struct page_request {
	uint64_t device;
	uint64_t group;
	uint32_t pasid;
	uint16_t queue;
	uint8_t access;
	bool has_token;
	uint64_t address;
	uint64_t length;
	uint64_t token;
};

/* enum iommu_page_response_code, in its order; Response Failure has gone from that
 * of iommufd, as it concerns all of the device.
 */
enum page_response_code {
	PAGE_RESPONSE_SUCCESS, /* the page is there; the access is tried again */
	PAGE_RESPONSE_INVALID, /* there is none; the descriptor ends with an error */
	PAGE_RESPONSE_FAILURE, /* so do all of the device, until it is subscribed to again */
	PAGE_NR_RESPONSES,
};

/* Why a request has ended without an answer of its own */
enum page_request_end {
	PAGE_END_TIMEOUT,   /* there was none in time: taken as invalid */
	PAGE_END_NO_EFFECT, /* success was said too often: taken as invalid */
	PAGE_END_INVALID,   /* another request for the same address was answered so */
	PAGE_END_FAILURE,   /* another request of the device was answered so */
	PAGE_END_UNBOUND,   /* what translates the PASID is not that any more */
	PAGE_END_OBSOLETE,  /* the virtqueue has gone on, or waits elsewhere */
	PAGE_END_GONE,	    /* the device has gone */
	PAGE_NR_ENDS,
};

/* What becomes of a fault */
enum page_fault_result {
	PAGE_FAULT_WAITS,   /* nobody is asked, and the virtqueue waits as ever */
	PAGE_FAULT_ASKED,   /* the subscriber is asked */
	PAGE_FAULT_PENDING, /* he has been asked before */
	PAGE_FAULT_FAILED,  /* the descriptor ends with an error; that was emitted */
};

/**
 * struct page_request_counts - how many there were
 * @requests:	that somebody was asked; the sum of the others
 * @outstanding: now
 * @success:	answered so
 * @invalid:	answered so, or ended by such an answer
 * @failure:	the same
 * @timeouts:	not answered in time
 * @no_effect:	PAGE_END_NO_EFFECT
 * @withdrawn:	the other ends, and subscribers that have gone
 */
struct page_request_counts {
	uint64_t requests;
	uint64_t outstanding;
	uint64_t success;
	uint64_t invalid;
	uint64_t failure;
	uint64_t timeouts;
	uint64_t no_effect;
	uint64_t withdrawn;
};

/**
 * struct page_requests_options - how to begin
 * @timeout_ns:	how long an answer may take
 * @emit:	takes VHOST_IOTLB_RETRY and VHOST_IOTLB_ACCESS_FAIL, to be written to a
 *		device
 * @ask:	asks a client
 * @end:	tells him that he need not answer
 * @is_missing:	is the page still not there? Asked if success was said before.
 * @arg:	passed to all of them; they must not call anything here
 */
struct page_requests_options {
	uint64_t timeout_ns;
	void (*emit)(void *arg, uint64_t device, const struct vhost_iotlb_op *op);
	void (*ask)(void *arg, uint64_t client, const struct page_request *request);
	void (*end)(void *arg, uint64_t client, const struct page_request *request,
		    enum page_request_end why);
	bool (*is_missing)(void *arg, const struct page_request *request);
	void *arg;
};

/* NULL if there is no memory for it. */
struct page_requests *page_requests_open(const struct page_requests_options *options);

/* Nothing is emitted, and nobody told. NULL is fine. */
void page_requests_close(struct page_requests *requests);

/**
 * page_request_is_for() - may a guest do something about this end of a walk?
 * @walk:	where it has ended
 *
 * A page that is not there, or not for this access, may come; and where nobody else
 * can set accessed and dirty flags, the guest can. What is wrong with a
 * table, or about the IOMMU, is no page request.
 */
bool page_request_is_for(const struct vtd_walk *walk);

/**
 * page_requests_subscribe() - from now on, a client is asked
 * @requests:	all there is
 * @client:	who; not PAGE_REQUESTS_NOBODY
 * @device:	about which device; it is there
 * @can_fail:	it knows VHOST_IOTLB_ACCESS_FAIL
 *
 * Has all virtqueues of the device that wait miss again, so that he is asked about
 * those, too. Ends a failure; otherwise nothing changes for who is asked already.
 */
enum sva_error page_requests_subscribe(struct page_requests *requests, uint64_t client,
				       uint64_t device, bool can_fail);

/* No longer. What he has not answered waits; he is not told. */
enum sva_error page_requests_unsubscribe(struct page_requests *requests, uint64_t client,
					 uint64_t device);

/* Who is asked, or PAGE_REQUESTS_NOBODY */
uint64_t page_requests_subscriber(const struct page_requests *requests, uint64_t device);

/**
 * page_requests_fault() - a virtqueue waits where there is no page
 * @requests:	all there is
 * @fault:	where; without a group
 * @now_ns:	CLOCK_MONOTONIC
 */
enum page_fault_result page_requests_fault(struct page_requests *requests,
					   const struct page_request *fault, uint64_t now_ns);

/* A miss of the virtqueue was answered: it does not wait for its request any more. */
void page_requests_translated(struct page_requests *requests, uint64_t device, uint16_t queue);

/**
 * page_requests_respond() - a client answers
 * @requests:	all there is
 * @client:	who
 * @device:	the device
 * @group:	of the request
 * @pasid:	of the request
 * @code:	the answer
 *
 * What is refused has changed nothing; the request, if there is one, is outstanding.
 */
enum sva_error page_requests_respond(struct page_requests *requests, uint64_t client,
				     uint64_t device, uint64_t group, uint32_t pasid,
				     enum page_response_code code);

/* A PASID, or with 0 all of the device, is translated by something else now. */
void page_requests_unbound(struct page_requests *requests, uint64_t device, uint32_t pasid);

/* To be called every second or so while something is outstanding. */
void page_requests_check(struct page_requests *requests, uint64_t now_ns);

/* He is subscribed to nothing any more. */
void page_requests_client_gone(struct page_requests *requests, uint64_t client);

/**
 * page_requests_forget_gone() - forget devices that are not there
 * @requests:	all there is
 * @is_there:	is this device there?
 * @gone:	told of each that had a subscriber, after what was outstanding has ended
 * @arg:	passed to both
 */
void page_requests_forget_gone(struct page_requests *requests,
			       bool (*is_there)(void *arg, uint64_t device),
			       void (*gone)(void *arg, uint64_t client, uint64_t device),
			       void *arg);

/**
 * struct page_requests_info - a device, for who asks
 * @client:	who is subscribed, or PAGE_REQUESTS_NOBODY
 * @outstanding: requests
 * @has_failed:	its faults fail at once
 */
struct page_requests_info {
	uint64_t client;
	unsigned int outstanding;
	bool has_failed;
};

/* False if nothing is known of the device: nobody is or was subscribed. */
bool page_requests_info_of(const struct page_requests *requests, uint64_t device,
			   struct page_requests_info *info);

/* All devices together, from the start */
const struct page_request_counts *page_requests_counts(const struct page_requests *requests);

#endif /* IOTLB_PAGE_REQUESTS_H */
