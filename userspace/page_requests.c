// SPDX-License-Identifier: GPL-2.0
/*
 * A request has a slot of its device. An answer of success frees the slot for
 * others, but leaves in it what it was about: should the virtqueue miss at the same
 * page again, it is told by that how often success was said in vain.
 */
#include <stdlib.h>
#include <string.h>

#include "device_table.h"
#include "page_requests.h"

#define PAGE_SHIFT 12
#define PAGE_MASK ((1ULL << PAGE_SHIFT) - 1)

/**
 * struct slot - a request, or what is left of one
 * @request:	the request
 * @since_ns:	when it was asked
 * @tries:	answers of success to its forerunners, that had no effect
 * @waits:	it is outstanding
 */
struct slot {
	struct page_request request;
	uint64_t since_ns;
	unsigned int tries;
	bool waits;
};

/**
 * struct device - one that somebody is, or was, subscribed to
 * @link:	of the table of devices
 * @client:	who is subscribed, or PAGE_REQUESTS_NOBODY
 * @can_fail:	it knows VHOST_IOTLB_ACCESS_FAIL
 * @has_failed:	a request was answered by failure, and nobody has subscribed since
 * @wants_room:	there was no slot for a fault, which waits
 * @outstanding: slots that wait
 * @used:	slots that are used: the first ones
 * @slots:	one for a virtqueue at most
 */
struct device {
	struct device_link link;
	uint64_t client;
	bool can_fail;
	bool has_failed;
	bool wants_room;
	unsigned int outstanding;
	unsigned int used;
	struct slot slots[PAGE_REQUESTS_OF_DEVICE];
};

/**
 * struct page_requests - all there is
 * @options:	as given
 * @counts:	how many there were
 * @last_group:	the last number that was given to a request
 * @want_room:	devices with device::wants_room
 * @devices:	all of them
 */
struct page_requests {
	struct page_requests_options options;
	struct page_request_counts counts;
	uint64_t last_group;
	unsigned int want_room;
	struct device_table devices;
};

struct page_requests *page_requests_open(const struct page_requests_options *options)
{
	struct page_requests *requests = calloc(1, sizeof(*requests));

	if (requests)
		requests->options = *options;
	return requests;
}

bool page_request_is_for(const struct vtd_walk *walk)
{
	if (walk->fault_table != VTD_TABLE_FIRST_LEVEL)
		return false;
	return walk->fault == VTD_FAULT_PRESENT || walk->fault == VTD_FAULT_PERMISSION ||
	       walk->fault == VTD_FAULT_ACCESSED_DIRTY;
}

/* Devices */

static struct device *find_device(const struct page_requests *requests, uint64_t id)
{
	return device_table_find(&requests->devices, id);
}

static struct device *make_device(struct page_requests *requests, uint64_t id)
{
	struct device *device = find_device(requests, id);

	if (device)
		return device;
	device = calloc(1, sizeof(*device));
	if (!device)
		return NULL;
	device->link.id = id;
	device_table_add(&requests->devices, &device->link);
	return device;
}

static void set_wants_room(struct page_requests *requests, struct device *device, bool wants)
{
	if (device->wants_room == wants)
		return;
	device->wants_room = wants;
	if (wants)
		requests->want_room++;
	else
		requests->want_room--;
}

static void drop_device(struct page_requests *requests, struct device *device)
{
	set_wants_room(requests, device, false);
	device_table_remove(&requests->devices, &device->link);
	free(device);
}

/* Those that nothing is to be remembered of */
static void drop_device_if_idle(struct page_requests *requests, struct device *device)
{
	if (device->client == PAGE_REQUESTS_NOBODY && !device->has_failed)
		drop_device(requests, device);
}

/* What is to be written */

static void emit(struct page_requests *requests, uint64_t device, const struct vhost_iotlb_op *op)
{
	requests->options.emit(requests->options.arg, device, op);
}

static void emit_retry_all(struct page_requests *requests, const struct device *device)
{
	emit(requests, device->link.id,
	     &(struct vhost_iotlb_op){
		     .type = VHOST_IOTLB_RETRY,
		     .flags = VHOST_IOTLB_OP_F_ALL_ASIDS,
	     });
}

/* Of all pages that are wanted, so that others who wait there go on, too */
static void emit_retry(struct page_requests *requests, const struct page_request *request)
{
	uint64_t first = request->address & ~PAGE_MASK;
	uint64_t last = request->address + request->length - 1;

	if (!request->length || last < request->address)
		last = request->length ? UINT64_MAX : request->address;
	last |= PAGE_MASK;
	emit(requests, request->device,
	     &(struct vhost_iotlb_op){
		     .type = VHOST_IOTLB_RETRY,
		     .iova = first,
		     .size = last - first + 1,
		     .asid = request->pasid,
	     });
}

/* Just of the address: what waits elsewhere on the page has its own request. */
static void emit_fail(struct page_requests *requests, const struct page_request *request)
{
	emit(requests, request->device,
	     &(struct vhost_iotlb_op){
		     .type = VHOST_IOTLB_ACCESS_FAIL,
		     .iova = request->address,
		     .size = 1,
		     .asid = request->pasid,
		     .perm = request->access,
		     .flags = request->has_token ? VHOST_IOTLB_OP_F_TOKEN : 0,
		     .token = request->has_token ? request->token : 0,
	     });
}

/* Slots */

static struct slot *find_slot(struct device *device, uint16_t queue)
{
	unsigned int i;

	for (i = 0; i < device->used; i++)
		if (device->slots[i].request.queue == queue)
			return &device->slots[i];
	return NULL;
}

static struct slot *find_group(struct device *device, uint64_t group)
{
	unsigned int i;

	for (i = 0; i < device->used; i++)
		if (device->slots[i].waits && device->slots[i].request.group == group)
			return &device->slots[i];
	return NULL;
}

/* It is not outstanding any more. */
static void settle(struct page_requests *requests, struct device *device, struct slot *slot,
		   uint64_t *count)
{
	slot->waits = false;
	device->outstanding--;
	requests->counts.outstanding--;
	(*count)++;
}

static void free_slot(struct device *device, struct slot *slot)
{
	*slot = device->slots[--device->used];
}

static uint64_t *count_of(struct page_requests *requests, enum page_request_end why)
{
	switch (why) {
	case PAGE_END_TIMEOUT:
		return &requests->counts.timeouts;
	case PAGE_END_NO_EFFECT:
		return &requests->counts.no_effect;
	case PAGE_END_INVALID:
		return &requests->counts.invalid;
	case PAGE_END_FAILURE:
		return &requests->counts.failure;
	default:
		return &requests->counts.withdrawn;
	}
}

static void end(struct page_requests *requests, struct device *device, struct slot *slot,
		enum page_request_end why)
{
	struct page_request request = slot->request;

	settle(requests, device, slot, count_of(requests, why));
	free_slot(device, slot);
	requests->options.end(requests->options.arg, device->client, &request, why);
}

/* vhost goes by address and access, and by no virtqueues. */
static void end_same_access(struct page_requests *requests, struct device *device,
			    const struct page_request *request)
{
	unsigned int i = device->used;

	while (i--) {
		const struct slot *slot = &device->slots[i];

		if (slot->waits && slot->request.pasid == request->pasid &&
		    slot->request.address == request->address &&
		    slot->request.access & request->access)
			end(requests, device, &device->slots[i], PAGE_END_INVALID);
	}
}

/* Nothing is outstanding, and nothing remembered; nobody is told. */
static void clear(struct page_requests *requests, struct device *device)
{
	requests->counts.withdrawn += device->outstanding;
	requests->counts.outstanding -= device->outstanding;
	device->outstanding = 0;
	device->used = 0;
	set_wants_room(requests, device, false);
}

/* A slot that is not used; one that only remembers something goes for it. */
static struct slot *take_slot(struct page_requests *requests, struct device *device)
{
	unsigned int i;

	if (requests->counts.outstanding == PAGE_REQUESTS_MAX)
		return NULL;
	if (device->used < PAGE_REQUESTS_OF_DEVICE)
		return &device->slots[device->used++];
	for (i = 0; i < device->used; i++)
		if (!device->slots[i].waits)
			return &device->slots[i];
	return NULL;
}

/* Have those miss again for which there was no slot, when there are many. */
static void use_room(struct page_requests *requests)
{
	struct device *device = NULL;

	if (!requests->want_room || requests->counts.outstanding > PAGE_REQUESTS_MAX / 2)
		return;
	while ((device = device_table_next(&requests->devices, device))) {
		if (!device->wants_room || device->outstanding > PAGE_REQUESTS_OF_DEVICE / 2)
			continue;
		set_wants_room(requests, device, false);
		emit_retry_all(requests, device);
	}
}

/* Subscribers */

enum sva_error page_requests_subscribe(struct page_requests *requests, uint64_t client, uint64_t id,
				       bool can_fail)
{
	struct device *device = make_device(requests, id);

	if (!device)
		return SVA_NO_MEMORY;
	if (device->client != PAGE_REQUESTS_NOBODY && device->client != client)
		return SVA_SUBSCRIBED;
	device->client = client;
	device->can_fail = can_fail;
	device->has_failed = false;
	set_wants_room(requests, device, false);
	emit_retry_all(requests, device);
	return SVA_OK;
}

static void unsubscribe(struct page_requests *requests, struct device *device)
{
	clear(requests, device);
	device->client = PAGE_REQUESTS_NOBODY;
	drop_device_if_idle(requests, device);
	use_room(requests);
}

enum sva_error page_requests_unsubscribe(struct page_requests *requests, uint64_t client,
					 uint64_t id)
{
	struct device *device = find_device(requests, id);

	if (!device || device->client != client)
		return SVA_NOT_SUBSCRIBED;
	unsubscribe(requests, device);
	return SVA_OK;
}

uint64_t page_requests_subscriber(const struct page_requests *requests, uint64_t id)
{
	const struct device *device = find_device(requests, id);

	return device ? device->client : PAGE_REQUESTS_NOBODY;
}

/* Faults */

static bool is_same_place(const struct page_request *a, const struct page_request *b)
{
	return a->pasid == b->pasid && a->access == b->access &&
	       a->address >> PAGE_SHIFT == b->address >> PAGE_SHIFT;
}

/* The virtqueue has been there before; what it has missed with is newer. */
static void renew(struct slot *slot, const struct page_request *fault)
{
	const uint64_t group = slot->request.group;

	slot->request = *fault;
	slot->request.group = group;
}

static void ask(struct page_requests *requests, struct device *device, struct slot *slot,
		const struct page_request *fault, unsigned int tries, uint64_t now_ns)
{
	*slot = (struct slot){
		.request = *fault,
		.since_ns = now_ns,
		.tries = tries,
		.waits = true,
	};
	slot->request.group = ++requests->last_group;
	device->outstanding++;
	requests->counts.outstanding++;
	requests->counts.requests++;
	requests->options.ask(requests->options.arg, device->client, &slot->request);
}

/* It ends like an answer of invalid, as far as the device can. */
static void end_as_invalid(struct page_requests *requests, struct device *device, struct slot *slot,
			   enum page_request_end why)
{
	const struct page_request request = slot->request;

	if (device->can_fail)
		emit_fail(requests, &request);
	end(requests, device, slot, why);
	if (device->can_fail)
		end_same_access(requests, device, &request);
}

/* It was asked just so that it ends. */
static enum page_fault_result give_up(struct page_requests *requests, struct device *device,
				      struct slot *slot)
{
	const struct page_request request = slot->request;

	if (device->can_fail) {
		end_as_invalid(requests, device, slot, PAGE_END_NO_EFFECT);
		use_room(requests);
		return PAGE_FAULT_FAILED;
	}
	/* The slot remembers it, so that it is not asked again. */
	slot->tries++;
	settle(requests, device, slot, &requests->counts.no_effect);
	requests->options.end(requests->options.arg, device->client, &request, PAGE_END_NO_EFFECT);
	return PAGE_FAULT_WAITS;
}

static enum page_fault_result ask_if_room(struct page_requests *requests, struct device *device,
					  struct slot *slot, const struct page_request *fault,
					  uint64_t now_ns)
{
	unsigned int tries = slot && is_same_place(&slot->request, fault) ? slot->tries : 0;

	/* That was the end of it, see give_up(). */
	if (tries > PAGE_REQUEST_TRIES)
		return PAGE_FAULT_WAITS;
	if (requests->counts.outstanding == PAGE_REQUESTS_MAX)
		slot = NULL;
	else if (!slot)
		slot = take_slot(requests, device);
	if (!slot) {
		set_wants_room(requests, device, true);
		return PAGE_FAULT_WAITS;
	}
	ask(requests, device, slot, fault, tries, now_ns);
	return tries < PAGE_REQUEST_TRIES ? PAGE_FAULT_ASKED : give_up(requests, device, slot);
}

enum page_fault_result page_requests_fault(struct page_requests *requests,
					   const struct page_request *fault, uint64_t now_ns)
{
	struct device *device = find_device(requests, fault->device);
	struct slot *slot;

	if (!device)
		return PAGE_FAULT_WAITS;
	if (device->has_failed) {
		emit_fail(requests, fault);
		return PAGE_FAULT_FAILED;
	}
	if (device->client == PAGE_REQUESTS_NOBODY)
		return PAGE_FAULT_WAITS;

	slot = find_slot(device, fault->queue);
	if (slot && slot->waits) {
		if (is_same_place(&slot->request, fault)) {
			renew(slot, fault);
			return PAGE_FAULT_PENDING;
		}
		end(requests, device, slot, PAGE_END_OBSOLETE);
		slot = NULL;
	}
	return ask_if_room(requests, device, slot, fault, now_ns);
}

void page_requests_translated(struct page_requests *requests, uint64_t id, uint16_t queue)
{
	struct device *device = find_device(requests, id);
	struct slot *slot = device ? find_slot(device, queue) : NULL;

	if (!slot)
		return;
	if (slot->waits)
		end(requests, device, slot, PAGE_END_OBSOLETE);
	else
		free_slot(device, slot);
	use_room(requests);
}

/* Answers */

static void respond_success(struct page_requests *requests, struct device *device,
			    struct slot *slot)
{
	settle(requests, device, slot, &requests->counts.success);
	/* It is only looked at when it was said before: that costs a walk. A page that
	 * was there, and goes again and again, is no answer in vain.
	 */
	if (slot->tries && !requests->options.is_missing(requests->options.arg, &slot->request))
		slot->tries = 0;
	slot->tries++;
	emit_retry(requests, &slot->request);
}

static void respond_invalid(struct page_requests *requests, struct device *device,
			    struct slot *slot)
{
	const struct page_request request = slot->request;

	settle(requests, device, slot, &requests->counts.invalid);
	free_slot(device, slot);
	emit_fail(requests, &request);
	end_same_access(requests, device, &request);
}

static void respond_failure(struct page_requests *requests, struct device *device,
			    struct slot *slot)
{
	const struct page_request request = slot->request;

	settle(requests, device, slot, &requests->counts.failure);
	free_slot(device, slot);
	emit_fail(requests, &request);
	device->has_failed = true;
	while (device->used) {
		slot = &device->slots[device->used - 1];
		if (slot->waits) {
			emit_fail(requests, &slot->request);
			end(requests, device, slot, PAGE_END_FAILURE);
		} else {
			free_slot(device, slot);
		}
	}
	/* What was not asked fails when it misses again. */
	if (device->wants_room)
		emit_retry_all(requests, device);
	set_wants_room(requests, device, false);
}

enum sva_error page_requests_respond(struct page_requests *requests, uint64_t client, uint64_t id,
				     uint64_t group, uint32_t pasid, enum page_response_code code)
{
	struct device *device = find_device(requests, id);
	struct slot *slot;

	if (!device || device->client != client)
		return SVA_NOT_SUBSCRIBED;
	slot = find_group(device, group);
	if (!slot)
		return SVA_NO_REQUEST;
	if (slot->request.pasid != pasid)
		return SVA_REQUEST_PASID;
	if (code != PAGE_RESPONSE_SUCCESS && !device->can_fail)
		return SVA_NO_ACCESS_FAIL;

	if (code == PAGE_RESPONSE_SUCCESS)
		respond_success(requests, device, slot);
	else if (code == PAGE_RESPONSE_INVALID)
		respond_invalid(requests, device, slot);
	else
		respond_failure(requests, device, slot);
	use_room(requests);
	return SVA_OK;
}

/* What ends otherwise */

void page_requests_unbound(struct page_requests *requests, uint64_t id, uint32_t pasid)
{
	struct device *device = find_device(requests, id);
	unsigned int i = device ? device->used : 0;

	while (i--) {
		struct slot *slot = &device->slots[i];

		if (pasid && slot->request.pasid != pasid)
			continue;
		if (slot->waits)
			end(requests, device, slot, PAGE_END_UNBOUND);
		else
			free_slot(device, slot);
	}
	use_room(requests);
}

/* The first one that was asked too long ago */
static struct slot *find_late(struct device *device, uint64_t timeout_ns, uint64_t now_ns)
{
	unsigned int i;

	for (i = 0; i < device->used; i++)
		if (device->slots[i].waits && now_ns - device->slots[i].since_ns >= timeout_ns)
			return &device->slots[i];
	return NULL;
}

void page_requests_check(struct page_requests *requests, uint64_t now_ns)
{
	struct device *device = NULL;
	struct slot *slot;

	if (!requests->counts.outstanding)
		return;
	while ((device = device_table_next(&requests->devices, device)))
		while ((slot = find_late(device, requests->options.timeout_ns, now_ns)))
			end_as_invalid(requests, device, slot, PAGE_END_TIMEOUT);
	use_room(requests);
}

void page_requests_client_gone(struct page_requests *requests, uint64_t client)
{
	struct device *device, *next;

	for (device = device_table_next(&requests->devices, NULL); device; device = next) {
		next = device_table_next(&requests->devices, device);
		if (device->client == client)
			unsubscribe(requests, device);
	}
}

void page_requests_forget_gone(struct page_requests *requests,
			       bool (*is_there)(void *arg, uint64_t device),
			       void (*gone)(void *arg, uint64_t client, uint64_t device), void *arg)
{
	struct device *device, *next;

	for (device = device_table_next(&requests->devices, NULL); device; device = next) {
		next = device_table_next(&requests->devices, device);
		if (is_there(arg, device->link.id))
			continue;
		while (device->outstanding) {
			if (!device->slots[device->used - 1].waits)
				device->used--;
			else
				end(requests, device, &device->slots[device->used - 1],
				    PAGE_END_GONE);
		}
		if (device->client != PAGE_REQUESTS_NOBODY)
			gone(arg, device->client, device->link.id);
		drop_device(requests, device);
	}
	use_room(requests);
}

void page_requests_close(struct page_requests *requests)
{
	struct device *device;

	if (!requests)
		return;
	while ((device = device_table_next(&requests->devices, NULL)))
		drop_device(requests, device);
	free(requests);
}

/* Questions */

bool page_requests_info_of(const struct page_requests *requests, uint64_t id,
			   struct page_requests_info *info)
{
	const struct device *device = find_device(requests, id);

	if (!device)
		return false;
	*info = (struct page_requests_info){
		.client = device->client,
		.outstanding = device->outstanding,
		.has_failed = device->has_failed,
	};
	return true;
}

const struct page_request_counts *page_requests_counts(const struct page_requests *requests)
{
	return &requests->counts;
}
