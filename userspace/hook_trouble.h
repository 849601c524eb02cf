/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a BPF program cannot be put into vhost, in words that help. Shared by
 * all programs that load one.
 */
#ifndef IOTLB_HOOK_TROUBLE_H
#define IOTLB_HOOK_TROUBLE_H

#include <stdbool.h>

/**
 * hook_check() - look for what is missing before anything is loaded
 *
 * Cheap: a few files and the capabilities of this process.
 *
 * Return: 0, or a negative errno after a message.
 */
int hook_check(void);

/* Says why loading has failed; @err is a negative errno. */
void hook_explain_load(int err);

/**
 * hook_explain_attach() - say why a struct_ops cannot be attached
 * @err:	negative errno; with -EBUSY, whoever is there already is named
 * @map_fd:	the map of the struct_ops
 */
void hook_explain_attach(int err, int map_fd);

/* Does the loaded vhost tell when the driver has started a device? If not, says so. */
bool hook_can_follow(void);

/* Has the loaded vhost the kfuncs with which a BPF program resolves misses? */
bool hook_can_resolve(void);

/* The one with which it sets accessed and dirty flags? */
bool hook_can_set_flags(void);

#endif /* IOTLB_HOOK_TROUBLE_H */
