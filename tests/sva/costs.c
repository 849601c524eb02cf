// SPDX-License-Identifier: GPL-2.0
#include "costs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "ctl/ctl_client.h"
#include "library.h"
#include "tables.h"
#include "tests/kernel/check.h"
#include "tests/kernel/fdinfo.h"

#define ROUNDS 200

/* Not those of the virtqueues. */
#define FIRST_PASID 1000

struct costs {
	uint64_t id;
	struct ctl_client client;
	struct library library;
	unsigned int number; /* of the device, there */
	unsigned int round;
};

/* A call, by either way. */
struct call {
	const char *name;
	void (*by_library)(struct costs *c);
	void (*by_socket)(struct costs *c);
};

static void report(const char *name, const char *way, uint64_t ns)
{
	printf("{\"case\": \"%s-%s\", \"modules\": \"patched\", \"lost\": 0, \"call_ns\": %.1f}\n",
	       name, way, (double)ns / ROUNDS);
}

static uint32_t pasid_of(const struct costs *c)
{
	return FIRST_PASID + c->round;
}

/* By the library */

static void alloc_by_library(struct costs *c)
{
	library_alloc(&c->library, c->number, pasid_of(c));
}

static void free_by_library(struct costs *c)
{
	library_free(&c->library, c->number, pasid_of(c));
}

static void bind_by_library(struct costs *c)
{
	library_bind(&c->library, c->number, pasid_of(c), tables_process_root(HEIR));
}

static void unbind_by_library(struct costs *c)
{
	library_unbind(&c->library, c->number, pasid_of(c));
}

static void address_by_library(struct costs *c)
{
	library_invalidate(&c->library, c->number, SVA_ADDRESS, PASID_TX, PROCESS_BUFFERS);
}

static void pasid_by_library(struct costs *c)
{
	library_invalidate(&c->library, c->number, SVA_PASID, PASID_TX, 0);
}

static void domain_by_library(struct costs *c)
{
	library_invalidate(&c->library, c->number, SVA_DOMAIN, 0, 0);
}

/* At the control socket */

static void ask(struct costs *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void ask(struct costs *c, const char *format, ...)
{
	char line[256];
	const char *reply;
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	reply = ctl_client_ask(&c->client, line, size);
	if (!reply || !strstr(reply, "\"return\""))
		bail_out("%s: %s", line, reply ? reply : "no reply");
}

static void alloc_by_socket(struct costs *c)
{
	ask(c, "{\"command\":\"alloc\",\"device\":%" PRIu64 ",\"min\":%u,\"max\":%u}\n", c->id,
	    pasid_of(c), pasid_of(c));
}

static void free_by_socket(struct costs *c)
{
	ask(c, "{\"command\":\"free\",\"device\":%" PRIu64 ",\"pasid\":%u}\n", c->id, pasid_of(c));
}

static void bind_by_socket(struct costs *c)
{
	ask(c,
	    "{\"command\":\"bind\",\"device\":%" PRIu64 ",\"pasid\":%u,\"root\":%" PRIu64
	    ",\"width\":48}\n",
	    c->id, pasid_of(c), tables_process_root(HEIR));
}

static void unbind_by_socket(struct costs *c)
{
	ask(c, "{\"command\":\"unbind\",\"device\":%" PRIu64 ",\"pasid\":%u}\n", c->id,
	    pasid_of(c));
}

static void address_by_socket(struct costs *c)
{
	ask(c,
	    "{\"command\":\"invalidate\",\"device\":%" PRIu64
	    ",\"granularity\":\"address\",\"pasid\":%u,\"address\":%llu}\n",
	    c->id, PASID_TX, PROCESS_BUFFERS);
}

static void pasid_by_socket(struct costs *c)
{
	ask(c,
	    "{\"command\":\"invalidate\",\"device\":%" PRIu64
	    ",\"granularity\":\"pasid\",\"pasid\":%u}\n",
	    c->id, PASID_TX);
}

static void domain_by_socket(struct costs *c)
{
	ask(c, "{\"command\":\"invalidate\",\"device\":%" PRIu64 ",\"granularity\":\"domain\"}\n",
	    c->id);
}

/* In the order of a PASID's life. */
static const struct call calls[] = {
	{"alloc", alloc_by_library, alloc_by_socket},
	{"bind", bind_by_library, bind_by_socket},
	{"invalidate-address", address_by_library, address_by_socket},
	{"invalidate-pasid", pasid_by_library, pasid_by_socket},
	{"invalidate-domain", domain_by_library, domain_by_socket},
	{"unbind", unbind_by_library, unbind_by_socket},
	{"free", free_by_library, free_by_socket},
};

#define NR_CALLS (sizeof(calls) / sizeof(*calls))

static uint64_t measure(struct costs *c, void (*call)(struct costs *c))
{
	uint64_t start = clock_now_ns();

	for (c->round = 0; c->round < ROUNDS; c->round++)
		call(c);
	return clock_now_ns() - start;
}

void costs_print(struct device *d, const char *socket)
{
	struct costs c = {.id = fdinfo_id(d->fd)};

	if (ctl_client_connect(&c.client, socket))
		bail_out("cannot connect to %s", socket);
	library_open(&c.library);
	c.number = library_add(&c.library, d, c.id);
	/* As in iotlbd: something of it is in the device IOTLB. */
	library_alloc(&c.library, c.number, PASID_TX);
	for (size_t i = 0; i < NR_CALLS; i++)
		report(calls[i].name, "library", measure(&c, calls[i].by_library));
	for (size_t i = 0; i < NR_CALLS; i++)
		report(calls[i].name, "socket", measure(&c, calls[i].by_socket));
	library_close(&c.library);
	ctl_client_close(&c.client);
}
