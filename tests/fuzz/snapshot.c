// SPDX-License-Identifier: GPL-2.0
#include "snapshot.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#include "snapshot.skel.h"
#include "tests/kernel/check.h"

/* A power of two, well above SNAPSHOT_MAX. */
#define PLACES 32768

/* Of a red-black tree with SNAPSHOT_MAX nodes, and some more. */
#define MAX_DEPTH 32

static struct snapshot_bpf *skel;
static uint64_t last_call;

/* What is taken now, and when. */
static const struct snapshot_head *head;
static const struct snapshot_map *maps;
static uint64_t stamp;

/* Where in the copies a struct of the kernel is, found by its address. */
static struct {
	uint64_t stamp; /* to which the place belongs */
	uint64_t address;
	uint32_t index;
	const struct mapping *mapping;
} places[PLACES];

static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level != LIBBPF_WARN)
		return 0;
	return vfprintf(stderr, format, arguments);
}

void snapshot_open(void)
{
	int error;

	libbpf_set_print(print);
	skel = snapshot_bpf__open_and_load();
	if (!skel)
		bail_out_errno("cannot load the BPF program that copies IOTLBs");
	error = snapshot_bpf__attach(skel);
	if (error)
		bail_out("cannot attach the BPF program that copies IOTLBs: error %d", error);
	skel->bss->tgid = getpid();
	snapshot_enable(true);
}

void snapshot_close(void)
{
	snapshot_bpf__destroy(skel);
	skel = NULL;
}

void snapshot_enable(bool enable)
{
	__atomic_store_n(&skel->bss->enabled, enable, __ATOMIC_RELEASE);
}

static size_t place_of(uint64_t address)
{
	/* The structs lie 64 bytes apart at least. */
	size_t place = address / 64 % PLACES;

	while (places[place].stamp == stamp && places[place].address != address)
		place = (place + 1) % PLACES;
	return place;
}

static bool put_places(void)
{
	for (uint32_t i = 0; i < head->nr; i++) {
		const uint64_t address = maps[i].address;
		const size_t place = place_of(address);

		if (places[place].stamp == stamp)
			return false;
		places[place].stamp = stamp;
		places[place].address = address;
		places[place].index = i;
		places[place].mapping = NULL;
	}
	return true;
}

static uint64_t get_u64(const uint8_t *raw, uint32_t offset)
{
	uint64_t value;

	memcpy(&value, raw + offset, sizeof(value));
	return value;
}

static uint32_t get_u32(const uint8_t *raw, uint32_t offset)
{
	uint32_t value;

	memcpy(&value, raw + offset, sizeof(value));
	return value;
}

static bool broken(struct snapshot *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Returns false. The first fault counts. */
static bool broken(struct snapshot *s, const char *format, ...)
{
	va_list arguments;

	if (*s->fault)
		return false;
	va_start(arguments, format);
	vsnprintf(s->fault, sizeof(s->fault), format, arguments);
	va_end(arguments);
	return false;
}

static bool take_mapping(struct snapshot *s, const uint8_t *raw, size_t place)
{
	const struct snapshot_layout *at = &skel->bss->layout;
	const struct mapping mapping = {
		.start = get_u64(raw, at->start),
		.last = get_u64(raw, at->last),
		.addr = get_u64(raw, at->addr),
		.perm = get_u32(raw, at->perm),
	};
	const unsigned long long start = mapping.start, last = mapping.last;
	const unsigned long long size = get_u64(raw, at->bytes);

	if (mapping.last < mapping.start)
		return broken(s, "the mapping at 0x%llx ends at 0x%llx", start, last);
	if (size != mapping.last - mapping.start + 1)
		return broken(s, "the mapping of 0x%llx-0x%llx has the size 0x%llx", start, last,
			      size);
	if (s->list.nr && s->list.at[s->list.nr - 1].last >= mapping.start)
		return broken(s, "the mapping of 0x%llx-0x%llx overlaps the one before it", start,
			      last);
	places[place].mapping = &s->list.at[s->list.nr];
	s->list.at[s->list.nr++] = mapping;
	return true;
}

/* Take the mappings below a node in order; sets the last address of them. */
static bool take_tree(struct snapshot *s, uint64_t node, uint64_t parent, unsigned int depth,
		      uint64_t *subtree_last)
{
	const struct snapshot_layout *at = &skel->bss->layout;
	const size_t place = place_of(node - at->rb);
	uint64_t left_last = 0, right_last = 0, last;
	const uint8_t *raw;

	if (places[place].stamp != stamp)
		return broken(s, "a node of the tree is not on the list");
	if (depth == MAX_DEPTH)
		return broken(s, "the tree is too deep");
	raw = maps[places[place].index].raw;
	if ((get_u64(raw, at->rb + at->rb_parent) & ~3ULL) != parent)
		return broken(s, "a node of the tree has a wrong parent");

	if (get_u64(raw, at->rb + at->rb_left) &&
	    !take_tree(s, get_u64(raw, at->rb + at->rb_left), node, depth + 1, &left_last))
		return false;
	if (!s->list.nr && head->leftmost != node)
		return broken(s, "the tree begins elsewhere");
	if (!take_mapping(s, raw, place))
		return false;
	if (get_u64(raw, at->rb + at->rb_right) &&
	    !take_tree(s, get_u64(raw, at->rb + at->rb_right), node, depth + 1, &right_last))
		return false;

	last = get_u64(raw, at->last);
	last = last > left_last ? last : left_last;
	last = last > right_last ? last : right_last;
	if (get_u64(raw, at->subtree_last) != last)
		return broken(s, "a subtree ends at 0x%llx and not at 0x%llx",
			      (unsigned long long)last,
			      (unsigned long long)get_u64(raw, at->subtree_last));
	*subtree_last = last;
	return true;
}

static bool take_mappings(struct snapshot *s)
{
	uint64_t last;

	if (!head->iotlb)
		return true;
	if (!head->ended)
		return broken(s, "the list does not end after %u mappings", head->nr);
	if (head->nmaps != head->nr)
		return broken(s, "%u mappings are counted as %u", head->nr, head->nmaps);
	if (!put_places())
		return broken(s, "a mapping is on the list twice");
	if (!head->root && head->nr)
		return broken(s, "the tree is empty, and the list is not");
	if (head->root && !take_tree(s, head->root, 0, 0, &last))
		return false;
	if (s->list.nr != head->nr)
		return broken(s, "%u mappings are on the list, %zu in the tree", head->nr,
			      s->list.nr);
	return true;
}

/* What the virtqueues keep must be there still. */
static bool take_rings(struct snapshot *s)
{
	for (int vq = 0; vq < SNAPSHOT_VQS; vq++) {
		for (int i = 0; i < SNAPSHOT_ADDRS; i++) {
			size_t place;

			s->ring[vq][i] = NULL;
			if (!head->ring[vq][i])
				continue;
			place = place_of(head->ring[vq][i]);
			if (places[place].stamp != stamp)
				return broken(s, "virtqueue %d keeps a mapping that is gone", vq);
			s->ring[vq][i] = places[place].mapping;
		}
	}
	return true;
}

static void take_space(struct snapshot *s)
{
	stamp++;
	s->has_iotlb = head->iotlb;
	s->asid = head->asid;
	s->now = s->has_iotlb || head == skel->bss->heads ? head->now : 0;
	s->list.nr = 0;
	s->fault[0] = '\0';
	if (take_mappings(s))
		take_rings(s);
}

bool snapshot_take(struct snapshot *s)
{
	if (skel->bss->calls == last_call)
		return false;
	last_call = skel->bss->calls;
	for (int i = 0; i < SNAPSHOT_SPACES; i++) {
		head = &skel->bss->heads[i];
		maps = i ? skel->bss->other_maps : skel->bss->first_maps;
		take_space(&s[i]);
	}
	return true;
}
