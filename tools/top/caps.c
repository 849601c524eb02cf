// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "caps.h"

uint64_t caps_missing(uint64_t wanted)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};

	/* If it cannot be told, the kernel will tell. */
	if (syscall(SYS_capget, &header, data))
		return 0;
	return wanted & ~(data[0].effective | (uint64_t)data[1].effective << 32);
}

char *caps_text(char text[CAPS_TEXT_SIZE], uint64_t caps)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} names[] = {
		{CAP_BIT(BPF), "cap_bpf"},
		{CAP_BIT(PERFMON), "cap_perfmon"},
		{CAP_BIT(SYS_ADMIN), "cap_sys_admin"},
		{CAP_BIT(SYS_PTRACE), "cap_sys_ptrace"},
		{CAP_BIT(DAC_READ_SEARCH), "cap_dac_read_search"},
	};
	size_t i, length = 0;

	text[0] = '\0';
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (caps & names[i].bit)
			length += snprintf(text + length, CAPS_TEXT_SIZE - length, "%s%s",
					   length ? "," : "", names[i].name);
	return text;
}
