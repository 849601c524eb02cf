/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CTL_WATCH_H
#define CTL_WATCH_H

#include <stdbool.h>

struct ctl_client;
struct ctl_options;

/**
 * ctl_watch() - page requests of a device, as they come
 * @client:	subscribed to them, and without an event function
 * @options:	the command
 *
 * Prints them, and answers as the command or standard input says, until the device
 * goes.
 *
 * Return: false after a message: iotlbd has gone, or has refused an answer.
 */
bool ctl_watch(struct ctl_client *client, const struct ctl_options *options);

#endif /* CTL_WATCH_H */
