/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Follows a guest through the monitor of its QEMU: whether it has switched its
 * IOMMU on, where its tables begin, and which PCI function a vhost device is.
 *
 * Nothing is believed for longer than it is sure to be true. What is known of a
 * device counts for an epoch: while it has the same IOTLB, until its driver starts
 * it anew. The answer to a question counts if the epoch is still that in which it
 * was asked. At other times the device's misses go to QEMU, as if nobody were
 * here.
 *
 * QEMU does everything that changes a device under the lock under which it also
 * answers. So when it answers a question that was asked because a device got a
 * new IOTLB, then that device is set up, and its tap is known.
 */
#ifndef IOTLB_GUEST_H
#define IOTLB_GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct guest;
struct miss_hook;
struct monitor_protocol;
struct served_device;
struct device_table;

/**
 * guest_connect() - to the monitor of QEMU
 * @guest:	set on success
 * @protocol:	of the monitor
 * @path:	its socket
 * @pid:	the process that it must belong to
 *
 * Return: 0, or a negative errno after a message.
 */
int guest_connect(struct guest **guest, const struct monitor_protocol *protocol, const char *path,
		  pid_t pid);

/* NULL is fine. */
void guest_close(struct guest *guest);

/* To be watched for reading: then guest_read() is due. */
int guest_fd(const struct guest *guest);

/**
 * guest_serve() - from now on, look after devices
 * @guest:	the guest
 * @hook:	which is told whose misses are wanted
 * @devices:	those that are served
 * @resolve:	have the kernel resolve what it can
 */
void guest_serve(struct guest *guest, struct miss_hook *hook, const struct device_table *devices,
		 bool resolve);

/**
 * guest_read() - QEMU has said something
 * @guest:	the guest
 *
 * Return: false, after a message, if that will never lead to anything: it is no
 * monitor, or this guest has no such IOMMU.
 */
bool guest_read(struct guest *guest);

/* Ask QEMU, at once as a rule: something is not known any more. */
void guest_ask(struct guest *guest);

/* Ask QEMU, once a second at most: something may be different. */
void guest_doubt(struct guest *guest);

/* Does what is due; to be called often. */
void guest_poll(struct guest *guest);

/* When guest_poll() is due: in so many nanoseconds, or -1 for no need. */
int64_t guest_wait_ns(const struct guest *guest);

/* Has the first question no answer yet? */
bool guest_is_new(const struct guest *guest);

/* Is what device->view says true with the IOTLB that the device has now? */
bool guest_knows(const struct served_device *device);

/* The device has got another IOTLB, device->iotlb_gen. */
void guest_restarted(struct guest *guest, struct served_device *device);

/* Is there nobody any more who could be asked? Then there is nothing to read. */
bool guest_has_ended(const struct guest *guest);

/* How often QEMU was asked */
uint64_t guest_asked(const struct guest *guest);

#endif /* IOTLB_GUEST_H */
