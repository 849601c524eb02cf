#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# host
#
# A DPDK program in the guest, with memory of large pages; of 4K, see strict.t.

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
[[ -n ${GUEST_PID:-} ]] || exec "$here/run" --pages 1G --timeout 3000 -- "$0"
# shellcheck source-path=SCRIPTDIR source=steps.sh
. "$here/steps.sh"

compare_forgetting 2000 "1G pages" "$guest/forward-traffic" 1G 10000
compare_forgetting 2000 "2M pages" "$guest/forward-traffic" 2M 5000
step_forward 1G '.hit_rate == 100'
step_forward 2M '.hit_rate >= 99.9'
start_daemon
step_forward 1G '.hit_rate == 100'
step_forward 2M '.hit_rate >= 99.9'
stop_daemon
plan
