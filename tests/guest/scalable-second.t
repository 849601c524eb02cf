#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# host
#
# A guest whose IOMMU is in scalable mode, with second-level tables; and what can
# happen to a second NIC.

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
[[ -n ${GUEST_PID:-} ]] || exec "$here/run" --tables second --timeout 3000 -- "$0"
# shellcheck source-path=SCRIPTDIR source=steps.sh
. "$here/steps.sh"

step_tables second-level
compare 2000 "second-level, QEMU" strict "$guest/traffic"
step_resolved_traffic strict
step_plug 1000
step_plug_while_sending
step_second_nic
step_nic_reset
compare_forgetting 500 "2M pages" "$guest/forward-traffic" 2M 2500
step_forward_resolved
plan
