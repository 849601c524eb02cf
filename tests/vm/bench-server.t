#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 900
#
# iotlb-bench starts an iotlbd, which walks the tables in its memory or looks
# into a table, and ends it; and says so if that cannot be.

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"

# Beside each other, and not read anew from where they are built for each run.
cp "$build/iotlb-bench" "$build/iotlbd" . || bail_out "no programs"

bench()
{
	./iotlb-bench --quiet --json --timeout $((20 * slowness)) "$@" >bench.out 2>bench.err
}

# passes OPTION...: and nothing but results is on standard output, no iotlbd
# is left, and what it was given neither.
passes()
{
	bench -n 200 "$@" && jq -es 'length == 1 and (.[0] | .good and
		([.tx, .rx | .verified == .sent and .sent > 0] | all))' bench.out >/dev/null &&
		not pgrep iotlbd >/dev/null
}

readonly shape='--fragments --chain 3 --indirect --event-idx'

shaped()
{
	# shellcheck disable=SC2086 # options
	ok "$* $shape" passes "$@" $shape
}

plain()
{
	ok "$*" passes "$@"
}

shaped --server ring --map sweep
plain --server ring --map random --working-set 8192
ok "identity" passes --server ring --iova identity
for server in ring kernel; do
	shaped --server $server --iova vtd --map fixed
	plain --server $server --iova vtd --map sweep
	plain --server $server --iova vtd --map strict
	shaped --server $server --iova vtd --map strict
	shaped --server $server --iova vtd --map lazy
	shaped --server $server --iova vtd --map random --working-set 8192
	ok "$server, 3 devices" passes --server $server --iova vtd --map strict -D 3 -f 8
	ok "$server, pages of 2M" passes --server $server --iova vtd --map strict --page 2m -f 4
	ok "$server, pages of 1G" passes --server $server --iova vtd --map lazy --page 1g -f 4
done
ok "another place" passes --server ring --iotlbd ./iotlbd

fails()
{
	local what=$1 pattern=$2

	shift 2
	refuses "$what" 1 "$pattern" ./iotlb-bench --quiet --timeout 5 -n 200 "$@"
}

fails "no such program" 'cannot start ./none: No such file.*--iotlbd' --server ring --iotlbd ./none
fails "one that fails" 'has ended with status 1 before' --server ring --iotlbd /bin/false
fails "one that does nothing" 'has ended with status 0 before' --server ring --iotlbd /bin/true
printf '#!/bin/sh\nexec sleep 1000\n' >sleeper
chmod +x sleeper

# It waits as long as the user does.
never_ready()
{
	./iotlb-bench --quiet --server ring --iotlbd ./sleeper >out 2>err &
	wait_for pgrep -x sleep >/dev/null || return
	kill -INT $!
	wait $!
	not pgrep -x sleep >/dev/null
}

ok "one that is never ready is ended" never_ready

# In the middle of the run
kill_daemon()
{
	./iotlb-bench --quiet --timeout $((60 * slowness)) --server ring --iova vtd --map strict \
		-n 10000000 >out 2>err &
	wait_for grep -q 'serving' err && sleep 0.5
	pkill -KILL -x iotlbd
	wait $!
	[[ $? -eq 1 ]]
}

ok "one that is killed" kill_daemon
ok "is said to be" grep -q 'died of signal 9 .* in the middle of the run' err
ok "results are there" grep -q 'Abandoned by iotlbd' out

interrupt()
{
	./iotlb-bench --quiet --timeout $((60 * slowness)) --server ring --iova vtd --map lazy \
		-n 10000000 >out 2>err &
	wait_for grep -q 'serving' err && sleep 0.5
	kill -INT $!
	wait $! && not pgrep iotlbd >/dev/null
}

ok "an interrupted run ends well" interrupt
ok "and has results" grep -q '^Interrupted' out

./iotlb-bench --iova vtd -D 3 --write-vtd file
ok "the description" grep -qx 'root 0x10000000' file
ok "has each device" test "$(grep -c '^device 00:01\.[0-2]$' file)" -eq 3
refuses "nothing to describe" 2 'goes with --iova vtd only' ./iotlb-bench --write-vtd file
refuses "no tables to walk" 2 'needs --iova vtd' ./iotlb-bench --server kernel
plan
