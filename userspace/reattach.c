// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "reattach.h"
#include "text_file.h"

/* More often than that within a minute, it would help nobody. */
#define MAX_REATTACH 5
#define PERIOD_NS (60 * NS_PER_SECOND)

#define MISS_TIMEOUT "/sys/module/vhost/parameters/iotlb_miss_timeout_ms"

/* How long vhost lets a miss wait, for a message. */
static unsigned long miss_timeout_ms(void)
{
	unsigned long ms;
	char *text;

	if (text_file_read(MISS_TIMEOUT, &text))
		return 0;
	ms = strtoul(text, NULL, 10);
	free(text);
	return ms;
}

bool reattach_allowed(struct reattach *reattach)
{
	reattach->detached++;
	log_warn("vhost has detached iotlbd from its miss hook, because one miss after the other "
		 "had waited for too long (now " MISS_TIMEOUT " is %lu); iotlbd was stopped, or "
		 "gets too little CPU. Misses went to the vhost fds meanwhile",
		 miss_timeout_ms());

	reattach->limit.max = MAX_REATTACH;
	reattach->limit.period_ns = PERIOD_NS;
	if (rate_take(&reattach->limit, clock_now_ns()))
		return true;
	log_error("this was the time number %d within a minute, so iotlbd does not attach again; "
		  "misses go to the vhost fds",
		  MAX_REATTACH + 1);
	return false;
}
