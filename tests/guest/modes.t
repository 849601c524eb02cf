#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# host
#
# A guest whose kernel takes its mappings back later, many at a time; then lets the
# NIC reach all of its memory; and reboots in the middle of its traffic.

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
[[ -n ${GUEST_PID:-} ]] || exec "$here/run" --iommu lazy --timeout 3000 -- "$0"
# shellcheck source-path=SCRIPTDIR source=steps.sh
. "$here/steps.sh"

compare 2000 "lazy, QEMU" lazy "$guest/traffic"
step_resolved_traffic lazy

step_domain identity
ok "pt, QEMU: all arrives" run_to pt "$guest/traffic"
ok "pt, QEMU: nearly all lookups hit" holds_in pt '.misses.buffer / .packets <= 0.05'
compare_forgetting 2000 "pt" "$guest/traffic"
start_daemon
ok "pt, iotlbd: all arrives" run_to pt-iotlbd "$guest/traffic"
ok "pt, iotlbd: nearly all lookups hit" holds_in pt-iotlbd '.misses.buffer / .packets <= 0.01'
stop_daemon

step_domain DMA-FQ
step_guest_reboot
plan
