// SPDX-License-Identifier: GPL-2.0
#include "change.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/vhost.h>

#include "state.h"
#include "tests/kernel/device.h"
#include "vhost_msg_v3.h"

bool change_features(uint64_t features)
{
	if (ioctl(session.fd, VHOST_SET_FEATURES, &features))
		return session_fail("VHOST_SET_FEATURES fails: %s", strerror(errno));
	return session_expect(features == WITH_IOTLB ? CHANGE_IOTLB : CHANGE_NO_IOTLB,
			      "VHOST_SET_FEATURES");
}

bool change_owner(void)
{
	if (ioctl(session.fd, VHOST_SET_OWNER, NULL))
		return session_fail("VHOST_SET_OWNER fails: %s", strerror(errno));
	session.has_owner = true;
	return true;
}

bool change_no_owner(void)
{
	if (!session.has_owner)
		return true;
	if (ioctl(session.fd, VHOST_RESET_OWNER, NULL))
		return session_fail("VHOST_RESET_OWNER fails: %s", strerror(errno));
	session.has_owner = false;
	return session_expect(CHANGE_NO_IOTLB, "VHOST_RESET_OWNER");
}

bool change_memory(bool good)
{
	struct {
		struct vhost_memory table;
		struct vhost_memory_region region;
	} memory = {
		.table.nregions = good ? 1 : 1U << 30,
		.region.memory_size = PAGE,
		.region.userspace_addr = PAGE,
	};
	int error = ioctl(session.fd, VHOST_SET_MEM_TABLE, &memory);

	if (!session.has_owner || !good) {
		if (!error)
			return session_fail("VHOST_SET_MEM_TABLE is not refused");
		return session_expect(CHANGE_NOTHING, "VHOST_SET_MEM_TABLE that is refused");
	}
	if (error)
		return session_fail("VHOST_SET_MEM_TABLE fails: %s", strerror(errno));
	return session_expect(CHANGE_MEMORY, "VHOST_SET_MEM_TABLE");
}

static bool set_backend(bool v3, bool asid)
{
	uint64_t features = 1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2;

	if (v3)
		features |= 1ULL << VHOST_BACKEND_F_IOTLB_MSG_V3;
	if (asid)
		features |= 1ULL << VHOST_BACKEND_F_IOTLB_ASID;
	if (ioctl(session.fd, VHOST_SET_BACKEND_FEATURES, &features))
		return session_fail("VHOST_SET_BACKEND_FEATURES fails: %s", strerror(errno));
	return true;
}

bool change_backend(bool v3)
{
	return set_backend(v3, false);
}

bool change_backend_asid(void)
{
	return set_backend(session.round.v3, true);
}
