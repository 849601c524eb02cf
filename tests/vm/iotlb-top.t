#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# iotlb-top with real devices: exact counts of known traffic, whose they are,
# and how it ends.

# shellcheck disable=SC2016 # in single quotes, $ begins a variable of jq

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"

top=

# start OPTION...: iotlb-top in the background, counting when this returns
start()
{
	"$build/iotlb-top" -v "$@" >out 2>err &
	top=$!
	wait_for grep -q 'counting$' err
}

# stop SIGNAL: returns the exit status of iotlb-top
stop()
{
	kill -"$1" "$top"
	wait "$top"
}

bench()
{
	"$build/iotlb-bench" -q -j --timeout $((30 * slowness)) "$@" >bench.out 2>bench.err
}

# json FILTER: is this true, of all the objects that were printed? There are
# $last, the last of them, and $bench, what iotlb-bench has printed.
json()
{
	jq -se --slurpfile bench bench.out \
		".[-1] as \$last | \$bench[0] as \$bench | ($1)" out >/dev/null
}

# exits STATUS COMMAND...: with a message on standard error, if it is not 0
exits()
{
	local want=$1 status

	shift
	"$@" >out 2>err
	status=$?
	[[ $status -eq $want && ($want -eq 0 || -s err) ]]
}

# One queue, a new buffer for each packet.
start -j 3600
bench --direction tx -n 500 -m sweep
stop INT
ok 'SIGINT is a good end' [ $? -eq 0 ]
ok 'the last object is final' json 'length == 1 and $last.final'
ok 'every buffer is a miss and a hit' json '
$last.total.misses == 500 + 3 and $last.total.hits.buffer == 500'
ok 'it agrees with the bench about misses' json '
$last.total.misses == ($bench.tx.misses | add)'
ok 'all misses were on the fd' json '
$last.total | .fd == .misses and .ring == 0 and .drops == 0'
ok 'every miss has an update and a latency' json '
$last.total | .updates == .misses and (.latency_ns.log2 | add) == .misses'
ok 'no buffer was found at once' json '
$last.total | .buffer_hit_rate == 0 and .hit_rate > 0.5'
ok 'only the virtqueue that sends has counts' json '
[$last.devices[].queues[].vq] == [1]'
ok 'a device that is gone has a name still' json '
$last.devices[0] | .gone and .comm == "iotlb-bench"'
ok 'nothing is lost' json '$last.lost_total == 0'

# Two devices at once, buffers that stay.
start -j 0.2
bench --direction both -D 2 -n 2000
stop TERM
ok 'SIGTERM is a good end' [ $? -eq 0 ]
ok 'each device has its own counts' json '
[$last.devices[] | [.queues[].total.hits.buffer >= 2000]] ==
[[true, true], [true, true]]'
ok 'virtqueues add up to the total' json '
[$last.devices[].queues[].total.lookups] | add == $last.total.lookups'
ok 'intervals add up to the total' json '
map(.delta) | (map(.lookups) | add) == $last.total.lookups and
(map(.misses) | add) == $last.total.misses and
(map(.updates) | add) == $last.total.updates'
ok 'the first sample is no older than the start' json '
.[0].elapsed == .[0].seconds'
ok 'the hit rate is high' json '$last.total.buffer_hit_rate > 0.99'

# Three things to count and room for two, and what becomes of the gone.
start -j -m 2 0.2
bench --direction both -n 100
ok 'events without room are lost, and told' wait_for json 'any(.lost > 0)'
ok 'a device that is gone leaves' wait_for json '$last.devices == []'
bench --direction tx -n 100
stop INT
ok 'its room is used again' json '
$last.devices[-1] | .total.updates == 4 and
[.queues[].total.hits.buffer] == [100]'

# On the debug kernel it takes a minute to start, and all of vhost and of the BPF
# programs that it looks at has been used: the rest is about the program.
if is_debug_kernel; then
	plan
	exit
fi

# The owner that was asked for.
start -j -p $$ 3600
bench --direction tx -n 100
stop INT
ok 'other processes do not count' json '
$last.devices == [] and $last.total.lookups == 0'

# For people.
start -T 3600
bench --direction tx -n 100 -m sweep
stop INT
ok 'the summary is a table with exact counts' grep -qE ' 103 .* 103 ' out
ok 'a file gets no escape sequences' not grep -q $'\033' out

ok 'samples are counted' exits 0 "$build/iotlb-top" -j 0.1 3
ok 'three, and the final one' json '
map(.final) == [false, false, false, true]'
ok 'the time is up' exits 0 "$build/iotlb-top" -d 0.3 60
ok 'a wrong interval is wrong usage' exits 2 "$build/iotlb-top" nonsense
ok 'a full disk is an error' sh -c "! '$build/iotlb-top' -1 0.1 2>err >/dev/full && grep -q 'No space' err"
plan
