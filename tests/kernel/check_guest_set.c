// SPDX-License-Identifier: GPL-2.0
/* The BPF program sets bits in the guest's memory, as an IOMMU does. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "device.h"
#include "guest.h"
#include "hook.h"
#include "resolve.h"

/* What is there, and what is set. */
#define OLD 0x0123456789abcde0ULL
#define BITS 0x8000000000000021ULL

#define TABLE_GPA (TABLE_PAGE * PAGE)
#define TABLES_END (TABLE_GPA + NR_TABLES * PAGE)

/* More than the words that are logged at one miss. */
#define LOGGED_MAX 64
#define MANY 256

/* Does it return @error? Then, or with 0, the word at @word is @expected. */
static bool sets(struct device *d, struct hook *h, uint64_t gpa, uint64_t old, int error,
		 const uint64_t *word, uint64_t expected)
{
	struct hook_set *set = hook_set(h);

	*set = (struct hook_set){.gpa = gpa, .old = old, .bits = BITS, .returned = 1};
	__atomic_store_n(&set->rounds, 1, __ATOMIC_RELEASE);
	device_kick_and_flush(d, TX);
	__atomic_store_n(&set->rounds, 0, __ATOMIC_RELEASE);
	EXPECT(set->done + set->changed + set->failed == 1, "not once");
	EXPECT(set->returned == error, "error %d, not %d, at 0x%llx", set->returned, error,
	       (unsigned long long)gpa);
	EXPECT(!word || *word == expected, "0x%llx, not 0x%llx, at 0x%llx",
	       (unsigned long long)*word, (unsigned long long)expected, (unsigned long long)gpa);
	return true;
}

static bool sets_bits(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	uint64_t *word = device_page(d, TABLE_PAGE);
	uint64_t before = word[0], after = word[2];

	word[1] = OLD;
	PART(sets(d, h, TABLE_GPA + 8, OLD, 0, &word[1], OLD | BITS));
	/* They are set. */
	PART(sets(d, h, TABLE_GPA + 8, OLD | BITS, 0, &word[1], OLD | BITS));
	word[1] = -1ULL;
	PART(sets(d, h, TABLE_GPA + 8, -1ULL, 0, &word[1], -1ULL));
	word[1] = 0;
	PART(sets(d, h, TABLE_GPA + 8, 0, 0, &word[1], BITS));
	EXPECT(word[0] == before && word[2] == after, "its neighbours are not as before");
	return true;
}

static bool changed(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	uint64_t *word = device_page(d, TABLE_PAGE);

	/* Whichever bit it is, and those that are to be set, too. */
	for (unsigned int i = 0; i < 64; i++) {
		*word = OLD ^ 1ULL << i;
		PART(sets(d, h, TABLE_GPA, OLD, -EAGAIN, word, OLD ^ 1ULL << i));
	}
	*word = OLD | BITS;
	return sets(d, h, TABLE_GPA, OLD, -EAGAIN, word, OLD | BITS);
}

static bool unaligned(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	uint64_t *word = device_page(d, TABLE_PAGE);

	word[0] = word[1] = 0;
	for (unsigned int offset = 1; offset < 8; offset++) {
		PART(sets(d, h, TABLE_GPA + offset, 0, -EINVAL, word, 0));
		EXPECT(!word[1], "it was written");
		PART(sets(d, h, page_gpa(NR_PAGES) + offset, 0, -EINVAL, NULL, 0));
		PART(sets(d, h, -(uint64_t)offset, 0, -EINVAL, NULL, 0));
	}
	return true;
}

/* What is there but not in the table stays, be the region known or not. */
static bool outside(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	uint64_t *word = device_page(d, TABLE_PAGE);
	unsigned int last = NR_TABLES * PAGE / 8 - 1;
	struct vhost_memory_region region = {
		.guest_phys_addr = TABLE_GPA,
		.memory_size = NR_TABLES * PAGE,
		.userspace_addr = (uintptr_t)word,
	};

	for (unsigned int i = 0; i < 2; i++) {
		word[-1] = word[0] = word[last] = word[last + 1] = 0;
		EXPECT(!device_set_regions(d, &region, 1), "refused");
		if (i)
			PART(sets(d, h, TABLE_GPA, 0, 0, word, BITS));
		PART(sets(d, h, TABLE_GPA - 8, 0, -EFAULT, word - 1, 0));
		PART(sets(d, h, TABLES_END, 0, -EFAULT, word + last + 1, 0));
		PART(sets(d, h, -8ULL, 0, -EFAULT, NULL, 0));
		PART(sets(d, h, TABLES_END - 8, 0, 0, word + last, BITS));
	}

	/* The last word is not all in it. */
	region.memory_size -= 4;
	word[last] = word[last - 1] = 0;
	EXPECT(!device_set_regions(d, &region, 1), "refused");
	for (unsigned int i = 0; i < 2; i++)
		PART(sets(d, h, TABLES_END - 8, 0, -EFAULT, word + last, 0));
	PART(sets(d, h, TABLES_END - 16, 0, 0, word + last - 1, BITS));

	/* No word is aligned for the owner. */
	region.userspace_addr += 4;
	EXPECT(!device_set_regions(d, &region, 1), "refused");
	word[0] = 0;
	return sets(d, h, TABLE_GPA, 0, -EFAULT, word, 0);
}

/* A write to it would have to fault, and whoever resolves misses must not sleep. */
static bool faults(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	uint64_t *word = device_page(d, TABLE_PAGE);
	unsigned int other = PAGE / 8;

	if (madvise(word, PAGE, MADV_DONTNEED))
		bail_out_errno("MADV_DONTNEED");
	PART(sets(d, h, TABLE_GPA, 0, -EFAULT, NULL, 0));
	/* The page of zeros, that all who only read share. */
	EXPECT(!*(volatile uint64_t *)word, "no zero");
	PART(sets(d, h, TABLE_GPA, 0, -EFAULT, word, 0));
	/* A page of our own. */
	*word = OLD;
	PART(sets(d, h, TABLE_GPA, OLD, 0, word, OLD | BITS));

	*word = OLD;
	if (mprotect(word, PAGE, PROT_READ))
		bail_out_errno("mprotect");
	PART(sets(d, h, TABLE_GPA, OLD, -EFAULT, word, OLD));
	if (mprotect(word, PAGE, PROT_READ | PROT_WRITE))
		bail_out_errno("mprotect");
	*word = OLD;
	PART(sets(d, h, TABLE_GPA, OLD, 0, word, OLD | BITS));

	word[other] = OLD;
	if (munmap(word, PAGE))
		bail_out_errno("munmap");
	PART(sets(d, h, TABLE_GPA, OLD, -EFAULT, NULL, 0));
	return sets(d, h, TABLE_GPA + PAGE, OLD, 0, word + other, OLD | BITS);
}

/* The worker is no thread of ours, but has our memory. */
static bool in_kthread(void)
{
	const struct device_shape shape = {.kthread = true};
	struct device *d = device_open_shaped(&shape);
	struct hook *h = hook_open(HOOK_PASS);
	uint64_t *word = device_page(d, TABLE_PAGE);

	device_run(d);
	device_send(d, FIRST_PAGE, 1);
	*word = OLD;
	PART(sets(d, h, TABLE_GPA, OLD, 0, word, OLD | BITS));
	return sets(d, h, page_gpa(NR_PAGES), OLD, -EFAULT, NULL, 0);
}

/* It reads, sets, and answers. */
static bool then_resolves(void)
{
	struct hook *h;
	struct device *d = resolve_open(&h);
	uint64_t *word = device_page(d, TABLE_PAGE);
	struct hook_set *set = hook_set(h);

	*word = OLD;
	set->gpa = TABLE_GPA;
	set->bits = BITS;
	set->reads = 1;
	__atomic_store_n(&set->rounds, 1, __ATOMIC_RELEASE);
	resolve_pages(h, FIRST_PAGE, 1, FIRST_PAGE + 1, VHOST_ACCESS_RO);
	PART(is_sent(d, FIRST_PAGE, FIRST_PAGE + 1, 7));
	EXPECT(set->done == 1, "set %llu times", (unsigned long long)set->done);
	EXPECT(*word == (OLD | BITS), "0x%llx", (unsigned long long)*word);
	return true;
}

/*
 * The guest counts in the upper half of a word, and takes away what is set in the
 * lower. A count that is not as it left it was lost.
 */
struct guest {
	uint64_t *word;
	uint64_t counted, lost;
	uint64_t taken; /* how often something was set */
	bool stop;
};

#define ONE (1ULL << 32)
#define LOW_BITS 0x21

/*
 * So often does the program find that the guest was quicker. If it looked and
 * wrote, but not at once, 4 to 10 in 100 of these would be lost. It tries no more than
 * so often, which is 2 minutes on a debug kernel.
 */
#define RACES 200
#define ATTEMPTS 16384 /* at each kick */
#define KICKS 1000

static void run_on(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bail_out_errno("cannot run on CPU %u", cpu);
}

/* So short that the program may meet any of its changes, and never in step with it. */
static void dally(unsigned int *seed)
{
	for (volatile unsigned int i = rand_r(seed) % 64; i; i--)
		;
}

static void look(struct guest *g, uint64_t before)
{
	g->lost += (before / ONE) != g->counted;
	g->counted = before / ONE;
	g->taken += before % ONE == LOW_BITS;
}

static void *count(void *argument)
{
	struct guest *g = argument;
	unsigned int seed = 1;

	run_on(1);
	while (!__atomic_load_n(&g->stop, __ATOMIC_ACQUIRE)) {
		g->lost += __atomic_fetch_add(g->word, ONE, __ATOMIC_SEQ_CST) / ONE != g->counted;
		g->counted++;
		dally(&seed);
		look(g, __atomic_fetch_and(g->word, ~(ONE - 1), __ATOMIC_SEQ_CST));
		dally(&seed);
	}
	return NULL;
}

static bool set_in_turn(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	struct guest g = {.word = device_page(d, TABLE_PAGE)};
	struct hook_set *set = hook_set(h);
	unsigned int kicks = 0;
	pthread_t thread;

	*g.word = 0;
	*set = (struct hook_set){.gpa = TABLE_GPA, .bits = LOW_BITS, .reads = 1};
	__atomic_store_n(&set->rounds, ATTEMPTS, __ATOMIC_RELEASE);
	if (pthread_create(&thread, NULL, count, &g))
		bail_out("cannot make a thread");
	while (kicks < KICKS && set->changed < RACES) {
		device_kick_and_flush(d, TX);
		kicks++;
	}
	__atomic_store_n(&g.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	look(&g, *g.word);

	printf("# %llu attempts, %llu changes by the guest, %llu between read and set\n",
	       (unsigned long long)kicks * ATTEMPTS, (unsigned long long)g.counted,
	       (unsigned long long)set->changed);
	EXPECT(!set->failed, "%llu failed, the last with %d", (unsigned long long)set->failed,
	       set->returned);
	EXPECT(set->changed && set->done, "no race");
	EXPECT(!g.lost, "of the guest's changes, %llu are lost", (unsigned long long)g.lost);
	EXPECT(g.taken == set->fresh, "set %llu times, found %llu times",
	       (unsigned long long)set->fresh, (unsigned long long)g.taken);
	return true;
}

/* On two CPUs: the worker runs where the thread does that has opened the device. */
static bool race(void)
{
	cpu_set_t before;
	bool good;

	if (sched_getaffinity(0, sizeof(before), &before))
		bail_out_errno("cannot tell where it runs");
	run_on(0);
	good = set_in_turn();
	if (sched_setaffinity(0, sizeof(before), &before))
		bail_out_errno("cannot run elsewhere again");
	return good;
}

/* A device whose writes are logged, and which misses. */
struct logged {
	struct hook *hook;
	struct device *device;
	uint8_t *log;
	int event;
};

static void log_open(struct logged *l)
{
	const struct device_shape shape = {.features = 1ULL << VHOST_F_LOG_ALL};
	uint64_t base;

	l->device = device_open_shaped(&shape);
	l->log = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	l->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->log == MAP_FAILED || l->event < 0)
		bail_out_errno("cannot make a log");
	base = (uintptr_t)l->log;
	if (ioctl(l->device->fd, VHOST_SET_LOG_BASE, &base) ||
	    ioctl(l->device->fd, VHOST_SET_LOG_FD, &l->event))
		bail_out_errno("cannot set the log");
	l->hook = hook_open(HOOK_PASS);
	device_run(l->device);
	device_send(l->device, FIRST_PAGE, 1);
}

/* Is the log of these pages, and no others, and told of as often? Clears it. */
static bool has_logged(const struct logged *l, const unsigned int *pages, unsigned int nr,
		       uint64_t events)
{
	uint8_t expected[PAGE] = {0};
	uint64_t told = 0;

	for (unsigned int i = 0; i < nr; i++)
		expected[pages[i] / 8] |= 1 << pages[i] % 8;
	for (unsigned int i = 0; i < PAGE; i++)
		EXPECT(l->log[i] == expected[i], "log: 0x%x, not 0x%x, for pages from %u on",
		       l->log[i], expected[i], i * 8);
	memset(l->log, 0, PAGE);
	(void)!read(l->event, &told, sizeof(told));
	EXPECT(told == events, "told %llu times, not %llu", (unsigned long long)told,
	       (unsigned long long)events);
	return true;
}

static void log_close(struct logged *l)
{
	device_close(l->device);
	munmap(l->log, PAGE);
	close(l->event);
}

static bool logs_writes(struct logged *l)
{
	struct device *d = l->device;
	uint64_t *word = device_page(d, TABLE_PAGE);
	unsigned int pages[] = {TABLE_PAGE, 0x1000};
	struct vhost_memory_region regions[] = {
		{0, NR_PAGES * PAGE, (uintptr_t)d->memory, 0},
		/* The same for the owner. */
		{0x1000 * PAGE, PAGE, (uintptr_t)word, 0},
	};

	/* The log is not there yet. Nor is it when the program runs. */
	*word = OLD;
	PART(sets(d, l->hook, TABLE_GPA, OLD, 0, word, OLD | BITS));
	PART(has_logged(l, pages, 1, 1));

	/* What was not written is not logged. */
	PART(sets(d, l->hook, TABLE_GPA, OLD, -EAGAIN, word, OLD | BITS));
	PART(sets(d, l->hook, TABLE_GPA + 4, OLD, -EINVAL, word, OLD | BITS));
	PART(sets(d, l->hook, page_gpa(NR_PAGES), OLD, -EFAULT, NULL, 0));
	PART(has_logged(l, pages, 0, 0));

	EXPECT(!device_set_regions(d, regions, 2), "refused");
	for (unsigned int i = 0; i < 2; i++) {
		*word = OLD;
		PART(sets(d, l->hook, pages[i] * PAGE, OLD, 0, word, OLD | BITS));
		PART(has_logged(l, pages, 2, 1));
	}
	return true;
}

static bool logs(void)
{
	struct logged l;

	log_open(&l);
	PART(logs_writes(&l));
	log_close(&l);
	return true;
}

/* None is written that cannot be logged. */
static bool logs_many(void)
{
	unsigned int pages[LOGGED_MAX];
	struct hook_set *set;
	struct logged l;
	uint64_t *word;

	log_open(&l);
	set = hook_set(l.hook);
	for (unsigned int i = 0; i < LOGGED_MAX; i++)
		pages[i] = TABLE_PAGE + i * 8 * 64 / PAGE;
	for (unsigned int j = 0; j < 2; j++) {
		word = device_page(l.device, TABLE_PAGE);
		memset(word, 0, (LOGGED_MAX + 1) * 64 * 8);
		*set = (struct hook_set){.gpa = TABLE_GPA, .bits = BITS, .step = 64 * 8};
		__atomic_store_n(&set->rounds, LOGGED_MAX + 1, __ATOMIC_RELEASE);
		device_kick_and_flush(l.device, TX);
		EXPECT(set->done == LOGGED_MAX && set->returned == -ENOSPC,
		       "set %llu, the last returned %d", (unsigned long long)set->done,
		       set->returned);
		for (unsigned int i = 0; i <= LOGGED_MAX; i++)
			EXPECT(word[i * 64] == (i < LOGGED_MAX ? BITS : 0), "word %u: 0x%llx", i,
			       (unsigned long long)word[i * 64]);
		PART(has_logged(&l, pages, LOGGED_MAX, 1));
	}
	log_close(&l);
	return true;
}

static bool logs_resolved(void)
{
	unsigned int page = TABLE_PAGE;
	struct hook_set *set;
	struct logged l;

	log_open(&l);
	set = hook_set(l.hook);
	*(uint64_t *)device_page(l.device, TABLE_PAGE) = OLD;
	*set = (struct hook_set){.gpa = TABLE_GPA, .bits = BITS, .reads = 1};
	__atomic_store_n(&set->rounds, 1, __ATOMIC_RELEASE);
	resolve_pages(l.hook, FIRST_PAGE, 1, FIRST_PAGE, VHOST_ACCESS_RO);
	device_kick_and_flush(l.device, TX);
	EXPECT(device_used(l.device, TX) == 1, "not sent");
	EXPECT(set->done == 1, "set %llu times", (unsigned long long)set->done);
	PART(has_logged(&l, &page, 1, 1));
	log_close(&l);
	return true;
}

/* The limit is that of the log. */
static bool without_log(void)
{
	struct hook *h;
	struct device *d = guest_open(&h);
	struct hook_set *set = hook_set(h);

	*set = (struct hook_set){.gpa = TABLE_GPA, .bits = BITS, .step = 8, .reads = 1};
	__atomic_store_n(&set->rounds, MANY, __ATOMIC_RELEASE);
	device_kick_and_flush(d, TX);
	EXPECT(set->done == MANY, "set %llu, the last returned %d", (unsigned long long)set->done,
	       set->returned);
	return true;
}

static const struct check list[] = {
	{"bits", sets_bits, STOCK_LACKS},
	{"not if the word has changed", changed, STOCK_LACKS},
	{"addresses that are no multiple of 8", unaligned, STOCK_LACKS},
	{"not outside of the memory table", outside, STOCK_LACKS},
	{"not if that would take a page fault", faults, STOCK_LACKS},
	{"in a kernel thread", in_kthread, STOCK_LACKS},
	{"what was read, and then an answer", then_resolves, STOCK_LACKS},
	{"a guest that changes the word all the time loses nothing", race, STOCK_LACKS},
	{"writes are logged", logs, STOCK_LACKS},
	{"as many as can be logged", logs_many, STOCK_LACKS},
	{"writes are logged if the miss is resolved", logs_resolved, STOCK_LACKS},
	{"any number without a log", without_log, STOCK_LACKS},
};

CHECK_GROUP(guest_set, list);
