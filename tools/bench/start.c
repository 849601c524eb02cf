// SPDX-License-Identifier: GPL-2.0
#include "start.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

/*
 * Another process tells nobody that it has answered, so its answer is polled
 * for; and an unpatched vhost reports the miss anew for every attempt.
 */
#define SHORTEST_WAIT_MS 1
#define LONGEST_WAIT_MS 100

struct prefault {
	const struct guest *guest;
	const struct vnet *device;
};

static int install(const struct mapping *mapping, void *arg)
{
	const struct prefault *p = arg;
	int result = vnet_map(p->device, p->guest, 0, mapping);

	if (result)
		warnx("device %u: vhost refuses the mapping of IOVA 0x%llx: %s", p->device->number,
		      (unsigned long long)mapping->iova, strerror(-result));
	return result;
}

/* Return: START_DONE if neither a signal nor the end of the server came. */
static enum start_result wait_for_answer(const struct start_sources *sources, int ms)
{
	struct miss_server *server = sources->server;
	struct pollfd fds[] = {
		{.fd = sources->signals, .events = POLLIN},
		{.fd = server ? server->answered : -1, .events = POLLIN},
		{.fd = sources->iotlbd, .events = POLLIN},
	};
	uint64_t answers;

	if (poll(fds, 3, ms) < 0)
		return START_DONE;
	/* How many does not matter: one more attempt tells. */
	if (fds[1].revents && read(server->answered, &answers, sizeof(answers)) < 0)
		warn("cannot read an eventfd");
	if (fds[0].revents)
		return START_INTERRUPTED;
	return fds[2].revents ? START_ABANDONED : START_DONE;
}

static void complain_no_answer(const struct options *o, const struct vnet *v,
			       enum direction direction, const struct ring_place *iova)
{
	warnx("device %u %s: no translation of the used ring at IOVA 0x%llx within %u s%s",
	      v->number, direction_name(direction), (unsigned long long)iova->used, o->timeout,
	      options_serves(o) ? "; does a BPF program keep the misses from us?" : "");
	if (!options_serves(o))
		warnx("device %u %s: --server %s: does another process serve the misses of "
		      "process %d? --server fd serves them here",
		      v->number, direction_name(direction), options_server(o), (int)getpid());
}

enum start_result start_queue(const struct options *o, const struct layout *l, struct vnet *v,
			      enum direction direction, const struct start_sources *sources)
{
	uint64_t deadline = clock_now_ns() + o->timeout * NS_PER_SECOND;
	struct ring_place iova = layout_ring_iova(l, v->number, direction);
	int wait = sources->server ? LONGEST_WAIT_MS : SHORTEST_WAIT_MS;
	enum start_result stop;

	for (;;) {
		int result = vnet_start_queue(v, direction);

		if (!result)
			return START_DONE;
		if (result != -EFAULT) {
			warnx("device %u %s: VHOST_NET_SET_BACKEND failed: %s", v->number,
			      direction_name(direction), strerror(-result));
			return START_FAILED;
		}
		if (clock_now_ns() >= deadline) {
			complain_no_answer(o, v, direction, &iova);
			return START_FAILED;
		}
		stop = wait_for_answer(sources, wait);
		if (stop != START_DONE)
			return stop;
		if (wait < LONGEST_WAIT_MS)
			wait *= 2;
	}
}

enum start_result start_devices(const struct options *o, const struct layout *l,
				const struct guest *g, struct vnet *devices,
				const struct start_sources *sources)
{
	enum start_result result;

	for (unsigned int i = 0; i < o->layout.devices; i++) {
		struct prefault p = {g, &devices[i]};

		if (o->prefault && layout_for_each(l, i, true, install, &p))
			return START_FAILED;
		for (int d = 0; d < NR_DIRECTIONS; d++) {
			if (!l->o.has[d])
				continue;
			result = start_queue(o, l, &devices[i], d, sources);
			if (result != START_DONE)
				return result;
		}
	}
	return START_DONE;
}
