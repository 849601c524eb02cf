// SPDX-License-Identifier: GPL-2.0
/* What there is of BPF in the kernel, and what is in iotlbd's maps. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>

#include "load.h"
#include "tests/kernel/check.h"

/* More than any of the keys has bytes. */
#define KEY_SIZE 64

static const char *const counted[] = {"served", "ignored", "overflow", "counts", "news"};

static uint64_t count_ids(int (*next)(__u32, __u32 *))
{
	uint64_t count = 0;
	__u32 id = 0;

	while (!next(id, &id))
		count++;
	return count;
}

static void count_entries(int fd)
{
	char key[KEY_SIZE], *previous = NULL, name[64];
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);
	uint64_t count = 0;

	if (bpf_map_get_info_by_fd(fd, &info, &size) || info.key_size > KEY_SIZE)
		return;
	for (size_t i = 0; i < sizeof(counted) / sizeof(*counted); i++) {
		if (strcmp(info.name, counted[i]))
			continue;
		for (; !bpf_map_get_next_key(fd, previous, key); previous = key)
			count++;
		snprintf(name, sizeof(name), "entries_%s", info.name);
		print_number(name, count);
	}
}

static int run(const struct parameter *parameters, char **rest)
{
	__u32 id = 0;
	int fd;

	(void)parameters;
	(void)rest;
	print_number("bpf_programs", count_ids(bpf_prog_get_next_id));
	print_number("bpf_maps", count_ids(bpf_map_get_next_id));
	print_number("bpf_links", count_ids(bpf_link_get_next_id));
	while (!bpf_map_get_next_id(id, &id)) {
		fd = bpf_map_get_fd_by_id(id);
		if (fd < 0)
			continue;
		count_entries(fd);
		close(fd);
	}
	return 0;
}

static struct parameter parameters[] = {{0}};

const struct command command_census = {
	.name = "census",
	.help = "count BPF programs, maps, links, and entries in iotlbd's maps",
	.parameters = parameters,
	.run = run,
};
