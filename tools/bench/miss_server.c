// SPDX-License-Identifier: GPL-2.0
#include "miss_server.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <linux/vhost.h>

#define STOP UINT32_MAX
#define MOST_EVENTS 64

/* Readers count side by side, and the main thread shows the progress. */
static void count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void tell_answered(struct miss_server *s)
{
	uint64_t one = 1;

	if (__atomic_load_n(&s->is_starting, __ATOMIC_RELAXED) &&
	    write(s->answered, &one, sizeof(one)) != sizeof(one))
		warn("cannot write an eventfd");
}

/*
 * Things that must never happen are counted each time and told once: a miss
 * that is not answered comes again and again.
 */
static void complain_unmapped(struct miss_server *s, unsigned int device, uint64_t iova)
{
	if (!s->unknown)
		warnx("device %u: vhost wants IOVA 0x%llx, which is not mapped; not answered",
		      device, (unsigned long long)iova);
	count(&s->unknown);
}

static void complain_denied(struct miss_server *s, unsigned int device,
			    const struct vhost_iotlb_msg *miss, const struct mapping *mapping)
{
	if (!s->denied)
		warnx("device %u: vhost wants access %u to IOVA 0x%llx, which is mapped with %u "
		      "only; not answered",
		      device, miss->perm, (unsigned long long)miss->iova, mapping->perm);
	count(&s->denied);
}

static bool process_owner(const struct dma *dma, uint64_t iova, struct iova_owner *owner)
{
	const struct process *p = dma->process;
	struct mapping unused;

	return layout_process_owner(p->layout, p->number, iova, owner) ||
	       (dma_is_dynamic(dma, iova) && dma_translate(dma, iova, &unused, owner));
}

enum outcome {
	OUTCOME_MAPPED,
	OUTCOME_NOTHING, /* there */
	OUTCOME_REFUSED, /* by the guest, which was asked for the page */
};

/* A page that comes when it is asked for would mend this. */
static bool is_page_fault(const struct dma *dma, enum vtd_fault fault)
{
	return dma->layout->o.paged &&
	       (fault == VTD_FAULT_PRESENT || fault == VTD_FAULT_PERMISSION);
}

/* By the page walk: tables that are wrong are to be found out. */
static enum outcome translate_process(struct dma *dma, const struct vhost_iotlb_msg *miss,
				      struct mapping *mapping, struct iova_owner *owner)
{
	enum vtd_fault fault;

	if (!process_owner(dma, miss->iova, owner))
		return OUTCOME_NOTHING;
	fault = process_translate(dma->process, miss->iova, miss->perm, mapping);
	if (is_page_fault(dma, fault)) {
		if (dma_request_page(dma, miss->iova, miss->perm) == PAGE_INVALID)
			return OUTCOME_REFUSED;
		fault = process_translate(dma->process, miss->iova, miss->perm, mapping);
	}
	return fault ? OUTCOME_NOTHING : OUTCOME_MAPPED;
}

static enum outcome translate(struct dma *dma, const struct vhost_iotlb_msg *miss,
			      struct mapping *mapping, struct iova_owner *owner)
{
	if (dma->process)
		return translate_process(dma, miss, mapping, owner);
	return dma_translate(dma, miss->iova, mapping, owner) ? OUTCOME_MAPPED : OUTCOME_NOTHING;
}

static void complain_nothing(struct miss_server *s, unsigned int device, const struct dma *dma,
			     uint64_t iova)
{
	/* An unpatched vhost reports a miss again at each kick. */
	if (dma_is_dynamic(dma, iova) || (dma->process && !dma->process->is_bound))
		count(&s->late);
	else
		complain_unmapped(s, device, iova);
}

/* What vhost was told in return. */
static void check_reply(struct miss_server *s, unsigned int device, uint64_t iova, int result)
{
	if (!result) {
		tell_answered(s);
		return;
	}
	if (!s->failed)
		warnx("device %u: vhost refuses the answer for IOVA 0x%llx: %s", device,
		      (unsigned long long)iova, strerror(-result));
	count(&s->failed);
}

static void answer(struct miss_server *s, unsigned int device, struct dma *dma,
		   const struct vhost_iotlb_msg *miss)
{
	const struct vnet *v = &s->devices[device];
	struct miss_count *counter;
	struct iova_owner owner;
	struct mapping mapping;
	enum outcome outcome = translate(dma, miss, &mapping, &owner);

	if (outcome == OUTCOME_NOTHING) {
		complain_nothing(s, device, dma, miss->iova);
		return;
	}
	counter = &s->counts[device][owner.direction];
	count(owner.is_ring ? &counter->ring : &counter->buffer);
	if (outcome == OUTCOME_REFUSED)
		check_reply(s, device, miss->iova, vnet_fail(v, dma_asid(dma), miss));
	else if (miss->perm & ~mapping.perm)
		complain_denied(s, device, miss, &mapping);
	else
		check_reply(s, device, miss->iova, vnet_map(v, s->guest, dma_asid(dma), &mapping));
}

static void serve_device(struct miss_server *s, unsigned int device,
			 const struct vhost_iotlb_msg *miss)
{
	struct dma *dma = &s->dmas[device];
	bool is_dynamic = s->layout->o.map->is_dynamic;

	if (is_dynamic)
		dma_lock(dma);
	answer(s, device, dma, miss);
	if (is_dynamic)
		dma_unlock(dma);
}

/* What the device asks for in a process's name. */
static void serve_process(struct miss_server *s, unsigned int device, uint32_t pasid,
			  const struct vhost_iotlb_msg *miss)
{
	bool is_served = false;

	for (int d = 0; d < NR_DIRECTIONS && !is_served; d++) {
		struct dma *dma = &s->dmas[layout_process(s->layout, device, d)];

		if (!s->layout->o.has[d])
			continue;
		dma_lock(dma);
		is_served = dma->process->pasid == pasid;
		if (is_served)
			answer(s, device, dma, miss);
		dma_unlock(dma);
	}
	if (!is_served)
		count(&s->late);
}

static void serve(struct miss_server *s, unsigned int device)
{
	struct vhost_msg_v2 message;

	while (read(s->devices[device].fd, &message, sizeof(message)) == sizeof(message)) {
		if (message.type != VHOST_IOTLB_MSG_V2 || message.iotlb.type != VHOST_IOTLB_MISS)
			continue;
		if (s->layout->o.processes)
			serve_process(s, device, message.asid, &message.iotlb);
		else
			serve_device(s, device, &message.iotlb);
	}
}

static void *run(void *arg)
{
	struct epoll_event events[MOST_EVENTS];
	struct miss_reader *reader = arg;
	struct miss_server *s = reader->server;

	for (;;) {
		int n = epoll_wait(reader->epoll, events, MOST_EVENTS, -1);

		if (n < 0 && errno != EINTR) {
			warn("epoll_wait failed in the miss server");
			return NULL;
		}
		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 == STOP)
				return NULL;
			serve(s, events[i].data.u32);
		}
	}
}

static int watch(struct miss_reader *reader, int fd, uint32_t tag)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = tag};

	return epoll_ctl(reader->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int open_reader(struct miss_server *s, struct miss_reader *reader)
{
	reader->server = s;
	reader->epoll = epoll_create1(EPOLL_CLOEXEC);
	return reader->epoll < 0 || watch(reader, s->stop, STOP);
}

static int open_fds(struct miss_server *s)
{
	s->stop = eventfd(0, EFD_CLOEXEC);
	s->answered = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->stop < 0 || s->answered < 0)
		return -1;
	for (unsigned int i = 0; i < s->nr_readers; i++)
		if (open_reader(s, &s->readers[i]))
			return -1;
	for (unsigned int i = 0; i < s->layout->o.devices; i++)
		if (watch(&s->readers[i % s->nr_readers], s->devices[i].fd, i))
			return -1;
	return 0;
}

static int start_readers(struct miss_server *s)
{
	for (unsigned int i = 0; i < s->nr_readers; i++) {
		int result = pthread_create(&s->readers[i].thread, NULL, run, &s->readers[i]);

		if (result) {
			warnx("cannot start the miss server: %s", strerror(result));
			return -1;
		}
		s->nr_running++;
	}
	return 0;
}

int miss_server_start(struct miss_server *s, const struct layout *l, const struct guest *g,
		      struct vnet *devices, struct dma *dmas, unsigned int nr_readers)
{
	*s = (struct miss_server){
		.layout = l,
		.guest = g,
		.devices = devices,
		.dmas = dmas,
		.nr_readers = nr_readers,
		.readers = calloc(nr_readers, sizeof(*s->readers)),
		.stop = -1,
		.answered = -1,
		.is_starting = true,
		.counts = calloc(l->o.devices, sizeof(*s->counts)),
	};
	for (unsigned int i = 0; s->readers && i < nr_readers; i++)
		s->readers[i].epoll = -1;
	if (!s->counts || !s->readers || open_fds(s)) {
		warn("cannot set up the miss server");
		miss_server_free(s);
		return -1;
	}
	if (start_readers(s)) {
		miss_server_free(s);
		return -1;
	}
	return 0;
}

uint64_t miss_server_total(const struct miss_server *s)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < s->layout->o.devices; i++)
		for (int d = 0; d < NR_DIRECTIONS; d++) {
			const struct miss_count *c = &s->counts[i][d];

			total += __atomic_load_n(&c->ring, __ATOMIC_RELAXED) +
				 __atomic_load_n(&c->buffer, __ATOMIC_RELAXED);
		}
	return total;
}

void miss_server_started(struct miss_server *s)
{
	__atomic_store_n(&s->is_starting, false, __ATOMIC_RELAXED);
}

void miss_server_stop(struct miss_server *s)
{
	uint64_t one = 1;

	if (!s->nr_running)
		return;
	/* Nobody reads it, so that every reader finds it readable. */
	if (write(s->stop, &one, sizeof(one)) != sizeof(one))
		err(1, "cannot stop the miss server");
	while (s->nr_running)
		pthread_join(s->readers[--s->nr_running].thread, NULL);
}

void miss_server_free(struct miss_server *s)
{
	miss_server_stop(s);
	for (unsigned int i = 0; s->readers && i < s->nr_readers; i++)
		if (s->readers[i].epoll >= 0)
			close(s->readers[i].epoll);
	if (s->stop >= 0)
		close(s->stop);
	if (s->answered >= 0)
		close(s->answered);
	free(s->counts);
	free(s->readers);
	s->counts = NULL;
	s->readers = NULL;
	s->stop = -1;
	s->answered = -1;
}
