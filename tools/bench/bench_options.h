/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

enum server_kind {
	SERVER_FD,   /* we answer our own misses, with a reader for each vhost fd */
	SERVER_ONE,  /* the same with one reader for all of them */
	SERVER_NONE, /* somebody else does */
};

struct options {
	struct layout_options layout;
	enum server_kind server;
	uint32_t frame_size;  /* bytes, Ethernet header included */
	uint64_t warmup;      /* packets of each queue kept out of the times */
	unsigned int timeout; /* seconds without progress */
	const char *table;    /* file to write the translations to, or NULL */
	bool run;	      /* go on after writing the table */
	bool prefault;
	bool json;
	bool quiet;
	bool verbose;
	/* As the user wrote them, for reports. */
	const char *direction;
	const char *page;
};

/* Ends the process with status 2 if the command line makes no sense. */
void bench_options_parse(struct options *o, int argc, char **argv);

static inline const char *options_server(const struct options *o)
{
	static const char *const names[] = {
		[SERVER_FD] = "fd",
		[SERVER_ONE] = "one",
		[SERVER_NONE] = "none",
	};

	return names[o->server];
}

static inline const char *options_iova(const struct options *o)
{
	return o->layout.identity ? "identity" : "table";
}

#endif /* BENCH_OPTIONS_H */
