/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WALK_OPTIONS_H
#define WALK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "walk_space.h"

#define WALK_MAX_IOVAS 1024
#define WALK_MAX_DUMPS 64

/**
 * struct walk_dump - --memory
 * @path:	file that holds a piece of guest memory
 * @gpa:	of its first byte
 */
struct walk_dump {
	const char *path;
	uint64_t gpa;
};

/**
 * struct walk_options - the command line of iotlb-walk
 * @vtd_path:	--vtd, NULL without
 * @pid:	--pid, 0 without
 * @dev:	--dev, 0 without
 * @dumps:	--memory
 * @dump_count:	how many
 * @has_source:	--source was given
 * @source:	what it is
 * @space:	--bound or --attached
 * @control:	--control, NULL without
 * @has_pasid:	--pasid was given
 * @pasid:	what it is
 * @access:	--access, VTD_READ or VTD_WRITE or both
 * @json:	--json
 * @iovas:	what to translate
 * @iova_count:	how many
 */
struct walk_options {
	const char *vtd_path;
	pid_t pid;
	uint64_t dev;
	struct walk_dump dumps[WALK_MAX_DUMPS];
	size_t dump_count;
	bool has_source;
	uint16_t source;
	struct walk_space space;
	const char *control;
	bool has_pasid;
	uint32_t pasid;
	uint8_t access;
	bool json;
	uint64_t iovas[WALK_MAX_IOVAS];
	size_t iova_count;
};

/* Ends the program after an error (2), and after --help and --version (0). */
void walk_options_parse(struct walk_options *options, int argc, char **argv);

#endif /* WALK_OPTIONS_H */
