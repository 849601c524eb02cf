// SPDX-License-Identifier: GPL-2.0
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define SECONDS_PER_LINE 5 /* into a log */

void progress_init(struct progress *p, const struct miss_server *server)
{
	*p = (struct progress){
		.server = server,
		.is_terminal = isatty(STDERR_FILENO),
	};
}

void progress_show(const struct traffic *t, void *arg)
{
	struct progress *p = arg;
	uint64_t done = 0, all = 0;

	p->seconds++;
	if (!p->is_terminal && p->seconds % SECONDS_PER_LINE)
		return;
	for (unsigned int i = 0; i < t->nr_streams; i++) {
		done += t->streams[i].counts.received;
		all += t->options->layout.packets;
	}
	fprintf(stderr, "%siotlb-bench: %" PRIu64 " of %" PRIu64 " packets",
		p->is_terminal ? "\r\033[K" : "", done, all);
	if (p->server)
		fprintf(stderr, ", %" PRIu64 " misses served", miss_server_total(p->server));
	/* The next message, ours or another's, starts on the left. */
	fputc(p->is_terminal ? '\r' : '\n', stderr);
	fflush(stderr);
}

void progress_end(const struct progress *p)
{
	if (p->is_terminal && p->seconds)
		fputs("\033[K", stderr);
}
