// SPDX-License-Identifier: GPL-2.0
#include "pager.h"

#include <err.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <linux/vhost_types.h>

/* What iotlbd asks for. */
struct page_request {
	int64_t device; /* its name in vhost */
	int64_t group;
	uint32_t pasid;
	uint64_t address;
	uint32_t access; /* VHOST_ACCESS_* */
};

static uint64_t number(struct json_object *from, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(from, name, &value) ? json_object_get_uint64(value) : 0;
}

static const char *text(struct json_object *from, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(from, name, &value) ? json_object_get_string(value) : "";
}

/* Return: false if the line is something else. */
static bool read_request(struct json_object *line, struct page_request *r)
{
	const char *access = text(line, "access");

	if (strcmp(text(line, "event"), "page-request"))
		return false;
	*r = (struct page_request){
		.device = number(line, "device"),
		.group = number(line, "group"),
		.pasid = number(line, "pasid"),
		.address = number(line, "address"),
		.access = (strchr(access, 'r') ? VHOST_ACCESS_RO : 0) |
			  (strchr(access, 'w') ? VHOST_ACCESS_WO : 0),
	};
	return true;
}

/* One that has ended since has no pages any more. */
static enum page_response ask_process(struct dma *d, const struct page_request *r)
{
	enum page_response response = PAGE_INVALID;

	dma_lock(d);
	if (d->device->vhost_id == r->device && d->process->pasid == r->pasid &&
	    d->process->is_bound)
		response = dma_request_page(d, r->address, r->access);
	dma_unlock(d);
	return response;
}

static enum page_response ask_guest(struct pager *p, const struct page_request *r)
{
	for (unsigned int i = 0; i < p->layout->o.processes; i++)
		if (ask_process(&p->dmas[i], r) == PAGE_SUCCESS)
			return PAGE_SUCCESS;
	return PAGE_INVALID;
}

static void respond(struct pager *p, const struct page_request *r)
{
	bool is_there = ask_guest(p, r) == PAGE_SUCCESS;
	char line[256];
	int size;

	size = snprintf(line, sizeof(line),
			"{\"command\":\"respond\",\"device\":%" PRId64 ",\"group\":%" PRId64
			",\"pasid\":%u,\"code\":\"%s\"}\n",
			r->device, r->group, r->pasid, is_there ? "success" : "invalid");
	ctl_client_send(&p->client, line, size);
}

/*
 * Replies to what we have responded are not waited for. One that came too late, as
 * the process has ended, is none of our concern.
 */
static void handle_line(struct pager *p, const char *line)
{
	struct json_object *object = json_tokener_parse(line);
	struct page_request request;

	if (!object)
		warnx("iotlbd says what is no JSON: %s", line);
	else if (read_request(object, &request))
		respond(p, &request);
	json_object_put(object);
}

/* Return: false if there is nobody any more who asks. */
static bool serve(struct pager *p)
{
	const char *line;
	bool is_there;

	while ((is_there = ctl_client_next(&p->client, &line)) && line)
		handle_line(p, line);
	return is_there;
}

static void *run(void *arg)
{
	struct pager *p = arg;
	struct pollfd fds[] = {
		{.fd = p->client.fd, .events = POLLIN},
		{.fd = p->stop, .events = POLLIN},
	};

	while (serve(p) && poll(fds, 2, -1) > 0 && !fds[1].revents)
		;
	return NULL;
}

static int subscribe(struct pager *p, const struct vnet *device)
{
	const char *reply;
	char line[128];
	int size;

	size = snprintf(line, sizeof(line),
			"{\"command\":\"page-requests\",\"device\":%" PRId64 ",\"on\":true}\n",
			device->vhost_id);
	reply = ctl_client_ask(&p->client, line, size);
	if (reply && !strncmp(reply, "{\"return\":", 10))
		return 0;
	if (reply)
		warnx("device %u: iotlbd does not pass on page requests: %s", device->number,
		      reply);
	return -1;
}

static int start(struct pager *p)
{
	int result;

	for (unsigned int i = 0; i < p->layout->o.devices; i++)
		if (subscribe(p, &p->devices[i]))
			return -1;
	p->stop = eventfd(0, EFD_CLOEXEC);
	if (p->stop < 0) {
		warn("cannot make an eventfd");
		return -1;
	}
	result = pthread_create(&p->thread, NULL, run, p);
	if (!result)
		return 0;
	warnx("cannot start a thread for page requests: %s", strerror(result));
	close(p->stop);
	return -1;
}

int pager_start(struct pager *p, const char *path, const struct layout *l,
		const struct vnet *devices, struct dma *dmas)
{
	*p = (struct pager){.layout = l, .devices = devices, .dmas = dmas};
	if (ctl_client_connect(&p->client, path))
		return -1;
	p->is_running = !start(p);
	if (p->is_running)
		return 0;
	ctl_client_close(&p->client);
	return -1;
}

void pager_stop(struct pager *p)
{
	uint64_t one = 1;

	if (!p->is_running)
		return;
	if (write(p->stop, &one, sizeof(one)) != sizeof(one))
		err(1, "cannot stop the thread for page requests");
	pthread_join(p->thread, NULL);
	close(p->stop);
	ctl_client_close(&p->client);
	p->is_running = false;
}
