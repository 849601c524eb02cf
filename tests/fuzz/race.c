// SPDX-License-Identifier: GPL-2.0
/* Two threads write to a device, and another one disturbs them. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vhost.h>

#include "area.h"
#include "change.h"
#include "running.h"
#include "state.h"
#include "tests/kernel/check.h"
#include "tests/kernel/device.h"

#define RACERS 2

/* Each has its own way to map an address, so that all that is mapped tells who did. */
#define RACER_OFFSET (1ULL << 44)

struct racer {
	pthread_t thread;
	int fd;
	struct round round;
	uint64_t number, nr;
	uint64_t now[2];
	uint8_t *area;
	struct message message;
	struct tally tally;
	bool failed;
	ssize_t result;
};

static bool may_return(const struct message *m, ssize_t result)
{
	switch (result) {
	case -EINVAL:
	case -E2BIG:
	case -EFAULT:
	case -ENODEV:
	case -ESTALE:
	case -ENXIO:
		return true;
	default:
		return result >= 0 &&
		       (result <= (ssize_t)m->length || result == sizeof(struct vhost_msg_v2));
	}
}

static void *race(void *arg)
{
	struct racer *r = arg;

	for (uint64_t i = 0; i < r->nr && !r->failed; i++) {
		generate(&r->message, &r->round, session.seed, r->number + i, r->now);
		r->result = area_write(r->fd, &r->message, r->area);
		tally_count(&r->tally, &r->message, r->result);
		r->failed = !may_return(&r->message, r->result);
		/* Others have something to do, too. */
		if (i % 8 == 0)
			sched_yield();
	}
	return NULL;
}

/* While they race: virtqueues run, and the IOTLB may be another one. */
static void *disturb(void *arg)
{
	struct random r = {session.round.unit};
	const uint64_t with = WITH_IOTLB, without = WITHOUT_IOTLB;
	bool *const stop = arg;

	while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
		running_kick(session.device, random_next(&r) & ~2ULL);
		(void)!read(session.fd, session.area, sizeof(struct vhost_msg));
		if (session.round.v3 && !random_below(&r, 4)) {
			ioctl(session.fd, VHOST_SET_FEATURES, &without);
			ioctl(session.fd, VHOST_SET_FEATURES, &with);
		}
	}
	return NULL;
}

static void begin_race(struct racer *r, int i, uint64_t number, uint64_t nr)
{
	if (!r->area)
		r->area = area_new();
	r->fd = dup(session.fd);
	r->round = session.round;
	r->round.target = 0;
	r->round.offset = (i + 1) * RACER_OFFSET;
	r->round.perm = i + 1;
	r->number = number + i * nr;
	r->nr = nr;
	r->now[FIRST] = session.snapshots[FIRST].now;
	r->tally = (struct tally){0};
	r->failed = false;
	if (pthread_create(&r->thread, NULL, race, r))
		bail_out("cannot make a thread");
}

static bool end_race(struct racer *r)
{
	pthread_join(r->thread, NULL);
	close(r->fd);
	tally_add(&session.tally, &r->tally);
	session.message = r->message;
	return !r->failed || session_fail("write() has returned %zd", r->result);
}

static bool check_race(const struct racer *racers)
{
	const struct mapping_list *list = &session.snapshots[FIRST].list;

	if (!session_probe())
		return false;
	if (*session.snapshots[FIRST].fault)
		return session_fail("the kernel's IOTLB is broken: %s",
				    session.snapshots[FIRST].fault);
	if (list->nr > session.limit + HELD_MAX)
		return session_fail("%zu mappings, %u allowed", list->nr, session.limit);
	for (size_t i = 0; i < list->nr; i++) {
		const struct mapping *m = &list->at[i];
		bool good = false;

		for (int j = 0; j < RACERS; j++)
			good |= m->addr - m->start == racers[j].round.offset &&
				m->perm == racers[j].round.perm;
		if (!good)
			return session_fail("nobody has mapped 0x%llx to 0x%llx with permission %u",
					    (unsigned long long)m->start,
					    (unsigned long long)m->addr, m->perm);
	}
	if (session.tally.most < list->nr)
		session.tally.most = list->nr;
	session.models[FIRST].now = session.snapshots[FIRST].now;
	return session_compare_rings();
}

bool session_race(uint64_t number, uint64_t nr)
{
	static struct racer racers[RACERS];
	bool good = true, stop = false;
	pthread_t disturber;

	/* What was mapped to have the virtqueues start is of neither. */
	if (device_invalidate(session.device, 0, 0))
		return session_fail("INVALIDATE is refused");
	snapshot_enable(false);
	for (int i = 0; i < RACERS; i++)
		begin_race(&racers[i], i, number, nr);
	if (pthread_create(&disturber, NULL, disturb, &stop))
		bail_out("cannot make a thread");
	for (int i = 0; i < RACERS; i++)
		good &= end_race(&racers[i]);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(disturber, NULL);
	return good && check_race(racers);
}
