/* SPDX-License-Identifier: GPL-2.0 */
/* The modules under test, and the parameters of vhost. */
#ifndef KERNEL_TEST_MODULE_H
#define KERNEL_TEST_MODULE_H

#include <stdbool.h>

/* How long a program may take to have a miss answered, 0 for ever. */
#define MODULE_TIMEOUT "iotlb_miss_timeout_ms"
#define MODULE_LIMIT "max_iotlb_entries"

bool module_has_parameter(const char *name);
unsigned int module_parameter(const char *name);
void module_set_parameter(const char *name, unsigned int value);

/* Number of references to @module. */
int module_references(const char *module);

/* Unload @module, if it is loaded. Return: 0 or a negative errno. */
int module_unload(const char *module);
bool module_load(const char *module);

#endif /* KERNEL_TEST_MODULE_H */
