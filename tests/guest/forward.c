// SPDX-License-Identifier: GPL-2.0
/*
 * A forwarder in the guest's user space, on DPDK: it sends each packet back to
 * where it came from, with the two addresses exchanged.
 *
 *	forward [OPTION OF DPDK'S EAL]... -- [lie]
 *
 * It prints "forwarding" when it is ready, ends at the first line on its standard
 * input, and prints "forwarded RECEIVED SENT".
 *
 * With "lie", it gives the device an address of which its IOMMU knows nothing in
 * place of that of the packet.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#define PORT 0
#define QUEUE 0
#define DESCRIPTORS 256
/* One less than a power of two is what a pool holds best. */
#define BUFFERS 2047
#define BURST 32
/* Looking for a line takes a system call. */
#define TURNS_PER_LOOK 256
/* Below what any program has, and nothing that VFIO maps. */
#define UNMAPPED 0x1234000

struct forwarder {
	bool is_liar;
	unsigned int turn;
	unsigned long received;
	unsigned long sent;
};

static void die(const char *what, int error)
{
	printf("error forward: cannot %s: %s\n", what, rte_strerror(abs(error)));
	exit(1);
}

static void must(const char *what, int result)
{
	if (result < 0)
		die(what, result);
}

static bool is_told_to_end(struct forwarder *forwarder)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	return forwarder->turn++ % TURNS_PER_LOOK == 0 && poll(&input, 1, 0) > 0;
}

static void start_port(void)
{
	static const struct rte_eth_conf config;
	struct rte_mempool *pool;

	if (rte_eth_dev_count_avail() != 1)
		die("find exactly one NIC", ENODEV);
	/* No cache: every buffer shall have its turn. */
	pool = rte_pktmbuf_pool_create("buffers", BUFFERS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       SOCKET_ID_ANY);
	if (!pool)
		die("make a pool of buffers", rte_errno);
	must("configure the NIC", rte_eth_dev_configure(PORT, 1, 1, &config));
	must("set up the receive queue",
	     rte_eth_rx_queue_setup(PORT, QUEUE, DESCRIPTORS, SOCKET_ID_ANY, NULL, pool));
	must("set up the transmit queue",
	     rte_eth_tx_queue_setup(PORT, QUEUE, DESCRIPTORS, SOCKET_ID_ANY, NULL));
	must("start the NIC", rte_eth_dev_start(PORT));
}

static void turn_round(struct forwarder *forwarder, struct rte_mbuf *packet)
{
	struct rte_ether_hdr *header = rte_pktmbuf_mtod(packet, struct rte_ether_hdr *);
	const struct rte_ether_addr from = header->src_addr;

	header->src_addr = header->dst_addr;
	header->dst_addr = from;
	if (forwarder->is_liar)
		rte_mbuf_iova_set(packet, UNMAPPED);
}

static void forward_burst(struct forwarder *forwarder)
{
	struct rte_mbuf *packets[BURST];
	const uint16_t count = rte_eth_rx_burst(PORT, QUEUE, packets, BURST);
	uint16_t i, sent = 0;

	for (i = 0; i < count; i++)
		turn_round(forwarder, packets[i]);
	forwarder->received += count;
	while (sent < count && !is_told_to_end(forwarder))
		sent += rte_eth_tx_burst(PORT, QUEUE, packets + sent, count - sent);
	forwarder->sent += sent;
}

int main(int argc, char **argv)
{
	struct forwarder forwarder = {0};
	char line[64];
	int used;

	setvbuf(stdout, NULL, _IOLBF, 0);
	used = rte_eal_init(argc, argv);
	must("start DPDK", used < 0 ? -rte_errno : 0);
	argc -= used;
	argv += used;
	if (argc > 2 || (argc == 2 && strcmp(argv[1], "lie"))) {
		fprintf(stderr, "Usage: forward [OPTION OF DPDK'S EAL]... -- [lie]\n");
		return 2;
	}
	forwarder.is_liar = argc == 2;
	start_port();
	printf("forwarding\n");
	while (!is_told_to_end(&forwarder))
		forward_burst(&forwarder);
	if (!fgets(line, sizeof(line), stdin))
		die("read the line that ends it", EIO);
	must("stop the NIC", rte_eth_dev_stop(PORT));
	rte_eth_dev_close(PORT);
	rte_eal_cleanup();
	printf("forwarded %lu %lu\n", forwarder.received, forwarder.sent);
	return 0;
}
