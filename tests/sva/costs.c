// SPDX-License-Identifier: GPL-2.0
#include "costs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "ctl/ctl_client.h"
#include "memory_table.h"
#include "sva.h"
#include "tables.h"
#include "tests/kernel/batch.h"
#include "tests/kernel/check.h"
#include "tests/kernel/fdinfo.h"

#define ROUNDS 200

/* Not those of the virtqueues. */
#define FIRST_PASID 1000

#define CLIENT 1

struct costs {
	struct device *device;
	uint64_t id;
	struct ctl_client client;
	struct sva *sva;
	struct memory_region region;
	struct memory_table memory;
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

/* Here as in iotlbd, so that something of it is in the device IOTLB. */
static void alloc_running(struct costs *c)
{
	const struct sva_caller who = {
		.client = CLIENT,
		.device = c->id,
		.memory = &c->memory,
	};
	uint32_t pasid;

	if (sva_alloc(c->sva, &who, PASID_TX, PASID_TX, false, &pasid))
		bail_out("PASID %u cannot be allocated", PASID_TX);
}

/* By the library */

static void emit(void *arg, uint64_t device, const struct vhost_iotlb_op *op)
{
	const struct costs *c = arg;

	(void)device;
	if (batch_write_op(c->device, op))
		bail_out("vhost refuses an operation");
}

static struct sva_caller caller(const struct costs *c)
{
	return (struct sva_caller){.client = CLIENT, .device = c->id, .memory = &c->memory};
}

static void require(enum sva_error error)
{
	if (error)
		bail_out("refused: %s", sva_error_text(error));
}

static void alloc_by_library(struct costs *c)
{
	const struct sva_caller who = caller(c);
	uint32_t pasid;

	require(sva_alloc(c->sva, &who, pasid_of(c), pasid_of(c), false, &pasid));
}

static void free_by_library(struct costs *c)
{
	const struct sva_caller who = caller(c);

	require(sva_free(c->sva, &who, pasid_of(c)));
}

static void bind_by_library(struct costs *c)
{
	const struct sva_binding binding = {.root = tables_process_root(HEIR), .width = 48};
	const struct sva_caller who = caller(c);

	require(sva_bind(c->sva, &who, pasid_of(c), &binding));
}

static void unbind_by_library(struct costs *c)
{
	const struct sva_caller who = caller(c);

	require(sva_unbind(c->sva, &who, pasid_of(c)));
}

static void invalidate_by_library(struct costs *c, enum sva_granularity granularity)
{
	const struct sva_invalidation what = {
		.caches = SVA_CACHE_IOTLB,
		.granularity = granularity,
		.has_pasid = granularity != SVA_DOMAIN,
		.pasid = granularity == SVA_DOMAIN ? 0 : PASID_TX,
		.address = granularity == SVA_ADDRESS ? PROCESS_BUFFERS : 0,
		.granule = granularity == SVA_ADDRESS ? PAGE : 0,
		.count = granularity == SVA_ADDRESS,
	};
	const struct sva_caller who = caller(c);

	require(sva_invalidate(c->sva, &who, &what));
}

static void address_by_library(struct costs *c)
{
	invalidate_by_library(c, SVA_ADDRESS);
}

static void pasid_by_library(struct costs *c)
{
	invalidate_by_library(c, SVA_PASID);
}

static void domain_by_library(struct costs *c)
{
	invalidate_by_library(c, SVA_DOMAIN);
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
	struct costs c = {
		.device = d,
		.id = fdinfo_id(d->fd),
		.region = {.last = GUEST_PAGES * PAGE - 1, .hva = (uintptr_t)device_page(d, 0)},
	};
	const struct sva_options options = {.quota = SVA_QUOTA_DEFAULT, .emit = emit, .arg = &c};

	c.memory = (struct memory_table){.regions = &c.region, .count = 1};
	c.sva = sva_open(&options);
	if (!c.sva || ctl_client_connect(&c.client, socket))
		bail_out("cannot connect to %s", socket);
	alloc_running(&c);
	for (size_t i = 0; i < NR_CALLS; i++)
		report(calls[i].name, "library", measure(&c, calls[i].by_library));
	for (size_t i = 0; i < NR_CALLS; i++)
		report(calls[i].name, "socket", measure(&c, calls[i].by_socket));
	ctl_client_close(&c.client);
	sva_close(c.sva);
}
