// SPDX-License-Identifier: GPL-2.0
/*
 * Records are taken in batches, and all of a batch are taken before the first
 * is answered. So each of them is older than each answer, and a miss that an
 * earlier answer of the same batch covers can be dropped: that answer wakes
 * its virtqueue too. Across batches this would be wrong: the translation may
 * have been invalidated or evicted meanwhile.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/vhost_types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "device.h"
#include "log.h"
#include "miss_hook.h"
#include "served.h"
#include "server.h"
#include "translator.h"
#include "vhost_msg.h"

#define BATCH 256
#define PUMP_BATCHES 16

/* Answers of this batch that are searched for one that serves again. */
#define RECENT 32

/* Devices that have gone, for the summary at the end. */
#define GONE_MAX 64

/* A device that cannot be found or taken is looked for again after this. */
#define IGNORE_SECONDS 10
#define IGNORED_SLOTS 64

/* In a pidfd's event: whether it is of a device, or of one of options.pids. */
#define EVENT_PID (1ULL << 62)

/* What a message about a miss is about, see log_subject(). */
enum matter {
	MATTER_UNMAPPED = 1,
	MATTER_FORBIDDEN,
	MATTER_OUTSIDE,
	MATTER_STRANGE,
	MATTER_FAILED,
	MATTER_CLIPPED,
	MATTER_TAKE,
	MATTER_COMES,
	MATTER_GOES,
	MATTER_MEMORY,
};

/**
 * struct recent - an answer of this batch
 * @dev:	for which device
 * @answer:	the answer
 */
struct recent {
	uint64_t dev;
	struct answer answer;
};

/**
 * struct watched_pid - a process whose devices are served
 * @pid:	its pid
 * @pidfd:	tells when it has ended, and is -1 from then on
 */
struct watched_pid {
	pid_t pid;
	int pidfd;
};

/**
 * struct ignored - a device that was not found, or is not wanted
 * @dev:	the device
 * @until_ns:	when to look again
 */
struct ignored {
	uint64_t dev;
	uint64_t until_ns;
};

/**
 * struct server - all there is
 * @hook:	where misses come from
 * @translator:	who knows the answers
 * @epoll_fd:	where pidfds are watched
 * @pids:	only these processes, unless @pid_count is zero
 * @pid_count:	how many
 * @devices:	what is served
 * @total:	all misses, but for drops
 * @drops_seen:	dropped misses that have been dealt with
 * @memory_drops_seen: the same for changes of memory tables
 * @gone:	devices that have gone, the next one at @gone_count % GONE_MAX
 * @gone_count:	how many there ever were
 * @ignored:	devices that are left alone, each in the one slot it may have
 * @recent:	answers of this batch, the next one at @recent_count % RECENT
 * @recent_count: how many there were in this batch
 * @limit:	keeps the log short
 * @batch:	the records at hand
 */
struct server {
	struct miss_hook *hook;
	struct translator *translator;
	int epoll_fd;
	struct watched_pid *pids;
	size_t pid_count;
	struct served_table devices;
	struct miss_stats total;
	uint64_t drops_seen;
	uint64_t memory_drops_seen;
	struct device_stats gone[GONE_MAX];
	size_t gone_count;
	struct ignored ignored[IGNORED_SLOTS];
	struct recent recent[RECENT];
	size_t recent_count;
	struct log_limit limit;
	struct iotlb_record batch[BATCH];
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static bool may_say(struct server *server, uint64_t dev, uint64_t address, enum matter matter)
{
	return log_limit_allows(&server->limit, log_subject(dev, address, matter), now_ns());
}

/* "device 7 of pid 4711 (qemu)" in a log message */
#define DEVICE_FORMAT "device %" PRIu64 " of pid %d (%s)"
#define DEVICE_ARGS(d) (d)->info.dev, (d)->info.pid, (d)->info.comm

/* Answers */

static bool recent_covers(const struct server *server, const struct iotlb_record *miss)
{
	size_t i, count = server->recent_count;

	if (count > RECENT)
		count = RECENT;
	for (i = 0; i < count; i++)
		if (server->recent[i].dev == miss->dev &&
		    answer_covers(&server->recent[i].answer, miss->iova, miss->access))
			return true;
	return false;
}

static void recent_add(struct server *server, uint64_t dev, const struct answer *answer)
{
	server->recent[server->recent_count++ % RECENT] = (struct recent){
		.dev = dev,
		.answer = *answer,
	};
}

/* No answer that was given before serves a device any more. */
static void recent_forget(struct server *server, uint64_t dev)
{
	size_t i;

	for (i = 0; i < RECENT; i++)
		if (server->recent[i].dev == dev)
			server->recent[i].dev = 0;
}

static const char *access_name(uint32_t access)
{
	switch (access) {
	case VHOST_ACCESS_RO:
		return "read";
	case VHOST_ACCESS_WO:
		return "write";
	default:
		return "read and write";
	}
}

static void say_unanswered(struct server *server, const struct served_device *device,
			   const struct iotlb_record *miss, int err, const struct mapping *mapping)
{
	/* Once for a page: the guest chooses addresses. */
	uint64_t page = miss->iova >> 12;

	switch (err) {
	case -ENOENT:
		if (may_say(server, miss->dev, page, MATTER_UNMAPPED))
			log_warn(DEVICE_FORMAT ": nothing maps 0x%" PRIx64
					       "; queue %u waits to %s there",
				 DEVICE_ARGS(device), (uint64_t)miss->iova, miss->vq,
				 access_name(miss->access));
		break;
	case -EACCES:
		if (may_say(server, miss->dev, page, MATTER_FORBIDDEN))
			log_warn(DEVICE_FORMAT
				 ": the mapping 0x%" PRIx64 "-0x%" PRIx64
				 " does not allow to %s; queue %u waits at 0x%" PRIx64,
				 DEVICE_ARGS(device), mapping->iova, mapping->last,
				 access_name(miss->access), miss->vq, (uint64_t)miss->iova);
		break;
	case -EFAULT:
		if (may_say(server, miss->dev, mapping->iova, MATTER_OUTSIDE))
			log_warn(DEVICE_FORMAT
				 ": the mapping 0x%" PRIx64 "-0x%" PRIx64 " leads 0x%" PRIx64
				 " out of the guest's memory (no vhost-mem line of its fdinfo has "
				 "guest address 0x%" PRIx64 "); queue %u waits",
				 DEVICE_ARGS(device), mapping->iova, mapping->last,
				 (uint64_t)miss->iova,
				 (uint64_t)(mapping->gpa + (miss->iova - mapping->iova)), miss->vq);
		break;
	default:
		if (may_say(server, miss->dev, err, MATTER_STRANGE))
			log_warn(DEVICE_FORMAT ": cannot translate 0x%" PRIx64
					       ": %s; queue %u waits",
				 DEVICE_ARGS(device), (uint64_t)miss->iova, strerror(-err),
				 miss->vq);
		break;
	}
}

/* A mapping of the whole address space is cut down in any case. */
static bool is_clipped(const struct mapping *mapping, const struct answer *answer)
{
	if (mapping->iova == 0 && mapping->last == UINT64_MAX)
		return false;
	return mapping->iova != answer->iova || mapping->last != answer->last;
}

/* 0 answered, -EIO vhost did not take the answer, else as answer_find(). */
static int answer_miss(struct server *server, struct served_device *device,
		       const struct iotlb_record *miss)
{
	struct mapping mapping;
	struct answer answer;
	int err;

	err = answer_find(server->translator, &device->mem, miss->dev, miss->iova, miss->access,
			  &answer, &mapping);
	if (err) {
		say_unanswered(server, device, miss, err, &mapping);
		return err;
	}
	if (is_clipped(&mapping, &answer) &&
	    may_say(server, miss->dev, mapping.iova, MATTER_CLIPPED))
		log_warn(DEVICE_FORMAT ": of the mapping 0x%" PRIx64 "-0x%" PRIx64
				       ", only 0x%" PRIx64 "-0x%" PRIx64
				       " lies within one region of the guest's memory",
			 DEVICE_ARGS(device), mapping.iova, mapping.last, answer.iova, answer.last);

	err = vhost_msg_update(device->fd, answer.iova, answer.last - answer.iova + 1, answer.hva,
			       answer.perm);
	if (err) {
		/* The owner may reset the device at any time. */
		if (may_say(server, miss->dev, err, MATTER_FAILED))
			log_warn(DEVICE_FORMAT ": vhost does not take the translation of 0x%" PRIx64
					       ": %s; the device was reset, or has no IOTLB",
				 DEVICE_ARGS(device), (uint64_t)miss->iova, strerror(-err));
		return -EIO;
	}
	recent_add(server, miss->dev, &answer);
	return 0;
}

static void count_result(struct miss_stats *stats, int result)
{
	stats->misses++;
	if (!result)
		stats->answered++;
	else if (result == -EIO)
		stats->failed++;
	else
		stats->unanswered++;
}

static void serve_miss(struct server *server, struct served_device *device,
		       const struct iotlb_record *miss)
{
	int result;

	if (recent_covers(server, miss)) {
		server->total.misses++;
		server->total.duplicates++;
		device->info.stats.misses++;
		device->info.stats.duplicates++;
		return;
	}

	result = answer_miss(server, device, miss);
	count_result(&server->total, result);
	count_result(&device->info.stats, result);
	if (result)
		served_wait(device, miss);
}

/* The program is asked again only when the virtqueue tries again, and nothing
 * makes it try. So whatever may change the answer has to lead here.
 */
static void retry_waiting(struct server *server, struct served_device *device)
{
	size_t i, kept = 0;

	for (i = 0; i < device->waiting_count; i++) {
		if (answer_miss(server, device, &device->waiting[i])) {
			device->waiting[kept++] = device->waiting[i];
			continue;
		}
		server->total.late++;
		device->info.stats.late++;
	}
	device->waiting_count = kept;
}

/* Memory tables */

static int read_memory(struct served_device *device, struct memory_table *mem)
{
	struct vhost_device now;

	/* Our duplicate is the same file, so its fdinfo is the same too. */
	return vhost_device_read(getpid(), device->fd, &now, mem);
}

static void refresh_memory(struct server *server, struct served_device *device)
{
	struct memory_table fresh = {};
	int err;

	miss_hook_memory_seen(server->hook, device->info.dev);
	err = read_memory(device, &fresh);
	if (err) {
		/* What we know may be wrong by now, so it must not be used. */
		memory_table_clear(&fresh);
		if (may_say(server, device->info.dev, err, MATTER_MEMORY))
			log_warn(DEVICE_FORMAT
				 ": cannot read its memory table: %s; its misses wait",
				 DEVICE_ARGS(device), strerror(-err));
	}

	if (!memory_table_keeps(&fresh, &device->mem)) {
		/* Answers by the old table may still be in the IOTLB. Without
		 * an IOTLB this fails, and is not needed.
		 */
		vhost_msg_invalidate_all(device->fd);
		recent_forget(server, device->info.dev);
	}
	memory_table_move(&device->mem, &fresh);
	retry_waiting(server, device);
}

static void refresh_all_memory(struct server *server)
{
	struct served_device *device = NULL;

	while ((device = served_next(&server->devices, device)))
		refresh_memory(server, device);
}

/* Devices that come and go */

static struct ignored *ignored_slot(struct server *server, uint64_t dev)
{
	return &server->ignored[dev % IGNORED_SLOTS];
}

static bool is_ignored(struct server *server, uint64_t dev)
{
	const struct ignored *slot = ignored_slot(server, dev);

	return slot->dev == dev && now_ns() < slot->until_ns;
}

/* Both sides keep it in mind: the hook, so that it tells no more of the device;
 * and we, for what it has told already.
 */
static void ignore(struct server *server, uint64_t dev, unsigned int seconds)
{
	*ignored_slot(server, dev) = (struct ignored){
		.dev = dev,
		.until_ns = now_ns() + seconds * 1000000000ULL,
	};
	miss_hook_ignore(server->hook, dev, seconds);
}

static int watch(struct server *server, int pidfd, uint64_t event)
{
	struct epoll_event wanted = {
		.events = EPOLLIN,
		.data.u64 = event | SERVER_EVENT,
	};

	return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, pidfd, &wanted) ? -errno : 0;
}

static void give_back(struct server *server, struct served_device *device, const char *why)
{
	struct device_stats *gone;

	if (may_say(server, device->info.dev, 0, MATTER_GOES))
		log_info("no longer serving " DEVICE_FORMAT ": %s", DEVICE_ARGS(device), why);

	gone = &server->gone[server->gone_count++ % GONE_MAX];
	served_remove(&server->devices, device);
	recent_forget(server, device->info.dev);
	*gone = device->info;
	gone->gone = true;
	gone->stats.drops = miss_hook_unserve(server->hook, device->info.dev);
	served_release(device);
}

static int take(struct server *server, const struct vhost_device *found,
		struct served_device **taken)
{
	struct served_device *device;
	int err;

	err = served_take(found, &device);
	if (err)
		return err;
	err = watch(server, device->pidfd, found->id);
	/* First the hook must tell of changes, then the table may be read. */
	if (!err)
		err = miss_hook_serve(server->hook, found->id);
	if (err) {
		served_release(device);
		return err;
	}
	served_add(&server->devices, device);
	refresh_memory(server, device);
	*taken = device;
	return 0;
}

static int try_take(struct server *server, const struct vhost_device *found,
		    struct served_device **taken)
{
	int err = take(server, found, taken);

	if (!err || err == -ESRCH || err == -EBADF || err == -ESTALE)
		return err;
	if (may_say(server, found->id, err, MATTER_TAKE))
		log_warn("cannot take device %" PRIu64
			 " from pid %d (%s), fd %d: %s; its owner serves it",
			 found->id, found->pid, found->comm, found->fd, strerror(-err));
	return err;
}

/**
 * struct search - for vhost_device_for_each()
 * @server:	the server
 * @dev:	the device that is wanted
 * @taken:	set when it could be taken
 */
struct search {
	struct server *server;
	uint64_t dev;
	struct served_device *taken;
};

static int take_wanted(const struct vhost_device *found, void *arg)
{
	struct search *search = arg;

	if (!found->has_id || found->id != search->dev || found->pid == getpid())
		return 0;
	return !try_take(search->server, found, &search->taken);
}

static bool is_watched(const struct server *server, pid_t pid)
{
	size_t i;

	for (i = 0; i < server->pid_count; i++)
		if (server->pids[i].pid == pid && server->pids[i].pidfd >= 0)
			return true;
	return false;
}

static struct served_device *find_and_take(struct server *server, uint64_t dev, pid_t hint)
{
	struct search search = {.server = server, .dev = dev};
	size_t i;

	/* Most often it is the process in which the miss has happened. */
	if (hint && (!server->pid_count || is_watched(server, hint)))
		vhost_device_for_each(hint, take_wanted, &search);
	if (!server->pid_count && !search.taken)
		vhost_device_for_each(0, take_wanted, &search);
	for (i = 0; i < server->pid_count && !search.taken; i++)
		if (server->pids[i].pidfd >= 0)
			vhost_device_for_each(server->pids[i].pid, take_wanted, &search);
	return search.taken;
}

static struct served_device *meet(struct server *server, const struct iotlb_record *miss)
{
	struct served_device *device;

	if (!miss->dev || is_ignored(server, miss->dev))
		return NULL;

	device = find_and_take(server, miss->dev, miss->tgid);
	if (!device) {
		/* It may be on its way from one process to another. */
		ignore(server, miss->dev, IGNORE_SECONDS);
		return NULL;
	}
	if (may_say(server, miss->dev, 0, MATTER_COMES))
		log_info("serving " DEVICE_FORMAT, DEVICE_ARGS(device));
	return device;
}

/* Records */

static void handle_record(struct server *server, const struct iotlb_record *record)
{
	struct served_device *device;

	device = served_find(&server->devices, record->dev);

	switch (record->kind) {
	case IOTLB_RECORD_MISS:
		if (!device)
			device = meet(server, record);
		if (device)
			serve_miss(server, device, record);
		break;
	case IOTLB_RECORD_MEMORY:
		if (device)
			refresh_memory(server, device);
		break;
	}
}

static void handle_batch(struct server *server, size_t count)
{
	size_t i;

	server->recent_count = 0;
	for (i = 0; i < count; i++)
		handle_record(server, &server->batch[i]);
}

/* The ring buffer was full: its records are elsewhere, and memory tables may
 * have changed without a word. Drops are looked for after records: when one is
 * dropped, there are records on the ring buffer, or else the next second comes.
 */
static size_t handle_drops(struct server *server)
{
	uint64_t memory_drops = miss_hook_memory_drops(server->hook);
	uint64_t drops = miss_hook_drops(server->hook);
	size_t count, sum = 0;

	if (memory_drops != server->memory_drops_seen) {
		server->memory_drops_seen = memory_drops;
		refresh_all_memory(server);
	}
	if (drops == server->drops_seen)
		return 0;

	while (sum < PUMP_BATCHES * BATCH) {
		count = miss_hook_take_overflow(server->hook, server->batch, BATCH);
		if (!count) {
			server->drops_seen = drops;
			break;
		}
		handle_batch(server, count);
		sum += count;
	}
	return sum;
}

size_t server_pump(struct server *server)
{
	size_t count, round, sum = 0;

	for (round = 0; round < PUMP_BATCHES; round++) {
		count = miss_hook_take(server->hook, server->batch, BATCH);
		if (!count)
			break;
		handle_batch(server, count);
		sum += count;
	}
	return sum + handle_drops(server);
}

void server_check(struct server *server)
{
	struct served_device *device, *next;

	for (device = served_next(&server->devices, NULL); device; device = next) {
		next = served_next(&server->devices, device);
		if (served_has_owner(device))
			refresh_memory(server, device);
		else
			give_back(server, device, "its owner has closed it");
	}
}

static void pid_gone(struct server *server, pid_t pid)
{
	size_t i;

	for (i = 0; i < server->pid_count; i++) {
		if (server->pids[i].pid != pid || server->pids[i].pidfd < 0)
			continue;
		/* Closing it takes it out of the epoll too. */
		close(server->pids[i].pidfd);
		server->pids[i].pidfd = -1;
	}
}

void server_process_gone(struct server *server, uint64_t event)
{
	struct served_device *device;

	event &= ~SERVER_EVENT;
	if (event & EVENT_PID) {
		pid_gone(server, event & ~EVENT_PID);
		return;
	}
	device = served_find(&server->devices, event);
	if (device)
		give_back(server, device, "its owner has ended");
}

/* The start */

static int take_found(const struct vhost_device *found, void *arg)
{
	struct server *server = arg;
	struct served_device *device;

	/* One without an IOTLB may get one; then its first miss tells. */
	if (!found->has_id || !found->has_iotlb || found->pid == getpid() ||
	    served_find(&server->devices, found->id))
		return 0;
	if (!try_take(server, found, &device))
		log_debug("serving " DEVICE_FORMAT, DEVICE_ARGS(device));
	return 0;
}

static int count_found(const struct vhost_device *found, void *arg)
{
	size_t *count = arg;

	(void)found;
	++*count;
	return 0;
}

static int watch_pid(struct server *server, struct watched_pid *watched)
{
	size_t count = 0;
	int err;

	watched->pidfd = syscall(SYS_pidfd_open, watched->pid, 0);
	if (watched->pidfd < 0) {
		err = -errno;
		if (err == -ESRCH)
			log_error("there is no process %d to serve; pgrep -a qemu lists those of "
				  "guests",
				  watched->pid);
		else
			log_error("cannot watch pid %d: %s", watched->pid, strerror(-err));
		return err;
	}
	err = watch(server, watched->pidfd, EVENT_PID | watched->pid);
	if (!err)
		err = vhost_device_for_each(watched->pid, count_found, &count);
	if (err) {
		log_error("pid %d: cannot look at its fds: %s", watched->pid, strerror(-err));
		return err;
	}
	if (!count) {
		log_error("pid %d holds no vhost fd (such as /dev/vhost-net); is it QEMU with "
			  "vhost=on?",
			  watched->pid);
		return -ENODEV;
	}
	return 0;
}

static int watch_pids(struct server *server, const struct server_options *options)
{
	size_t i;
	int err;

	server->pids = calloc(options->pid_count, sizeof(*server->pids));
	if (!server->pids) {
		log_error("no memory to start");
		return -ENOMEM;
	}
	server->pid_count = options->pid_count;
	for (i = 0; i < server->pid_count; i++) {
		server->pids[i].pid = options->pids[i];
		server->pids[i].pidfd = -1;
	}
	for (i = 0; i < server->pid_count; i++) {
		err = watch_pid(server, &server->pids[i]);
		if (err)
			return err;
	}
	for (i = 0; i < server->pid_count; i++)
		vhost_device_for_each(server->pids[i].pid, take_found, server);
	return 0;
}

int server_open(struct server **server, const struct server_options *options)
{
	struct server *fresh = calloc(1, sizeof(*fresh));
	int err = 0;

	if (!fresh) {
		log_error("no memory to start");
		return -ENOMEM;
	}
	fresh->hook = options->hook;
	fresh->translator = options->translator;
	fresh->epoll_fd = options->epoll_fd;
	fresh->limit.burst = 20;
	fresh->limit.per_second = 5;

	if (options->pid_count)
		err = watch_pids(fresh, options);
	else
		vhost_device_for_each(0, take_found, fresh);
	if (err) {
		server_close(fresh);
		return err;
	}
	*server = fresh;
	return 0;
}

void server_close(struct server *server)
{
	struct served_device *device;
	size_t i;

	if (!server)
		return;
	while ((device = served_next(&server->devices, NULL))) {
		served_remove(&server->devices, device);
		served_release(device);
	}
	for (i = 0; i < server->pid_count; i++)
		if (server->pids[i].pidfd >= 0)
			close(server->pids[i].pidfd);
	free(server->pids);
	free(server);
}

size_t server_devices(const struct server *server)
{
	return server->devices.count;
}

bool server_has_future(const struct server *server)
{
	size_t i;

	for (i = 0; i < server->pid_count; i++)
		if (server->pids[i].pidfd >= 0)
			return true;
	return !server->pid_count;
}

struct miss_stats server_stats(const struct server *server)
{
	struct miss_stats stats = server->total;

	stats.drops = miss_hook_drops(server->hook);
	return stats;
}

void server_for_each(const struct server *server,
		     void (*fn)(const struct device_stats *device, void *arg), void *arg)
{
	const struct served_device *device = NULL;
	size_t i = 0;

	if (server->gone_count > GONE_MAX)
		i = server->gone_count - GONE_MAX;
	for (; i < server->gone_count; i++)
		fn(&server->gone[i % GONE_MAX], arg);

	while ((device = served_next(&server->devices, device))) {
		struct device_stats info = device->info;

		info.stats.drops = miss_hook_device_drops(server->hook, info.dev);
		fn(&info, arg);
	}
}
