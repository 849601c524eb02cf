// SPDX-License-Identifier: GPL-2.0
/*
 * Sends frames into a network device and looks whether they come back, with the
 * two addresses exchanged and all else as it was.
 *
 *	round_trip DEVICE ADDRESS COUNT SIZE WINDOW SECONDS
 *
 * ADDRESS is the MAC of whoever shall send them back. No more than WINDOW frames
 * are under way at a time. It prints how many came back, how many of them again,
 * and how many that are none of its own; it ends when all have come back, or
 * when none has for SECONDS.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "payload.h"
#include "program.h"

#define COUNT_MAX 100000000
/* For local experiments, says IEEE 802. */
#define PROTOCOL 0x88b5

struct trip {
	int fd;
	size_t size;
	uint8_t frame[ETH_FRAME_LEN];
	uint8_t own[ETH_ALEN];
	struct payload_tally tally;
};

static void open_device(struct trip *trip, const char *name, const char *peer)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(PROTOCOL)};
	const struct ether_addr *address = ether_aton(peer);
	struct ether_header *header = (struct ether_header *)trip->frame;
	struct ifreq request = {0};
	int buffer = 64 << 20;

	if (!address) {
		fprintf(stderr, "round_trip: %s is no address of a NIC\n", peer);
		exit(2);
	}
	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	at.sll_ifindex = if_nametoindex(name);
	trip->fd = socket(AF_PACKET, SOCK_RAW, htons(PROTOCOL));
	if (trip->fd < 0 || !at.sll_ifindex || ioctl(trip->fd, SIOCGIFHWADDR, &request) ||
	    setsockopt(trip->fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) ||
	    bind(trip->fd, (struct sockaddr *)&at, sizeof(at)))
		die("open the device");
	memcpy(trip->own, request.ifr_hwaddr.sa_data, ETH_ALEN);
	memcpy(header->ether_dhost, address, ETH_ALEN);
	memcpy(header->ether_shost, trip->own, ETH_ALEN);
	header->ether_type = htons(PROTOCOL);
}

static void send_frame(struct trip *trip, uint32_t n)
{
	payload_fill(trip->frame + ETH_HLEN, trip->size, n);
	while (send(trip->fd, trip->frame, ETH_HLEN + trip->size, 0) < 0) {
		/* A full queue empties. */
		if (errno != ENOBUFS)
			die("send");
		usleep(1000);
	}
}

static void receive_frame(struct trip *trip)
{
	const struct ether_header *header;
	uint8_t frame[ETH_FRAME_LEN + 64];
	const ssize_t size = recv(trip->fd, frame, sizeof(frame), 0);

	if (size < 0)
		die("receive");
	header = (const struct ether_header *)frame;
	if ((size_t)size != ETH_HLEN + trip->size ||
	    memcmp(header->ether_dhost, trip->own, ETH_ALEN))
		trip->tally.strange++;
	else
		payload_count(&trip->tally, frame + ETH_HLEN, trip->size);
}

static void run(struct trip *trip, uint32_t window, int seconds)
{
	struct pollfd input = {.fd = trip->fd, .events = POLLIN};
	uint32_t sent = 0;

	while (trip->tally.received < trip->tally.count) {
		while (sent < trip->tally.count && sent - trip->tally.received < window)
			send_frame(trip, sent++);
		if (poll(&input, 1, seconds * 1000) <= 0)
			return;
		receive_frame(trip);
	}
}

int main(int argc, char **argv)
{
	struct trip trip = {0};

	if (argc != 7) {
		fprintf(stderr, "Usage: round_trip DEVICE ADDRESS COUNT SIZE WINDOW SECONDS\n");
		return 2;
	}
	trip.tally.count = number(argv[3], 1, COUNT_MAX);
	trip.size = number(argv[4], PAYLOAD_MIN, ETH_DATA_LEN);
	trip.tally.seen = calloc(1, trip.tally.count);
	if (!trip.tally.seen)
		die("allocate memory");
	open_device(&trip, argv[1], argv[2]);
	run(&trip, number(argv[5], 1, COUNT_MAX), number(argv[6], 1, 3600));
	printf("%u %u %u\n", trip.tally.received, trip.tally.again, trip.tally.strange);
	free(trip.tally.seen);
	return 0;
}
