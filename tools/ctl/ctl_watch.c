// SPDX-License-Identifier: GPL-2.0
/*
 * What comes while the reply to an answer is waited for is only remembered, so that
 * there is one reply at a time.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl_client.h"
#include "ctl_options.h"
#include "ctl_watch.h"
#include "log.h"
#include "page_requests.h"
#include "parse.h"

/**
 * struct open_request - one that may be answered
 * @group:	its number; 0 for none
 * @pasid:	that goes with it
 * @is_new:	it has come, and --answer is for it
 */
struct open_request {
	uint64_t group;
	uint64_t pasid;
	bool is_new;
};

/**
 * struct watch - the command under way
 * @client:	subscribed
 * @options:	the command line
 * @requests:	as many as a device may have; should there be more, the oldest are
 *		forgotten
 * @next:	where the next is put
 * @input:	of standard input, without a line
 * @input_size:	bytes of it
 * @has_input:	there may be more
 * @is_off:	the device has gone
 * @good:	nothing was refused
 */
struct watch {
	struct ctl_client *client;
	const struct ctl_options *options;
	struct open_request requests[PAGE_REQUESTS_OF_DEVICE];
	size_t next;
	char input[128];
	size_t input_size;
	bool has_input;
	bool is_off;
	bool good;
};

static uint64_t number(struct json_object *event, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(event, name, &value);
	return json_object_get_uint64(value);
}

static const char *text(struct json_object *event, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(event, name, &value);
	return value ? json_object_get_string(value) : "-";
}

static struct open_request *find(struct watch *watch, uint64_t group)
{
	size_t i;

	for (i = 0; i < PAGE_REQUESTS_OF_DEVICE; i++)
		if (group && watch->requests[i].group == group)
			return &watch->requests[i];
	return NULL;
}

/* Events */

static void take_request(struct watch *watch, struct json_object *event)
{
	watch->requests[watch->next++ % PAGE_REQUESTS_OF_DEVICE] = (struct open_request){
		.group = number(event, "group"),
		.pasid = number(event, "pasid"),
		.is_new = true,
	};
	if (!watch->options->json)
		printf("group %" PRIu64 " pasid %" PRIu64 " queue %" PRIu64 " %s 0x%" PRIx64
		       " length %" PRIu64 "\n",
		       number(event, "group"), number(event, "pasid"), number(event, "queue"),
		       text(event, "access"), number(event, "address"), number(event, "length"));
}

static void take_end(struct watch *watch, struct json_object *event)
{
	struct open_request *request = find(watch, number(event, "group"));

	if (request)
		*request = (struct open_request){};
	if (!watch->options->json)
		printf("group %" PRIu64 " pasid %" PRIu64 " ended: %s\n", number(event, "group"),
		       number(event, "pasid"), text(event, "why"));
}

/* For struct ctl_client */
static void take_event(void *arg, const char *line)
{
	struct json_object *event = json_tokener_parse(line);
	struct watch *watch = arg;
	const char *name = text(event, "event");

	if (watch->options->json)
		puts(line);
	if (!strcmp(name, "page-request"))
		take_request(watch, event);
	else if (!strcmp(name, "page-request-end"))
		take_end(watch, event);
	else if (!strcmp(name, "page-requests-off"))
		watch->is_off = true;
	json_object_put(event);
	fflush(stdout);
}

/* Answers */

static bool answer(struct watch *watch, struct open_request *request, const char *code)
{
	const struct open_request answered = *request;
	char line[256];
	const char *reply;
	int size;

	*request = (struct open_request){};
	size = snprintf(line, sizeof(line),
			"{\"command\":\"respond\",\"device\":%" PRIu64 ",\"group\":%" PRIu64
			",\"pasid\":%" PRIu64 ",\"code\":\"%s\"}\n",
			watch->options->device.value, answered.group, answered.pasid, code);
	reply = ctl_client_ask(watch->client, line, size);
	if (!reply)
		return false;
	if (strncmp(reply, "{\"return\":", 10)) {
		log_error("group %" PRIu64 " cannot be answered by %s: %s", answered.group, code,
			  reply);
		watch->good = false;
	} else if (!watch->options->json) {
		printf("group %" PRIu64 " pasid %" PRIu64 " answered: %s\n", answered.group,
		       answered.pasid, code);
		fflush(stdout);
	}
	return true;
}

static struct open_request *find_new(struct watch *watch)
{
	size_t i;

	for (i = 0; i < PAGE_REQUESTS_OF_DEVICE; i++)
		if (watch->requests[i].group && watch->requests[i].is_new)
			return &watch->requests[i];
	return NULL;
}

/* "12 invalid" */
static bool answer_line(struct watch *watch, char *line)
{
	char *code = strchr(line, ' ');
	struct open_request *request;
	uint64_t group;

	if (code)
		*code++ = '\0';
	if (!code || !parse_number(line, 1, UINT64_MAX, &group) ||
	    parse_word(code, ctl_answers) < 0) {
		log_error("an answer is a group, and success, invalid or failure; not \"%s%s%s\"",
			  line, code ? " " : "", code ? code : "");
		watch->good = false;
		return true;
	}
	request = find(watch, group);
	if (request)
		return answer(watch, request, code);
	log_error("no request of group %" PRIu64 " is outstanding", group);
	watch->good = false;
	return true;
}

/* False if iotlbd has gone. */
static bool read_input(struct watch *watch)
{
	ssize_t got = read(STDIN_FILENO, watch->input + watch->input_size,
			   sizeof(watch->input) - watch->input_size);
	size_t length;
	char *end;

	if (got < 0 && errno == EINTR)
		return true;
	watch->has_input = got > 0;
	watch->input_size += got > 0 ? got : 0;
	while ((end = memchr(watch->input, '\n', watch->input_size))) {
		*end = '\0';
		length = end - watch->input + 1;
		if (!answer_line(watch, watch->input))
			return false;
		watch->input_size -= length;
		memmove(watch->input, watch->input + length, watch->input_size);
	}
	if (watch->input_size < sizeof(watch->input))
		return true;
	log_error("a line of standard input is no answer: it is too long");
	return false;
}

/* Events that are there, and what comes with the replies to their answers. False if
 * iotlbd has gone.
 */
static bool read_events(struct watch *watch)
{
	struct open_request *request;
	const char *line;

	while (ctl_client_next(watch->client, &line)) {
		if (line) {
			take_event(watch, line);
			continue;
		}
		request = watch->options->answer ? find_new(watch) : NULL;
		if (!request)
			return true;
		if (!answer(watch, request, watch->options->answer))
			return false;
	}
	return false;
}

bool ctl_watch(struct ctl_client *client, const struct ctl_options *options)
{
	/* Events come to it as long as there is a client. */
	static struct watch watch;
	struct pollfd fds[] = {
		{.fd = client->fd, .events = POLLIN},
		{.fd = STDIN_FILENO, .events = POLLIN},
	};

	watch = (struct watch){
		.client = client,
		.options = options,
		.has_input = !options->answer,
		.good = true,
	};
	client->event = take_event;
	client->arg = &watch;
	/* What came with the reply to the subscription can be read already. */
	while (read_events(&watch)) {
		if (watch.is_off)
			return watch.good;
		fds[1].fd = watch.has_input ? STDIN_FILENO : -1;
		if (poll(fds, 2, -1) < 0 && errno != EINTR) {
			log_error("cannot wait for page requests: %s", strerror(errno));
			return false;
		}
		if (fds[1].revents && !read_input(&watch))
			return false;
	}
	return false;
}
