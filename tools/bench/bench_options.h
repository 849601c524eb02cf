/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

enum server_kind {
	SERVER_FD,     /* we answer our own misses, with a reader for each vhost fd */
	SERVER_ONE,    /* the same with one reader for all of them */
	SERVER_NONE,   /* somebody else does */
	SERVER_RING,   /* an iotlbd that we start does */
	SERVER_KERNEL, /* the same, and the page walk is done in the kernel */
};

enum iova_kind {
	IOVA_TABLE,
	IOVA_IDENTITY,
	IOVA_VTD,
};

struct options {
	struct layout_options layout;
	enum server_kind server;
	uint32_t frame_size;  /* bytes, Ethernet header included */
	uint64_t warmup;      /* packets of each queue kept out of the times */
	unsigned int timeout; /* seconds without progress */
	uint64_t seed;	      /* of what is random */
	uint64_t refuse;      /* every so manieth page request; 0: none */
	uint64_t lifetime;    /* packets of a process; 0: it does not end */
	enum iova_kind iova;
	const char *table;  /* file to write the translations to, or NULL */
	const char *vtd;    /* file to write the description of the IOMMU to, or NULL */
	const char *iotlbd; /* the program, or NULL: the one beside us */
	bool run;	    /* go on after writing a file */
	bool has_seed;	    /* was it given? */
	bool has_devices;   /* the same */
	bool has_iova;
	bool event_idx;
	bool control;	    /* PASIDs by the control socket of our iotlbd */
	bool no_invalidate; /* vhost is not told what is unmapped: a mistake */
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

const char *options_server(const struct options *o);
const char *options_iova(const struct options *o);

/* Do we answer misses ourselves? */
static inline bool options_serves(const struct options *o)
{
	return o->server == SERVER_FD || o->server == SERVER_ONE;
}

static inline bool options_starts_iotlbd(const struct options *o)
{
	return o->server == SERVER_RING || o->server == SERVER_KERNEL;
}

#endif /* BENCH_OPTIONS_H */
