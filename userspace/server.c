// SPDX-License-Identifier: GPL-2.0
/*
 * Records are taken in batches, and all of a batch are taken before the first
 * answer is written. So each of them is older than each answer, and a miss that
 * another answer of the same batch covers can be dropped: that answer wakes its
 * virtqueue too. Across batches this would be wrong: the translation may have
 * been invalidated or evicted meanwhile.
 *
 * A virtqueue has one outstanding miss, and misses again only when it has been
 * answered. So a guest has no more records on the ring buffer than virtqueues,
 * each behind those of all others, and serving them in order is fair. What can
 * take long, finding devices that are new, is done when the rest of the batch
 * has been answered.
 */
#include <errno.h>
#include <stdlib.h>

#include "answer.h"
#include "answer_batch.h"
#include "clock.h"
#include "complaint.h"
#include "guest.h"
#include "iotlb_record.h"
#include "log.h"
#include "miss_hook.h"
#include "roster.h"
#include "served.h"
#include "server.h"
#include "sva_roster.h"
#include "translator.h"

#define BATCH 256
#define PUMP_BATCHES 16

/* Answers of this batch that are searched for one that serves again. */
#define RECENT 32

/* How long a device is left alone that has had too many misses without answer */
#define THROTTLE_NS NS_PER_SECOND

/**
 * struct recent - an answer of this batch
 * @device:	for which device
 * @asid:	in which of its address spaces
 * @mem_changes: of the device, at that time
 * @answer:	the answer
 */
struct recent {
	const struct served_device *device;
	uint32_t asid;
	unsigned int mem_changes;
	struct answer answer;
};

/**
 * struct server - all there is
 * @hook:	where misses come from
 * @translator:	who knows the answers
 * @pasids:	who knows what is bound to those, or NULL
 * @roster:	devices
 * @guest:	that is followed, or NULL
 * @total:	all misses
 * @answered_before: @total.answered at the last server_check()
 * @drops_seen:	dropped misses that have been dealt with
 * @news_drops_seen: the same for changes of memory tables
 * @recent:	answers of this batch, the next one at @recent_count % RECENT
 * @recent_count: how many there were in this batch
 * @limit:	keeps the log short
 * @records:	the batch at hand
 * @answers:	what is to be written
 */
struct server {
	struct miss_hook *hook;
	struct translator *translator;
	struct sva_service *pasids;
	struct roster roster;
	struct guest *guest;
	struct miss_stats total;
	uint64_t answered_before;
	uint64_t drops_seen;
	uint64_t news_drops_seen;
	struct recent recent[RECENT];
	size_t recent_count;
	struct log_limit limit;
	struct iotlb_record records[BATCH];
	struct answer_batch answers;
};

/* Counts */

static struct served_device *device_of(struct answer_target *target)
{
	return (struct served_device *)((char *)target - offsetof(struct served_device, target));
}

#define COUNT(server, device, what)                                                                \
	do {                                                                                       \
		(server)->total.what++;                                                            \
		(device)->info.stats.what++;                                                       \
	} while (0)

/* For struct answer_batch */
static void answered(void *arg, struct answer_target *target, const struct vhost_iotlb_op *op,
		     int err)
{
	struct served_device *device = device_of(target);
	struct server *server = arg;

	if (!err) {
		COUNT(server, device, answered);
	} else if (err == -ESTALE || err == -ENXIO) {
		COUNT(server, device, stale);
	} else {
		COUNT(server, device, failed);
		complain_failed(&server->limit, device, op, err);
	}
}

/* Answers */

static bool recent_covers(const struct server *server, const struct served_device *device,
			  const struct iotlb_record *miss)
{
	size_t i, count = server->recent_count;

	if (count > RECENT)
		count = RECENT;
	for (i = 0; i < count; i++)
		if (server->recent[i].device == device && server->recent[i].asid == miss->asid &&
		    server->recent[i].mem_changes == device->mem_changes &&
		    answer_covers(&server->recent[i].answer, miss->iova, miss->access))
			return true;
	return false;
}

static void recent_add(struct server *server, const struct served_device *device,
		       const struct iotlb_record *miss, const struct answer *answer)
{
	server->recent[server->recent_count++ % RECENT] = (struct recent){
		.device = device,
		.asid = miss->asid,
		.mem_changes = device->mem_changes,
		.answer = *answer,
	};
}

/* A mapping of the whole address space is cut down in any case. */
static bool is_clipped(const struct mapping *mapping, const struct answer *answer)
{
	if (mapping->iova == 0 && mapping->last == UINT64_MAX)
		return false;
	return mapping->iova != answer->iova || mapping->last != answer->last;
}

/* Guests choose what they miss, and what has no answer costs us time. */
static void throttle(struct server *server, struct served_device *device)
{
	uint64_t now = clock_now_ns();

	if (device->throttled_ns || rate_take(&device->unanswered, now))
		return;
	device->throttled_ns = now;
	miss_hook_throttle(server->hook, device->info.dev, true);
	complain_throttled(&server->limit, device);
}

static void unthrottle(struct server *server)
{
	struct served_device *device = NULL;
	uint64_t now = clock_now_ns();

	while ((device = served_next(&server->roster.devices, device))) {
		if (!device->throttled_ns || now - device->throttled_ns < THROTTLE_NS)
			continue;
		device->throttled_ns = 0;
		miss_hook_throttle(server->hook, device->info.dev, false);
		/* What came meanwhile may be ours, and its owner may not read it. */
		answer_batch_retry_all(&server->answers, &device->target);
	}
}

/* The record that tells of a new memory table comes after the first misses with
 * it. An answer by the old one would be taken, as it names the state of the miss.
 */
static bool has_newer_memory(const struct served_device *device, const struct iotlb_record *miss)
{
	return miss->flags & IOTLB_RECORD_F_MEM_SEQ &&
	       (int32_t)(miss->mem_seq - (uint32_t)device->mem_seq) > 0;
}

/* It has come before it was known that the device has another IOTLB by now. */
static bool is_outdated(const struct server *server, const struct served_device *device)
{
	return server->guest && !guest_knows(device);
}

static int find_answer(struct server *server, struct served_device *device,
		       const struct iotlb_record *miss, struct answer *answer,
		       struct finding *finding)
{
	struct lookup lookup = {
		.dev = miss->dev,
		.index = device->index,
		.iova = miss->iova,
		.access = miss->access,
		.memory = served_memory(device),
		.trail = &device->trail,
		.view = server->guest ? &device->view : NULL,
	};

	if (miss->asid)
		return sva_roster_answer(&server->roster,
					 server->pasids ? sva_service_pasids(server->pasids) : NULL,
					 device, miss->asid, &lookup, answer, finding);
	return answer_find(server->translator, &lookup, answer, finding);
}

/* Has the kernel to look once more? It can set flags of entries, see once_more.h. */
static bool try_once_more(struct server *server, struct served_device *device,
			  const struct iotlb_record *miss, const struct finding *finding)
{
	if (finding->walk.fault != VTD_FAULT_ACCESSED_DIRTY || !device->target.has_v3 ||
	    !miss_hook_sets_flags(server->hook, miss->dev) ||
	    !once_more_take(&device->once_more, miss, clock_now_ns()))
		return false;
	COUNT(server, device, stale);
	answer_batch_retry(&server->answers, &device->target, miss);
	return true;
}

/* May the guest be asked for the page? The miss is the kernel's half of that. */
static enum page_fault_result ask_for_page(struct server *server,
					   const struct served_device *device,
					   const struct iotlb_record *miss,
					   const struct finding *finding)
{
	const struct page_request fault = {
		.device = device->info.dev,
		.pasid = miss->asid,
		.queue = miss->vq,
		.access = miss->access,
		.has_token = miss->flags & IOTLB_RECORD_F_TOKEN,
		.address = miss->iova,
		.length = miss->len,
		.token = miss->token,
	};

	if (!miss->asid || !server->pasids || !page_request_is_for(&finding->walk))
		return PAGE_FAULT_WAITS;
	return sva_service_fault(server->pasids, &fault);
}

/* The virtqueue does not wait any more for what it has been asked for. */
static void end_page_request(struct server *server, const struct iotlb_record *miss)
{
	if (miss->asid && server->pasids)
		sva_service_translated(server->pasids, miss->dev, miss->vq);
}

static void serve_unanswered(struct server *server, struct served_device *device,
			     const struct iotlb_record *miss, int err,
			     const struct finding *finding)
{
	enum page_fault_result asked = ask_for_page(server, device, miss, finding);

	COUNT(server, device, unanswered);
	if (asked == PAGE_FAULT_WAITS)
		complain_unanswered(&server->limit, device, miss, err, finding);
	/* Otherwise, vhost would take it for forgotten. */
	if (asked != PAGE_FAULT_FAILED)
		answer_batch_hand_back(&server->answers, &device->target, miss);
	/* How often there is a new one is for whoever answers them. */
	if (asked != PAGE_FAULT_ASKED)
		throttle(server, device);
	if (server->guest && asked == PAGE_FAULT_WAITS)
		guest_doubt(server->guest);
}

static void serve_miss(struct server *server, struct served_device *device,
		       const struct iotlb_record *miss)
{
	struct finding finding;
	struct answer answer;
	int err;

	COUNT(server, device, misses);
	if (has_newer_memory(device, miss))
		roster_refresh(&server->roster, device);
	if (is_outdated(server, device)) {
		COUNT(server, device, unanswered);
		answer_batch_hand_back(&server->answers, &device->target, miss);
		guest_ask(server->guest);
		return;
	}
	if (recent_covers(server, device, miss)) {
		COUNT(server, device, duplicates);
		end_page_request(server, miss);
		return;
	}

	err = find_answer(server, device, miss, &answer, &finding);
	if (err && try_once_more(server, device, miss, &finding))
		return;
	if (err) {
		serve_unanswered(server, device, miss, err, &finding);
		return;
	}
	end_page_request(server, miss);
	if (is_clipped(&finding.mapping, &answer))
		complain_clipped(&server->limit, device, &finding.mapping, &answer);
	answer_batch_update(&server->answers, &device->target, miss, &answer);
	recent_add(server, device, miss, &answer);
}

/* Records */

static void handle_record(struct server *server, struct served_device *device,
			  const struct iotlb_record *record)
{
	switch (record->kind) {
	case IOTLB_RECORD_MISS:
		serve_miss(server, device, record);
		break;
	case IOTLB_RECORD_MEMORY:
	case IOTLB_RECORD_REPLACED:
		roster_refresh(&server->roster, device);
		break;
	case IOTLB_RECORD_FLUSHED:
		/* That it is seen, is said when QEMU is asked. */
		if (server->guest)
			guest_doubt(server->guest);
		break;
	}
}

/* Returns how many records of strangers there are; they are moved to the front. */
static size_t handle_served(struct server *server, size_t count)
{
	struct iotlb_record *records = server->records;
	struct served_device *device;
	size_t i, left = 0;

	for (i = 0; i < count; i++) {
		device = served_find(&server->roster.devices, records[i].dev);
		if (device)
			handle_record(server, device, &records[i]);
		else if (records[i].kind == IOTLB_RECORD_MISS)
			records[left++] = records[i];
	}
	return left;
}

static void handle_strangers(struct server *server, size_t count)
{
	const struct iotlb_record *record = server->records;
	struct served_device *device;

	for (; count; count--, record++) {
		/* An earlier record may have made it known. */
		device = served_find(&server->roster.devices, record->dev);
		if (!device)
			device = roster_meet(&server->roster, record);
		if (device)
			serve_miss(server, device, record);
	}
}

/* Where there was no room to tell the news, there may be some of each device. */
static void catch_up_with_news(struct server *server)
{
	uint64_t drops = miss_hook_news_drops(server->hook);

	if (drops == server->news_drops_seen)
		return;
	server->news_drops_seen = drops;
	roster_refresh_all(&server->roster);
	if (server->guest)
		guest_ask(server->guest);
}

static void handle_batch(struct server *server, size_t count)
{
	server->recent_count = 0;
	catch_up_with_news(server);
	count = handle_served(server, count);
	answer_batch_flush(&server->answers);
	if (!count)
		return;
	handle_strangers(server, count);
	answer_batch_flush(&server->answers);
}

/* The ring buffer was full: its records are elsewhere. Drops are looked for
 * after records: when one is dropped, there are records on the ring buffer.
 */
static size_t handle_drops(struct server *server)
{
	uint64_t drops = miss_hook_drops(server->hook);
	size_t count, sum = 0;

	if (drops == server->drops_seen)
		return 0;

	while (sum < PUMP_BATCHES * BATCH) {
		count = miss_hook_take_overflow(server->hook, server->records, BATCH);
		if (!count) {
			server->drops_seen = drops;
			break;
		}
		handle_batch(server, count);
		sum += count;
	}
	return sum;
}

static void scan_if_due(struct server *server)
{
	if (!server->roster.strangers.wanted)
		return;
	roster_scan(&server->roster);
	answer_batch_flush(&server->answers);
}

size_t server_pump(struct server *server)
{
	size_t count, round, sum = 0;

	for (round = 0; round < PUMP_BATCHES; round++) {
		count = miss_hook_take(server->hook, server->records, BATCH);
		if (!count)
			break;
		handle_batch(server, count);
		sum += count;
	}
	sum += handle_drops(server);
	scan_if_due(server);
	if (server->guest)
		guest_poll(server->guest);
	return sum;
}

int server_idle_ms(const struct server *server)
{
	int64_t wait_ns = roster_scan_wait_ns(&server->roster);
	int64_t guest_ns = server->guest ? guest_wait_ns(server->guest) : -1;

	if (wait_ns < 0 || (guest_ns >= 0 && guest_ns < wait_ns))
		wait_ns = guest_ns;

	return wait_ns < 0 ? -1 : (int)(wait_ns / NS_PER_MS) + 1;
}

/* Events */

void server_check(struct server *server)
{
	/* Of what has happened since the last check, it is not known whether it
	 * was before these answers or after, so only what was known then is
	 * forgotten.
	 */
	if (server->total.answered != server->answered_before)
		roster_forget_timeouts(&server->roster);
	server->answered_before = server->total.answered;

	roster_check(&server->roster);
	unthrottle(server);
	answer_batch_flush(&server->answers);
}

bool server_was_late(struct server *server)
{
	roster_refresh_all(&server->roster);
	answer_batch_flush(&server->answers);
	return roster_has_timeouts(&server->roster);
}

void server_process_gone(struct server *server, uint64_t event)
{
	roster_process_gone(&server->roster, event);
}

/* The whole */

int server_open(struct server **server, const struct server_options *options)
{
	struct server *fresh = calloc(1, sizeof(*fresh));
	int err;

	if (!fresh) {
		log_error("no memory to start");
		return -ENOMEM;
	}
	fresh->hook = options->hook;
	fresh->translator = options->translator;
	fresh->guest = options->guest;
	fresh->limit.burst = 20;
	fresh->limit.per_second = 5;
	answer_batch_init(&fresh->answers, answered, fresh);

	err = roster_open(&fresh->roster, options, &fresh->answers);
	if (err) {
		server_close(fresh);
		return err;
	}
	answer_batch_flush(&fresh->answers);
	*server = fresh;
	return 0;
}

void server_close(struct server *server)
{
	if (!server)
		return;
	roster_close(&server->roster);
	log_limit_tell(&server->limit);
	free(server);
}

void server_set_pasids(struct server *server, struct sva_service *pasids)
{
	server->pasids = pasids;
}

struct roster *server_roster(struct server *server)
{
	return &server->roster;
}

size_t server_devices(const struct server *server)
{
	return server->roster.devices.count;
}

bool server_has_future(const struct server *server)
{
	return pid_list_has_future(&server->roster.pids);
}

struct miss_stats server_stats(const struct server *server)
{
	struct miss_stats stats = server->total;

	miss_hook_count_all(server->hook, &stats);
	return stats;
}

uint64_t server_without_tokens(const struct server *server)
{
	return server->roster.without_tokens;
}

void server_for_each(const struct server *server,
		     void (*fn)(const struct device_stats *device, void *arg), void *arg)
{
	const struct roster *roster = &server->roster;
	const struct served_device *device = NULL;
	size_t i = 0;

	if (roster->gone_count > ROSTER_GONE_MAX)
		i = roster->gone_count - ROSTER_GONE_MAX;
	for (; i < roster->gone_count; i++)
		fn(&roster->gone[i % ROSTER_GONE_MAX], arg);

	while ((device = served_next(&roster->devices, device))) {
		struct device_stats info = device->info;

		miss_hook_count_device(server->hook, info.dev, &info.stats);
		fn(&info, arg);
	}
}
