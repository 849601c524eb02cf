// SPDX-License-Identifier: GPL-2.0
#include "hook.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "hook.skel.h"

#define MAX_HOOKS 8
#define MAX_RECORDS 64

struct hook {
	struct hook_bpf *skel;
	struct bpf_map *map;
	struct bpf_link *link;
	struct ring_buffer *ring;
	struct hook_record records[MAX_RECORDS];
	unsigned int nr_records, taken;
};

static struct hook *hooks[MAX_HOOKS];

/* Refusals are what some checks want; TAP gets the rest as comments. */
static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level != LIBBPF_WARN || !getenv("V"))
		return 0;
	printf("# ");
	return vprintf(format, arguments);
}

static int on_record(void *context, void *data, size_t size)
{
	struct hook *h = context;

	if (size == sizeof(struct hook_record) && h->nr_records < MAX_RECORDS)
		h->records[h->nr_records++] = *(struct hook_record *)data;
	return 0;
}

static int open_hook(struct hook *h, enum hook_kind kind)
{
	struct bpf_map *maps[NR_HOOK_KINDS];
	int error;

	h->skel = hook_bpf__open();
	if (!h->skel)
		return -errno;
	maps[HOOK_GOOD] = h->skel->maps.test_good;
	maps[HOOK_SLEEPS] = h->skel->maps.test_sleeps;
	maps[HOOK_EMPTY] = h->skel->maps.test_empty;
	maps[HOOK_WITHOUT_LINK] = h->skel->maps.test_no_link;
	maps[HOOK_MAPS_OTHER] = h->skel->maps.test_maps_other;
	maps[HOOK_READS_OTHER] = h->skel->maps.test_reads_other;
	maps[HOOK_READS_BEYOND] = h->skel->maps.test_reads_beyond;
	maps[HOOK_READS_WORD_OTHER] = h->skel->maps.test_reads_word_other;
	maps[HOOK_READS_WORD_BEYOND] = h->skel->maps.test_reads_word_beyond;
	maps[HOOK_SETS_OTHER] = h->skel->maps.test_sets_other;
	maps[HOOK_SLEEPS_READS] = h->skel->maps.test_sleeps_reads;
	for (int i = 0; i < NR_HOOK_KINDS; i++)
		if (i != (int)kind)
			bpf_map__set_autocreate(maps[i], false);
	h->map = maps[kind];
	bpf_program__set_autoload(h->skel->progs.trace_switch, false);

	error = hook_bpf__load(h->skel);
	if (error)
		return error;
	h->ring = ring_buffer__new(bpf_map__fd(h->skel->maps.records), on_record, h, NULL);
	return h->ring ? 0 : -errno;
}

static struct hook **free_place(void)
{
	for (int i = 0; i < MAX_HOOKS; i++)
		if (!hooks[i])
			return &hooks[i];
	bail_out("too many hooks");
}

struct hook *hook_load(enum hook_kind kind, int *error)
{
	struct hook **place = free_place();

	libbpf_set_print(print);
	*place = calloc(1, sizeof(**place));
	if (!*place)
		bail_out_errno("no memory");
	*error = open_hook(*place, kind);
	if (!*error)
		return *place;
	hook_close(*place);
	return NULL;
}

int hook_load_tracing(void)
{
	struct hook_bpf *skel;
	struct bpf_map *map;
	int error;

	libbpf_set_print(print);
	skel = hook_bpf__open();
	if (!skel)
		return -errno;
	bpf_object__for_each_map (map, skel->obj)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			bpf_map__set_autocreate(map, false);
	error = hook_bpf__load(skel);
	hook_bpf__destroy(skel);
	return error;
}

int hook_attach(struct hook *h)
{
	h->link = bpf_map__attach_struct_ops(h->map);
	return h->link ? 0 : -errno;
}

struct hook *hook_open(int verdict)
{
	struct hook *h;
	int error;

	h = hook_load(HOOK_GOOD, &error);
	if (!h)
		bail_out("cannot load the BPF program: error %d; V=1 tells more", error);
	hook_set_verdict(h, verdict);
	error = hook_attach(h);
	if (error)
		bail_out("cannot attach the BPF program: error %d; V=1 tells more", error);
	return h;
}

void hook_detach(struct hook *h)
{
	bpf_link__destroy(h->link);
	h->link = NULL;
}

int hook_detach_forced(struct hook *h)
{
	return bpf_link__detach(h->link) ? -errno : 0;
}

static bool poll_hangup(const struct hook *h, int timeout_ms)
{
	struct pollfd p = {.fd = bpf_link__fd(h->link)};

	return poll(&p, 1, timeout_ms) == 1 && (p.revents & POLLHUP);
}

/* The headers of an older system do not know the info of such a link. */
static bool holds_map(const struct hook *h)
{
	char path[64], line[128];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_link__fd(h->link));
	file = fopen(path, "re");
	if (!file)
		bail_out_errno("cannot open %s", path);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "map_id:", 7))
			found = true;
	fclose(file);
	return found;
}

bool hook_is_detached(const struct hook *h)
{
	return !holds_map(h) && poll_hangup(h, 0);
}

bool hook_wait_detached(const struct hook *h)
{
	return poll_hangup(h, LIMIT_MS) && hook_is_detached(h);
}

void hook_close(struct hook *h)
{
	hook_detach(h);
	ring_buffer__free(h->ring);
	hook_bpf__destroy(h->skel);
	for (int i = 0; i < MAX_HOOKS; i++)
		if (hooks[i] == h)
			hooks[i] = NULL;
	free(h);
}

void hook_close_all(void)
{
	for (int i = 0; i < MAX_HOOKS; i++)
		if (hooks[i])
			hook_close(hooks[i]);
}

void hook_set_verdict(struct hook *h, int verdict)
{
	__atomic_store_n(&h->skel->bss->verdict, verdict, __ATOMIC_RELEASE);
}

struct hook_answer *hook_resolve(struct hook *h, uint64_t iova, uint64_t size, uint64_t gpa,
				 unsigned int perm)
{
	struct hook_answer *a = h->skel->bss->answers;

	while (a->length)
		if (++a == h->skel->bss->answers + HOOK_ANSWERS)
			bail_out("too many answers");
	*a = (struct hook_answer){
		.first = iova,
		.iova = iova,
		.gpa = gpa,
		.size = size,
		.perm = perm,
		.verdict = HOOK_RESOLVED,
	};
	__atomic_store_n(&a->length, size, __ATOMIC_RELEASE);
	return a;
}

void hook_forget(struct hook_answer *answer)
{
	__atomic_store_n(&answer->length, 0, __ATOMIC_RELEASE);
}

static void set_read(struct hook *h, uint64_t gpa, unsigned int size, unsigned int offset,
		     bool word)
{
	struct hook_read *r = &h->skel->bss->guest;

	r->enabled = 0;
	memset(r->bytes, HOOK_READ_FILL, sizeof(r->bytes));
	r->gpa = gpa;
	r->size = size;
	r->offset = offset;
	r->word = word;
	r->returned = 1;
	__atomic_store_n(&r->enabled, 1, __ATOMIC_RELEASE);
}

void hook_set_read_at(struct hook *h, uint64_t gpa, unsigned int size, unsigned int offset)
{
	set_read(h, gpa, size, offset, false);
}

void hook_set_read_word(struct hook *h, uint64_t gpa, unsigned int offset)
{
	set_read(h, gpa, sizeof(uint64_t), offset, true);
}

void hook_set_read(struct hook *h, uint64_t gpa, unsigned int size)
{
	hook_set_read_at(h, gpa, size, 0);
}

const struct hook_read *hook_read(const struct hook *h)
{
	return &h->skel->bss->guest;
}

struct hook_set *hook_set(struct hook *h)
{
	return &h->skel->bss->set;
}

unsigned int hook_calls(const struct hook *h)
{
	return __atomic_load_n(&h->skel->bss->calls, __ATOMIC_ACQUIRE);
}

int hook_take(struct hook *h, struct hook_record *record)
{
	if (h->taken == h->nr_records) {
		h->taken = 0;
		h->nr_records = 0;
		ring_buffer__consume(h->ring);
	}
	if (!h->nr_records)
		return -EAGAIN;
	*record = h->records[h->taken++];
	return 0;
}
