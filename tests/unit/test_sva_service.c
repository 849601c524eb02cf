// SPDX-License-Identifier: GPL-2.0
/* Requests of control clients, as lines of JSON, and the replies. */
#include <errno.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "memory_table.h"
#include "sva.h"
#include "sva_service.h"
#include "vhost_msg.h"

#define DEVICES 40
#define QUOTA 64
#define EVENTS 16
#define TIMEOUT_SECONDS 1

#define ALICE 1
#define BOB 2

static const char fdinfo[] = "vhost-mem:\t0x0 0x100000 0x70000000\n";

static struct memory_table memory;
static struct sva_service *service;

/* Devices 1 to this are there. */
static uint64_t last_device;

/* What was put into queues, what of it was written, and what that says */
static unsigned int queued, written;
static struct vhost_iotlb_op op;
static uint64_t op_device;
static int finish_err;

static const struct memory_table *find(void *arg, uint64_t device)
{
	assert_ptr_equal(arg, &memory);
	return device && device <= last_device ? &memory : NULL;
}

static bool is_there(void *arg, uint64_t device)
{
	return find(arg, device);
}

/* Of device 2's guest */
static bool has_iommu(void *arg, uint64_t device)
{
	assert_true(is_there(arg, device));
	return device == 2;
}

static bool can_fail(void *arg, uint64_t device)
{
	assert_true(is_there(arg, device));
	return device == 1;
}

static bool is_missing(void *arg, const struct sva *pasids, const struct page_request *request)
{
	assert_ptr_equal(pasids, sva_service_pasids(service));
	return is_there(arg, request->device);
}

static bool next(void *arg, uint64_t after, struct sva_device_info *info)
{
	if (!is_there(arg, after + 1))
		return false;
	*info = (struct sva_device_info){.id = after + 1, .pid = 4711, .comm = "q\"e\n\xffmu"};
	return true;
}

/* What flags device 1's kernel has still to set */
static enum sva_unset unset;

/* Device 2 has a fault everywhere, and device 1 at high addresses leads nowhere. */
static int translate(void *arg, uint64_t device, const struct sva_space *space, uint64_t address,
		     uint32_t access, struct sva_translation *found)
{
	assert_true(is_there(arg, device));
	assert_true(!space->binding || space->binding->root == 4096);
	assert_true(!space->table || space->table->base == 8192);
	if (device == 2) {
		found->walk = (struct vtd_walk){
			.fault = VTD_FAULT_PRESENT,
			.fault_table = VTD_TABLE_FIRST_LEVEL,
			.fault_level = 3,
		};
		return -ENOENT;
	}
	if (address >> 32)
		return -EFAULT;
	*found = (struct sva_translation){
		.address = address & ~0xfffULL,
		.size = 4096,
		.gpa = 0x100000 + space->pasid * 0x1000,
		.perm = access,
		.unset = unset,
	};
	return 0;
}

static void emit(void *arg, uint64_t device, const struct vhost_iotlb_op *what)
{
	assert_true(is_there(arg, device));
	queued++;
	op = *what;
	op_device = device;
}

/* What the last change has said, by PASID */
static uint64_t space_device;
static uint32_t space_pasid;
static char space_said;

static void set_space(void *arg, uint64_t device, uint32_t pasid, const struct sva_space *space)
{
	assert_ptr_equal(arg, &memory);
	space_device = device;
	space_pasid = pasid;
	if (!space)
		space_said = '-';
	else if (space->binding)
		space_said = 'b';
	else
		space_said = space->table ? 't' : 'n';
}

static int finish(void *arg)
{
	assert_ptr_equal(arg, &memory);
	written = queued;
	return finish_err;
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

/* Lines that were no replies */
static struct {
	uint64_t client;
	struct json_object *line;
} events[EVENTS];
static unsigned int event_count;

static void tell(void *arg, uint64_t client, struct json_object *line)
{
	assert_ptr_equal(arg, &events);
	assert_true(event_count < EVENTS);
	events[event_count].client = client;
	events[event_count++].line = line;
}

static int begin(void **state)
{
	const struct sva_service_options options = {
		.quota = QUOTA,
		.page_request_seconds = TIMEOUT_SECONDS,
		.devices = &devices,
		.arg = &memory,
		.tell = tell,
		.tell_arg = &events,
	};

	(void)state;
	last_device = 2;
	queued = 0;
	written = 0;
	finish_err = 0;
	if (memory_table_parse(&memory, fdinfo))
		return -1;
	service = sva_service_open(&options);
	return service ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	sva_service_close(service);
	memory_table_clear(&memory);
	while (event_count)
		json_object_put(events[--event_count].line);
	return 0;
}

static struct json_object *handle(uint64_t client, const char *line, size_t size)
{
	struct json_object *reply = sva_service_handle(service, client, line, size);

	assert_non_null(reply);
	/* What a request has caused is written before it is replied to. */
	assert_int_equal(written, queued);
	return reply;
}

/* The reply to a line that has ' where JSON has " */
static struct json_object *ask(uint64_t client, const char *request)
{
	char line[1024];
	size_t i;

	assert_true(strlen(request) < sizeof(line));
	for (i = 0; request[i]; i++)
		line[i] = request[i] == '\'' ? '"' : request[i];
	return handle(client, line, i);
}

static void assert_text(struct json_object *reply, const char *expected)
{
	char text[16384];
	size_t i;

	snprintf(text, sizeof(text), "%s",
		 json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN));
	for (i = 0; text[i]; i++)
		if (text[i] == '"')
			text[i] = '\'';
	assert_string_equal(text, expected);
}

static void assert_reply(uint64_t client, const char *request, const char *expected)
{
	struct json_object *reply = ask(client, request);

	assert_text(reply, expected);
	json_object_put(reply);
}

/* Its name is this, and its text has that in it. */
static void assert_error(struct json_object *reply, const char *name, const char *has)
{
	struct json_object *error, *value;

	assert_false(json_object_object_get_ex(reply, "return", NULL));
	assert_true(json_object_object_get_ex(reply, "error", &error));
	assert_true(json_object_object_get_ex(error, "name", &value));
	assert_string_equal(json_object_get_string(value), name);
	assert_true(json_object_object_get_ex(error, "text", &value));
	if (!strstr(json_object_get_string(value), has))
		fail_msg("\"%s\" is not in \"%s\"", has, json_object_get_string(value));
	json_object_put(reply);
}

static void assert_refused(uint64_t client, const char *request, const char *name, const char *has)
{
	const unsigned int before = queued;

	assert_error(ask(client, request), name, has);
	assert_int_equal(queued, before);
}

static void assert_op(uint64_t device, uint8_t type, uint32_t asid, uint64_t iova, uint64_t size,
		      uint16_t flags)
{
	assert_int_equal(queued, 1);
	queued = 0;
	assert_int_equal(op_device, device);
	assert_int_equal(op.type, type);
	assert_int_equal(op.asid, asid);
	assert_int_equal(op.iova, iova);
	assert_int_equal(op.size, size);
	assert_int_equal(op.flags, flags);
}

static void assert_space(uint64_t device, uint32_t pasid, char said)
{
	assert_int_equal(space_device, device);
	assert_int_equal(space_pasid, pasid);
	assert_int_equal(space_said, said);
}

static void test_life(void **state)
{
	(void)state;
	assert_reply(ALICE, "{'command':'alloc','device':2,'min':5,'max':9,'id':1}",
		     "{'return':{'pasid':5},'id':1}");
	assert_int_equal(queued, 0);
	assert_space(2, 0, 'n');
	assert_reply(ALICE,
		     "{'command':'bind','device':2,'pasid':5,'format':'vtd','root':20480,"
		     "'width':48,'flags':['wpe','sre'],'guest_pasid':77,'id':'two'}",
		     "{'return':{},'id':'two'}");
	assert_op(2, VHOST_IOTLB_RETRY, 5, 0, 0, 0);
	assert_space(2, 5, 'b');
	assert_reply(ALICE, "{'command':'pasids','device':2}",
		     "{'return':{'pasids':[{'pasid':5,'keep':false,'binding':{'root':20480,"
		     "'width':48,'flags':['sre','wpe'],'guest_pasid':77}}],'more':false}}");
	assert_reply(ALICE, "{'command':'pasids','device':1}",
		     "{'return':{'pasids':[],'more':false}}");
	assert_reply(ALICE, "{'command':'unbind','device':2,'pasid':5}", "{'return':{}}");
	assert_op(2, VHOST_IOTLB_INVALIDATE, 5, 0, 0, 0);
	assert_space(2, 5, '-');
	assert_reply(ALICE, "{'command':'free','device':2,'pasid':5}", "{'return':{}}");
	assert_refused(ALICE, "{'command':'free','device':2,'pasid':5}", "not-allocated", "freed");
	assert_reply(ALICE, "{'command':'attach','device':2,'base':4096,'bits':13}",
		     "{'return':{}}");
	assert_op(2, VHOST_IOTLB_RETRY, 0, 0, 0, VHOST_IOTLB_OP_F_ALL_ASIDS);
	assert_space(2, 0, 't');
	assert_reply(ALICE, "{'command':'detach','device':2}", "{'return':{}}");
	assert_op(2, VHOST_IOTLB_INVALIDATE, 0, 0, 0, VHOST_IOTLB_OP_F_ALL_ASIDS);
	assert_space(2, 0, '-');
}

static void test_invalidate(void **state)
{
	(void)state;
	assert_reply(BOB, "{'command':'invalidate','device':1,'granularity':'domain'}",
		     "{'return':{}}");
	assert_op(1, VHOST_IOTLB_INVALIDATE, 0, 0, 0, VHOST_IOTLB_OP_F_ALL_ASIDS);
	assert_reply(BOB, "{'command':'invalidate','device':1,'granularity':'pasid','pasid':0}",
		     "{'return':{}}");
	assert_op(1, VHOST_IOTLB_INVALIDATE, 0, 0, 0, 0);
	assert_reply(BOB,
		     "{'command':'invalidate','device':1,'granularity':'address','pasid':0,"
		     "'address':18446603336221196288,'granule':2097152,'count':3,'leaf':true}",
		     "{'return':{}}");
	assert_op(1, VHOST_IOTLB_INVALIDATE, 0, 0xffff800000000000, 0x600000, 0);
	/* A page, if nothing else is said. */
	assert_reply(BOB,
		     "{'command':'invalidate','device':1,'granularity':'address',"
		     "'address':8192,'caches':['dev-iotlb','iotlb']}",
		     "{'return':{}}");
	assert_op(1, VHOST_IOTLB_INVALIDATE, 0, 0x2000, 0x1000, VHOST_IOTLB_OP_F_ALL_ASIDS);

	assert_refused(BOB, "{'command':'invalidate','device':1,'granularity':'pasid','pasid':3}",
		       "not-allocated", "not allocated");
	assert_refused(BOB, "{'command':'invalidate','device':1,'granularity':'all'}",
		       "bad-request", "domain, pasid, address");
	assert_refused(BOB, "{'command':'invalidate','device':1}", "bad-request", "granularity");
	assert_refused(BOB, "{'command':'invalidate','device':1,'granularity':'domain','pasid':3}",
		       "bad-request", "domain");
	assert_refused(BOB,
		       "{'command':'invalidate','device':1,'granularity':'pasid','pasid':0,"
		       "'address':4096}",
		       "bad-request", "\"address\" takes");
	assert_refused(BOB,
		       "{'command':'invalidate','device':1,'granularity':'domain','leaf':true}",
		       "bad-request", "\"leaf\" takes");
	assert_refused(BOB,
		       "{'command':'invalidate','device':1,'granularity':'domain',"
		       "'caches':['iotlb','iotlb']}",
		       "bad-request", "twice");
	assert_refused(BOB,
		       "{'command':'invalidate','device':1,'granularity':'domain','caches':[]}",
		       "cache", "not empty");
	assert_refused(BOB, "{'command':'invalidate','device':1,'granularity':'address','pasid':0}",
		       "bad-request", "address");
}

static void test_rubbish(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		"x",
		"{",
		"}",
		"[]",
		"5",
		"null",
		"'x'",
		"{}x",
		"{} {}",
		"{'a'}",
		"{a:1}",
		"{'a':}",
		"{'a':1,}",
		"{'a':01}",
		"\x01",
		"{'a':'\xff'}",
		"[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
		"{'a':[[[[[[[[[[[[]]]]]]]]]]]]}",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_refused(ALICE, lines[i], "bad-json", "object");
	assert_error(handle(ALICE, "{}\0", 3), "bad-json", "object");
	assert_error(handle(ALICE, "{\"command\":\"de\0vices\"}", 22), "bad-json", "object");
}

static void test_bad_requests(void **state)
{
	static const struct {
		const char *request;
		const char *has;
	} cases[] = {
		{"{}", "command"},
		{"{'command':7}", "\"command\" must be a string"},
		{"{'command':'nothing'}", "none that there is"},
		{"{'command':'devices\\u0000'}", "printable"},
		{"{'command':'alloc'}", "\"device\" must be a whole number"},
		{"{'command':'alloc','device':-1}", "\"device\" must be"},
		{"{'command':'alloc','device':1.5}", "\"device\" must be"},
		{"{'command':'alloc','device':'1'}", "\"device\" must be"},
		{"{'command':'alloc','device':1,'max':4294967296}", "\"max\" must be"},
		{"{'command':'alloc','device':1,'keep':1}", "\"keep\" must be true or false"},
		{"{'command':'alloc','device':1,'pasid':1}", "\"pasid\" is not known here"},
		{"{'command':'free','device':1}", "\"pasid\" must be"},
		{"{'command':'attach','device':1,'base':0,'bits':256}", "\"bits\" must be"},
		{"{'command':'attach','device':1,'base':0,'bits':13,'format':'smmu'}",
		 "\"format\" must be one of vtd"},
		{"{'command':'bind','device':1,'pasid':1,'root':0,'width':48,'flags':'sre'}",
		 "\"flags\" must be an array"},
		{"{'command':'bind','device':1,'pasid':1,'root':0,'width':48,'flags':['x']}",
		 "\"flags\" must be one of sre"},
		{"{'command':'bind','device':1,'pasid':1,'root':0,'width':48,'flags':[1]}",
		 "\"flags\" must be one of sre"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_refused(ALICE, cases[i].request, "bad-request", cases[i].has);
	assert_refused(ALICE, "{'command':'alloc','device':3}", "no-device", "devices");
	assert_refused(ALICE, "{'command':'alloc','device':0}", "no-device", "devices");
	/* Nothing of all that has taken a PASID. */
	assert_reply(ALICE, "{'command':'pasids','device':1}",
		     "{'return':{'pasids':[],'more':false}}");
}

/* Words for each kind of error come from sva_error.c. */
static void test_garbage_binds(void **state)
{
	(void)state;
	assert_reply(ALICE, "{'command':'alloc','device':1,'min':5}", "{'return':{'pasid':5}}");
	assert_refused(ALICE, "{'command':'bind','device':1,'pasid':5,'root':1,'width':48}",
		       "root-misaligned", "page");
	assert_refused(ALICE, "{'command':'bind','device':1,'pasid':5,'root':1048576,'width':48}",
		       "root-outside", "memory");
	assert_refused(ALICE, "{'command':'bind','device':1,'pasid':5,'root':4096,'width':39}",
		       "width", "48 or 57");
	assert_refused(ALICE,
		       "{'command':'bind','device':1,'pasid':5,'root':4096,'width':48,"
		       "'flags':['eafe']}",
		       "unsupported-flags", "EAFE");
	assert_refused(ALICE, "{'command':'bind','device':2,'pasid':5,'root':4096,'width':48}",
		       "other-device", "another device");
	/* Where there is an IOMMU, it is no address in the guest's memory yet. */
	assert_reply(ALICE, "{'command':'alloc','device':2,'min':6}", "{'return':{'pasid':6}}");
	assert_reply(ALICE, "{'command':'bind','device':2,'pasid':6,'root':1048576,'width':48}",
		     "{'return':{}}");
	assert_reply(ALICE, "{'command':'unbind','device':2,'pasid':6}", "{'return':{}}");
	assert_refused(ALICE,
		       "{'command':'bind','device':2,'pasid':6,'root':4503599627370496,'width':48}",
		       "root-outside", "52 bits");
	assert_refused(ALICE, "{'command':'bind','device':2,'pasid':6,'root':8,'width':48}",
		       "root-misaligned", "page");
	assert_refused(BOB, "{'command':'bind','device':1,'pasid':5,'root':4096,'width':48}",
		       "other-client", "keep");
}

static void test_ids(void **state)
{
	char line[256], id[128];

	(void)state;
	assert_reply(ALICE, "{'command':'detach','device':1,'id':-5}",
		     "{'error':{'name':'no-table','text':'the device has no PASID table attached'},"
		     "'id':-5}");
	/* What is no id is not given back. */
	memset(id, 'x', sizeof(id));
	snprintf(line, sizeof(line), "{'command':'devices','after':9,'id':'%.65s'}", id);
	assert_reply(ALICE, line, "{'return':{'devices':[],'more':false}}");
	assert_reply(ALICE, "{'command':'devices','after':9,'id':[1]}",
		     "{'return':{'devices':[],'more':false}}");
	/* Errors have one, too. */
	assert_error(ask(ALICE, "{'id':3}"), "bad-request", "command");
}

static void test_not_written(void **state)
{
	(void)state;
	finish_err = -EFAULT;
	assert_error(ask(ALICE, "{'command':'invalidate','device':1,'granularity':'domain'}"),
		     "not-written", "Bad address");
	finish_err = 0;
	assert_reply(ALICE, "{'command':'invalidate','device':1,'granularity':'domain'}",
		     "{'return':{}}");
}

static size_t count_of(struct json_object *reply, const char *name, bool *more)
{
	struct json_object *result, *value;
	size_t count;

	assert_true(json_object_object_get_ex(reply, "return", &result));
	assert_true(json_object_object_get_ex(result, "more", &value));
	*more = json_object_get_boolean(value);
	assert_true(json_object_object_get_ex(result, name, &value));
	count = json_object_array_length(value);
	json_object_put(reply);
	return count;
}

/* No reply gets longer than a client may expect. */
static void test_pages(void **state)
{
	struct json_object *reply;
	bool more;
	int i;

	(void)state;
	last_device = DEVICES;
	assert_int_equal(count_of(ask(ALICE, "{'command':'devices'}"), "devices", &more), 32);
	assert_true(more);
	reply = ask(ALICE, "{'command':'devices','after':32}");
	assert_int_equal(count_of(reply, "devices", &more), DEVICES - 32);
	assert_false(more);
	assert_reply(ALICE, "{'command':'devices','after':39}",
		     "{'return':{'devices':[{'device':40,'pid':4711,'comm':'q\\'e??mu',"
		     "'asid':false,'pasids':0}],'more':false}}");

	for (i = 0; i < QUOTA; i++)
		json_object_put(ask(ALICE, "{'command':'alloc','device':1,'keep':true}"));
	assert_refused(ALICE, "{'command':'alloc','device':1}", "quota", "--pasid-quota");
	assert_int_equal(count_of(ask(BOB, "{'command':'pasids','device':1}"), "pasids", &more),
			 32);
	assert_true(more);
	reply = ask(BOB, "{'command':'pasids','device':1,'after':32}");
	assert_int_equal(count_of(reply, "pasids", &more), 32);
	assert_false(more);
}

static void test_translate(void **state)
{
	(void)state;
	assert_refused(BOB, "{'command':'translate','device':1,'pasid':5,'address':4096}",
		       "not-allocated", "not allocated");
	assert_refused(BOB, "{'command':'translate','device':1,'pasid':0,'address':4096}",
		       "bad-pasid", "without PASID");
	assert_reply(ALICE, "{'command':'alloc','device':1,'min':5}", "{'return':{'pasid':5}}");
	assert_refused(ALICE, "{'command':'translate','device':1,'pasid':5,'address':4096}",
		       "not-bound", "no page table");
	assert_reply(ALICE, "{'command':'bind','device':1,'pasid':5,'root':4096,'width':57}",
		     "{'return':{}}");
	queued = written = 0;
	assert_reply(ALICE, "{'command':'translate','device':1,'pasid':5,'address':4103}",
		     "{'return':{'address':4096,'size':4096,'gpa':1069056,'access':'r'}}");
	assert_reply(ALICE,
		     "{'command':'translate','device':1,'pasid':5,'address':7,'access':'rw'}",
		     "{'return':{'address':0,'size':4096,'gpa':1069056,'access':'rw'}}");
	unset = SVA_UNSET_ACCESSED;
	assert_reply(ALICE, "{'command':'translate','device':1,'pasid':5,'address':7}",
		     "{'return':{'address':0,'size':4096,'gpa':1069056,'access':'r',"
		     "'unset':'accessed'}}");
	unset = SVA_UNSET_DIRTY;
	assert_reply(ALICE, "{'command':'translate','device':1,'pasid':5,'address':7,'access':'w'}",
		     "{'return':{'address':0,'size':4096,'gpa':1069056,'access':'w',"
		     "'unset':'dirty'}}");
	unset = SVA_UNSET_NONE;
	assert_refused(ALICE, "{'command':'translate','device':1,'pasid':5,'address':4294967296}",
		       "outside", "memory");
	assert_refused(ALICE,
		       "{'command':'translate','device':1,'pasid':5,'address':7,'access':'x'}",
		       "bad-request", "one of r, w, rw");
	assert_refused(BOB, "{'command':'translate','device':1,'pasid':5,'address':4096}",
		       "other-client", "");

	assert_reply(BOB, "{'command':'attach','device':2,'base':8192,'bits':13}", "{'return':{}}");
	queued = written = 0;
	assert_reply(ALICE, "{'command':'translate','device':2,'pasid':8191,'address':0}",
		     "{'error':{'name':'fault','text':'the paging entry is not present "
		     "(first-level, level 3)','fault':'present','table':'first-level',"
		     "'level':3}}");
	assert_refused(ALICE, "{'command':'translate','device':2,'pasid':8192,'address':0}",
		       "not-allocated", "");
}

static void test_gone(void **state)
{
	(void)state;
	assert_reply(ALICE, "{'command':'alloc','device':1,'min':5}", "{'return':{'pasid':5}}");
	assert_reply(ALICE, "{'command':'alloc','device':1,'min':8,'keep':true}",
		     "{'return':{'pasid':8}}");
	assert_reply(ALICE, "{'command':'bind','device':1,'pasid':5,'root':4096,'width':57}",
		     "{'return':{}}");
	queued = 0;
	sva_service_client_gone(service, ALICE);
	assert_int_equal(written, 1);
	assert_op(1, VHOST_IOTLB_INVALIDATE, 5, 0, 0, 0);
	assert_refused(BOB, "{'command':'free','device':1,'pasid':5}", "not-allocated", "");
	assert_reply(BOB, "{'command':'pasids','device':1}",
		     "{'return':{'pasids':[{'pasid':8,'keep':true}],'more':false}}");

	last_device = 0;
	sva_service_check(service);
	last_device = 1;
	assert_reply(BOB, "{'command':'pasids','device':1}",
		     "{'return':{'pasids':[],'more':false}}");
}

/* Page requests */

static void assert_event(uint64_t client, const char *expected)
{
	assert_int_equal(event_count, 1);
	assert_int_equal(events[0].client, client);
	assert_text(events[0].line, expected);
	json_object_put(events[0].line);
	event_count = 0;
}

static const struct page_request fault = {
	.device = 1,
	.pasid = 5,
	.queue = 3,
	.access = VHOST_ACCESS_WO,
	.address = 0x7f0000000123,
	.length = 1526,
};

static enum page_fault_result miss(uint64_t device, uint32_t pasid)
{
	struct page_request here = fault;

	here.device = device;
	here.pasid = pasid;
	return sva_service_fault(service, &here);
}

static void subscribe(uint64_t client, const char *can_fail)
{
	char reply[64];

	snprintf(reply, sizeof(reply), "{'return':{'access_fail':%s}}", can_fail);
	assert_reply(client,
		     *can_fail == 't' ? "{'command':'page-requests','device':1,'on':true}"
				      : "{'command':'page-requests','device':2,'on':true}",
		     reply);
	assert_op(*can_fail == 't' ? 1 : 2, VHOST_IOTLB_RETRY, 0, 0, 0, VHOST_IOTLB_OP_F_ALL_ASIDS);
}

static void test_page_requests(void **state)
{
	(void)state;
	subscribe(ALICE, "true");
	assert_int_equal(miss(1, 5), PAGE_FAULT_ASKED);
	assert_event(ALICE, "{'event':'page-request','device':1,'pasid':5,"
			    "'address':139637976727843,'length':1526,'access':'w','group':1,"
			    "'last':true,'queue':3}");
	assert_reply(BOB, "{'command':'devices','after':1}",
		     "{'return':{'devices':[{'device':2,'pid':4711,'comm':'q\\'e??mu',"
		     "'asid':false,'pasids':0}],'more':false}}");
	assert_reply(ALICE,
		     "{'command':'respond','device':1,'group':1,'pasid':5,'code':'success',"
		     "'id':8}",
		     "{'return':{},'id':8}");
	assert_op(1, VHOST_IOTLB_RETRY, 5, 0x7f0000000000, 0x1000, 0);
	assert_int_equal(miss(1, 5), PAGE_FAULT_ASKED);
	json_object_put(events[--event_count].line);
	assert_reply(ALICE, "{'command':'respond','device':1,'group':2,'pasid':5,'code':'invalid'}",
		     "{'return':{}}");
	assert_op(1, VHOST_IOTLB_ACCESS_FAIL, 5, 0x7f0000000123, 1, 0);
	assert_int_equal(miss(1, 5), PAGE_FAULT_ASKED);
	json_object_put(events[--event_count].line);
	assert_reply(ALICE, "{'command':'respond','device':1,'group':3,'pasid':5,'code':'failure'}",
		     "{'return':{}}");
	assert_op(1, VHOST_IOTLB_ACCESS_FAIL, 5, 0x7f0000000123, 1, 0);
	assert_int_equal(miss(1, 5), PAGE_FAULT_FAILED);
	queued = written = 0;
	assert_reply(ALICE, "{'command':'page-requests','device':1,'on':false}", "{'return':{}}");
	last_device = 1;
	assert_reply(BOB, "{'command':'devices'}",
		     "{'return':{'devices':[{'device':1,'pid':4711,'comm':'q\\'e??mu',"
		     "'asid':false,'pasids':0,'page_requests':{'on':false,'outstanding':0,"
		     "'failed':true}}],'more':false}}");
	assert_int_equal(event_count, 0);
	assert_int_equal(sva_service_page_requests(service)->requests, 3);
}

static void test_page_requests_refused(void **state)
{
	(void)state;
	assert_refused(ALICE, "{'command':'page-requests','device':1}", "bad-request", "\"on\"");
	assert_refused(ALICE, "{'command':'page-requests','device':3,'on':true}", "no-device", "");
	assert_refused(ALICE, "{'command':'page-requests','device':1,'on':false}", "not-subscribed",
		       "this client");
	subscribe(ALICE, "true");
	assert_refused(BOB, "{'command':'page-requests','device':1,'on':true}", "subscribed",
		       "another client");
	miss(1, 5);
	assert_refused(BOB, "{'command':'respond','device':1,'group':1,'pasid':5,'code':'invalid'}",
		       "not-subscribed", "");
	assert_refused(ALICE,
		       "{'command':'respond','device':1,'group':1,'pasid':6,'code':'invalid'}",
		       "request-pasid", "another PASID");
	assert_refused(ALICE,
		       "{'command':'respond','device':1,'group':2,'pasid':5,'code':'invalid'}",
		       "no-request", "outstanding");
	assert_refused(ALICE, "{'command':'respond','device':1,'group':1,'pasid':5,'code':'no'}",
		       "bad-request", "success, invalid, failure");
	assert_refused(ALICE, "{'command':'respond','device':1,'group':1,'code':'invalid'}",
		       "bad-request", "\"pasid\"");
	assert_refused(ALICE,
		       "{'command':'respond','device':9,'group':1,'pasid':5,'code':'invalid'}",
		       "not-subscribed", "");
	/* A vhost that cannot */
	subscribe(ALICE, "false");
	assert_int_equal(miss(2, 5), PAGE_FAULT_ASKED);
	assert_refused(ALICE,
		       "{'command':'respond','device':2,'group':2,'pasid':5,'code':'invalid'}",
		       "no-access-fail", "waits");
	assert_refused(ALICE,
		       "{'command':'respond','device':2,'group':2,'pasid':5,'code':'failure'}",
		       "no-access-fail", "waits");
}

/* PASIDs of others are no business of who is subscribed. */
static void test_page_requests_of_others(void **state)
{
	(void)state;
	assert_reply(ALICE, "{'command':'alloc','device':1,'min':5}", "{'return':{'pasid':5}}");
	assert_refused(BOB, "{'command':'page-requests','device':1,'on':true}", "other-client",
		       "another client");
	assert_reply(ALICE, "{'command':'alloc','device':1,'min':6,'keep':true}",
		     "{'return':{'pasid':6}}");
	subscribe(BOB, "true");
	assert_int_equal(miss(1, 5), PAGE_FAULT_WAITS);
	assert_int_equal(miss(1, 7), PAGE_FAULT_WAITS);
	assert_int_equal(event_count, 0);
	assert_int_equal(miss(1, 6), PAGE_FAULT_ASKED);
	assert_int_equal(events[0].client, BOB);
}

static void test_page_requests_end(void **state)
{
	(void)state;
	assert_reply(ALICE, "{'command':'alloc','device':1,'min':5}", "{'return':{'pasid':5}}");
	assert_reply(ALICE, "{'command':'bind','device':1,'pasid':5,'root':4096,'width':48}",
		     "{'return':{}}");
	queued = written = 0;
	subscribe(ALICE, "true");
	miss(1, 5);
	json_object_put(events[--event_count].line);
	/* First it is known that it has ended, then it is dropped. */
	assert_reply(ALICE, "{'command':'unbind','device':1,'pasid':5}", "{'return':{}}");
	assert_event(ALICE, "{'event':'page-request-end','device':1,'pasid':5,'group':1,"
			    "'why':'unbound'}");
	assert_op(1, VHOST_IOTLB_INVALIDATE, 5, 0, 0, 0);

	miss(1, 5);
	json_object_put(events[--event_count].line);
	sva_service_translated(service, 1, 3);
	assert_event(ALICE, "{'event':'page-request-end','device':1,'pasid':5,'group':2,"
			    "'why':'obsolete'}");

	miss(1, 5);
	json_object_put(events[--event_count].line);
	sva_service_check(service);
	assert_int_equal(event_count, 0);
	sleep(TIMEOUT_SECONDS + 1);
	sva_service_check(service);
	assert_event(ALICE, "{'event':'page-request-end','device':1,'pasid':5,'group':3,"
			    "'why':'timeout'}");
	assert_int_equal(written, 1);
	assert_op(1, VHOST_IOTLB_ACCESS_FAIL, 5, 0x7f0000000123, 1, 0);

	miss(1, 5);
	json_object_put(events[--event_count].line);
	last_device = 0;
	sva_service_check(service);
	assert_int_equal(event_count, 2);
	assert_text(events[0].line, "{'event':'page-request-end','device':1,'pasid':5,'group':4,"
				    "'why':'gone'}");
	assert_text(events[1].line, "{'event':'page-requests-off','device':1}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_life),
		TEST(test_invalidate),
		TEST(test_rubbish),
		TEST(test_bad_requests),
		TEST(test_garbage_binds),
		TEST(test_ids),
		TEST(test_not_written),
		TEST(test_pages),
		TEST(test_gone),
		TEST(test_translate),
		TEST(test_page_requests),
		TEST(test_page_requests_refused),
		TEST(test_page_requests_of_others),
		TEST(test_page_requests_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
