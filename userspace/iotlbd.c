// SPDX-License-Identifier: GPL-2.0
/*
 * iotlbd - answers the IOTLB misses of vhost devices
 *
 * Theory of operation
 * ===================
 *
 * A virtqueue of vhost that needs a translation from I/O virtual address
 * (IOVA) to host virtual address (HVA), and has none in the device IOTLB,
 * stops. vhost asks a BPF program (bpf/deliver.bpf.c), which puts the miss on
 * a ring buffer. iotlbd takes it from there, and answers by an UPDATE that it
 * writes to the vhost fd, together with all others for that device
 * (answer_batch.c); vhost puts the translation into the IOTLB and lets the
 * virtqueue go on.
 *
 *	vhost --miss--> BPF --ring buffer--> server --UPDATE--> vhost fd
 *	                 ^                    |   |
 *	                 +---- served --------+   +-- translator: IOVA -> GPA
 *	                       ignored            +-- memory table: GPA -> HVA
 *
 * The answer is the widest range around the missed address that both the
 * mapping of the translator and one region of the guest's memory contain, so
 * neither a guest nor a table can make a device reach anything but the guest's
 * memory (answer.c).
 *
 * A miss carries a token, and so does its answer. When the owner has changed
 * the IOTLB or the memory table in between, vhost refuses the answer and has
 * the virtqueue miss again, with a new token. So nothing that iotlbd writes,
 * however late, is older than what the owner has last said.
 *
 * A miss that has no answer is handed back in the same way: vhost offers it to
 * whoever reads the fd, as if iotlbd were not there. When the memory table
 * changes, there may be an answer, and iotlbd has the virtqueues miss again.
 *
 * With --resolve, the BPF program does the translator's work itself where it can
 * (bpf/resolve.h): it walks the tables of the guest's IOMMU, the virtqueue goes
 * on, and iotlbd learns of it by counters only. What it cannot do comes as a miss
 * like any other, and is walked once more here (translator_vtd.c), by the same
 * code, in the memory of the owner, which may have to be waited for.
 *
 * Of a guest of QEMU, what is not in its memory comes from QEMU's monitor (guest.c,
 * monitor.c, qemu_info.h): is the IOMMU on, where do its tables begin, which PCI
 * function is the device? This is true until the guest's driver starts the device
 * anew, which gives it a new IOTLB; after a reboot, there may be another kernel. So
 * it is known for an epoch, which has the number of the IOTLB: bpf/deliver.bpf.c
 * looks at that with each miss, and what was known with another IOTLB is not gone
 * by, neither in the kernel nor here. A record tells, QEMU is asked again, and its
 * answer counts if the number is still that of the question.
 * Meanwhile, and while the IOMMU is off, misses go to QEMU. A guest that only moves
 * its tables has to invalidate everything; that, too, has QEMU asked.
 *
 * Devices are found by the vhost fds that processes hold (device.c). iotlbd
 * duplicates such an fd with pidfd_getfd(2); its fdinfo has the memory table.
 * Those that have an IOTLB at the start are taken at once, and their ids go
 * into the map "served". Every other device makes itself known by its first
 * miss: a record says that it is new, and the same miss goes to the owner's fd
 * as ever, so nothing is lost if iotlbd cannot or may not serve it; then its id
 * goes into the map "ignored".
 *
 * A duplicate would keep a device alive that its owner has closed. So the
 * owner's pidfd is watched, and once a second it is checked that the owner
 * still holds the device.
 *
 * Memory tables change at run time. The BPF object also watches the ioctls
 * that do so and puts a record between the misses; and each miss has the number
 * of the table that was there. When a region that was there is no more what it
 * was, everything that is in the IOTLB is invalidated.
 *
 * Nothing depends on iotlbd staying alive: with its last fd, the BPF link goes,
 * and vhost offers all misses, also those on the ring buffer, on the vhost fds.
 * Should the ring buffer be full, a miss goes to the vhost fd, and through a
 * map to iotlbd. If iotlbd lives but does not answer, vhost hands a miss over
 * to the fd after a while, and after some of them detaches the BPF program;
 * iotlbd attaches it again when it comes to itself.
 *
 * With --control, clients manage PASIDs, and what guests have bound to them, at a
 * Unix socket (control.c, sva_service.c, sva.c). What such a request ends is dropped
 * from the device IOTLB before it is replied to.
 *
 * A virtqueue that its owner has put into an address space of its own has that one's
 * number for its PASID. A miss there is answered there (sva_roster.c): if the device
 * has any PASIDs or a PASID table at the control socket, by what is bound there, and
 * only that; else by the tables of the guest's IOMMU, if it is in scalable mode. The
 * BPF program does the same with --resolve (bpf/resolve_asid.h). It looks for what is
 * bound in a map, which is changed before the INVALIDATE that follows: vhost does
 * that under the mutexes of all virtqueues, and so after the last walk that has seen
 * what was there before.
 *
 * Where the page table of a process has no page for such a miss, a client that has
 * subscribed to the device's page requests is asked for it (page_requests.c), while
 * the virtqueue waits, and the miss is handed back so that vhost does not take it for
 * forgotten. When he says that the page is there, the virtqueue misses again; when he
 * says that there is none, or nothing for too long, vhost completes the descriptor
 * with an error.
 *
 * There is one thread and one epoll loop: the ring buffer, signals, pidfds, QEMU's
 * monitor, control clients, the BPF link (which tells when somebody else detaches it)
 * and two timers.
 * While misses keep coming, the ring buffer is looked at again and again, the others
 * every now and then; with --poll, always. QEMU is never waited for, but for a moment
 * at the start.
 *
 * Guests choose IOVAs, and with them what a miss looks like. So no memory
 * grows with misses, what is logged is bounded (log.c), so is how often all
 * processes are looked at, and a device whose misses cannot be answered is left
 * alone when there are too many of them.
 *
 * Privileges are given up in stages (sandbox.c): start opens what the command
 * line names, load puts the BPF programs into the kernel, serve is the rest of
 * its life, and can do no more than take devices and answer misses. Whatever
 * serving comes to need has to be on the list of syscall_filter.c.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "guest.h"
#include "hook_trouble.h"
#include "log.h"
#include "miss_hook.h"
#include "miss_stats.h"
#include "notify.h"
#include "options.h"
#include "reattach.h"
#include "sandbox.h"
#include "server.h"
#include "sva_roster.h"
#include "translator.h"

/* What an epoll event is about; those of the server have SERVER_EVENT set, those of
 * the control socket CONTROL_EVENT.
 */
enum event {
	EVENT_RING,
	EVENT_LINK,
	EVENT_SIGNAL,
	EVENT_CHECK,
	EVENT_STATS,
	EVENT_MONITOR,
};

#define EVENTS_AT_ONCE 32

/* Other events wait for so many looks for records, and records. */
#define WORK_PER_LOOK 4096

/* With a control socket: whoever invalidates there waits for it. */
#define WORK_PER_LOOK_CONTROL 64

/* A former iotlbd may still be ending. Later, nobody is waited for. */
#define START_PATIENCE_MS 2000

/* QEMU answers within milliseconds, if nobody stops it. */
#define GUEST_PATIENCE_MS 5000ULL

/* Open files with which it starts, and some to look at devices */
#define FDS_MIN 48

/**
 * struct daemon - the whole program
 * @options:	command line
 * @translator:	in use
 * @hook:	BPF side
 * @guest:	whose QEMU is asked, or NULL
 * @server:	devices
 * @control:	the socket, or NULL
 * @service:	what is asked for there
 * @view:	how statistics are shown
 * @shown:	statistics as they were shown last
 * @epoll_fd:	of the loop
 * @signal_fd:	SIGINT and SIGTERM
 * @check_fd:	timer of server_check()
 * @stats_fd:	timer of --stats
 * @reattach:	how often vhost has detached the hook
 * @work:	looks for records, and records, since events were looked at
 * @checking:	the timer is running
 * @done:	leave the loop
 * @failed:	and fail
 */
struct daemon {
	struct options options;
	struct translator translator;
	struct miss_hook *hook;
	struct guest *guest;
	struct server *server;
	struct control *control;
	struct sva_service *service;
	const struct stats_view *view;
	struct miss_stats shown;
	int epoll_fd;
	int signal_fd;
	int check_fd;
	int stats_fd;
	struct reattach reattach;
	size_t work;
	bool checking;
	bool done;
	bool failed;
};

static int add_event(struct daemon *daemon, int fd, enum event event)
{
	struct epoll_event wanted = {
		.events = EPOLLIN,
		.data.u64 = event,
	};

	return epoll_ctl(daemon->epoll_fd, EPOLL_CTL_ADD, fd, &wanted);
}

static int set_timer(int fd, unsigned int seconds)
{
	struct itimerspec period = {
		.it_value.tv_sec = seconds,
		.it_interval.tv_sec = seconds,
	};

	return timerfd_settime(fd, 0, &period, NULL);
}

/* Each device takes two fds, and there may be thousands. */
static int raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	if (limit.rlim_max < FDS_MIN) {
		log_error("no more than %lu files may be open, which is too few: %d are needed, "
			  "and two for each device; raise the limit (ulimit -n)",
			  (unsigned long)limit.rlim_max, FDS_MIN);
		return -EMFILE;
	}
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return 0;
}

static int open_events(struct daemon *daemon)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	/* Who reads our statistics may go, or their file must not grow; write
	 * errors are seen at the end.
	 */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);

	daemon->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	daemon->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	daemon->check_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	daemon->stats_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (daemon->epoll_fd < 0 || daemon->signal_fd < 0 || daemon->check_fd < 0 ||
	    daemon->stats_fd < 0 || add_event(daemon, daemon->signal_fd, EVENT_SIGNAL) ||
	    add_event(daemon, daemon->check_fd, EVENT_CHECK) ||
	    add_event(daemon, daemon->stats_fd, EVENT_STATS) ||
	    set_timer(daemon->stats_fd, daemon->options.stats_seconds)) {
		log_error("cannot set up the event loop: %s", strerror(errno));
		return -errno;
	}
	return 0;
}

static int open_translator(struct daemon *daemon)
{
	daemon->translator.ops = daemon->options.translator;
	if (!daemon->translator.ops->open)
		return 0;
	return daemon->translator.ops->open(&daemon->translator, &daemon->options.translator_args);
}

static int open_guest(struct daemon *daemon)
{
	const struct options *options = &daemon->options;
	int err;

	if (!options->monitor)
		return 0;
	err = guest_connect(&daemon->guest, options->monitor, options->monitor_path,
			    options->pids[0]);
	if (err)
		return err;
	if (!add_event(daemon, guest_fd(daemon->guest), EVENT_MONITOR))
		return 0;
	log_error("cannot watch QEMU's monitor: %s", strerror(errno));
	return -errno;
}

/* While there are privileges to make a file */
static int open_control(struct daemon *daemon)
{
	if (!daemon->options.control_path)
		return 0;
	return control_open(&daemon->control, daemon->options.control_path);
}

static struct json_object *handle_line(void *arg, uint64_t client, const char *line, size_t size)
{
	return sva_service_handle(arg, client, line, size);
}

static void handle_gone(void *arg, uint64_t client)
{
	sva_service_client_gone(arg, client);
}

static void tell_client(void *arg, uint64_t client, struct json_object *event)
{
	control_send(arg, client, event);
}

static int open_service(struct daemon *daemon)
{
	const struct sva_service_options options = {
		.quota = daemon->options.pasid_quota,
		.page_request_seconds = daemon->options.page_request_seconds,
		.devices = &sva_roster,
		.arg = server_roster(daemon->server),
		.tell = tell_client,
		.tell_arg = daemon->control,
	};

	daemon->service = sva_service_open(&options);
	if (daemon->service)
		return 0;
	log_error("no memory for PASIDs");
	return -ENOMEM;
}

static int serve_control(struct daemon *daemon)
{
	static const struct control_handler handler = {
		.line = handle_line,
		.gone = handle_gone,
	};
	int err;

	if (!daemon->control)
		return 0;
	sandbox_allow_clients();
	/* What is bound to a PASID is walked. */
	sandbox_allow_memory();
	err = open_service(daemon);
	if (err)
		return err;
	server_set_pasids(daemon->server, daemon->service);
	return control_serve(daemon->control, daemon->epoll_fd, &handler, daemon->service);
}

static int open_hook(struct daemon *daemon)
{
	const struct miss_hook_options options = {
		.ring_size = daemon->options.ring_size,
		.follow = daemon->guest,
		.resolve = daemon->options.resolve,
		.pasids = daemon->control,
	};

	return miss_hook_open(&daemon->hook, &options);
}

/* Is the kernel to resolve misses, and can it? */
static bool may_resolve(const struct daemon *daemon)
{
	if (!daemon->options.resolve)
		return false;
	if (miss_hook_can_resolve(daemon->hook))
		return true;
	log_warn("the loaded module vhost cannot resolve misses by itself (bpf_vhost_guest_read is "
		 "not in its BTF), so iotlbd walks the tables; load the present patched modules%s",
		 daemon->guest ? "" : ", or leave out --resolve");
	return false;
}

static int open_server(struct daemon *daemon)
{
	const struct server_options options = {
		.hook = daemon->hook,
		.translator = &daemon->translator,
		.epoll_fd = daemon->epoll_fd,
		.pids = daemon->options.pids,
		.pid_count = daemon->options.pid_count,
		.resolve = may_resolve(daemon),
		.guest = daemon->guest,
		.max_unanswered = daemon->options.max_unanswered,
	};

	return server_open(&daemon->server, &options);
}

static int attach(struct daemon *daemon, unsigned int patience_ms)
{
	int err = miss_hook_attach(daemon->hook, patience_ms);

	if (err)
		return err;
	if (add_event(daemon, miss_hook_link_fd(daemon->hook), EVENT_LINK)) {
		log_error("cannot watch the miss hook: %s", strerror(errno));
		return -errno;
	}
	return 0;
}

static int watch_ring(struct daemon *daemon)
{
	if (daemon->options.poll || !add_event(daemon, miss_hook_ring_fd(daemon->hook), EVENT_RING))
		return 0;
	log_error("cannot watch the ring buffer: %s", strerror(errno));
	return -errno;
}

static int start(struct daemon *daemon)
{
	int err;

	err = sandbox_enter(SANDBOX_START);
	if (err)
		return err;
	notify_open();
	daemon->view = daemon->options.json ? &stats_view_json : &stats_view_text;
	err = raise_fd_limit();
	if (!err)
		err = open_events(daemon);
	if (!err)
		err = open_translator(daemon);
	if (!err)
		err = open_guest(daemon);
	if (!err)
		err = open_control(daemon);

	if (!err)
		err = sandbox_enter(SANDBOX_LOAD);
	if (!err)
		err = open_hook(daemon);
	/* The devices first: once attached, misses must find them served. */
	if (!err)
		err = open_server(daemon);
	if (!err)
		err = serve_control(daemon);
	if (!err)
		err = watch_ring(daemon);
	if (!err)
		err = attach(daemon, START_PATIENCE_MS);

	if (daemon->translator.ops && daemon->translator.ops->reads_memory)
		sandbox_allow_memory();
	if (!err)
		err = sandbox_enter(SANDBOX_SERVE);
	return err;
}

static void stop(struct daemon *daemon)
{
	const struct translator_ops *ops = daemon->translator.ops;

	/* The hook first, so that no miss comes to one who has gone. */
	miss_hook_close(daemon->hook);
	control_close(daemon->control);
	sva_service_close(daemon->service);
	server_close(daemon->server);
	guest_close(daemon->guest);
	if (ops && ops->close && daemon->translator.state)
		ops->close(&daemon->translator);
	close(daemon->stats_fd);
	close(daemon->check_fd);
	close(daemon->signal_fd);
	close(daemon->epoll_fd);
}

/* How often a timer has gone off since it was last asked. */
static uint64_t timer_count(int fd)
{
	uint64_t count;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static void show_interval(struct daemon *daemon)
{
	struct miss_stats now = server_stats(daemon->server);
	struct miss_stats since = miss_stats_since(&now, &daemon->shown);
	uint64_t periods = timer_count(daemon->stats_fd);

	if (!periods)
		return;
	daemon->shown = now;
	daemon->view->interval(stdout, &since, periods * daemon->options.stats_seconds,
			       server_devices(daemon->server));
}

static void show_device(const struct device_stats *device, void *arg)
{
	const struct stats_view *view = arg;

	view->device(stdout, device);
}

/* Fails if standard output does, since that is where the summary had to go. */
static void show_summary(struct daemon *daemon)
{
	const struct stats_summary summary = {
		.total = server_stats(daemon->server),
		.strange = miss_hook_strange(daemon->hook),
		.detached = daemon->reattach.detached,
		.devices = server_devices(daemon->server),
		.without_tokens = server_without_tokens(daemon->server),
		.asked = daemon->guest ? guest_asked(daemon->guest) : 0,
		.page_requests =
			daemon->service ? sva_service_page_requests(daemon->service) : NULL,
	};

	daemon->view->total(stdout, &summary);
	server_for_each(daemon->server, show_device, (void *)daemon->view);
	if (fflush(stdout) || ferror(stdout)) {
		log_error("cannot write the summary to standard output");
		daemon->failed = true;
	}
}

static void fail(struct daemon *daemon)
{
	daemon->failed = true;
	daemon->done = true;
}

static void handle_detach(struct daemon *daemon)
{
	if (!server_was_late(daemon->server)) {
		log_error("something else has detached iotlbd from the miss hook of vhost; misses "
			  "go to the vhost fds again");
		fail(daemon);
		return;
	}
	if (!reattach_allowed(&daemon->reattach) || attach(daemon, 0))
		fail(daemon);
	else
		log_info("attached again");
}

/* A monitor that has been closed stays readable for ever. */
static void read_monitor(struct daemon *daemon)
{
	if (!guest_read(daemon->guest))
		fail(daemon);
	if (guest_has_ended(daemon->guest))
		epoll_ctl(daemon->epoll_fd, EPOLL_CTL_DEL, guest_fd(daemon->guest), NULL);
}

static void check(struct daemon *daemon)
{
	server_check(daemon->server);
	if (!daemon->control)
		return;
	sva_service_check(daemon->service);
	control_check(daemon->control);
}

static void handle_event(struct daemon *daemon, uint64_t event)
{
	if (event & SERVER_EVENT) {
		server_process_gone(daemon->server, event);
		/* With the last device, the timer stops. */
		if (daemon->service)
			sva_service_check(daemon->service);
		if (!server_has_future(daemon->server)) {
			log_info("all processes given by --pid have ended");
			daemon->done = true;
		}
		return;
	}

	if (event & CONTROL_EVENT) {
		control_event(daemon->control, event);
		return;
	}

	switch (event) {
	case EVENT_RING:
		/* The loop looks for records whenever it has been woken. */
		break;
	case EVENT_LINK:
		handle_detach(daemon);
		break;
	case EVENT_SIGNAL:
		daemon->done = true;
		break;
	case EVENT_CHECK:
		if (timer_count(daemon->check_fd))
			check(daemon);
		break;
	case EVENT_STATS:
		show_interval(daemon);
		break;
	case EVENT_MONITOR:
		read_monitor(daemon);
		break;
	}
}

/* Without devices, and clients that do not read, there is nothing to check, and so
 * nothing to wake up for.
 */
static void adjust_check(struct daemon *daemon)
{
	bool wanted = server_devices(daemon->server) ||
		      (daemon->control && control_needs_check(daemon->control));

	if (wanted != daemon->checking && !set_timer(daemon->check_fd, wanted ? 1 : 0))
		daemon->checking = wanted;
}

static void look(struct daemon *daemon, int timeout)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int i, count;

	adjust_check(daemon);
	count = epoll_wait(daemon->epoll_fd, events, EVENTS_AT_ONCE, timeout);
	if (count < 0 && errno != EINTR) {
		log_error("cannot wait for events: %s", strerror(errno));
		fail(daemon);
	}
	for (i = 0; i < count; i++)
		handle_event(daemon, events[i].data.u64);
}

/*
 * One look for records. The virtqueues that were answered are let run before
 * the next: while they keep missing, that is cheaper than to sleep and be
 * woken, and brings more misses at a time. Returns whether there were any.
 */
static bool serve(struct daemon *daemon)
{
	size_t records = server_pump(daemon->server);

	sched_yield();
	daemon->work += 1 + records;
	if (daemon->work >= (daemon->control ? WORK_PER_LOOK_CONTROL : WORK_PER_LOOK)) {
		daemon->work = 0;
		look(daemon, 0);
	}
	return records;
}

static void loop_epoll(struct daemon *daemon)
{
	while (!daemon->done) {
		look(daemon, server_idle_ms(daemon->server));
		miss_hook_stay_awake(daemon->hook);
		while (!daemon->done && (serve(daemon) || !miss_hook_may_sleep(daemon->hook)))
			;
	}
}

static void loop_poll(struct daemon *daemon)
{
	miss_hook_stay_awake(daemon->hook);
	while (!daemon->done)
		serve(daemon);
}

/* So that who waits for "serving" finds what is there served indeed. A QEMU that
 * does not answer is not waited for.
 */
static void meet_guest(struct daemon *daemon)
{
	uint64_t end = clock_now_ns() + GUEST_PATIENCE_MS * NS_PER_MS;

	while (!daemon->done && guest_is_new(daemon->guest) && clock_now_ns() < end) {
		server_pump(daemon->server);
		look(daemon, 100);
	}
}

int main(int argc, char **argv)
{
	static struct daemon daemon = {
		.epoll_fd = -1,
		.signal_fd = -1,
		.check_fd = -1,
		.stats_fd = -1,
	};

	if (sandbox_open_standard_fds())
		return EXIT_FAILURE;
	options_parse(&daemon.options, argc, argv);
	if (start(&daemon)) {
		stop(&daemon);
		return EXIT_FAILURE;
	}

	if (daemon.guest)
		meet_guest(&daemon);
	if (daemon.failed) {
		stop(&daemon);
		return EXIT_FAILURE;
	}
	log_info("serving %zu devices", server_devices(daemon.server));
	notify_send("READY=1");
	if (daemon.options.poll)
		loop_poll(&daemon);
	else
		loop_epoll(&daemon);
	notify_send("STOPPING=1");

	show_summary(&daemon);
	stop(&daemon);
	return daemon.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
