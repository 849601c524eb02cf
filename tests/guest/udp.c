// SPDX-License-Identifier: GPL-2.0
/*
 * Sends UDP packets, or receives them and counts: one static program for both
 * ends, so that they agree about what is in a packet.
 *
 *	udp send ADDRESS PORT COUNT SIZE
 *	udp receive PORT COUNT SECONDS
 *
 * The receiver prints "listening", and at the end how many different packets
 * came, how many came again, and how many were no packets of the sender's. It
 * ends when it has COUNT, or SECONDS after its standard input has ended.
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
#include <unistd.h>

#define SIZE_MAX_UDP 65507
#define COUNT_MAX 100000000

static void die(const char *what)
{
	fprintf(stderr, "udp: cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long number(const char *text, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || *end || n < min || n > max) {
		fprintf(stderr, "udp: %s is not a number from %lu to %lu\n", text, min, max);
		exit(2);
	}
	return n;
}

/* A packet is its number, and bytes that follow from it and from their place. */
static void fill(uint8_t *packet, size_t size, uint32_t n)
{
	size_t i;

	memcpy(packet, &n, sizeof(n));
	for (i = sizeof(n); i < size; i++)
		packet[i] = (uint8_t)(n * 31 + i);
}

static int intact(const uint8_t *packet, size_t size, uint32_t n)
{
	size_t i;

	for (i = sizeof(n); i < size; i++)
		if (packet[i] != (uint8_t)(n * 31 + i))
			return 0;
	return 1;
}

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

static int send_all(const struct sockaddr_in *to, uint32_t count, size_t size)
{
	static uint8_t packet[SIZE_MAX_UDP];
	/* Else packets that are dropped on the way to the device count as sent. */
	int fd = socket(AF_INET, SOCK_DGRAM, 0), errors = 1;
	uint32_t n;

	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_RECVERR, &errors, sizeof(errors)) ||
	    connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		die("reach the receiver");
	for (n = 0; n < count; n++) {
		fill(packet, size, n);
		/* A full queue is no error: it empties. */
		while (send(fd, packet, size, 0) < 0) {
			if (errno != ENOBUFS)
				die("send");
			usleep(1000);
		}
	}
	printf("%u\n", count);
	return 0;
}

struct tally {
	uint32_t received;
	uint32_t again;
	uint32_t strange;
};

static void count_packet(struct tally *tally, uint8_t *seen, uint32_t count, const uint8_t *packet,
			 size_t size)
{
	uint32_t n = count;

	if (size >= sizeof(n))
		memcpy(&n, packet, sizeof(n));
	if (n >= count || !intact(packet, size, n))
		tally->strange++;
	else if (seen[n])
		tally->again++;
	else
		tally->received++;
	if (n < count)
		seen[n] = 1;
}

static int receive_all(const struct sockaddr_in *at, uint32_t count, int seconds)
{
	static uint8_t packet[SIZE_MAX_UDP];
	struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLIN}};
	/* The sender may be much faster for a while. */
	int fd = socket(AF_INET, SOCK_DGRAM, 0), buffer = 256 << 20, timeout = -1;
	uint8_t *seen = calloc(1, count);
	struct tally tally = {0};

	if (!seen)
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
			count_packet(&tally, seen, count, packet, size);
		}
		if (fds[1].revents && read(STDIN_FILENO, packet, sizeof(packet)) <= 0) {
			fds[1].fd = -1;
			timeout = seconds * 1000;
		}
	}
	printf("%u %u %u\n", tally.received, tally.again, tally.strange);
	free(seen);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "send")) {
		struct sockaddr_in to = address(argv[2], argv[3]);

		return send_all(&to, number(argv[4], 1, COUNT_MAX),
				number(argv[5], 4, SIZE_MAX_UDP));
	}
	if (argc == 5 && !strcmp(argv[1], "receive")) {
		struct sockaddr_in at = address("0.0.0.0", argv[2]);

		return receive_all(&at, number(argv[3], 1, COUNT_MAX), number(argv[4], 0, 3600));
	}
	fprintf(stderr, "Usage: udp send ADDRESS PORT COUNT SIZE\n"
			"       udp receive PORT COUNT SECONDS\n");
	return 2;
}
