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
 *	vtd_tables        an Intel IOMMU's tables in guest memory
 *	sva_tables        the same for processes that share their address spaces
 *	process           one of these, and what it has
 *	turnover          its end in the middle of traffic
 *	dma, iova_alloc   what is mapped and unmapped during the run
 *	start             connects them, once vhost can reach the used rings
 *	miss_server       answers misses, unless another process does:
 *	iotlbd            starts one
 *	pager             answers its page requests
 *	frame, stream     what is sent, and how it is checked, for one queue
 *	traffic           the loop over all of them
 *	summary, report   what came of it
 *
 * There are two threads of our own: this one drives all queues, as a guest's
 * CPU would; the server, or the pager, has its own, as QEMU's main loop is another
 * thread than the guest's CPUs. vhost adds one for each device.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bench/bench_options.h"
#include "bench/dma.h"
#include "bench/guest.h"
#include "bench/iotlbd.h"
#include "bench/iova_table.h"
#include "bench/layout.h"
#include "bench/output.h"
#include "bench/pager.h"
#include "bench/process.h"
#include "bench/progress.h"
#include "bench/report.h"
#include "bench/miss_server.h"
#include "bench/start.h"
#include "bench/stream.h"
#include "bench/tap.h"
#include "bench/traffic.h"
#include "bench/turnover.h"
#include "bench/vnet.h"
#include "bench/vtd_file.h"
#include "bench/vtd_setup.h"

struct bench {
	struct options options;
	struct layout layout;
	struct guest guest;
	struct vtd_tables tables;
	struct sva_tables sva; /* with processes, instead of these */
	struct vnet *devices;
	unsigned int nr_devices; /* open */
	struct process *processes;
	unsigned int nr_processes; /* that have begun */
	struct dma *dmas;
	unsigned int nr_dmas; /* initialised */
	struct stream *streams;
	unsigned int nr_streams; /* initialised */
	struct miss_server server;
	struct iotlbd iotlbd;
	struct pasid_control control;	/* with --control */
	char socket[IOTLBD_SOCKET_MAX]; /* that this is connected with */
	bool has_control;
	struct pager pager; /* with pages that come when they are asked for */
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
		if (vnet_open(&b->devices[b->nr_devices], b->nr_devices, o, &b->layout, &b->guest))
			return -1;
		b->nr_devices++;
	}
	return 0;
}

static int bind_queues(struct bench *b, const struct process *p)
{
	const struct layout *l = &b->layout;
	uint32_t pasid = p->pasid;

	if (l->o.one_space)
		pasid = b->processes[p->number - p->number % l->queues_per_device].pasid;
	for (int d = 0; d < NR_DIRECTIONS; d++)
		if (layout_process_has(l, p->number, d) &&
		    vnet_bind(&b->devices[p->device], d, pasid))
			return -1;
	return 0;
}

static int begin_processes(struct bench *b)
{
	unsigned int count = b->layout.o.processes;

	b->processes = calloc(count, sizeof(*b->processes));
	if (!b->processes) {
		warn("no memory for %u processes", count);
		return -1;
	}
	while (b->nr_processes < count) {
		struct process *p = &b->processes[b->nr_processes];

		if (process_begin(p, &b->layout, &b->guest, &b->sva, b->nr_processes) ||
		    bind_queues(b, p))
			return -1;
		b->nr_processes++;
	}
	return 0;
}

static int init_one_dma(struct bench *b, unsigned int number)
{
	const struct layout *l = &b->layout;
	struct process *p = l->o.processes ? &b->processes[number] : NULL;
	struct vnet *device = &b->devices[p ? p->device : number];

	if (dma_init(&b->dmas[number], l, device, l->o.vtd && !p ? &b->tables : NULL, p,
		     b->options.no_invalidate))
		return -1;
	b->dmas[number].refuse = b->options.refuse;
	return 0;
}

static int init_dma(struct bench *b)
{
	const struct layout_options *o = &b->layout.o;
	unsigned int count = o->processes ? o->processes : o->devices;

	b->dmas = calloc(count, sizeof(*b->dmas));
	if (!b->dmas) {
		warn("no memory for the mappings of %u devices", o->devices);
		return -1;
	}
	while (b->nr_dmas < count) {
		if (init_one_dma(b, b->nr_dmas))
			return -1;
		b->nr_dmas++;
	}
	return 0;
}

static struct dma *dma_of(const struct bench *b, unsigned int device, enum direction direction)
{
	return &b->dmas[b->layout.o.processes ? layout_process(&b->layout, device, direction)
					      : device];
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
					&b->devices[i], dma_of(b, i, d), d))
				return -1;
			b->nr_streams++;
		}
	return 0;
}

static int run_traffic(struct bench *b, struct miss_server *server)
{
	struct turnover turnover = {
		.options = &b->options,
		.layout = &b->layout,
		.guest = &b->guest,
		.streams = b->streams,
		.nr_streams = b->nr_streams,
		/* A signal ends the traffic, but not what is halfway between. */
		.sources = {server, b->iotlbd.pid ? b->iotlbd.pidfd : -1, -1},
	};
	struct progress progress;
	struct traffic traffic = {
		.options = &b->options,
		.streams = b->streams,
		.nr_streams = b->nr_streams,
		.turnover = b->options.lifetime ? &turnover : NULL,
		.signals = b->signals,
		.server = b->iotlbd.pid ? b->iotlbd.pidfd : -1,
		.each_second = b->options.quiet ? NULL : progress_show,
		.arg = &progress,
	};
	struct report report = {&b->options, &traffic, server};
	int result = EXIT_SUCCESS;

	progress_init(&progress, server);
	if (traffic_run(&traffic))
		return EXIT_FAILURE;
	progress_end(&progress);
	if (server)
		miss_server_stop(server);
	pager_stop(&b->pager);
	if (iotlbd_has_died(&b->iotlbd) || iotlbd_stop(&b->iotlbd))
		result = EXIT_FAILURE;
	if (report_print(&report) || !report_is_good(&report))
		result = EXIT_FAILURE;
	return result;
}

/* From now on, PASIDs are the business of iotlbd. Return: 0, or -1 after a message. */
static int take_control(struct bench *b)
{
	if (pasid_control_open(&b->control, b->socket))
		return -1;
	b->has_control = true;
	for (unsigned int i = 0; i < b->nr_devices; i++)
		if (pasid_control_attach(&b->control, &b->devices[i], b->sva.directories[i],
					 SVA_PASID_BITS))
			return -1;
	for (unsigned int i = 0; i < b->nr_dmas; i++)
		b->dmas[i].control = &b->control;
	if (!b->layout.o.paged)
		return 0;
	return pager_start(&b->pager, b->socket, &b->layout, b->devices, b->dmas);
}

static int connect_control(struct bench *b)
{
	int result;

	iotlbd_socket(&b->iotlbd, b->socket);
	result = take_control(b);
	iotlbd_remove_socket(&b->iotlbd);
	return result;
}

/* Return: 0, or -1 after a message. */
static int start_server(struct bench *b)
{
	const struct options *o = &b->options;

	if (options_serves(o))
		return miss_server_start(&b->server, &b->layout, &b->guest, b->devices, b->dmas,
					 o->server == SERVER_ONE ? 1 : b->layout.o.devices);
	if (!options_starts_iotlbd(o))
		return 0;
	switch (iotlbd_start(&b->iotlbd, o, &b->layout, b->signals)) {
	case IOTLBD_READY:
		return o->control ? connect_control(b) : 0;
	case IOTLBD_INTERRUPTED:
		warnx("interrupted before iotlbd was ready");
		break;
	case IOTLBD_FAILED:
		break;
	}
	return -1;
}

static int start(struct bench *b, struct miss_server *server)
{
	const struct start_sources sources = {
		.server = server,
		.iotlbd = b->iotlbd.pid ? b->iotlbd.pidfd : -1,
		.signals = b->signals,
	};

	switch (start_devices(&b->options, &b->layout, &b->guest, b->devices, &sources)) {
	case START_DONE:
		return 0;
	case START_INTERRUPTED:
		warnx("interrupted before the devices were ready");
		break;
	case START_ABANDONED:
		iotlbd_has_died(&b->iotlbd);
		break;
	case START_FAILED:
		break;
	}
	return -1;
}

static int set_up_tables(struct bench *b)
{
	if (b->layout.o.processes)
		return sva_setup(&b->sva, &b->layout, &b->guest);
	return b->layout.o.vtd ? vtd_setup(&b->tables, &b->layout, &b->guest) : 0;
}

static int run(struct bench *b)
{
	struct miss_server *server = options_serves(&b->options) ? &b->server : NULL;

	b->signals = catch_signals();
	if (b->signals < 0 || tap_enter_namespace() || guest_create(&b->guest, &b->layout) ||
	    set_up_tables(b) || open_devices(b) || (b->layout.o.processes && begin_processes(b)) ||
	    init_dma(b) || init_streams(b) || start_server(b) || start(b, server))
		return EXIT_FAILURE;
	if (server && !b->options.lifetime)
		miss_server_started(server);
	return run_traffic(b, server);
}

static void clean_up(struct bench *b)
{
	/* They read the fds of the devices. */
	if (b->server.layout)
		miss_server_free(&b->server);
	pager_stop(&b->pager);
	if (b->has_control)
		pasid_control_close(&b->control);
	if (b->iotlbd.pid)
		iotlbd_stop(&b->iotlbd);
	while (b->nr_streams)
		stream_free(&b->streams[--b->nr_streams]);
	while (b->nr_dmas)
		dma_free(&b->dmas[--b->nr_dmas]);
	while (b->nr_devices)
		vnet_close(&b->devices[--b->nr_devices]);
	free(b->streams);
	free(b->dmas);
	free(b->processes);
	free(b->devices);
	vtd_tables_free(&b->tables);
	sva_tables_free(&b->sva);
	/* vhost must be done with it. */
	guest_destroy(&b->guest);
}

/* Return: 0, or -1 after a message. */
static int write_files(const struct bench *b)
{
	const struct options *o = &b->options;

	if (o->table && output_write(&b->layout, o->table, "table", iova_table_write))
		return -1;
	if (o->vtd && output_write(&b->layout, o->vtd, "description of the IOMMU", vtd_file_write))
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	static struct bench b;
	int result;

	bench_options_parse(&b.options, argc, argv);
	layout_init(&b.layout, &b.options.layout);
	if (write_files(&b))
		return EXIT_FAILURE;
	if ((b.options.table || b.options.vtd) && !b.options.run)
		return EXIT_SUCCESS;
	result = run(&b);
	clean_up(&b);
	return result;
}
