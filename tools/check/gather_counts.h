/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CHECK_GATHER_COUNTS_H
#define CHECK_GATHER_COUNTS_H

struct check_facts;

/**
 * gather_counts() - watch the vhost devices of a process
 * @facts:	from @patched on is filled in; @pid says which process
 * @seconds:	for how long; SIGINT and SIGTERM make it less
 *
 * Return: 0, or a negative errno after a message.
 */
int gather_counts(struct check_facts *facts, double seconds);

#endif /* CHECK_GATHER_COUNTS_H */
