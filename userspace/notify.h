/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the service manager is told, as by sd_notify(3); but the socket is made
 * at the start, so that none need be made later, when it is forbidden.
 */
#ifndef IOTLB_NOTIFY_H
#define IOTLB_NOTIFY_H

/* Connects with the socket that $NOTIFY_SOCKET names, if it does. If that
 * fails, there is a warning, and nobody is told anything.
 */
void notify_open(void);

/* Tells it, such as "READY=1". */
void notify_send(const char *state);

#endif /* IOTLB_NOTIFY_H */
