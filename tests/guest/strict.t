#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# host
#
# One guest, as its kernel is by default, and everything that one boot allows: its
# own networking, with QEMU serving and then with iotlbd; iotlbd, the NIC and QEMU
# ending in the middle; a DPDK program in the guest; one that lies.

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
[[ -n ${GUEST_PID:-} ]] || exec "$here/run" --timeout 3000 -- "$0"
# shellcheck source-path=SCRIPTDIR source=steps.sh
. "$here/steps.sh"

compare 2000 "strict, QEMU" strict "$guest/traffic"
ok "strict, QEMU: a miss for each packet reaches user space" \
	holds_in strict '.verdicts.fd / .packets | 0.95 <= . and . <= 1.1'
step_comparison_can_fail
step_resolved_traffic strict
step_daemon_killed
step_nic_reset
step_forward 2M '.hit_rate >= 99.9'
compare 1500 "4K pages" forward-4K "$guest/forward-traffic" 4K
ok "4K pages: a miss for each page" holds_in forward-4K '.misses.buffer | 1000 <= . and . <= 2500'
step_forward_resolved
step_plug 1000
step_lie
step_qemu_killed
plan
