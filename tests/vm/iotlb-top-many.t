#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount --timeout 1800
#
# What iotlb-top itself takes while 64 devices with 128 virtqueues miss all the time,
# with a sample each second. The clock counts instructions, one a nanosecond, so that
# this is the same on any machine.

# shellcheck disable=SC2016 # in single quotes, $ begins a variable of jq

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"

# A prime number of packets for each virtqueue, a new buffer each. A ring has three
# pages more.
readonly devices=64 queues=128 packets=1301
readonly misses=$((packets + 3))

# What it may take: of a CPU, and of memory.
readonly percent_max=2 kib_max=$((30 * 1024))

# So long have they to be looked at.
readonly seconds_min=4

export TMUX_TMPDIR=$PWD LANG=C.UTF-8

# By view: the process, and nanoseconds on the CPU.
declare -A pid=() cpu=()

cpu_of()
{
	cut -d ' ' -f 1 "/proc/$1/schedstat"
}

now()
{
	date +%s%N
}

counting()
{
	wait_for grep -qs 'counting$' "$1.err"
}

start()
{
	tmux -f /dev/null new-session -d -x 200 -y 50 \
		"exec $build/iotlb-top -v 1 2>screen.err" || return
	pid[screen]=$(tmux list-panes -F '#{pane_pid}')
	"$build/iotlb-top" -v --json 1 >json 2>json.err &
	pid[json]=$!
	"$build/iotlb-top" -v --openmetrics=file.prom 1 2>openmetrics.err &
	pid[openmetrics]=$!
	counting screen && counting json && counting openmetrics
}

# The screen tells of each of them, though it is too small for all at once.
shows_all()
{
	local text rows

	text=$(tmux capture-pane -p)
	rows=$(grep -c ' iotlb-bench ' <<<"$text")
	[[ $text == *" $devices devices "* && $text =~ "(0 above, "([0-9]+)" below)" ]] &&
		[[ $((rows + BASH_REMATCH[1])) -eq $queues ]]
}

traffic()
{
	"$build/iotlb-bench" -q -j -t 600 -D $devices -n $packets -m sweep --server one \
		>bench.out 2>bench.err &
	bench=$!
	wait_for shows_all
}

# measure: until the traffic has ended
measure()
{
	local view

	for view in "${!pid[@]}"; do
		cpu[$view]=$(cpu_of "${pid[$view]}")
	done
	elapsed=$(now)
	wait "$bench" || return
	elapsed=$(($(now) - elapsed))
	for view in "${!pid[@]}"; do
		cpu[$view]=$(($(cpu_of "${pid[$view]}") - cpu[$view]))
	done
}

is_modest()
{
	local view=$1 kib

	kib=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/${pid[$view]}/status")
	echo "# $view: $((cpu[$view] / (elapsed / 1000000))) us of CPU in a second," \
		"$kib KiB at most"
	[[ ${cpu[$view]} -gt 0 && $((100 * cpu[$view] / elapsed)) -lt $percent_max ]] &&
		[[ $kib -gt 0 && $kib -le $kib_max ]]
}

end()
{
	kill -INT "${pid[@]}"
	wait "${pid[json]}" && wait "${pid[openmetrics]}"
}

# Of the last object: devices that are gone are in it, too.
json()
{
	jq -se --argjson devices $devices --argjson queues $queues --argjson misses $misses \
		".[-1] | .final and ($1)" json >/dev/null
}

ok 'it counts in three views at once' start
ok "$devices devices, $queues virtqueues" traffic
ok 'the traffic ends well' measure
ok 'that took some samples' test "$elapsed" -ge $((seconds_min * 1000000000))
for view in "${!pid[@]}"; do
	ok "$view: CPU and memory" is_modest "$view"
done
ok 'they end well' end
ok 'JSON: nothing is lost' json '.lost_total == 0'
ok 'JSON: all devices and virtqueues' json '
(.devices | length) == $devices and ([.devices[].queues[]] | length) == $queues'
ok 'JSON: each miss of each virtqueue' json 'all(.devices[].queues[].total;
.misses == $misses and .fd == $misses and .drops == 0 and (.latency_ns.log2 | add) == $misses)'
ok 'JSON: updates of each device' json 'all(.devices[].total; .updates == 2 * $misses)'
ok 'OpenMetrics: each miss of each virtqueue' \
	[ "$(grep -c "^vhost_iotlb_misses_total.* $misses\$" file.prom)" -eq $queues ]
ok 'OpenMetrics: nothing is lost' grep -qx 'vhost_iotlb_lost_events_total 0' file.prom
plan
