// SPDX-License-Identifier: GPL-2.0
/*
 * The race between those who change translations and those who answer misses,
 * on the real /dev/vhost-net with a tap behind it. Prints TAP.
 *
 * Theory of operation
 *
 * Whoever takes a mapping away, such as a guest with its page table, relies on
 * this: once the INVALIDATE has returned, the device does not use the old
 * memory any more, and does not begin to again. But a server that has looked
 * the address up before may write its answer after. The test is about whether
 * vhost can tell.
 *
 *	mapper    changes the tables and tells vhost, in many ways, all the time
 *	servers   read misses, walk the tables, dawdle, answer
 *	traffic   the driver: sends packets, receives frames, checks both
 *	vhost     in the middle
 *	watchdog  ends the test if one of these is stuck
 *
 * Everything the device sees is a page of I/O virtual addresses (space.c): 16
 * with data to send, 8 to receive into, 6 with the parts of the rings. Each has
 * several pages of memory, one of which the tables name. To change them is to
 * begin an epoch of the page:
 *
 *	1. the next memory is written: stamps with page and epoch
 *	2. the tables name it
 *	3. INVALIDATE, or whatever else; it returns
 *	4. `ended` of the page = its epoch: all epochs before have ended
 *
 * A packet is put together from three pages. Its descriptors name addresses,
 * never memory, so that each stamp tells in which epoch vhost has translated.
 * The driver reads `ended` of the three pages, then makes the packet available
 * by a store with release to the index of the available ring, which vhost reads
 * before anything else of the packet. So whatever had ended by then had ended
 * before vhost could look the address up, and must not be found in the packet;
 * nor must an epoch that has not begun when the packet arrives. What has ended
 * after that store may be found, because vhost may have sent the packet before.
 *
 * The rings move too (ring.c): the descriptors say something else in each
 * epoch of their table, so do the heads in the available ring, and both come
 * back to the driver. Memory that the device may write to is filled with a
 * pattern when its epoch has ended, and the pattern must be there when the
 * memory has its next turn. INVALIDATE takes the mutexes of all virtqueues, so
 * no copy that has begun before it goes on after it.
 *
 * A server knows more: by the stamp of the memory that it has found, the epoch
 * of its walk. If that has ended before it writes the answer, the answer must be
 * refused. This is not left to a packet that happens to come by. A new memory
 * table does not empty the IOTLB, so for the packets it ends nothing; but
 * answers by the old one must be refused at once (`refused` instead of `ended`).
 *
 * The control is the same without tokens: there, stale packets must be seen.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench/tap.h"
#include "clock.h"
#include "daemon.h"
#include "race.h"
#include "report.h"
#include "tests/number.h"

/* Complaints of one kind that are shown. */
#define SHOWN 3

#define FD_SERVERS 2

/*
 * The fd is read in all runs: a daemon that takes the misses may hand some back
 * to it.
 */
struct run {
	const char *name;
	const char *title;
	const char *daemon;    /* that serves, NULL if only the fd is read */
	unsigned int permille; /* of all invalidations */
	bool has_tokens;
	bool identity; /* the daemon goes by the memory table alone */
	bool resolves; /* the kernel walks the tables of the IOMMU */
};

static const struct run runs[] = {
	{"fd", "servers read the fd", NULL, 550, true, false, false},
	{"hook", "iotlbd, with a page table that changes", "iotlbd-race", 398, true, false, false},
	{"identity", "iotlbd, with a memory table that changes", "../iotlbd", 2, true, true, false},
	{"control", "answers without tokens", NULL, 50, false, false, false},
	{"resolve", "the kernel walks the page table", "../iotlbd", 1000, true, false, true},
};

#define NR_RUNS (sizeof(runs) / sizeof(*runs))

struct options {
	uint64_t invalidations;
	uint64_t seed;
	bool on_stock;
	bool fixed_rings;
};

uint64_t race_stale(const struct counts *c)
{
	return c->stale_data + c->stale_descriptors + c->stale_heads + c->stale_writes +
	       c->stale_answers;
}

void race_complain(struct race *r, uint64_t *counter, const char *format, ...)
{
	va_list arguments;

	/* Many are expected without tokens. */
	if (__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED) > SHOWN || !r->nic.has_tokens)
		return;
	flockfile(stdout);
	printf("# ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	funlockfile(stdout);
}

static pthread_t start(void *(*function)(void *), struct race *r)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, function, r))
		bail_out("cannot make a thread");
	return thread;
}

static void race_open(struct race *r, const struct run *run, const struct options *o)
{
	memset(r, 0, sizeof(*r));
	r->seed = o->seed;
	r->started_ms = clock_now_ns() / NS_PER_MS;
	r->identity = run->identity;
	/* Without tokens, no ring would live for long. */
	r->fixed_rings = o->fixed_rings || !run->has_tokens;
	r->space = space_create(&r->space_fd);
	nic_open(&r->nic, r->space, run->has_tokens);
	for (int queue = 0; queue < NR_QUEUES; queue++)
		ring_init(&r->rings[queue], r->space, queue);
}

static void race_close(struct race *r)
{
	nic_close(&r->nic);
	space_destroy(r->space, r->space_fd);
}

/* Describe the IOMMU, as iotlbd wants it. */
static int describe_iommu(void)
{
	int fd = memfd_create("iommu", MFD_CLOEXEC);

	if (fd < 0 || dprintf(fd, "root 0x%llx\ndevice %s\n", IOMMU_GPA, IOMMU_DEVICE) < 0)
		bail_out_errno("no memory");
	return fd;
}

static void start_daemon(const struct race *r, const struct run *run, struct daemon *d)
{
	const char *options[] = {NULL, NULL, NULL};
	char path[64];
	int iommu;

	if (run->resolves) {
		iommu = describe_iommu();
		snprintf(path, sizeof(path), "--vtd=/proc/%d/fd/%d", getpid(), iommu);
		options[0] = path;
		options[1] = "--resolve";
		daemon_start(d, run->daemon, options);
		close(iommu);
		return;
	}
	snprintf(path, sizeof(path), "--table=/proc/%d/fd/%d", getpid(), r->space_fd);
	options[0] = run->identity ? "--translator=identity" : path;
	daemon_start(d, run->daemon, options);
}

static void let_run(struct race *r, const struct run *run, uint64_t invalidations)
{
	pthread_t servers[FD_SERVERS], traffic, watchdog;
	struct daemon daemon;

	if (run->daemon)
		start_daemon(r, run, &daemon);
	for (int i = 0; i < FD_SERVERS; i++)
		servers[i] = start(fd_server_run, r);
	mapper_start(r);
	traffic = start(traffic_run, r);
	watchdog = start(watchdog_run, r);

	mapper_run(r, invalidations);
	set_flag(&r->mapper_done);
	pthread_join(traffic, NULL);
	if (run->daemon)
		daemon_stop(&daemon, &r->daemon);
	mapper_check_pages(r);
	set_flag(&r->servers_done);
	for (int i = 0; i < FD_SERVERS; i++)
		pthread_join(servers[i], NULL);
	pthread_join(watchdog, NULL);
}

static void show_daemon(const struct daemon_counts *d)
{
	printf("# iotlbd: %" PRIu64 " misses: %" PRIu64 " answers, %" PRIu64
	       " refused as stale, %" PRIu64 " failed; %" PRIu64 " more resolved in the kernel\n",
	       d->misses, d->answered, d->stale, d->failed, d->resolved);
}

void race_show(const struct race *r)
{
	const struct counts *c = &r->counts;
	uint64_t ms = clock_now_ns() / NS_PER_MS - r->started_ms;

	printf("# %" PRIu64 " invalidations, %" PRIu64 " IOTLBs and %" PRIu64
	       " memory tables replaced: %" PRIu64 " epochs in %" PRIu64 ".%" PRIu64 " s\n",
	       c->invalidations, c->replacements, c->memory_tables, c->epochs, ms / 1000,
	       ms % 1000 / 100);
	printf("# %" PRIu64 " packets, %" PRIu64 " frames (contents of %" PRIu64 " checked)\n",
	       c->packets, c->frames, c->checked);
	printf("# fd: %" PRIu64 " misses: %" PRIu64 " answers, %" PRIu64
	       " refused as stale, %" PRIu64 " without an IOTLB\n",
	       c->misses, c->answers, c->refused, c->gone);
	printf("# stale: %" PRIu64 " packets' data, %" PRIu64 " descriptors, %" PRIu64
	       " heads, %" PRIu64 " writes, %" PRIu64 " answers taken; %" PRIu64 " corrupt\n",
	       c->stale_data, c->stale_descriptors, c->stale_heads, c->stale_writes,
	       c->stale_answers, c->corrupt);
}

/* Was it who was to be tested that did the work? */
static bool was_served(const struct run *run, const struct race *r)
{
	if (run->resolves)
		return r->daemon.resolved > 10 * (r->daemon.misses + r->counts.misses);
	return !run->daemon || r->daemon.misses > r->counts.misses;
}

static bool run_one(const struct run *run, const struct options *o, unsigned int number)
{
	struct race race;
	uint64_t stale;
	bool good;

	race_open(&race, run, o);
	let_run(&race, run, o->invalidations * run->permille / 1000);
	race_close(&race);

	stale = race_stale(&race.counts);
	if (run->has_tokens)
		good = !stale && !race.counts.corrupt && was_served(run, &race);
	else
		/* The device has used it; answers that were taken prove nothing. */
		good = stale > race.counts.stale_answers;
	race_show(&race);
	if (run->daemon)
		show_daemon(&race.daemon);
	printf("%s %u - %s: %" PRIu64 " stale%s\n", good ? "ok" : "not ok", number, run->title,
	       stale, run->has_tokens ? "" : ", so the test can see that");
	return good;
}

static void usage(FILE *stream)
{
	fputs("Usage: vhost_iotlb_race [OPTION]... [RUN]...\n"
	      "\n"
	      "Lets those who change translations race with those who answer misses, and\n"
	      "prints TAP. Needs root.\n"
	      "\n"
	      "  --invalidations N  in all runs but the last together, and in that\n"
	      "                     (default 100000)\n"
	      "  --seed N           of the random numbers (default: by the clock)\n"
	      "  --fixed-rings      let rings stay where they are, so that in spite of stale\n"
	      "                     translations the traffic goes on\n"
	      "  --stock            the modules are without the patches: only the control\n"
	      "  --help             show this\n"
	      "\n"
	      "Runs (default: all):\n",
	      stream);
	for (size_t i = 0; i < NR_RUNS; i++)
		fprintf(stream, "  %-9s %s\n", runs[i].name, runs[i].title);
	fputs("\nExit status: 0 all good, 1 some failed, 2 usage.\n", stream);
}

static void parse_options(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{"invalidations", required_argument, NULL, 'n'},
		{"seed", required_argument, NULL, 's'},
		{"fixed-rings", no_argument, NULL, 'r'},
		{"stock", no_argument, NULL, 'S'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	*o = (struct options){.invalidations = 100000, .seed = time(NULL)};
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'n':
			o->invalidations = number_of(optarg, UINT64_MAX);
			break;
		case 's':
			o->seed = number_of(optarg, UINT64_MAX);
			break;
		case 'r':
			o->fixed_rings = true;
			break;
		case 'S':
			o->on_stock = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
}

static bool is_selected(const struct run *run, const struct options *o, char **names)
{
	if (o->on_stock && run->has_tokens)
		return false;
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(run->name, *names))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	unsigned int number = 0, failed = 0;
	struct options o;

	parse_options(&o, argc, argv);
	setlinebuf(stdout);
	if (tap_enter_namespace())
		bail_out("no network namespace");
	if (!o.on_stock && !nic_can_have_tokens())
		bail_out("vhost has no messages of version 3; --stock is for that");
	printf("# --seed %" PRIu64 "\n", o.seed);
	for (size_t i = 0; i < NR_RUNS; i++)
		if (is_selected(&runs[i], &o, argv + optind))
			failed += !run_one(&runs[i], &o, ++number);
	printf("1..%u\n", number);
	return failed || !number;
}
