/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CHECK_GATHER_QEMU_H
#define CHECK_GATHER_QEMU_H

struct check_facts;
struct check_options;

/**
 * gather_qemu() - ask QEMU how the guest is made
 * @facts:	@has_monitor to @nic_count are filled in
 * @options:	which monitor, if any
 *
 * Return: 0, or a negative errno after a message.
 */
int gather_qemu(struct check_facts *facts, const struct check_options *options);

/* What is to be known of these NICs once the vhost devices are: whose tap is one's
 * backend, and how the guest's tables treat them now.
 */
void gather_nics(struct check_facts *facts);

#endif /* CHECK_GATHER_QEMU_H */
