/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOP_DIAGNOSE_H
#define TOP_DIAGNOSE_H

/**
 * diagnose_attach() - why could the tracepoints not be attached to?
 * @err:	negative errno of libbpf, which many causes share
 *
 * Looks for the likely causes, and tells the first that is there and what to
 * do about it.
 */
void diagnose_attach(int err);

#endif /* TOP_DIAGNOSE_H */
