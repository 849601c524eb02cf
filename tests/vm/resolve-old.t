#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --patches 16
#
# vhost has the hook, but no kfuncs to resolve misses with: iotlbd does it all.

# shellcheck disable=SC2119 # stop needs no signal

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"

echo 1..5
"$build/iotlb-bench" --iova vtd -m sweep -n 300 --write-vtd=vtd ||
	bail_out "iotlb-bench describes no IOMMU"
start --vtd vtd --resolve --json
ok "iotlbd starts" alive "$daemon"
ok "says that the kernel cannot resolve, once" \
	test "$(grep -c 'vhost cannot resolve misses by itself' err)" -eq 1
traffic --iova vtd -m sweep -n 300 --server none
ok "every packet arrives" all_arrived 300
ok "ends well" stop
ok "iotlbd has answered every miss" json out '.[] | select(.kind == "total") |
	.resolved == 0 and .faults == 0 and .misses >= 600 and
	.misses == .answered + .duplicates'
