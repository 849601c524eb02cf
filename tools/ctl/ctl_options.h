/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* In the order of ctl_commands[] */
enum ctl_command {
	CTL_DEVICES,
	CTL_PASIDS,
	CTL_ATTACH,
	CTL_DETACH,
	CTL_ALLOC,
	CTL_FREE,
	CTL_BIND,
	CTL_UNBIND,
	CTL_INVALIDATE,
	CTL_TRANSLATE,
	CTL_PAGE_REQUESTS,
	CTL_REQUEST,
};

/* Their names, with NULL at the end; those of requests are the same. */
extern const char *const ctl_commands[];

/* Those of page requests, the same */
extern const char *const ctl_answers[];

/**
 * struct ctl_number - a number that may have been given
 * @given:	it was
 * @value:	the number
 */
struct ctl_number {
	bool given;
	uint64_t value;
};

/**
 * struct ctl_options - the command line of iotlbctl
 * @socket:	--socket
 * @json:	--json
 * @command:	COMMAND
 * @device:	DEVICE
 * @pasid:	PASID or --pasid
 * @address:	BASE, ROOT, ADDRESS or --address
 * @min:	--min
 * @max:	--max
 * @bits:	--bits
 * @width:	--width
 * @guest_pasid: --guest-pasid
 * @granule:	--granule
 * @count:	--count
 * @leaf:	--leaf
 * @access:	--access, NULL without
 * @flags:	--flags, NULL without; words with commas between them
 * @caches:	--caches, the same
 * @answer:	--answer, NULL without
 */
struct ctl_options {
	const char *socket;
	bool json;
	enum ctl_command command;
	struct ctl_number device;
	struct ctl_number pasid;
	struct ctl_number address;
	struct ctl_number min;
	struct ctl_number max;
	struct ctl_number bits;
	struct ctl_number width;
	struct ctl_number guest_pasid;
	struct ctl_number granule;
	struct ctl_number count;
	bool leaf;
	const char *access;
	const char *flags;
	const char *caches;
	const char *answer;
};

/* Ends the program after an error (2), and after --help and --version (0). */
void ctl_options_parse(struct ctl_options *options, int argc, char **argv);

#endif /* CTL_OPTIONS_H */
