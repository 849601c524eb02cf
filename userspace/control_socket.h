/* SPDX-License-Identifier: GPL-2.0 */
/* The ends of a control socket, for the daemon and for its clients. */
#ifndef IOTLB_CONTROL_SOCKET_H
#define IOTLB_CONTROL_SOCKET_H

/* Where it is, unless somebody says otherwise; for clients. */
#define CONTROL_SOCKET_PATH "/run/iotlbd.control"

/**
 * control_listen() - make the socket
 * @path:	where; nobody may be listening there
 *
 * Only the owner and root may connect.
 *
 * Return: an fd that does not block, or a negative errno after a message.
 */
int control_listen(const char *path);

/**
 * control_connect() - to a daemon
 * @path:	where it listens
 *
 * Return: an fd, or a negative errno after a message.
 */
int control_connect(const char *path);

#endif /* IOTLB_CONTROL_SOCKET_H */
