// SPDX-License-Identifier: GPL-2.0
/*
 * iotlb-bench - a virtio-net driver in user space on the real /dev/vhost-net,
 * behind an IOMMU of its own making.
 *
 * Theory of operation
 *
 * The kernel's side of a virtio-net device is vhost: it needs a memory table
 * (guest-physical to host addresses), virtqueues in that memory, a tap, and,
 * because VIRTIO_F_ACCESS_PLATFORM is on, translations from I/O virtual to
 * host addresses for all that it touches. It asks for these one miss at a
 * time, and this is what the benchmark is about.
 *
 *	layout, map_mode  what lies where in guest memory and IOVA space
 *	guest, virtq      the memory; the driver's side of a virtqueue
 *	vnet, tap         the device, and the network behind it
 *	start             connects them, once vhost can reach the used rings
 *	miss_server       answers misses, unless another process does
 *	frame, stream     what is sent, and how it is checked, for one queue
 *	traffic           the loop over all of them
 *	summary, report   what came of it
 *
 * There are two threads of our own: this one drives all queues, as a guest's
 * CPU would; the server has its own, as QEMU's main loop is another thread
 * than the guest's CPUs. vhost adds one for each device.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bench/guest.h"
#include "bench/layout.h"
#include "bench/bench_options.h"
#include "bench/progress.h"
#include "bench/report.h"
#include "bench/miss_server.h"
#include "bench/start.h"
#include "bench/stream.h"
#include "bench/iova_table.h"
#include "bench/tap.h"
#include "bench/traffic.h"
#include "bench/vnet.h"

struct bench {
	struct options options;
	struct layout layout;
	struct guest guest;
	struct vnet *devices;
	unsigned int nr_devices; /* open */
	struct stream *streams;
	unsigned int nr_streams; /* initialised */
	struct miss_server server;
	int signals;
};

/* Before any thread starts, so that all of them leave signals to the loop. */
static int catch_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		warn("cannot make a signalfd");
	return fd;
}

static int open_devices(struct bench *b)
{
	const struct options *o = &b->options;

	b->devices = calloc(o->layout.devices, sizeof(*b->devices));
	if (!b->devices) {
		warn("no memory for %u devices", o->layout.devices);
		return -1;
	}
	while (b->nr_devices < o->layout.devices) {
		if (vnet_open(&b->devices[b->nr_devices], b->nr_devices, &b->layout, &b->guest,
			      o->frame_size))
			return -1;
		b->nr_devices++;
	}
	return 0;
}

static int init_streams(struct bench *b)
{
	const struct options *o = &b->options;

	b->streams = calloc((size_t)o->layout.devices * NR_DIRECTIONS, sizeof(*b->streams));
	if (!b->streams) {
		warn("no memory for the queues of %u devices", o->layout.devices);
		return -1;
	}
	for (unsigned int i = 0; i < o->layout.devices; i++)
		for (int d = NR_DIRECTIONS - 1; d >= 0; d--) {
			if (!o->layout.has[d])
				continue;
			if (stream_init(&b->streams[b->nr_streams], o, &b->layout, &b->guest,
					&b->devices[i], d))
				return -1;
			b->nr_streams++;
		}
	return 0;
}

static int run_traffic(struct bench *b, struct miss_server *server)
{
	struct progress progress;
	struct traffic traffic = {
		.options = &b->options,
		.streams = b->streams,
		.nr_streams = b->nr_streams,
		.signals = b->signals,
		.each_second = b->options.quiet ? NULL : progress_show,
		.arg = &progress,
	};
	struct report report = {&b->options, &traffic, server};

	progress_init(&progress, server);
	if (traffic_run(&traffic))
		return EXIT_FAILURE;
	progress_end(&progress);
	if (server)
		miss_server_stop(server);
	if (report_print(&report) || !report_is_good(&report))
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}

static int run(struct bench *b)
{
	const struct options *o = &b->options;
	struct miss_server *server = NULL;

	b->signals = catch_signals();
	if (b->signals < 0 || tap_enter_namespace() || guest_create(&b->guest, &b->layout) ||
	    open_devices(b) || init_streams(b))
		return EXIT_FAILURE;
	if (o->server != SERVER_NONE) {
		if (miss_server_start(&b->server, &b->layout, &b->guest, b->devices,
				      o->server == SERVER_ONE ? 1 : b->layout.o.devices))
			return EXIT_FAILURE;
		server = &b->server;
	}
	switch (start_devices(o, &b->layout, &b->guest, b->devices, server, b->signals)) {
	case START_DONE:
		break;
	case START_INTERRUPTED:
		warnx("interrupted before the devices were ready");
		return EXIT_FAILURE;
	case START_FAILED:
		return EXIT_FAILURE;
	}
	if (server)
		miss_server_started(server);
	return run_traffic(b, server);
}

static void clean_up(struct bench *b)
{
	/* It reads the fds of the devices. */
	if (b->server.layout)
		miss_server_free(&b->server);
	while (b->nr_streams)
		stream_free(&b->streams[--b->nr_streams]);
	while (b->nr_devices)
		vnet_close(&b->devices[--b->nr_devices]);
	free(b->streams);
	free(b->devices);
	/* vhost must be done with it. */
	guest_destroy(&b->guest);
}

int main(int argc, char **argv)
{
	static struct bench b;
	int result;

	bench_options_parse(&b.options, argc, argv);
	layout_init(&b.layout, &b.options.layout);
	if (b.options.table) {
		if (iova_table_write(&b.layout, b.options.table))
			return EXIT_FAILURE;
		if (!b.options.run)
			return EXIT_SUCCESS;
	}
	result = run(&b);
	clean_up(&b);
	return result;
}
