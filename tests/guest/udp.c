// SPDX-License-Identifier: GPL-2.0
/*
 * Sends UDP packets, or receives them and counts: one static program for both
 * ends, so that they agree about what is in a packet.
 *
 *	udp send ADDRESS[,ADDRESS]... PORT COUNT SIZE [PATIENCE]
 *	udp receive PORT COUNT SECONDS
 *
 * The receiver prints "listening", and at the end how many different packets
 * came, how many came again, and how many were no packets of the sender's. It
 * ends when it has COUNT, or SECONDS after its standard input has ended.
 *
 * The sender fails if it cannot send; with PATIENCE, after so many seconds. Packets
 * go to the addresses in turn. Each address is a flow of its own, which stays on one
 * queue of its NIC, also if it is there more than once.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "payload.h"
#include "program.h"

#define SIZE_MAX_UDP 65507
#define COUNT_MAX 100000000
#define FLOWS_MAX 64

static struct sockaddr_in address(const char *ip, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET};

	to.sin_port = htons(number(port, 1, 65535));
	if (inet_pton(AF_INET, ip, &to.sin_addr) != 1) {
		fprintf(stderr, "udp: %s is no IPv4 address\n", ip);
		exit(2);
	}
	return to;
}

static void send_packet(int fd, const uint8_t *packet, size_t size, unsigned int patience)
{
	const time_t end = time(NULL) + patience;

	while (send(fd, packet, size, 0) < 0) {
		/* A full queue is no error: it empties. */
		if (errno != ENOBUFS && time(NULL) >= end)
			die("send");
		usleep(1000);
	}
}

static int open_flow(const char *ip, const char *port)
{
	const struct sockaddr_in to = address(ip, port);
	/* Else packets that are dropped on the way to the device count as sent. */
	int fd = socket(AF_INET, SOCK_DGRAM, 0), errors = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_RECVERR, &errors, sizeof(errors)) ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		die("reach the receiver");
	return fd;
}

static int send_all(char *ips, const char *port, uint32_t count, size_t size, unsigned int patience)
{
	static uint8_t packet[SIZE_MAX_UDP];
	int flows[FLOWS_MAX];
	uint32_t flow_count = 0, n;
	char *ip;

	while ((ip = strsep(&ips, ",")) && flow_count < FLOWS_MAX)
		flows[flow_count++] = open_flow(ip, port);
	for (n = 0; n < count; n++) {
		payload_fill(packet, size, n);
		send_packet(flows[n % flow_count], packet, size, patience);
	}
	printf("%u\n", count);
	return 0;
}

static int receive_all(const struct sockaddr_in *at, uint32_t count, int seconds)
{
	static uint8_t packet[SIZE_MAX_UDP];
	struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLIN}};
	/* The sender may be much faster for a while. */
	int fd = socket(AF_INET, SOCK_DGRAM, 0), buffer = 256 << 20, timeout = -1;
	struct payload_tally tally = {.count = count, .seen = calloc(1, count)};

	if (!tally.seen)
		die("allocate memory");
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) ||
	    bind(fd, (const struct sockaddr *)at, sizeof(*at)))
		die("listen");
	printf("listening\n");
	fflush(stdout);
	fds[0].fd = fd;
	while (tally.received < count && poll(fds, 2, timeout) > 0) {
		if (fds[0].revents) {
			ssize_t size = recv(fd, packet, sizeof(packet), 0);

			if (size < 0)
				die("receive");
			payload_count(&tally, packet, size);
		}
		if (fds[1].revents && read(STDIN_FILENO, packet, sizeof(packet)) <= 0) {
			fds[1].fd = -1;
			timeout = seconds * 1000;
		}
	}
	printf("%u %u %u\n", tally.received, tally.again, tally.strange);
	free(tally.seen);
	return 0;
}

int main(int argc, char **argv)
{
	if ((argc == 6 || argc == 7) && !strcmp(argv[1], "send"))
		return send_all(argv[2], argv[3], number(argv[4], 1, COUNT_MAX),
				number(argv[5], PAYLOAD_MIN, SIZE_MAX_UDP),
				argc == 7 ? number(argv[6], 0, 3600) : 0);
	if (argc == 5 && !strcmp(argv[1], "receive")) {
		struct sockaddr_in at = address("0.0.0.0", argv[2]);

		return receive_all(&at, number(argv[3], 1, COUNT_MAX), number(argv[4], 0, 3600));
	}
	fprintf(stderr, "Usage: udp send ADDRESS[,ADDRESS]... PORT COUNT SIZE [PATIENCE]\n"
			"       udp receive PORT COUNT SECONDS\n");
	return 2;
}
