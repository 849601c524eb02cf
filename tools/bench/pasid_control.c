// SPDX-License-Identifier: GPL-2.0
#include "pasid_control.h"

#include <err.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define GOOD "{\"return\":"

int pasid_control_open(struct pasid_control *c, const char *path)
{
	return ctl_client_connect(&c->client, path) ? -1 : 0;
}

void pasid_control_close(struct pasid_control *c)
{
	ctl_client_close(&c->client);
}

__attribute__((format(printf, 2, 3))) static int ask(struct pasid_control *c, const char *format,
						     ...)
{
	char line[256];
	const char *reply;
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	reply = ctl_client_ask(&c->client, line, size);
	if (!reply)
		return -1;
	if (!strncmp(reply, GOOD, strlen(GOOD)))
		return 0;
	warnx("iotlbd refuses %.*s: %s", size - 1, line, reply);
	return -1;
}

int pasid_control_attach(struct pasid_control *c, const struct vnet *device, uint64_t directory,
			 unsigned int bits)
{
	return ask(c,
		   "{\"command\":\"attach\",\"device\":%" PRId64 ",\"base\":%" PRIu64
		   ",\"bits\":%u,\"keep\":true}\n",
		   device->vhost_id, directory, bits);
}

int pasid_control_invalidate(struct pasid_control *c, const struct vnet *device, uint32_t pasid,
			     uint64_t address, uint64_t pages)
{
	return ask(c,
		   "{\"command\":\"invalidate\",\"device\":%" PRId64
		   ",\"granularity\":\"address\",\"pasid\":%u,\"address\":%" PRIu64
		   ",\"count\":%" PRIu64 "}\n",
		   device->vhost_id, pasid, address, pages);
}

int pasid_control_invalidate_all(struct pasid_control *c, const struct vnet *device, uint32_t pasid)
{
	return ask(c,
		   "{\"command\":\"invalidate\",\"device\":%" PRId64
		   ",\"granularity\":\"pasid\",\"pasid\":%u,\"caches\":[\"iotlb\",\"pasid\"]}\n",
		   device->vhost_id, pasid);
}
