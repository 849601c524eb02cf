// SPDX-License-Identifier: GPL-2.0
/*
 * Whether BPF's verifier takes the page walk without getting near its limit of
 * a million instructions, and whether the walk finds as BPF what it finds in
 * user space, over tables of random entries, most of them good. Needs no vhost,
 * but bpf(2).
 *
 *	verify [SECONDS [SEED]]
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "vtd_name.h"
#include "vtd_walk.h"

#include "verify.skel.h" /* has their types in it */

#define PAGE_SHIFT 12
#define WORDS 512

/* What leaves room for the program around the walk. */
#define MAX_VERIFIED 300000

static struct verify_bpf *skel;
static uint64_t seed;

/* xorshift64 */
static uint64_t random_number(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % below;
}

static bool once_in(unsigned int n)
{
	return !random_number(n);
}

static int read_memory(void *memory, enum vtd_table table, int level, __u64 gpa, void *to,
		       __u32 size)
{
	(void)table;
	(void)level;
	if (gpa > sizeof(skel->bss->memory) - size)
		return -1;
	memcpy(to, (char *)memory + gpa, size);
	return 0;
}

/* The address of one of few pages, so that walks get to the end. */
static uint64_t random_page(void)
{
	uint64_t page = random_number(sizeof(skel->bss->memory) >> PAGE_SHIFT);

	/* Room for what aligned large pages need */
	if (once_in(4))
		return random_number(4) << 30;
	return page << PAGE_SHIFT;
}

/* An entry that could be of any table, and its last bits. */
static uint64_t random_entry(void)
{
	uint64_t entry = random_page() | 7;

	if (once_in(8))
		entry |= 0x80;
	if (once_in(8))
		entry &= ~(1ULL << random_number(3));
	if (once_in(16))
		entry ^= 1ULL << random_number(64);
	return entry;
}

static void random_tables(void)
{
	uint64_t *memory = (uint64_t *)skel->bss->memory;
	size_t words = sizeof(skel->bss->memory) / sizeof(uint64_t);

	for (size_t i = 0; i < words; i++) {
		memory[i] = random_entry();
		/* Lines of pages that are contiguous */
		if (i % 8 && !once_in(8))
			memory[i] = memory[i - 1] + (1 << PAGE_SHIFT);
	}
}

/* What is above the page tables of the request: good, but for a bit or two. */
static void random_device(void)
{
	uint64_t *memory = (uint64_t *)skel->bss->memory;
	struct vtd_request *request = &skel->bss->request;
	bool is_scalable = random_number(2);
	uint64_t *root = memory + WORDS, *context = memory + 2 * WORDS;
	uint64_t *directory = memory + 3 * WORDS, *pasid = memory + 4 * WORDS;
	uint64_t page = random_page() & 0xffffffff;

	*request = (struct vtd_request){
		.iova = random_number(1ULL << (30 + random_number(28))),
		.pasid = VTD_NO_PASID,
		.access = 1 + random_number(3),
		.merge = random_number(2),
	};
	if (once_in(8))
		request->iova = -request->iova;
	if (once_in(8))
		request->pasid = random_number(2);
	skel->bss->unit = (struct vtd_unit){
		.root = 1 << PAGE_SHIFT | once_in(64) << 11 | is_scalable << 10,
		.address_width = 32 + random_number(21),
		.sagaw = once_in(4) ? random_number(16) : 0xe,
		.large_pages = once_in(4) ? random_number(4) : 3,
		.flags = once_in(4) ? random_number(16) : 0xf,
	};
	root[0] = 2 << PAGE_SHIFT | 1;
	root[1] = 0;
	memset(context, 0, 32);
	memset(pasid, 0, 64);
	directory[0] = 4 << PAGE_SHIFT | 1;
	if (is_scalable) {
		context[0] = 3 << PAGE_SHIFT | (random_number(2) << 3) | 1;
		context[1] = (uint64_t)once_in(4) << 20;
		pasid[0] = page | (1 + random_number(4)) << 6 | (1 + random_number(3)) << 2 | 1;
		pasid[2] = (random_page() & 0xffffffff) | random_number(64);
		if (!once_in(8))
			pasid[2] &= ~8ULL;
		memcpy(memory + 4 * WORDS + 8, pasid, 64); /* of PASID 1 */
	} else {
		context[0] = page | random_number(once_in(8) ? 4 : 2) << 2 | 1;
		context[1] = 1 + random_number(3);
	}
	if (once_in(8))
		root[random_number(2)] ^= 1ULL << random_number(64);
	if (once_in(8))
		context[random_number(4)] ^= 1ULL << random_number(64);
	if (once_in(8))
		directory[0] ^= 1ULL << random_number(64);
	if (once_in(8))
		pasid[random_number(3)] ^= 1ULL << random_number(64);
}

static bool same_as_bpf(unsigned long *counts)
{
	const struct vtd_walk *bpf_where = &skel->bss->where;
	struct vtd_translation found = {0};
	struct vtd_walk where = {0};
	int err;

	memset(&skel->bss->translation, 0, sizeof(found));
	vtd_walk(&skel->bss->unit, &skel->bss->request, read_memory, skel->bss->memory, &found,
		 &where);
	err = bpf_prog_test_run_opts(bpf_program__fd(skel->progs.walk), NULL);
	if (err) {
		fprintf(stderr, "verify: cannot run the program: %s\n", strerror(-err));
		exit(1);
	}
	counts[where.fault]++;
	if (bpf_where->fault != where.fault)
		return false;
	if (where.fault)
		return bpf_where->fault_level == where.fault_level &&
		       bpf_where->fault_table == where.fault_table;
	return !memcmp(&found, &skel->bss->translation, 26);
}

static bool is_small(const struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &size)) {
		perror("verify: bpf_prog_get_info_by_fd");
		return false;
	}
	printf("%s: %u instructions verified, %u bytes\n", info.name, info.verified_insns,
	       info.jited_prog_len);
	return info.verified_insns <= MAX_VERIFIED;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL) << 20 | 1;
	unsigned long counts[VTD_NR_FAULTS] = {0}, walks = 0;
	bool good = true;

	skel = verify_bpf__open_and_load();
	if (!skel)
		return 1;
	good = is_small(skel->progs.walk) && is_small(skel->progs.walk_helper);
	seed = first;
	for (; good && time(NULL) < end; walks++) {
		if (walks % 256 == 0)
			random_tables();
		random_device();
		good = same_as_bpf(counts);
	}
	printf("seed %#llx, %lu walks\n", (unsigned long long)first, walks);
	for (int i = 0; i < VTD_NR_FAULTS; i++)
		printf("%10lu %s\n", counts[i], vtd_fault_name(i));
	if (!good && walks)
		printf("walk %lu differs\n", walks - 1);
	verify_bpf__destroy(skel);
	return !good;
}
