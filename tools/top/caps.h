/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What this process may do.
 */
#ifndef TOP_CAPS_H
#define TOP_CAPS_H

#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>

#define CAP_BIT(name) (1ULL << CAP_##name)

/* To count by tracepoints; to count by probes, also CAP_SYS_ADMIN. */
#define CAPS_TO_COUNT (CAP_BIT(BPF) | CAP_BIT(PERFMON))

/* To find devices in other users' processes. */
#define CAPS_TO_SEE_OWNERS (CAP_BIT(SYS_PTRACE) | CAP_BIT(DAC_READ_SEARCH))

#define CAPS_TEXT_SIZE 96

/* Those of @wanted that this process has not. */
uint64_t caps_missing(uint64_t wanted);

/* "cap_bpf,cap_perfmon", as setcap(8) takes it; returns @text. */
char *caps_text(char text[CAPS_TEXT_SIZE], uint64_t caps);

#endif /* TOP_CAPS_H */
