#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 600
#
# iotlb-top without root: two capabilities are enough to count, and it says what
# more it would need, and how to give it.

# shellcheck disable=SC2016 # in single quotes, $ begins a variable of jq

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"

readonly packets=197
readonly misses=$((packets + 3))

# with CAPABILITIES: what to put in front of a command, for a user who owns nothing,
# to give it only these
with()
{
	as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs
		"--bounding-set=-all,$1" "--inh-caps=-all,$1" "--ambient-caps=-all,$1")
}

# start CAPABILITIES OPTION...: iotlb-top, counting when this returns
start()
{
	with "$1"
	shift
	"${as_nobody[@]}" "$build/iotlb-top" -v "$@" >out 2>err &
	top=$!
	wait_for grep -q 'counting$' err
}

stop()
{
	kill -INT "$top"
	wait "$top"
}

bench()
{
	"$build/iotlb-bench" -q -t 600 --direction tx -m sweep "$@" >bench.out 2>bench.err
}

json()
{
	jq -se ".[-1] as \$last | ($1)" out >/dev/null
}

# has_only CAPABILITIES: as the kernel says, in hexadecimal
has_only()
{
	grep -q "^CapEff:	0*$1$" "/proc/$top/status"
}

# a_device_lives: one that is stopped amid its traffic
a_device_lives()
{
	"$build/iotlb-bench" -q -t 600 --direction tx -m sweep -n 1000000 >bench.out 2>bench.err &
	bench=$!
	wait_for grep -qs . <(find "/proc/$bench/fd" -lname '/dev/vhost-net')
}

with -all
refuses 'none at all' 1 'for want of cap_bpf,cap_perfmon;' "${as_nobody[@]}" "$build/iotlb-top" -1
ok 'none at all: says what to do' \
	grep -q "\"setcap cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search=ep $build/iotlb-top\"" err
with +bpf
refuses 'one is missing' 1 'for want of cap_perfmon;' "${as_nobody[@]}" "$build/iotlb-top" -1

start +bpf,+perfmon -j 3600
ok 'two: CAP_BPF and CAP_PERFMON' has_only c000000000
ok 'two: says what it will not see' \
	grep -q 'as if they were gone, for want of cap_sys_ptrace,cap_dac_read_search' err
bench -n $packets
ok 'two: a good end' stop
ok 'two: exact counts' json "
\$last.total | .misses == $misses and .hits.buffer == $packets and .updates == $misses and
(.latency_ns.log2 | add) == $misses"
ok 'two: the virtqueue' json '[$last.devices[].queues[].vq] == [1]'
ok 'two: whose it was' json '$last.devices[0].comm == "iotlb-bench"'
ok 'two: nothing is lost' json '$last.lost_total == 0'

a_device_lives
start +bpf,+perfmon,+sys_ptrace,+dac_read_search -j 0.2
kill -STOP "$bench"
ok 'four: no warning' not grep -q gone err
ok 'four: a device in the process of another user' wait_for json "
\$last.devices | length == 1 and .[0].pid == $bench and .[0].gone == false and
.[0].tap != null and .[0].entries != null"
ok 'four: a good end' stop
kill -KILL "$bench"
wait "$bench" 2>/dev/null
plan
