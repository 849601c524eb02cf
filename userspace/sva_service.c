// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json_get.h"
#include "log.h"
#include "memory_table.h"
#include "parse.h"
#include "sva.h"
#include "sva_service.h"
#include "vtd_name.h"

/* A request has few levels. */
#define DEPTH_MAX 8

#define ID_MAX 64
#define ERROR_MAX 256
#define MEMBERS_MAX 12

/**
 * struct sva_service - all there is
 * @sva:	PASIDs and bindings
 * @requests:	page requests
 * @devices:	who has the devices
 * @arg:	passed to it
 * @tell:	sends events to clients
 * @tell_arg:	passed to it
 * @limit:	keeps the log short
 */
struct sva_service {
	struct sva *sva;
	struct page_requests *requests;
	const struct sva_devices *devices;
	void *arg;
	void (*tell)(void *arg, uint64_t client, struct json_object *event);
	void *tell_arg;
	struct log_limit limit;
};

/* What a message is about, see log_subject(). */
enum matter { MATTER_TIMEOUT = 1, MATTER_NO_EFFECT, MATTER_FAILURE };

/**
 * struct request - one under way
 * @service:	all there is
 * @caller:	who asks, and about which device
 * @object:	what is asked
 * @reader:	reads it
 * @result:	the reply's "return", filled in by the command
 * @failure:	the reply, if it is an error that is none of sva_error.h
 */
struct request {
	struct sva_service *service;
	struct sva_caller caller;
	struct json_object *object;
	struct json_reader reader;
	struct json_object *result;
	struct json_object *failure;
};

/**
 * struct command - something that can be asked for
 * @name:	"bind"
 * @members:	that the request may have
 * @has_device:	it is about a device that has to be found
 * @run:	does it
 */
struct command {
	const char *name;
	const char *members[MEMBERS_MAX];
	bool has_device;
	enum sva_error (*run)(struct request *request);
};

/* Words of requests and replies, in the order of the bits in sva.h */
static const char *const bind_flags[] = {"sre", "eafe", "pcd", "pwt", "emte", "cd", "wpe", NULL};
static const char *const caches[] = {"iotlb", "dev-iotlb", "pasid", NULL};
static const char *const granularities[] = {"domain", "pasid", "address", NULL};
static const char *const formats[] = {"vtd", NULL};

/* In the order of enum page_response_code and enum page_request_end */
static const char *const codes[] = {"success", "invalid", "failure", NULL};
static const char *const ends[PAGE_NR_ENDS] = {"timeout", "no-effect", "invalid", "failure",
					       "unbound", "obsolete",  "gone"};

/* Reading */

static uint64_t number_or(struct request *request, const char *name, uint64_t max,
			  uint64_t otherwise)
{
	if (!json_has(request->object, name))
		return otherwise;
	return json_get_count(&request->reader, request->object, name, 0, max);
}

static uint64_t number(struct request *request, const char *name, uint64_t max)
{
	return json_get_count(&request->reader, request->object, name, 0, max);
}

static bool is_true(struct request *request, const char *name)
{
	return json_has(request->object, name) &&
	       json_get_bool(&request->reader, request->object, name);
}

static uint32_t words_or(struct request *request, const char *name, const char *const *words,
			 uint32_t otherwise)
{
	if (!json_has(request->object, name))
		return otherwise;
	return json_get_words(&request->reader, request->object, name, words);
}

/* There is one, so that it need not be said. */
static void check_format(struct request *request)
{
	if (json_has(request->object, "format"))
		json_get_word(&request->reader, request->object, "format", formats);
}

/* Does the request make sense so far? If not, its command must do nothing, and
 * what it returns is of no interest.
 */
static bool is_good(const struct request *request)
{
	return json_good(&request->reader);
}

/* Writing */

static void put_number(struct json_object *object, const char *name, uint64_t value)
{
	json_object_object_add(object, name, json_object_new_uint64(value));
}

static void put_words(struct json_object *object, const char *name, uint32_t bits,
		      const char *const *words)
{
	struct json_object *array = json_object_new_array();
	int i;

	for (i = 0; words[i]; i++)
		if (bits & 1U << i)
			json_object_array_add(array, json_object_new_string(words[i]));
	json_object_object_add(object, name, array);
}

static void put_table(struct json_object *object, const struct sva_table *table)
{
	struct json_object *info = json_object_new_object();

	put_number(info, "base", table->base);
	put_number(info, "bits", table->bits);
	json_object_object_add(object, "table", info);
}

static struct json_object *describe_binding(const struct sva_binding *binding)
{
	struct json_object *info = json_object_new_object();

	put_number(info, "root", binding->root);
	put_number(info, "width", binding->width);
	put_words(info, "flags", binding->flags, bind_flags);
	if (binding->has_guest_pasid)
		put_number(info, "guest_pasid", binding->guest_pasid);
	return info;
}

/* The commands */

static enum sva_error run_attach(struct request *request)
{
	const struct sva_table table = {
		.base = number(request, "base", UINT64_MAX),
		.bits = number(request, "bits", UINT8_MAX),
	};
	bool keep = is_true(request, "keep");

	check_format(request);
	if (!is_good(request))
		return SVA_OK;
	return sva_attach(request->service->sva, &request->caller, &table, keep);
}

static enum sva_error run_detach(struct request *request)
{
	return sva_detach(request->service->sva, &request->caller);
}

static enum sva_error run_alloc(struct request *request)
{
	uint32_t min = number_or(request, "min", UINT32_MAX, 1);
	uint32_t max = number_or(request, "max", UINT32_MAX, SVA_PASID_LAST);
	bool keep = is_true(request, "keep");
	enum sva_error error;
	uint32_t pasid;

	if (!is_good(request))
		return SVA_OK;
	error = sva_alloc(request->service->sva, &request->caller, min, max, keep, &pasid);
	if (!error)
		put_number(request->result, "pasid", pasid);
	return error;
}

static enum sva_error run_free(struct request *request)
{
	uint32_t pasid = number(request, "pasid", UINT32_MAX);

	if (!is_good(request))
		return SVA_OK;
	return sva_free(request->service->sva, &request->caller, pasid);
}

static enum sva_error run_bind(struct request *request)
{
	const struct sva_binding binding = {
		.root = number(request, "root", UINT64_MAX),
		.width = number(request, "width", UINT8_MAX),
		.flags = words_or(request, "flags", bind_flags, 0),
		.has_guest_pasid = json_has(request->object, "guest_pasid"),
		.guest_pasid = number_or(request, "guest_pasid", UINT32_MAX, 0),
	};
	uint32_t pasid = number(request, "pasid", UINT32_MAX);

	check_format(request);
	if (!is_good(request))
		return SVA_OK;
	return sva_bind(request->service->sva, &request->caller, pasid, &binding);
}

static enum sva_error run_unbind(struct request *request)
{
	uint32_t pasid = number(request, "pasid", UINT32_MAX);

	if (!is_good(request))
		return SVA_OK;
	return sva_unbind(request->service->sva, &request->caller, pasid);
}

/* A member that would be of no effect is an error: a guest's invalidation that
 * says less than it seems to is worse than one that is refused.
 */
static void refuse_unless(struct request *request, bool makes_sense, const char *name,
			  const char *with)
{
	if (!makes_sense && json_has(request->object, name))
		json_bad(&request->reader, name, with);
}

static enum sva_error run_invalidate(struct request *request)
{
	struct sva_invalidation what = {
		.granularity = json_get_word(&request->reader, request->object, "granularity",
					     granularities),
		.caches = words_or(request, "caches", caches, SVA_CACHE_IOTLB),
		.has_pasid = json_has(request->object, "pasid"),
		.pasid = number_or(request, "pasid", UINT32_MAX, 0),
		.leaf = is_true(request, "leaf"),
	};
	bool is_range = what.granularity == SVA_ADDRESS;

	refuse_unless(request, what.granularity != SVA_DOMAIN, "pasid",
		      "makes no sense with granularity domain");
	refuse_unless(request, is_range, "address", "takes granularity address");
	refuse_unless(request, is_range, "granule", "takes granularity address");
	refuse_unless(request, is_range, "count", "takes granularity address");
	refuse_unless(request, is_range, "leaf", "takes granularity address");
	if (is_range) {
		what.address = number(request, "address", UINT64_MAX);
		what.granule = number_or(request, "granule", UINT64_MAX, 4096);
		what.count = number_or(request, "count", UINT64_MAX, 1);
	}
	if (!is_good(request))
		return SVA_OK;
	return sva_invalidate(request->service->sva, &request->caller, &what);
}

/* In the order of enum sva_unset, which begins with none */
static const char *const unset_flags[] = {"accessed", "dirty"};

/* VHOST_ACCESS_RO and so on, which begin with 1 */
static const char *const accesses[] = {"r", "w", "rw", NULL};

static struct json_object *fault(int err, const struct vtd_walk *walk)
{
	struct json_object *reply, *error;
	char text[ERROR_MAX];

	if (!walk->fault && err == -EFAULT)
		return sva_service_error("outside", "it leads out of the guest's memory");
	if (!walk->fault && err == -EAGAIN)
		return sva_service_error("unknown-iommu", "the guest's IOMMU is not known now; try "
							  "again later");
	if (!walk->fault)
		return sva_service_error("unreadable", strerror(-err));
	snprintf(text, sizeof(text), "%s (%s, level %u)", vtd_fault_text(walk->fault),
		 vtd_table_name(walk->fault_table), walk->fault_level);
	reply = sva_service_error("fault", text);
	json_object_object_get_ex(reply, "error", &error);
	json_object_object_add(error, "fault", json_object_new_string(vtd_fault_name(walk->fault)));
	json_object_object_add(error, "table",
			       json_object_new_string(vtd_table_name(walk->fault_table)));
	put_number(error, "level", walk->fault_level);
	return reply;
}

static enum sva_error run_translate(struct request *request)
{
	const struct sva_service *service = request->service;
	uint32_t pasid = number(request, "pasid", UINT32_MAX);
	uint64_t address = number(request, "address", UINT64_MAX);
	uint32_t access = VHOST_ACCESS_RO;
	struct sva_translation found = {};
	struct sva_space space;
	enum sva_error error;
	int err;

	if (json_has(request->object, "access"))
		access = json_get_word(&request->reader, request->object, "access", accesses) + 1;
	if (!is_good(request))
		return SVA_OK;
	error = sva_space_of(service->sva, &request->caller, pasid, &space);
	if (error)
		return error;
	err = service->devices->translate(service->arg, request->caller.device, &space, address,
					  access, &found);
	if (err) {
		request->failure = fault(err, &found.walk);
		return SVA_OK;
	}
	put_number(request->result, "address", found.address);
	put_number(request->result, "size", found.size);
	put_number(request->result, "gpa", found.gpa);
	json_object_object_add(request->result, "access",
			       json_object_new_string(accesses[found.perm - 1]));
	if (found.unset)
		json_object_object_add(request->result, "unset",
				       json_object_new_string(unset_flags[found.unset - 1]));
	return SVA_OK;
}

/* Page requests */

static enum sva_error subscribe(struct request *request)
{
	const struct sva_service *service = request->service;
	const struct sva_caller *caller = &request->caller;
	bool can_fail = service->devices->can_fail(service->arg, caller->device);
	enum sva_error error;

	if (!sva_has_usable(service->sva, caller->client, caller->device))
		return SVA_OTHER_CLIENT;
	error = page_requests_subscribe(service->requests, caller->client, caller->device,
					can_fail);
	if (!error)
		json_object_object_add(request->result, "access_fail",
				       json_object_new_boolean(can_fail));
	return error;
}

static enum sva_error run_page_requests(struct request *request)
{
	bool on = json_get_bool(&request->reader, request->object, "on");

	if (!is_good(request))
		return SVA_OK;
	if (on)
		return subscribe(request);
	return page_requests_unsubscribe(request->service->requests, request->caller.client,
					 request->caller.device);
}

static void say_failure(struct sva_service *service, uint64_t device)
{
	if (log_limit_allows(&service->limit, log_subject(device, 0, MATTER_FAILURE),
			     clock_now_ns()))
		log_warn("device %" PRIu64 ": a page request was answered by failure; from now on, "
			 "what waits for a page ends with an error, until somebody subscribes to "
			 "its page requests again",
			 device);
}

/* That there is such a device is known by the request. */
static enum sva_error run_respond(struct request *request)
{
	struct sva_service *service = request->service;
	uint64_t device = number(request, "device", UINT64_MAX);
	uint64_t group = number(request, "group", UINT64_MAX);
	uint32_t pasid = number(request, "pasid", UINT32_MAX);
	enum page_response_code code =
		json_get_word(&request->reader, request->object, "code", codes);
	enum sva_error error;

	if (!is_good(request))
		return SVA_OK;
	error = page_requests_respond(service->requests, request->caller.client, device, group,
				      pasid, code);
	if (!error && code == PAGE_RESPONSE_FAILURE)
		say_failure(service, device);
	return error;
}

static void put_page_requests(struct json_object *info, const struct sva_service *service,
			      uint64_t device)
{
	struct page_requests_info requests;
	struct json_object *part;

	if (!page_requests_info_of(service->requests, device, &requests))
		return;
	part = json_object_new_object();
	json_object_object_add(part, "on",
			       json_object_new_boolean(requests.client != PAGE_REQUESTS_NOBODY));
	put_number(part, "outstanding", requests.outstanding);
	json_object_object_add(part, "failed", json_object_new_boolean(requests.has_failed));
	json_object_object_add(info, "page_requests", part);
}

static struct json_object *describe_device(const struct sva_service *service,
					   const struct sva_device_info *device)
{
	struct json_object *info = json_object_new_object();
	const struct sva_table *table = sva_table_of(service->sva, device->id);
	char comm[sizeof(device->comm)];
	size_t i;

	/* Any process may call itself anything. */
	for (i = 0; i < sizeof(comm) - 1 && device->comm[i]; i++)
		comm[i] = device->comm[i] >= ' ' && device->comm[i] <= '~' ? device->comm[i] : '?';
	comm[i] = '\0';

	put_number(info, "device", device->id);
	put_number(info, "pid", device->pid);
	json_object_object_add(info, "comm", json_object_new_string(comm));
	json_object_object_add(info, "asid", json_object_new_boolean(device->has_asid));
	put_number(info, "pasids", sva_count_of(service->sva, device->id));
	if (table)
		put_table(info, table);
	put_page_requests(info, service, device->id);
	return info;
}

static void put_page(struct request *request, const char *name, struct json_object *array,
		     bool more)
{
	json_object_object_add(request->result, name, array);
	json_object_object_add(request->result, "more", json_object_new_boolean(more));
}

static enum sva_error run_devices(struct request *request)
{
	const struct sva_service *service = request->service;
	uint64_t after = number_or(request, "after", UINT64_MAX, 0);
	struct json_object *array = json_object_new_array();
	struct sva_device_info info;
	bool more;

	while ((more = service->devices->next(service->arg, after, &info)) &&
	       json_object_array_length(array) < SVA_SERVICE_PAGE) {
		json_object_array_add(array, describe_device(service, &info));
		after = info.id;
	}
	put_page(request, "devices", array, more);
	return SVA_OK;
}

static struct json_object *describe_pasid(const struct sva_pasid_info *pasid)
{
	struct json_object *info = json_object_new_object();

	put_number(info, "pasid", pasid->pasid);
	json_object_object_add(info, "keep", json_object_new_boolean(pasid->client == SVA_KEPT));
	if (pasid->is_bound)
		json_object_object_add(info, "binding", describe_binding(&pasid->binding));
	return info;
}

static enum sva_error run_pasids(struct request *request)
{
	const struct sva *sva = request->service->sva;
	uint32_t after = number_or(request, "after", UINT32_MAX, 0);
	struct json_object *array = json_object_new_array();
	struct sva_pasid_info info;
	bool more;

	while ((more = sva_next(sva, request->caller.device, after, &info)) &&
	       json_object_array_length(array) < SVA_SERVICE_PAGE) {
		json_object_array_add(array, describe_pasid(&info));
		after = info.pasid;
	}
	put_page(request, "pasids", array, more);
	return SVA_OK;
}

#define MEMBERS(...)                                                                               \
	{                                                                                          \
		"command", "id", __VA_ARGS__, NULL                                                 \
	}

static const struct command commands[] = {
	{"devices", MEMBERS("after"), false, run_devices},
	{"pasids", MEMBERS("device", "after"), true, run_pasids},
	{"attach", MEMBERS("device", "format", "base", "bits", "keep"), true, run_attach},
	{"detach", MEMBERS("device"), true, run_detach},
	{"alloc", MEMBERS("device", "min", "max", "keep"), true, run_alloc},
	{"free", MEMBERS("device", "pasid"), true, run_free},
	{"bind", MEMBERS("device", "pasid", "format", "root", "width", "flags", "guest_pasid"),
	 true, run_bind},
	{"unbind", MEMBERS("device", "pasid"), true, run_unbind},
	{"invalidate",
	 MEMBERS("device", "granularity", "caches", "pasid", "address", "granule", "count", "leaf"),
	 true, run_invalidate},
	{"translate", MEMBERS("device", "pasid", "address", "access"), true, run_translate},
	{"page-requests", MEMBERS("device", "on"), true, run_page_requests},
	{"respond", MEMBERS("device", "group", "pasid", "code"), false, run_respond},
};

/* Replies */

struct json_object *sva_service_error(const char *name, const char *text)
{
	struct json_object *reply = json_object_new_object();
	struct json_object *error = json_object_new_object();

	json_object_object_add(error, "name", json_object_new_string(name));
	json_object_object_add(error, "text", json_object_new_string(text));
	json_object_object_add(reply, "error", error);
	return reply;
}

static struct json_object *refuse(enum sva_error error)
{
	return sva_service_error(sva_error_name(error), sva_error_text(error));
}

/* The request was done, but a device has not done its part. */
static struct json_object *not_written(int err)
{
	char text[ERROR_MAX];

	snprintf(text, sizeof(text),
		 "it is done here, but vhost has refused the INVALIDATE (%s), so that the device "
		 "may still use what was; invalidate the domain",
		 strerror(-err));
	return sva_service_error("not-written", text);
}

static const struct command *find_command(struct request *request)
{
	char name[ID_MAX];
	size_t i;

	json_get_text(&request->reader, request->object, "command", name, sizeof(name));
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	json_bad(&request->reader, "command", "is none that there is");
	return NULL;
}

static bool find_device(struct request *request)
{
	const struct sva_service *service = request->service;
	struct sva_caller *caller = &request->caller;

	caller->memory = service->devices->find(service->arg, caller->device);
	if (!caller->memory)
		return false;
	caller->has_iommu = service->devices->has_iommu(service->arg, caller->device);
	return true;
}

static struct json_object *run(struct request *request, const struct command *command)
{
	const struct sva_service *service = request->service;
	struct json_object *reply;
	enum sva_error error;
	int err;

	json_only(&request->reader, request->object, command->members);
	if (command->has_device)
		request->caller.device = number(request, "device", UINT64_MAX);
	if (!is_good(request))
		return sva_service_error("bad-request", request->reader.error);
	if (command->has_device && !find_device(request))
		return sva_service_error("no-device",
					 "there is no such device that iotlbd may serve; "
					 "\"devices\" lists those it does");
	error = command->run(request);
	err = service->devices->finish(service->arg);
	if (!is_good(request))
		return sva_service_error("bad-request", request->reader.error);
	if (error)
		return refuse(error);
	if (request->failure)
		return request->failure;
	if (err)
		return not_written(err);
	reply = json_object_new_object();
	json_object_object_add(reply, "return", json_object_get(request->result));
	return reply;
}

/* So that who asks much at a time can tell the replies apart */
static void put_id(struct json_object *reply, struct json_object *object)
{
	struct json_object *id;

	if (!json_object_object_get_ex(object, "id", &id))
		return;
	if (json_object_is_type(id, json_type_int) ||
	    (json_object_is_type(id, json_type_string) && json_object_get_string_len(id) <= ID_MAX))
		json_object_object_add(reply, "id", json_object_get(id));
}

static struct json_object *handle_object(struct sva_service *service, uint64_t client,
					 struct json_object *object)
{
	char error[ERROR_MAX] = "";
	struct request request = {
		.service = service,
		.caller.client = client,
		.object = object,
		.reader = {.error = error, .size = sizeof(error)},
		.result = json_object_new_object(),
	};
	const struct command *command = find_command(&request);
	struct json_object *reply;

	if (command)
		reply = run(&request, command);
	else
		reply = sva_service_error("bad-request", error);
	put_id(reply, object);
	json_object_put(request.result);
	return reply;
}

struct json_object *sva_service_handle(struct sva_service *service, uint64_t client,
				       const char *line, size_t size)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *object, *reply;

	if (!tokener)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, line, (int)size);
	/* A NUL would be the end, whatever is behind it. */
	if (json_tokener_get_error(tokener) != json_tokener_success || memchr(line, '\0', size))
		reply = sva_service_error("bad-json", "the line is no object of JSON");
	else if (!json_object_is_type(object, json_type_object))
		reply = sva_service_error("bad-json",
					  "the line is no object of JSON, but other JSON");
	else
		reply = handle_object(service, client, object);
	json_object_put(object);
	json_tokener_free(tokener);
	return reply;
}

/* Events */

static struct json_object *make_event(const char *name, uint64_t device)
{
	struct json_object *event = json_object_new_object();

	json_object_object_add(event, "event", json_object_new_string(name));
	put_number(event, "device", device);
	return event;
}

static void ask_client(void *arg, uint64_t client, const struct page_request *request)
{
	const struct sva_service *service = arg;
	struct json_object *event = make_event("page-request", request->device);

	put_number(event, "pasid", request->pasid);
	put_number(event, "address", request->address);
	put_number(event, "length", request->length);
	json_object_object_add(event, "access",
			       json_object_new_string(accesses[request->access - 1]));
	put_number(event, "group", request->group);
	/* Always, so that a client may be written for those who have more in a group. */
	json_object_object_add(event, "last", json_object_new_boolean(1));
	put_number(event, "queue", request->queue);
	service->tell(service->tell_arg, client, event);
}

static void say_end(struct sva_service *service, const struct page_request *request,
		    enum page_request_end why)
{
	bool is_late = why == PAGE_END_TIMEOUT;
	uint64_t subject = log_subject(request->device, request->address,
				       is_late ? MATTER_TIMEOUT : MATTER_NO_EFFECT);

	if (!is_late && why != PAGE_END_NO_EFFECT)
		return;
	if (!log_limit_allows(&service->limit, subject, clock_now_ns()))
		return;
	log_warn("device %" PRIu64 ": the page request for 0x%" PRIx64 " of PASID %u %s; queue %u "
		 "%s",
		 request->device, request->address, request->pasid,
		 is_late ? "was not answered in time (--page-request-timeout)"
			 : "was answered by success again and again, but there is still no page",
		 request->queue,
		 service->devices->can_fail(service->arg, request->device)
			 ? "completes the descriptor with an error"
			 : "waits, as this vhost cannot complete its descriptor with an error");
}

static void tell_end(void *arg, uint64_t client, const struct page_request *request,
		     enum page_request_end why)
{
	struct sva_service *service = arg;
	struct json_object *event = make_event("page-request-end", request->device);

	put_number(event, "pasid", request->pasid);
	put_number(event, "group", request->group);
	json_object_object_add(event, "why", json_object_new_string(ends[why]));
	service->tell(service->tell_arg, client, event);
	say_end(service, request, why);
}

static void tell_gone(void *arg, uint64_t client, uint64_t device)
{
	const struct sva_service *service = arg;

	service->tell(service->tell_arg, client, make_event("page-requests-off", device));
}

/* The whole */

static void emit(void *arg, uint64_t device, const struct vhost_iotlb_op *op)
{
	const struct sva_service *service = arg;

	service->devices->emit(service->arg, device, op);
}

/* A PASID of its own has a binding; the rest go by what is said for all. */
static void changed(void *arg, uint64_t device, uint32_t pasid)
{
	const struct sva_service *service = arg;
	struct sva_space space;
	bool is_said = sva_find(service->sva, device, pasid, &space) && (!pasid || space.binding);

	service->devices->set_space(service->arg, device, pasid, is_said ? &space : NULL);
	page_requests_unbound(service->requests, device, pasid);
}

static bool is_missing(void *arg, const struct page_request *request)
{
	const struct sva_service *service = arg;

	return service->devices->is_missing(service->arg, service->sva, request);
}

static bool is_there(void *arg, uint64_t device)
{
	const struct sva_service *service = arg;

	return service->devices->is_there(service->arg, device);
}

struct sva_service *sva_service_open(const struct sva_service_options *options)
{
	struct sva_service *service = calloc(1, sizeof(*service));
	const struct sva_options sva = {
		.quota = options->quota,
		.emit = emit,
		.changed = changed,
		.arg = service,
	};
	const struct page_requests_options requests = {
		.timeout_ns = options->page_request_seconds * NS_PER_SECOND,
		.emit = emit,
		.ask = ask_client,
		.end = tell_end,
		.is_missing = is_missing,
		.arg = service,
	};

	if (!service)
		return NULL;
	service->devices = options->devices;
	service->arg = options->arg;
	service->tell = options->tell;
	service->tell_arg = options->tell_arg;
	service->limit.burst = 20;
	service->limit.per_second = 1;
	service->requests = page_requests_open(&requests);
	service->sva = sva_open(&sva);
	if (service->sva && service->requests)
		return service;
	sva_service_close(service);
	return NULL;
}

void sva_service_close(struct sva_service *service)
{
	if (!service)
		return;
	sva_close(service->sva);
	page_requests_close(service->requests);
	log_limit_tell(&service->limit);
	free(service);
}

const struct sva *sva_service_pasids(const struct sva_service *service)
{
	return service->sva;
}

const struct page_request_counts *sva_service_page_requests(const struct sva_service *service)
{
	return page_requests_counts(service->requests);
}

enum page_fault_result sva_service_fault(struct sva_service *service,
					 const struct page_request *fault)
{
	uint64_t client = page_requests_subscriber(service->requests, fault->device);

	/* It is not his, nor is his answer. */
	if (client != PAGE_REQUESTS_NOBODY &&
	    !sva_is_usable(service->sva, client, fault->device, fault->pasid))
		return PAGE_FAULT_WAITS;
	return page_requests_fault(service->requests, fault, clock_now_ns());
}

void sva_service_translated(struct sva_service *service, uint64_t device, uint16_t queue)
{
	page_requests_translated(service->requests, device, queue);
}

void sva_service_client_gone(struct sva_service *service, uint64_t client)
{
	page_requests_client_gone(service->requests, client);
	sva_client_gone(service->sva, client);
	service->devices->finish(service->arg);
}

void sva_service_check(struct sva_service *service)
{
	/* First these, so that they end for this reason. */
	page_requests_forget_gone(service->requests, is_there, tell_gone, service);
	sva_forget_gone(service->sva, service->devices->is_there, service->arg);
	page_requests_check(service->requests, clock_now_ns());
	service->devices->finish(service->arg);
}
