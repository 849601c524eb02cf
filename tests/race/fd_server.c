// SPDX-License-Identifier: GPL-2.0
/*
 * A server that reads misses from the vhost fd. Between its look at the tables
 * and its answer it often takes its time, in which the tables change.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>

#include "dawdle.h"
#include "race.h"
#include "report.h"

/* Waits end with an event; this is for the end of the run. */
#define LOOK_MS 100

/* There are not more virtqueues that could wait. */
#define BATCH 4

/* One in so many answers comes very late. */
#define NAPS 32

struct answer {
	unsigned int first, number; /* pages */
	uint64_t epochs[NR_PAGES];  /* of these */
	bool must_fail;
};

struct fd_server {
	struct race *race;
	uint64_t random;
	struct vhost_iotlb_op ops[BATCH];
	struct answer answers[BATCH];
	unsigned int count;
};

/* May the page be part of the same answer? */
static bool extends(struct fd_server *f, const struct vhost_iotlb_op *op, unsigned int page,
		    uint64_t *epoch)
{
	return page < NR_PAGES && space_permission(page) == op->perm &&
	       (uintptr_t)space_walk(f->race->space, page, epoch) == op->uaddr + op->size;
}

static void translate(struct fd_server *f, const struct vhost_iotlb_op *miss)
{
	struct vhost_iotlb_op *op = &f->ops[f->count];
	struct answer *a = &f->answers[f->count];
	int page = space_page_of(miss->iova);

	if (page < 0)
		bail_out("a miss of 0x%" PRIx64, (uint64_t)miss->iova);
	if (miss->perm & ~space_permission(page))
		bail_out("a miss of page %d with permission %u", page, miss->perm);
	*a = (struct answer){.first = page, .number = 1};
	*op = (struct vhost_iotlb_op){
		.iova = space_iova(page),
		.size = PAGE,
		.uaddr = (uintptr_t)space_walk(f->race->space, page, &a->epochs[0]),
		.token = miss->token,
		.type = VHOST_IOTLB_UPDATE,
		.perm = space_permission(page),
		.flags = miss->flags,
	};
	if (random_below(&f->random, 4) == 0)
		while (extends(f, op, page + a->number, &a->epochs[a->number])) {
			op->size += PAGE;
			a->number++;
		}
	f->count++;
}

static bool must_fail(const struct fd_server *f, const struct answer *a)
{
	for (unsigned int i = 0; i < a->number; i++)
		if (space_must_refuse(f->race->space, a->first + i, a->epochs[i]))
			return true;
	return false;
}

static void on_taken(struct fd_server *f, const struct answer *a)
{
	count(&f->race->counts.answers);
	if (a->must_fail)
		race_complain(
			f->race, &f->race->counts.stale_answers,
			"an answer for page %u and %u more was taken, computed in epoch %" PRIu64,
			a->first, a->number - 1, a->epochs[0]);
}

static void on_refused(struct fd_server *f, int error)
{
	switch (error) {
	case -ESTALE:
		count(&f->race->counts.refused);
		break;
	case -ENODEV:
		count(&f->race->counts.gone);
		break;
	default:
		bail_out("an answer was refused: %s", strerror(-error));
	}
}

static void write_with_tokens(struct fd_server *f)
{
	unsigned int done = 0;

	while (done < f->count) {
		int result = nic_write_ops(&f->race->nic, f->ops + done, f->count - done);

		if (result < 0) {
			on_refused(f, result);
			done++;
			continue;
		}
		for (int i = 0; i < result; i++)
			on_taken(f, &f->answers[done + i]);
		done += result;
	}
}

static void write_without_tokens(struct fd_server *f)
{
	for (unsigned int i = 0; i < f->count; i++) {
		int result = nic_update(&f->race->nic, &f->ops[i]);

		/* Most errors look the same to messages of version 2. */
		if (result)
			on_refused(f, result == -EFAULT ? -ENODEV : result);
		else
			on_taken(f, &f->answers[i]);
	}
}

static void serve(struct fd_server *f)
{
	struct vhost_iotlb_op miss;

	f->count = 0;
	while (f->count < BATCH && nic_read_miss(&f->race->nic, &miss)) {
		count(&f->race->counts.misses);
		translate(f, &miss);
	}
	if (!f->count)
		return;
	if (random_below(&f->random, NAPS))
		dawdle(&f->random);
	else
		nap(&f->random);
	for (unsigned int i = 0; i < f->count; i++)
		f->answers[i].must_fail = must_fail(f, &f->answers[i]);
	if (f->race->nic.has_tokens)
		write_with_tokens(f);
	else
		write_without_tokens(f);
}

void *fd_server_run(void *arg)
{
	static uint64_t threads;
	struct race *r = arg;
	struct fd_server f = {
		.race = r,
		.random = random_start(r, 2 + __atomic_fetch_add(&threads, 1, __ATOMIC_RELAXED)),
	};
	struct pollfd p = {.fd = r->nic.fd, .events = POLLIN};

	prctl(PR_SET_TIMERSLACK, 1);
	while (!is_set(&r->servers_done))
		if (poll(&p, 1, LOOK_MS) > 0)
			serve(&f);
	return NULL;
}
