// SPDX-License-Identifier: GPL-2.0
/*
 * What clients of the control socket ask for: each line of the input is a request,
 * whose first byte says by which client. A client that says nothing goes. A line that
 * begins with * is a miss, one with < or = answers a page request.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#include "memory_table.h"
#include "number.h"
#include "sva.h"
#include "sva_service.h"

#define DEVICES 2
#define QUOTA 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct memory_region region = {.last = 0xfffff, .hva = 0x70000000};
static const struct memory_table memory = {.regions = &region, .count = 1};

/* Operations that are not written yet */
static unsigned int queued;

static bool all_gone;

static const struct memory_table *find(void *arg, uint64_t device)
{
	(void)arg;
	return !all_gone && device && device <= DEVICES ? &memory : NULL;
}

static bool is_there(void *arg, uint64_t device)
{
	return find(arg, device);
}

/* That of device 1 has one, and its vhost can. */
static bool has_iommu(void *arg, uint64_t device)
{
	CHECK(is_there(arg, device));
	return device == 1;
}

static bool can_fail(void *arg, uint64_t device)
{
	CHECK(is_there(arg, device));
	return device == 1;
}

static bool is_missing(void *arg, const struct sva *pasids, const struct page_request *request)
{
	CHECK(is_there(arg, request->device) && pasids);
	return request->address;
}

static bool next(void *arg, uint64_t after, struct sva_device_info *info)
{
	if (!is_there(arg, after + 1))
		return false;
	*info = (struct sva_device_info){.id = after + 1, .pid = 1};
	return true;
}

/* What was told to a client: what waits for its answer */
static uint64_t asked, ended;
static int last_pasid;

static void tell(void *arg, uint64_t client, struct json_object *event)
{
	struct json_object *name, *pasid;

	(void)arg;
	CHECK(client && json_object_object_get_ex(event, "event", &name));
	if (!strcmp(json_object_get_string(name), "page-request")) {
		asked++;
		json_object_object_get_ex(event, "pasid", &pasid);
		last_pasid = json_object_get_int(pasid);
	}
	ended += !strcmp(json_object_get_string(name), "page-request-end");
	CHECK(strlen(json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN)) < 256);
	json_object_put(event);
}

static void check_space(uint64_t device, const struct sva_space *space)
{
	const struct sva_binding *binding = space->binding;

	CHECK(space->pasid <= SVA_PASID_LAST);
	if (binding) {
		CHECK(binding->root % 4096 == 0);
		CHECK(device == 1 ? !(binding->root >> 52) : binding->root <= 0xff000);
		CHECK(binding->width == 48 || binding->width == 57);
		CHECK(!(binding->flags & ~SVA_BIND_SUPPORTED));
	}
	if (space->table)
		CHECK(space->table->base <= 0xff000 && space->table->bits <= SVA_PASID_BITS);
}

static int translate(void *arg, uint64_t device, const struct sva_space *space, uint64_t address,
		     uint32_t access, struct sva_translation *found)
{
	CHECK(is_there(arg, device) && space->pasid && access >= 1 && access <= 3);
	CHECK(space->binding || space->table);
	check_space(device, space);
	*found = (struct sva_translation){.address = address, .size = 1, .perm = access};
	return 0;
}

static void set_space(void *arg, uint64_t device, uint32_t pasid, const struct sva_space *space)
{
	CHECK(is_there(arg, device) != all_gone && pasid <= SVA_PASID_LAST);
	if (space)
		check_space(device, space);
}

/* vhost refuses what has no meaning. */
static void emit(void *arg, uint64_t device, const struct vhost_iotlb_op *op)
{
	CHECK(is_there(arg, device));
	CHECK(op->asid <= SVA_PASID_LAST && !op->uaddr);
	CHECK(op->size ? op->size - 1 <= UINT64_MAX - op->iova : !op->iova);
	queued++;
	if (op->type == VHOST_IOTLB_ACCESS_FAIL) {
		CHECK(device == 1 && op->asid && op->size == 1 && op->perm && op->perm <= 3);
		CHECK(!(op->flags & ~VHOST_IOTLB_OP_F_TOKEN) && (op->flags || !op->token));
		return;
	}
	CHECK(op->type == VHOST_IOTLB_INVALIDATE || op->type == VHOST_IOTLB_RETRY);
	CHECK(!(op->flags & ~VHOST_IOTLB_OP_F_ALL_ASIDS) && (!op->asid || !op->flags));
	CHECK(!op->token && !op->perm);
}

static int finish(void *arg)
{
	(void)arg;
	queued = 0;
	return 0;
}

static const struct sva_devices devices = {
	.find = find,
	.is_there = is_there,
	.has_iommu = has_iommu,
	.can_fail = can_fail,
	.is_missing = is_missing,
	.next = next,
	.translate = translate,
	.set_space = set_space,
	.emit = emit,
	.finish = finish,
};

/* A miss of a virtqueue: what is said of it, is said in a letter */
static void miss(struct sva_service *service, uint8_t letter)
{
	const struct page_request fault = {
		.device = 1 + letter % 2,
		.pasid = 1 + letter / 2 % 4,
		.queue = letter / 8 % 4,
		.access = 1 + letter / 32 % 3,
		.has_token = letter & 64,
		.address = letter & 128 ? UINT64_MAX - letter : 0,
		.length = letter,
		.token = letter,
	};
	const uint64_t before = asked;

	if (sva_service_fault(service, &fault) == PAGE_FAULT_ASKED)
		CHECK(asked == before + 1);
	if (letter / 8 % 4 == 3)
		sva_service_translated(service, fault.device, 0);
	queued = 0;
}

static void check_sums(const struct sva_service *service)
{
	const struct page_request_counts *counts = sva_service_page_requests(service);

	CHECK(counts->requests == asked);
	CHECK(counts->requests == counts->outstanding + counts->success + counts->invalid +
					  counts->failure + counts->timeouts + counts->no_effect +
					  counts->withdrawn);
	CHECK(counts->outstanding <= asked - ended);
}

static void ask(struct sva_service *service, uint64_t client, const char *line, size_t size)
{
	struct json_object *reply = sva_service_handle(service, client, line, size);

	CHECK(reply && !queued);
	CHECK(json_object_object_get_ex(reply, "return", NULL) !=
	      json_object_object_get_ex(reply, "error", NULL));
	CHECK(strlen(json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN)) < 16384);
	json_object_put(reply);
}

static void ask_text(struct sva_service *service, const char *line)
{
	ask(service, 1, line, strlen(line));
}

/* Answers one of the last, whose number no input can know. */
static void respond(struct sva_service *service, uint64_t client, uint8_t letter)
{
	static const char *const codes[] = {"success", "invalid", "failure"};
	char line[128];

	snprintf(line, sizeof(line),
		 "{\"command\":\"respond\",\"device\":%u,\"group\":%" PRIu64
		 ",\"pasid\":%u,\"code\":\"%s\"}",
		 1 + letter % 2, asked - letter / 2 % 4, last_pasid, codes[letter / 8 % 3]);
	ask(service, client, line, strlen(line));
}

/* As it is at the beginning; to make it anew for each input takes too long. */
static void reset(struct sva_service *service)
{
	all_gone = true;
	sva_service_check(service);
	all_gone = false;
	/* The last PASID of all, so that the next one is the first. */
	ask_text(service, "{\"command\":\"alloc\",\"device\":1,\"min\":1048575}");
	ask_text(service, "{\"command\":\"free\",\"device\":1,\"pasid\":1048575}");
	for (uint64_t device = 1; device <= DEVICES; device++)
		CHECK(!sva_count_of(sva_service_pasids(service), device));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sva_service_options options = {
		.quota = QUOTA,
		.page_request_seconds = 1000000,
		.devices = &devices,
		.tell = tell,
	};
	static struct sva_service *service;
	size_t length;
	char *line;

	if (!service)
		service = sva_service_open(&options);
	CHECK(service);
	reset(service);
	for (; size; data += length, size -= length) {
		uint64_t client = 1 + data[0] % 2;
		const uint8_t *end = memchr(data, '\n', size);

		length = end ? (size_t)(end - data) : size;
		if (length < 2) {
			sva_service_client_gone(service, client);
			CHECK(!queued);
		} else if (data[0] == '*') {
			miss(service, data[1]);
		} else if (data[0] >> 1 == '<' >> 1) {
			respond(service, client, data[1]);
		} else {
			/* Whatever is read beyond its end, is found. */
			line = malloc(length - 1);
			CHECK(line);
			memcpy(line, data + 1, length - 1);
			ask(service, client, line, length - 1);
			free(line);
		}
		length += !!end;
		check_sums(service);
	}
	for (uint64_t device = 1; device <= DEVICES; device++)
		CHECK(sva_count_of(sva_service_pasids(service), device) <= QUOTA);
	return 0;
}
