#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# iotlb-record with real devices: exact counts of known traffic in its data file,
# and how commands and records end.
# vm: --timeout 1800

# shellcheck disable=SC2016 # in single quotes, $ begins a variable of jq

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"

recorder=

# record OPTION... [-- COMMAND...]: to r.html and r.json
record()
{
	"$build/iotlb-record" -f -o r.html "$@" >out 2>err
}

# record_bench OPTION...: of iotlb-bench
record_bench()
{
	record -- "$build/iotlb-bench" -q -j "$@"
	local status=$?

	cp out bench.out
	return $status
}

# start OPTION... [-- COMMAND...]: in the background, recording when this returns
start()
{
	"$build/iotlb-record" -v -f -o r.html "$@" >out 2>err &
	recorder=$!
	wait_for grep -q 'recording$' err
}

# json FILTER: is this true of r.json? There is $bench, what iotlb-bench has
# printed.
json()
{
	jq -e --slurpfile bench bench.out '
	def cells: map(.[2]) | add // 0;
	def steps(name): [.[name][]?] | add // 0;
	def events: [.misses, .updates, .invalidations, .evictions | cells] | add;
	$bench[0] as $bench | '"($1)" r.json >/dev/null
}

# Each of these is told in three ways: they agree.
agrees()
{
	json '
	[.maps[].iova] as $maps |
	.lost_counts == 0 and .lost_events == 0 and
	([$maps[].misses | cells] | add) == .total.misses and
	([$maps[].updates | cells] | add) == .total.updates and
	([$maps[].invalidations // [] | cells] | add) == .total.invalidations and
	([$maps[].evictions // [] | cells] | add) == .total.evictions and
	(.total as $total | .time as $time | [.maps[].time] as $times |
	all("misses", "hits_buffer", "hits_desc", "updates", "invalidations", "fd";
		. as $name | $total[$name] == ($time | steps($name)) and
		$total[$name] == ([$times[] | steps($name)] | add))) and
	(.time.latency_log2_ns | cells) == (.total.latency_log2_ns | add // 0) and
	([.devices[].total.misses] | add) == .total.misses and
	([.devices[].queues[].total.misses] | add) == .total.misses'
}

# html PATTERN: is this in the report, which loads nothing and is complete?
html()
{
	grep -q "$1" r.html && [[ $(tail -n 1 r.html) == '</html>' ]] &&
		! grep -qE '(src|href)="?(https?:)?//|@import|url\(' r.html
}

nothing_left()
{
	[[ ! -e r.html && ! -e r.json && ! -e r.perf.data ]]
}

smaller_than()
{
	[[ $(stat -c %s "$1") -lt $2 ]]
}

ends_with()
{
	wait "$recorder"
	[[ $? -eq $1 ]]
}

# Both directions, a new buffer for each packet.
ok 'the command is run' record_bench -n 1009 --direction both -m sweep
ok 'every buffer is a miss and a hit' json '
.total | .misses == 2 * 1009 + 6 and .misses_buffer == 2 * 1009 and .hits_buffer == 2 * 1009'
ok 'the bench counts the same' json '
.total.misses == ([$bench.tx, $bench.rx | .misses[]] | add)'
ok 'all was asked for on the fd, and put in' json '
.total | .fd == .misses and .updates == .misses and .ring == 0 and .resolved == 0'
ok 'maps, steps, devices and totals agree' agrees
ok 'the device has its owner' json '
.devices[0] | .comm == "iotlb-bench" and (.queues | map(.vq)) == [0, 1]'
ok 'the command is told' json '
(.command | endswith("iotlb-bench -q -j -n 1009 --direction both -m sweep")) and
.end == "command" and .status == 0'
ok 'and the machine' json '.machine | .kernel != null and .vhost != null and .cpus == 2'
ok 'events are in the order of their addresses' json '
.maps[0].iova | .rows == (.rows | sort) and (.rows | length) > 2'
ok 'the report has it all' html '2,024'

# The same again from the data.
cp r.html first.html
cp r.json first.json
rm r.html
ok 'the report is made anew' record --report r.json
ok 'and is the same' cmp <(grep -v -e '^<title>' -e 'about' first.html) <(grep -v -e '^<title>' -e 'about' r.html)

# What is mapped is unmapped.
ok 'with invalidations' record_bench -n 503 --direction tx -m strict
ok 'each is counted' json '.total.invalidations == $bench.tx.dma.invalidations'
ok 'maps, steps, devices and totals agree' agrees
ok 'two records are compared' "$build/iotlb-record" --compare first.json r.json -o compare.html
ok 'with differences and ratios' grep -q '<td>2,024</td><td>506</td><td>−1,518</td><td>×&#8202;0.25</td>' compare.html

# Hits, and more than fits the IOTLB.
ok 'with evictions' record_bench -n 5003 --direction tx -m random --working-set 4096
ok 'each is counted' json '.total | .evictions > 0 and .hits_buffer == 5003'
ok 'maps, steps, devices and totals agree' agrees

# More devices than there are maps.
ok 'many devices' record_bench -n 211 --direction tx -m sweep -D 11
ok 'are all in the table' json '
(.devices | length) == 11 and all(.devices[]; .total.misses == 211 + 3)'
ok 'some share a map' json '(.maps | map(.dev == null)) == [range(8) | false] + [true]'
ok 'maps, steps, devices and totals agree' agrees

# As long as it takes.
ok 'a long one' record_bench -n 20011 --direction tx -m sweep
ok 'is complete' json '.total.misses == 20011 + 3 and .lost_events == 0'
ok 'the tap is told' json '.devices[0].tap == "bench0"'
ok 'maps, steps, devices and totals agree' agrees
ok 'and no larger' smaller_than r.json 300000
ok 'and no larger' smaller_than r.html 900000

# Ends of commands.
record -- sh -c 'exit 7'
ok 'the exit status is that of the command' test $? -eq 7
ok 'and is told' json '.status == 7 and .end == "command" and .maps == []'
rm -f r.html r.json
record -- ./nothing
ok 'no such command' test $? -eq 127
ok 'says so' grep -q 'cannot run ./nothing: No such file' err
ok 'and nothing is left' nothing_left

# Ends of records.
start -- sleep 1000
kill -INT "$recorder"
ok 'Ctrl-C ends the command' ends_with 130
ok 'and leaves a report' html 'Ended by a signal'
ok 'and data' json '.end == "signal" and .status == 130'
start -- sh -c 'trap "" INT; touch deaf; while :; do sleep 0.1; done'
wait_for test -e deaf
kill -INT "$recorder"
# It is asked again until it has understood: two at once may be one.
kill_again()
{
	kill -INT "$recorder" 2>/dev/null
	! alive "$recorder"
}
wait_for kill_again
ok 'the second one kills it' ends_with 137
ok 'the report is there' html 'signal 9'
start
kill -TERM "$recorder"
ok 'without a command' ends_with 0
ok 'there is a report, too' json '.command == null and .status == null and .end == "signal"'
record -d 0.3 -- sleep 1000
ok 'the time is up' test $? -eq 143
ok 'as was asked' json '.end == "duration" and .duration_ns >= 300000000'

# Devices of others, and events that there is no room for.
start -b 4
kill -STOP "$recorder"
"$build/iotlb-bench" -q -j -n 1009 --direction tx -m sweep >bench.out 2>bench.err
kill -CONT "$recorder"
kill -INT "$recorder"
ok 'a small buffer' ends_with 0
ok 'counts are exact even so' json '.total.misses == 1009 + 3 and .total.updates == 1009 + 3'
ok 'what is lost is counted' json '
.lost_events > 0 and .lost_events + ([.maps[].iova | events] | add) == 2 * (1009 + 3)'
ok 'and told' grep -q 'events are missing' err
ok 'in the report, too' html 'events are missing in the maps'

# Files.
echo precious >r.html
rm -f r.json
"$build/iotlb-record" -o r.html -- true 2>err
ok 'no file is overwritten' test $? -eq 125
ok 'it is as it was' grep -qx precious r.html
ok 'why' grep -q 'r.html is there already' err
ok 'none is begun' test ! -e r.json
rm -f r.html
mkdir empty
(cd empty && "$build/iotlb-record" -d 0.1 2>../err)
names_by_time()
{
	[[ $(find empty -name 'iotlb-record-????????-??????.html' -o \
		-name 'iotlb-record-????????-??????.json' | wc -l) -eq 2 ]]
}
ok 'names by the time' names_by_time
record --report /etc/passwd
ok 'what is no record is refused' test $? -eq 125
ok 'and why' grep -q 'cannot use /etc/passwd: byte' err

# Without rights.
chmod 777 .
rm -f r.html r.json
setpriv --reuid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \
	"$build/iotlb-record" -o r.html -- true 2>err
ok 'rights are needed' test $? -eq 125
ok 'and named' grep -q 'cap_bpf,cap_perfmon' err
ok 'and nothing is left' nothing_left
with=+bpf,+perfmon,+sys_ptrace,+dac_read_search
setpriv --reuid 65534 --clear-groups --inh-caps="-all,$with" --ambient-caps="-all,$with" \
	--bounding-set="-all,$with" "$build/iotlb-record" -f -o r.html -- true 2>err
ok 'these are enough' test $? -eq 0

# perf counts the same.
ok 'with perf' record --perf -- "$build/iotlb-bench" -q -n 101 --direction tx -m sweep
ok 'perf has all events' [ "$(perf script -i r.perf.data 2>/dev/null | grep -c vhost_iotlb_miss:)" -eq $((101 + 3)) ]

plan
