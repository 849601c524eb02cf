// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "load.h"
#include "tests/kernel/device.h"

/* A mapping for each page, so that an answer is no wider than a buffer. */
static int run(const struct parameter *parameters, char **rest)
{
	(void)parameters;
	(void)rest;
	for (unsigned int page = 0; page < NR_PAGES; page++)
		printf("0x%llx 4k 0x%lx rw\n", (unsigned long long)device_iova(page), page * PAGE);
	return 0;
}

static struct parameter parameters[] = {{0}};

const struct command command_mappings = {
	.name = "mappings",
	.help = "print the mappings of all devices, for iotlbd --table",
	.parameters = parameters,
	.run = run,
};
