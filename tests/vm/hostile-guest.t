#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 900 --env KINDS --env SECONDS_EACH
#
# A guest whose IOMMU tables are bad in every way, and change while they are
# walked: no packet has anything in it that is not the guest's, another guest
# goes on meanwhile, and so does iotlbd, which does not say more than it may.
#
# KINDS: of tables, see hostile_guest --help; SECONDS_EACH: that tables change,
# or more until enough packets have been sent, and received

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"

hostile=$build/tests/hostile_guest

# Its results are ours.
results()
{
	grep -v '^1\.\.' guest.out | while read -r line; do
		case $line in
		"ok "* | "not ok "*) echo "${line%% - *} - $1: ${line#* - }" ;;
		*) echo "$line" ;;
		esac
	done | awk -v number="$tap_number" '
		/^ok / { sub(/^ok [0-9]+/, "ok " ++number) }
		/^not ok / { sub(/^not ok [0-9]+/, "not ok " ++number) }
		{ print }'
	tap_number=$((tap_number + $(grep -c '^ok \|^not ok ' guest.out)))
}

# As many lines as can come at once, and some for each second.
is_short()
{
	test "$(wc -l <err)" -le $((100 + 2 * SECONDS))
}

test_kind()
{
	"$hostile" "$1" --write-vtd >vtd || bail_out "no IOMMU"
	start --vtd vtd --resolve --json
	SECONDS=0
	"$hostile" "$1" "${SECONDS_EACH:-$seconds}" >guest.out 2>&1
	results "$1"
	ok "$1: all of it was done" grep -q "^ok 8\|^not ok 8" guest.out
	ok "$1: iotlbd is alive" alive "$daemon"
	ok "$1: iotlbd ends well" stop
	echo "# iotlbd has written $(wc -l <err) lines in $SECONDS s"
	jq -c 'select(.kind == "total")' out | sed 's/^/# /'
	ok "$1: iotlbd has not said too much" is_short
}

kinds="legacy legacy-5 second-5 first-5 nested-4 nested-5" seconds=3
# There are thousands of bad entries, and each has to wait for iotlbd.
is_debug_kernel && kinds="legacy nested-4" seconds=10

for kind in ${KINDS:-$kinds}; do
	test_kind "$kind"
done
plan
