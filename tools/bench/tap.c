// SPDX-License-Identifier: GPL-2.0
#include "tap.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>

#include "frame.h"
#include "layout.h"

#define SOCKET_BUFFER (16 << 20)

/* The kernel may have no IPv6 at all: then there is nothing to turn off. */
static void disable_ipv6(void)
{
	static const char path[] = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		if (errno != ENOENT)
			warnx("cannot open %s: %s; going on, but the kernel may send frames of its "
			      "own",
			      path, strerror(errno));
		return;
	}
	if (write(fd, "1", 1) != 1)
		warnx("cannot write %s: %s; going on, but the kernel may send frames of its own",
		      path, strerror(errno));
	close(fd);
}

int tap_enter_namespace(void)
{
	if (unshare(CLONE_NEWNET)) {
		if (errno == EPERM)
			warnx("cannot make a network namespace: needs root, or the capabilities "
			      "CAP_SYS_ADMIN and CAP_NET_ADMIN");
		else
			warnx("cannot make a network namespace: %s; is CONFIG_NET_NS in the "
			      "kernel?",
			      strerror(errno));
		return -1;
	}
	disable_ipv6();
	return 0;
}

static int create_interface(int fd, struct ifreq *request)
{
	int header = VNET_HEADER_SIZE;

	request->ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	if (ioctl(fd, TUNSETIFF, request)) {
		warnx("cannot make the tap interface %s: %s; CAP_NET_ADMIN is needed",
		      request->ifr_name, strerror(errno));
		return -1;
	}
	if (ioctl(fd, TUNSETVNETHDRSZ, &header)) {
		warn("cannot set the virtio header of tap %s to %d bytes", request->ifr_name,
		     header);
		return -1;
	}
	return 0;
}

static int bring_up(int socket_fd, struct ifreq *request, size_t frame_size)
{
	if (frame_size > ETH_FRAME_LEN) {
		request->ifr_mtu = frame_size - ETH_HLEN;
		if (ioctl(socket_fd, SIOCSIFMTU, request)) {
			warn("cannot set the MTU of %s to %zu", request->ifr_name,
			     frame_size - ETH_HLEN);
			return -1;
		}
	}
	request->ifr_flags = IFF_UP;
	if (ioctl(socket_fd, SIOCSIFFLAGS, request)) {
		warn("cannot bring up %s", request->ifr_name);
		return -1;
	}
	if (ioctl(socket_fd, SIOCGIFINDEX, request)) {
		warn("cannot get the index of %s", request->ifr_name);
		return -1;
	}
	return 0;
}

static int bind_socket(int fd, const struct ifreq *request)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(FRAME_ETHERTYPE),
		.sll_ifindex = request->ifr_ifindex,
	};
	int size = SOCKET_BUFFER, on = 1;

	/*
	 * Room for all that can be in flight: the socket must not be where
	 * packets get lost. And no queueing discipline, which is no part of
	 * what is measured.
	 */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on))) {
		warn("cannot set up the packet socket on %s", request->ifr_name);
		return -1;
	}
	if (bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		warn("cannot bind a packet socket to %s", request->ifr_name);
		return -1;
	}
	return 0;
}

static int open_fds(struct tap *t)
{
	t->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->fd < 0) {
		if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
			warnx("cannot open /dev/net/tun: %s; is the module loaded? try: modprobe "
			      "tun",
			      strerror(errno));
		else
			warn("cannot open /dev/net/tun");
		return -1;
	}
	/* Protocol 0: nothing arrives before it is bound to our interface. */
	t->packet = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->packet < 0) {
		warnx("cannot open a packet socket: %s; CAP_NET_RAW and CONFIG_PACKET are needed",
		      strerror(errno));
		return -1;
	}
	return 0;
}

int tap_open(struct tap *t, unsigned int number, size_t frame_size)
{
	struct ifreq request = {0};

	t->fd = -1;
	t->packet = -1;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "bench%u", number);
	if (open_fds(t) || create_interface(t->fd, &request) ||
	    bring_up(t->packet, &request, frame_size) || bind_socket(t->packet, &request)) {
		tap_close(t);
		return -1;
	}
	return 0;
}

void tap_close(struct tap *t)
{
	if (t->fd >= 0)
		close(t->fd);
	if (t->packet >= 0)
		close(t->packet);
	t->fd = -1;
	t->packet = -1;
}
