/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOP_DIAGNOSE_H
#define TOP_DIAGNOSE_H

#include <stddef.h>

/**
 * diagnose_attach() - why could the tracepoints not be attached to?
 * @err:	negative errno of libbpf, which many causes share
 *
 * Looks for the likely causes, and tells the first that is there and what to
 * do about it.
 */
void diagnose_attach(int err);

/* The same of the functions that are probed in a vhost without tracepoints. */
void diagnose_probes(int err);

/* Warns if devices cannot be found that are there. */
void diagnose_owners(void);

/**
 * diagnose_timeouts() - why do misses time out?
 * @text:	a line that says so, with the limit that vhost has now
 * @size:	of @text
 */
void diagnose_timeouts(char *text, size_t size);

#endif /* TOP_DIAGNOSE_H */
