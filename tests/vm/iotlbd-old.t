#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --patches 8
#
# iotlbd on a kernel that has the hook, but not yet messages with tokens.

# shellcheck disable=SC2119 # stop needs no signal

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"

bench_table --map sweep -n 2000
start --table table --json
ok "every packet arrives" "$build/iotlb-bench" --quiet --timeout 60 --map sweep -n 2000 --server none
ok "says once that answers may be late, and what to do" \
	test "$(grep -c 'cannot refuse answers that an invalidation has overtaken.*load the present patched' err)" -eq 1
ok "does not say that they carry tokens" not grep -q 'answers carry tokens' err
ok "ends well" stop
ok "counts them" json out '.[] | select(.kind == "total") |
	.without_tokens > 0 and .stale == 0 and .misses > 4000 and .failed == 0'
plan
