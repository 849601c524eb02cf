/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CTL_REQUEST_H
#define CTL_REQUEST_H

#include <stdint.h>

struct ctl_options;
struct json_object;

/* The request for a command; of a list, the part after a device or PASID, 0 for the
 * beginning. What is given is left as it is: iotlbd knows what makes sense.
 */
struct json_object *ctl_request(const struct ctl_options *options, uint64_t after);

#endif /* CTL_REQUEST_H */
