// SPDX-License-Identifier: GPL-2.0
/*
 * Has a NIC use so many pairs of queues: by itself, Linux takes no more than there
 * are CPUs.
 *
 *	channels NIC COUNT
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {.ifr_data = (char *)&channels};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc != 3 || strlen(argv[1]) >= IFNAMSIZ || atoi(argv[2]) < 1) {
		fprintf(stderr, "Usage: channels NIC COUNT\n");
		return 2;
	}
	strcpy(request.ifr_name, argv[1]);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request))
		goto failed;
	channels.cmd = ETHTOOL_SCHANNELS;
	channels.combined_count = atoi(argv[2]);
	if (ioctl(fd, SIOCETHTOOL, &request))
		goto failed;
	return 0;
failed:
	fprintf(stderr, "channels: cannot have %s use %s pairs of queues: %s\n", argv[1], argv[2],
		strerror(errno));
	return 1;
}
