# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# iotlbd and traffic for it, for tests that have sourced tap.sh.

# shellcheck disable=SC2016,SC2154 # $ begins a variable of jq; build is of tap.sh

tracing=/sys/kernel/tracing
events=$tracing/events/vhost

daemon=
bench=

started()
{
	grep -q '^iotlbd: serving [0-9]* devices' err || not alive "$daemon"
}

# start OPTION...: iotlbd in the background
start()
{
	: >out
	: >err
	"$build/iotlbd" "$@" >out 2>err &
	daemon=$!
	wait_for started
}

# stop [SIGNAL]: ends iotlbd and returns its exit status.
stop()
{
	kill -"${1:-INT}" "$daemon" 2>/dev/null
	wait "$daemon" 2>/dev/null
}

# How many vhost fds iotlbd holds
held()
{
	find "/proc/$daemon/fd" -lname '/dev/vhost-*' 2>/dev/null | wc -l
}

holds()
{
	[[ $(held) -eq $1 ]]
}

# count COLUMN: of the summary's line for all devices
count()
{
	awk -v column="$1" '
		$1 == "MISSES" { for (i = 1; i <= NF; i++) if ($i == column) n = i }
		$NF == "all" { print $n }' out
}

is()
{
	[[ $(count "$1") -eq $2 ]]
}

all_served()
{
	[[ $(count MISSES) -gt 0 ]] && is UNANSWERED 0 && is STALE 0 && is FAILED 0 &&
		[[ $(($(count ANSWERED) + $(count DUPLICATE))) -eq $(count MISSES) ]]
}

# bench_table OPTION...: what iotlb-bench with these options has mapped
bench_table()
{
	"$build/iotlb-bench" --write-table=table "$@" || bail_out "iotlb-bench writes no table"
}

# json FILE FILTER: is this true, of all the objects in FILE?
json()
{
	jq -es "$2" "$1" >/dev/null
}

# traffic OPTION...: iotlb-bench in the background
traffic()
{
	"$build/iotlb-bench" --quiet --json --timeout $((60 * slowness)) "$@" >bench.out 2>bench.err &
	bench=$!
}

# all_arrived COUNT: iotlb-bench has ended and says that nothing was lost
all_arrived()
{
	wait "$bench" && jq -e --argjson count "$1" \
		'.good and .tx.sent == $count and .tx.verified == $count' bench.out >/dev/null
}

kill_traffic()
{
	kill -KILL "$bench"
	wait "$bench" 2>/dev/null
}

# Tracepoints: misses that iotlbd has taken, and answers.

trace_on()
{
	# Only what is last is looked at.
	echo 64 >$tracing/buffer_size_kb
	echo 'verdict > 0' >"$events/vhost_iotlb_miss/filter"
	echo >$tracing/trace
	echo 1 >"$events/vhost_iotlb_miss/enable"
	echo 1 >"$events/vhost_iotlb_update/enable"
}

trace_off()
{
	echo 0 >"$events/enable"
	echo 0 >"$events/vhost_iotlb_miss/filter"
	echo >$tracing/trace
}

has_event()
{
	grep -q "vhost_iotlb_$1: " $tracing/trace
}

# With one virtqueue: the last that happened is that iotlbd got a miss.
waits_for_daemon()
{
	grep -q 'vhost_iotlb_miss: ' < <(tail -n 1 $tracing/trace)
}

is_stopped()
{
	[[ $(sed 's/.*) //' "/proc/$daemon/stat") == T* ]]
}

# iotlbd stops in the middle of traffic, when a miss is on its ring buffer.
stop_with_a_miss()
{
	wait_for has_event update || return
	kill -STOP "$daemon"
	wait_for is_stopped && wait_for waits_for_daemon && alive "$bench"
}
