#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 1800
#
# What the tools say of processes of a guest that share a device: the same address
# of another PASID is another page.

# shellcheck disable=SC2016 # in single quotes, $ begins a variable of jq or awk

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=bpftrace.sh
. "$here/bpftrace.sh"

readonly socket=$PWD/socket packets=197

tops=()

# start NAME OPTION...: iotlb-top; what it prints goes to NAME.
start()
{
	local name=$1

	shift
	"$build/iotlb-top" -v "$@" >"$name" 2>"$name.err" &
	tops+=($!)
	wait_for grep -q 'counting$' "$name.err"
}

all_end_well()
{
	local top

	kill -INT "${tops[@]}"
	for top in "${tops[@]}"; do
		wait "$top" || return
	done
	tops=()
}

bench()
{
	"$build/iotlb-bench" -q -j --timeout $((60 * slowness)) "$@" >bench.out 2>bench.err
}

# top_says NAME FILTER: is this true? There are $last, the last object, and $device,
# the first of that.
top_says()
{
	jq -se '.[-1] as $last | $last.devices[0] as $device | '"($2)" "$1" >/dev/null
}

# Two processes, 1 and 9: each has a virtqueue, and a new mapping for each packet.
test_counts()
{
	start json -j 3600
	start table 3600
	start by --by pasid 3600
	start csv --csv 3600
	start metrics.prom --openmetrics=metrics.prom 0.2
	ok 'two processes' bench --sva 2 -n $packets --map strict
	ok 'are watched' all_end_well
	ok 'each virtqueue is in an address space' top_says json '
[$device.queues[].pasid] | sort == [1, 9]'
	ok 'an address space has its misses' top_says json '
all($device.queues[]; . as $queue | any($device.pasids[];
	.pasid == $queue.pasid and .total.misses == $queue.total.misses and
	.total.hits == $queue.total.hits))'
	ok 'and the answers to these, and no others' top_says json '
[$device.pasids[] | select(.pasid > 0) | .total.updates == .total.misses and .total.updates > 0] ==
[true, true]'
	ok 'and its invalidations' top_says json '
[$device.pasids[] | select(.pasid > 0) | .total.invalidations >= 197] == [true, true]'
	ok 'all that the device had is shared out' top_says json '
all("misses", "updates", "invalidations", "evictions", "stale";
	. as $name | ([$device.pasids[].total[$name]] | add) == $last.total[$name])'
	ok 'a table has a column for it' grep -q '^ *PID .* VQ PASID ' table
	ok 'or a line' test "$(awk '
		$1 == "PID" { for (i = 1; i <= NF; i++) column[$i] = i }
		/iotlb-bench/ { print $column["PASID"] }' by | sort | xargs)" = '(0) (1) (9)'
	ok 'CSV has it last' test "$(tr -d '\r' <csv | awk -F, '$10 != "" { print $NF }' |
		sort -u | xargs)" = '1 9 pasid'
}

# A device without processes looks as if there were none.
test_without()
{
	start json -j 3600
	start table 3600
	start metrics --openmetrics 3600
	ok 'a guest without processes' bench -n 97 --direction tx -m sweep
	ok 'is watched' all_end_well
	ok 'its virtqueues are in no other address space' top_says json '
[$device.queues[].pasid] == [0] and $device.pasids == []'
	ok 'no column tells' not grep -q PASID table
	ok 'nor metrics' not grep -q pasid metrics
}

# Virtqueues go from process to process.
test_moves()
{
	start json -j 0.2
	start metrics.prom --openmetrics=metrics.prom 0.2
	ok 'processes come and go' bench --sva 4 -n 2000 -f 8 --lifetime 25
	ok 'are watched' all_end_well
	ok 'samples of address spaces add up to those of devices' top_says json '
all(.[] | .devices[] | select(.pasids | length > 0);
	([.pasids[].delta.misses] | add) == ([.queues[].delta.misses] | add // 0))'
	ok 'so do all counts' top_says json '
all("misses", "updates", "invalidations", "evictions";
	. as $name | ([$last.devices[].pasids[].total[$name]] | add) == $last.total[$name])'
	ok 'there were many' top_says json '$device.pasids | length > 4'
	ok 'and few at a time' top_says json '
all(.[:-1][].devices[]; [.pasids[] | select(.gone | not)] | length <= 3)'
	ok 'nothing is lost' top_says json '$last.lost_total == 0'
	ok 'metrics are good to the end' "$here/metrics.py" prometheus metrics.prom
}

# For who may do less, counting is another program.
test_without_root()
{
	local caps=+bpf,+perfmon,+sys_ptrace,+dac_read_search

	setpriv "--bounding-set=-all,$caps" "--inh-caps=-all,$caps" "--ambient-caps=-all,$caps" \
		--reuid=65534 --regid=65534 --clear-groups \
		"$build/iotlb-top" -v -j 3600 >json 2>json.err &
	tops=($!)
	wait_for grep -q 'counting$' json.err
	bench --sva 2 -n $packets --map strict
	ok 'without root' all_end_well
	ok 'it counts the same' top_says json '
[$device.pasids[] | select(.pasid > 0) | .total.updates == .total.misses and .total.updates > 0] ==
[true, true]'
}

ctl()
{
	"$build/iotlbctl" --socket "$socket" "$@" >>replies 2>&1
}

# tell COMMAND...: to sva_guest, which has done it when this returns
tell()
{
	local reply

	echo "$*" >&"${COPROC[1]}"
	read -r reply <&"${COPROC[0]}" && echo "# $*: $reply"
}

# bound PASID ROOT
bound()
{
	ctl alloc "$device" --min="$1" --max="$1" && ctl bind "$device" "$1" "$2"
}

# Now, virtqueue 1 waits and 0 does not, or WAITING
waits()
{
	jq -se --argjson waiting "${1:-1}" '
.[-1].devices[0] | [.queues[].total | .misses - (.latency_ns.log2 | add // 0)]
== [0, $waiting]' json >/dev/null
}

# Both have their rings at the same address: what is answered in one address space
# answers nothing in the other.
test_same_address()
{
	local daemon guest

	coproc "$build/tests/sva_guest" flat
	guest=$COPROC_PID
	read -r device _ _ _ tx rx <&"${COPROC[0]}" || bail_out 'sva_guest does not start'
	"$build/iotlbd" --translator identity --control "$socket" >daemon.out 2>daemon.err &
	daemon=$!
	wait_for grep -q '^iotlbd: serving' daemon.err
	bound 5 "$tx"
	bound 7 "$rx"
	start json -j 0.2
	tell run
	tell traffic 30
	ctl unbind "$device" 5
	tell send 3
	ok 'a process waits' wait_for waits
	ctl unbind "$device" 7
	ctl bind "$device" 7 "$rx"
	tell receive 10
	ok 'another one has had answers at the same address' wait_for top_says json '
$device.pasids[] | select(.pasid == 7) | .total.updates > 3'
	ok 'the first one still waits' waits
	ctl bind "$device" 5 "$tx"
	tell wait
	ok 'until it has its own' wait_for waits 0
	ok 'the end' all_end_well
	kill -INT $daemon
	wait $daemon
	kill "$guest"
	wait "$guest"
}

# record OPTION... -- COMMAND...
record()
{
	"$build/iotlb-record" -f -o r.html "$@" >out 2>err
}

# data FILTER: is this true of the record?
data()
{
	jq -e "def cells: map(.[2]) | add // 0; $1" r.json >/dev/null
}

test_record()
{
	ok 'a record' record -- "$build/iotlb-bench" -q -j --sva 2 -n $packets --map strict
	ok 'has a map for each' data '
[.maps[] | select(.pasid > 0 and (.iova.misses | length) > 0) | .pasid] | sort == [1, 9]'
	ok 'both have the same addresses' data '
[.maps[] | select(.pasid > 0) | .iova.rows] | (.[0] - (.[0] - .[1])) | length > 0'
	ok 'maps add up to all' data '
([.maps[].iova.misses // [] | cells] | add) == .total.misses and
([.maps[].iova.updates // [] | cells] | add) == .total.updates and
([.maps[].iova.invalidations // [] | cells] | add) == .total.invalidations and
([.maps[].time.updates // [] | add // 0] | add) == .total.updates'
	ok 'the report has both' grep -q '<h3>PASID 1 of vhost device .*' r.html
	ok 'by name' grep -q '<h3>PASID 9 of vhost device .*' r.html
}

test_scripts()
{
	local send="$build/iotlb-bench -q -j --sva 2 -n 97"

	ok 'missing-pages.bt' trace "$send -m strict" missing-pages.bt
	ok 'a page is missed by each' says '
[$maps["@page"] | keys[] | split(",") | .[1]] | unique == ["1", "9"]'
	ok 'misses.bt' trace "$send -m strict" misses.bt
	ok 'so are regions' says '
[$maps["@region"] | keys[] | split(",") | .[1]] | unique == ["1", "9"]'
	ok 'invalidated-unused.bt' trace "$send -m strict" invalidated-unused.bt
	ok 'what was used is not taken for unused' says '
$maps["@count"] | keys == ["iotlb-bench,used"]'
	ok 'eviction-age.bt' trace "$send -m random --working-set 4096" eviction-age.bt
}

# A virtqueue has three misses, of which one is answered: the first is left for another
# address space, and the last is of an access that fails.
test_unanswered()
{
	start json -j 3600
	ok 'misses without an answer' "$build/tests/load" unanswered
	ok 'are watched' all_end_well
	ok 'have no latency' top_says json '
$last.total | .misses == 3 and .failed_accesses == 1 and (.latency_ns.log2 | add) == 1'
	ok 'miss-latency.bt' trace "$build/tests/load unanswered" miss-latency.bt
	ok 'nor have they there' says '
$maps["@us"] | keys_without_device | keys == ["1"] and counts == 1'
}

tests=(
	test_counts
	test_without
	test_moves
	test_without_root
	test_same_address
	test_record
	test_scripts
	test_unanswered
)

# By hand, some of them can be named.
[[ $# -eq 0 ]] || tests=("$@")
for test in "${tests[@]}"; do
	"$test"
done
plan
