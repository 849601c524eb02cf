// SPDX-License-Identifier: GPL-2.0
/*
 * iotlbctl - manages PASIDs at the control socket of iotlbd
 *
 *	ctl_options	the command line
 *	ctl_request	what is to be asked
 *	ctl_client	asks
 *	ctl_show	shows the reply
 *	ctl_watch	shows page requests, and answers them
 */
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl_client.h"
#include "ctl/ctl_options.h"
#include "ctl/ctl_request.h"
#include "ctl/ctl_show.h"
#include "ctl/ctl_watch.h"
#include "log.h"

static const char *text_of(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value ? json_object_get_string(value) : "?";
}

/* "return" of a reply; NULL after a message if it has none. */
static struct json_object *result_of(struct json_object *reply)
{
	struct json_object *value = NULL;

	if (json_object_is_type(reply, json_type_object)) {
		if (json_object_object_get_ex(reply, "return", &value))
			return value;
		json_object_object_get_ex(reply, "error", &value);
	}
	if (json_object_is_type(value, json_type_object))
		log_error("%s: %s", text_of(value, "name"), text_of(value, "text"));
	else
		log_error("what listens there is no iotlbd: its reply makes no sense");
	return NULL;
}

static const char *ask(struct ctl_client *client, struct json_object *request)
{
	char line[CONTROL_LINE_MAX];
	int length;

	length = snprintf(line, sizeof(line), "%s\n",
			  json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
	if (length < (int)sizeof(line))
		return ctl_client_ask(client, line, length);
	log_error("the request is too long: %d bytes, %d at most", length, CONTROL_LINE_MAX);
	return NULL;
}

/* Asks for the list from @after on, or for what is no list. Sets @after to where the
 * rest begins, 0 if there is none.
 */
static bool run_part(struct ctl_client *client, const struct ctl_options *options, uint64_t *after)
{
	struct json_object *request = ctl_request(options, *after);
	const char *line = ask(client, request);
	struct json_object *reply, *result;

	json_object_put(request);
	if (!line)
		return false;
	reply = json_tokener_parse(line);
	result = result_of(reply);
	if (result) {
		if (options->json)
			puts(json_object_to_json_string_ext(result, JSON_C_TO_STRING_PLAIN));
		else
			ctl_show(stdout, options->command, result, !*after);
		*after = ctl_rest_of(options->command, result);
	}
	json_object_put(reply);
	return result;
}

static bool run(struct ctl_client *client, const struct ctl_options *options)
{
	uint64_t after = 0;
	bool good;

	do {
		good = run_part(client, options, &after);
	} while (good && after);
	return good;
}

/* What has subscribed to the page requests of a device goes on with that. */
static bool run_page_requests(struct ctl_client *client, const struct ctl_options *options)
{
	struct json_object *request = ctl_request(options, 0);
	const char *line = ask(client, request);
	struct json_object *reply, *value = NULL;
	bool good, can_fail;

	json_object_put(request);
	if (!line)
		return false;
	reply = json_tokener_parse(line);
	good = json_object_object_get_ex(result_of(reply), "access_fail", &value);
	can_fail = json_object_get_boolean(value);
	json_object_put(reply);
	if (good && !can_fail)
		log_warn("this vhost cannot end a descriptor with an error: invalid and failure "
			 "will be refused");
	return good && ctl_watch(client, options);
}

static void print_event(void *arg, const char *line)
{
	(void)arg;
	puts(line);
}

/* Good if none was refused. */
static bool pass_lines(struct ctl_client *client)
{
	char line[CONTROL_LINE_MAX + 1];
	const char *reply;
	bool good = true;
	size_t length;

	client->event = print_event;
	while (fgets(line, sizeof(line), stdin)) {
		length = strlen(line);
		if (!length || line[length - 1] != '\n') {
			log_error("a line of standard input is too long (%d bytes at most), has a "
				  "NUL in it, or does not end",
				  CONTROL_LINE_MAX - 1);
			return false;
		}
		reply = ctl_client_ask(client, line, length);
		if (!reply)
			return false;
		puts(reply);
		fflush(stdout);
		good &= !strncmp(reply, "{\"return\":", 10);
	}
	return good;
}

int main(int argc, char **argv)
{
	static struct ctl_options options;
	static struct ctl_client client;
	bool good;

	ctl_options_parse(&options, argc, argv);
	if (ctl_client_connect(&client, options.socket))
		return EXIT_FAILURE;
	if (options.command == CTL_REQUEST)
		good = pass_lines(&client);
	else if (options.command == CTL_PAGE_REQUESTS)
		good = run_page_requests(&client, &options);
	else
		good = run(&client, &options);
	ctl_client_close(&client);
	if (fflush(stdout) || ferror(stdout)) {
		log_error("cannot write to standard output");
		return EXIT_FAILURE;
	}
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
