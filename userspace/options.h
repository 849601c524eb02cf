/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOTLB_OPTIONS_H
#define IOTLB_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "translator.h"

struct monitor_protocol;

/* More processes can be named by naming none. */
#define OPTIONS_MAX_PIDS 256

#define OPTIONS_RING_SIZE (1UL << 20)
#define OPTIONS_RING_SIZE_MAX (1UL << 30)

#define OPTIONS_MAX_UNANSWERED 1000

#define OPTIONS_PASID_QUOTA 1024
#define OPTIONS_PASID_QUOTA_MAX 65536

#define OPTIONS_PAGE_REQUEST_SECONDS 30
#define OPTIONS_PAGE_REQUEST_SECONDS_MAX 86400

/**
 * struct options - the command line of iotlbd
 * @pids:	-p
 * @pid_count:	how many; 0 for all processes
 * @translator:	--translator
 * @translator_args: --table, --vtd, and whether there is a monitor
 * @monitor:	what is spoken on the monitor of QEMU: --qmp or --monitor, NULL without
 * @monitor_path: the socket
 * @resolve:	--resolve, and with a monitor
 * @ring_size:	--ring-size
 * @max_unanswered: --max-unanswered
 * @control_path: --control, NULL without
 * @pasid_quota: --pasid-quota
 * @page_request_seconds: --page-request-timeout
 * @poll:	--poll
 * @json:	--json
 * @stats_seconds: --stats, 0 without
 */
struct options {
	pid_t pids[OPTIONS_MAX_PIDS];
	size_t pid_count;
	const struct translator_ops *translator;
	struct translator_args translator_args;
	const struct monitor_protocol *monitor;
	const char *monitor_path;
	bool resolve;
	size_t ring_size;
	unsigned int max_unanswered;
	const char *control_path;
	unsigned int pasid_quota;
	unsigned int page_request_seconds;
	bool poll;
	bool json;
	unsigned int stats_seconds;
};

/* Fills in @options, or ends the program with status 2 after a message. */
void options_parse(struct options *options, int argc, char **argv);

#endif /* IOTLB_OPTIONS_H */
