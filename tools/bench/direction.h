/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_DIRECTION_H
#define BENCH_DIRECTION_H

/* As the guest sees it. The numbers are those of vhost-net's virtqueues. */
enum direction {
	DIRECTION_RX = 0, /* far end -> tap -> vhost -> guest */
	DIRECTION_TX = 1, /* guest -> vhost -> tap -> far end */
	NR_DIRECTIONS
};

static inline const char *direction_name(enum direction direction)
{
	return direction == DIRECTION_TX ? "tx" : "rx";
}

#endif /* BENCH_DIRECTION_H */
