/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The BPF side of a daemon that answers misses (bpf/deliver.bpf.c): loads it,
 * attaches it to vhost and takes records off its ring buffer. What goes wrong
 * while it is set up is told to the user here, with what can be done about it.
 */
#ifndef IOTLB_MISS_HOOK_H
#define IOTLB_MISS_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iotlb_record.h"

struct miss_hook;
struct miss_stats;
struct resolver_device;
struct vtd_space;

/**
 * struct miss_hook_options - how to load the hook
 * @ring_size:	bytes, a power of two and at least one page
 * @follow:	guests are followed: devices are only served in the epoch for which
 *		miss_hook_know() says so, and records tell when IOTLBs are
 *		replaced or all that is in them is invalidated
 * @resolve:	miss_hook_resolve() may be called, if miss_hook_can_resolve()
 * @pasids:	miss_hook_set_space() will be called, for which memory is set aside
 */
struct miss_hook_options {
	size_t ring_size;
	bool follow;
	bool resolve;
	bool pasids;
};

/* Load, and watch memory tables; 0, or a negative errno after a message. */
int miss_hook_open(struct miss_hook **hook, const struct miss_hook_options *options);

/**
 * miss_hook_attach() - from here on misses come in, those that wait too
 * @hook:	the hook
 * @patience_ms: how long to wait for another program to go; a process that is
 *		ending still has it for a moment
 *
 * May be called again after something else has detached the hook.
 *
 * Return: 0, or a negative errno after a message.
 */
int miss_hook_attach(struct miss_hook *hook, unsigned int patience_ms);

/* Misses go the usual way again, those not answered too. NULL is fine. */
void miss_hook_close(struct miss_hook *hook);

/* Becomes readable when there are records, if nothing has to stay awake. */
int miss_hook_ring_fd(const struct miss_hook *hook);

/* Records do not wake the caller until miss_hook_may_sleep() says so. */
void miss_hook_stay_awake(struct miss_hook *hook);

/* True if there are no records, and the next one will wake the caller. */
bool miss_hook_may_sleep(struct miss_hook *hook);

/* EPOLLHUP when something else has detached the hook. */
int miss_hook_link_fd(const struct miss_hook *hook);

/**
 * miss_hook_take() - take records off the ring buffer
 * @hook:	the hook
 * @records:	filled in, oldest first
 * @max:	at most so many
 *
 * Records of a version that is not known are counted and left out.
 *
 * Return: how many, 0 if there are none.
 */
size_t miss_hook_take(struct miss_hook *hook, struct iotlb_record *records, size_t max);

/* Misses that found no room on the ring buffer, ever. */
uint64_t miss_hook_drops(const struct miss_hook *hook);

/* Records that are no misses, and found no room on the ring buffer, ever. */
uint64_t miss_hook_news_drops(const struct miss_hook *hook);

/* All that may be news of any device, also what nobody recorded, as the program was
 * preempted. What an owner has done before this is called, is counted.
 */
uint64_t miss_hook_news_count(const struct miss_hook *hook);

/* Records that could not be understood, ever. */
uint64_t miss_hook_strange(const struct miss_hook *hook);

/* As miss_hook_take(), for misses that found no room on the ring buffer. */
size_t miss_hook_take_overflow(struct miss_hook *hook, struct iotlb_record *records, size_t max);

/* The misses of this device come to us, with miss_hook_options::follow only when
 * it is known; 0 or a negative errno.
 */
int miss_hook_serve(struct miss_hook *hook, uint64_t dev);

/* They do not any more. */
void miss_hook_unserve(struct miss_hook *hook, uint64_t dev);

/* They do not for now; news of it still do. */
void miss_hook_throttle(struct miss_hook *hook, uint64_t dev, bool throttled);

/* With miss_hook_options::follow, @iotlb_gen is the number of the IOTLB that this
 * is about. Misses with another one do not come to us, nor does the kernel resolve
 * them: they are news of the kind IOTLB_RECORD_REPLACED.
 */

/* The misses of this device come to us. */
void miss_hook_know(struct miss_hook *hook, uint64_t dev, uint64_t iotlb_gen);

/* They do not for now. What the kernel resolves, it does for another IOTLB. */
void miss_hook_pause(struct miss_hook *hook, uint64_t dev, uint64_t iotlb_gen);

/* They do not, nor does the kernel resolve them. */
void miss_hook_forget(struct miss_hook *hook, uint64_t dev, uint64_t iotlb_gen);

/* Can the loaded vhost, and is the hook open for it? */
bool miss_hook_can_resolve(const struct miss_hook *hook);

/**
 * miss_hook_resolve() - have the kernel resolve misses of a device by itself
 * @hook:	the hook
 * @dev:	the device, which is served; miss_hook_can_resolve() must have said yes
 * @device:	what the kernel has to know of it: its IOMMU and the like, and
 *		the epoch, 0 without miss_hook_options::follow
 *
 * What the kernel cannot resolve comes to us. It ends with miss_hook_forget(),
 * with miss_hook_unserve() or when this is called again: no walk that begins
 * after that uses @device, and one that is under way ends before this function
 * gives the kernel another. It pauses with the end of the epoch.
 *
 * Return: 0 or a negative errno; -EBUSY if another device has the only place
 * where this one could be.
 */
int miss_hook_resolve(struct miss_hook *hook, uint64_t dev, const struct resolver_device *device);

/* Does the kernel resolve misses of this device, and set accessed and dirty flags for it? */
bool miss_hook_sets_flags(const struct miss_hook *hook, uint64_t dev);

/**
 * miss_hook_set_space() - by what the kernel resolves the misses of a PASID
 * @hook:	the hook
 * @dev:	the device
 * @pasid:	the PASID; 0 for all of the device that it was not called for
 * @space:	where their walks begin; NULL to take back what was said. If nothing
 *		is said for 0 either, at the root table of the guest's IOMMU.
 *
 * The device is resolved by miss_hook_resolve(), or all of its misses come to us.
 *
 * No walk that begins after this has returned uses what was there before. One that
 * is still under way ends before vhost has done the next INVALIDATE for the device,
 * which waits for all virtqueues; and in any case before something else is put where
 * it reads: for that, this waits if something was taken back before, perhaps some
 * 10 ms.
 *
 * Return: 0 or a negative errno; then, misses of @pasid go by what is said for 0.
 */
int miss_hook_set_space(struct miss_hook *hook, uint64_t dev, uint32_t pasid,
			const struct vtd_space *space);

/* Fill in what the hook counts, which is @drops and all that follows, of one
 * device or of all.
 */
void miss_hook_count_device(const struct miss_hook *hook, uint64_t dev, struct miss_stats *stats);
void miss_hook_count_all(const struct miss_hook *hook, struct miss_stats *stats);

/* Do not tell of this device until then (CLOCK_MONOTONIC). */
void miss_hook_ignore(struct miss_hook *hook, uint64_t dev, uint64_t until_ns);

/* To be called before a device is looked at for the sake of a record of this kind:
 * what happens from then on is told with a new record.
 */
void miss_hook_seen(struct miss_hook *hook, uint64_t dev, enum iotlb_record_kind kind);

#endif /* IOTLB_MISS_HOOK_H */
