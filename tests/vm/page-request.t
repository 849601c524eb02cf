#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 1200
#
# Page requests: a process of a guest has no page where its device sends or receives.
# The guest, whom iotlbctl stands for, is asked for it, and answers, or does not. The
# device of tests/sva is shared by two processes; the other one must not notice.

# shellcheck disable=SC2016 # $ begins a variable of jq

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"
# shellcheck source-path=SCRIPTDIR source=sva_guest.sh
. "$here/sva_guest.sh"

readonly buffers=$((0x7f1234410000))

# enter: a guest that has not told of any error yet
enter()
{
	guest
	rx_errors=0
	tx_errors=0
}

set_up()
{
	alloc && bind
}

# begin OPTION...: iotlbd, and a guest that runs
begin()
{
	enter
	iommu "$legacy"
	# shellcheck disable=SC2086 # no argument, or one
	start --vtd vtd --control "$socket" --json "$@" $how
	ok "$what: PASIDs and page tables" set_up
	ok "$what: the virtqueues start" says running run
	ok "$what: errors are watched for" ends_with 0 0
}

# Subscribers

is_subscribed()
{
	ctl -j devices &&
		json ctl.out "first.devices[] | select(.device == $device).page_requests.on"
}

# subscribe OPTION...: iotlbctl in the background, that answers what it is told
subscribe()
{
	rm -f answers
	mkfifo answers
	: >requests
	"$build/iotlbctl" --socket "$socket" page-requests "$device" "$@" <answers >requests \
		2>requests.err &
	subscriber=$!
	exec {answers}>answers
	wait_for is_subscribed
}

is_unsubscribed()
{
	not is_subscribed
}

# unsubscribe SIGNAL
unsubscribe()
{
	kill -"$1" "$subscriber"
	wait "$subscriber" 2>/dev/null
	exec {answers}>&-
	wait_for is_unsubscribed
}

# is_asked PATTERN: the last line is this request; sets $group
is_asked()
{
	local last

	last=$(tail -n 1 requests)
	group=${last#group }
	group=${group%% *}
	[[ $last =~ ^group\ [0-9]+\ $1$ ]]
}

# asked QUEUE NTH: for a page of that virtqueue
asked()
{
	local address

	address=$(printf 0x%x $((buffers + $2 * 4096)))
	if [[ $1 -eq 0 ]]; then
		wait_for is_asked "pasid $rx queue 0 w $address length [0-9]*"
	else
		wait_for is_asked "pasid $tx queue 1 r $address length 212"
	fi
}

answer()
{
	echo "$group $1" >&"$answers"
}

has_said()
{
	grep -qxE "group [0-9]+ pasid [0-9]+ $1" requests
}

# take_away QUEUE NTH [HOW]: the page, and what the device knows of it
take_away()
{
	local pasid=$tx

	[[ $1 -eq 1 ]] || pasid=$rx
	ask "${3:-unmap}" "$1" "$2" >>replies
	ctl invalidate "$device" --pasid "$pasid"
}

# send NTH: where there is no page
send()
{
	take_away 1 "$1"
	ask send "$1" >>replies
}

has_errors()
{
	[[ $(ask errors) == "errors $rx_errors $tx_errors waiting 0" ]]
}

# ends_with RX TX: no virtqueue waits any more, and each has told of so many errors
ends_with()
{
	rx_errors=$((rx_errors + $1))
	tx_errors=$((tx_errors + $2))
	wait_for has_errors && return
	echo "# $(ask errors) instead of $rx_errors $tx_errors"
	return 1
}

counts()
{
	json out ".[] | select(.kind == \"total\").page_requests | $1"
}

test_success()
{
	ok "$what: the guest is asked to be asked" subscribe
	send 3
	ok "$what: a page that is missing is asked for" asked 1 3
	ok "$what: the virtqueue waits" says waiting state
	ok "$what: the other process does not" says "sent 0 received 50 crossed 0" receive 50
	ok "$what: it is listed" ctl -j devices
	ok "$what: as outstanding" json ctl.out \
		".[0].devices[0].page_requests == {on: true, outstanding: 1, failed: false}"
	ask map 1 3 >>replies
	answer success
	ok "$what: success: the frame is sent, with its bytes" says "frame 3" wait
	ok "$what: nobody was told of an error" ends_with 0 0

	take_away 0 2 protect
	ask post 2 >>replies
	ok "$what: a page that is not to be written is asked for" asked 0 2
	ask map 0 2 >>replies
	answer success
	ok "$what: success: the frame is received" says "frame 2 length 212" taken
	answer success
	ok "$what: an answer is for once" wait_for grep -q 'no request of group' requests.err
}

test_invalid()
{
	send 4
	ok "$what: a page that there is not, is asked for" asked 1 4
	answer invalid
	ok "$what: invalid: the frame is not sent, and an error told" ends_with 0 1
	ask send 5 >>replies
	ok "$what: invalid: the next frame is" says "frame 5" wait

	take_away 0 4
	ask post 4 >>replies
	ok "$what: a page to receive" asked 0 4
	answer invalid
	ok "$what: invalid: the buffer is given back, empty" says "frame -1 length 0" taken
	ok "$what: invalid: an error is told" ends_with 1 0
	ask offer 5 >>replies
	ok "$what: invalid: the frame is received in the next" says "frame 4 length 212" taken
}

# A page that does not come, whatever is said
test_in_vain()
{
	unsubscribe TERM
	ok "$what: one who always says success" subscribe --answer=success
	send 6
	ok "$what: success for ever ends" wait_for has_said 'ended: no-effect'
	ok "$what: after some times" test "$(grep -c 'answered: success' requests)" -eq 8
	ok "$what: the device goes on" ends_with 0 1
	ok "$what: the log says so" grep -q 'success again and again, but there is still no page' err
	unsubscribe TERM
	ok "$what: one who always says invalid" subscribe --answer=invalid
	for nth in 6 7 8; do
		send "$nth"
		ok "$what: it ends by itself" ends_with 0 1
	done
	unsubscribe TERM
}

test_failure()
{
	local first

	ok "$what: another subscriber" subscribe
	send 7
	ok "$what: one request" asked 1 7
	first=$group
	take_away 0 7
	ask post 7 >>replies
	ok "$what: and another" asked 0 7
	group=$first
	answer failure
	ok "$what: failure: both end, and errors are told" ends_with 1 1
	ok "$what: failure: the other is told to have ended" wait_for has_said 'ended: failure'
	ask offer 8 >>replies
	ok "$what: what is there, is still received" says "frame 7 length 212" taken
	cp requests before
	send 9
	ok "$what: what is missing fails at once" ends_with 0 1
	ok "$what: and nobody is asked" cmp requests before
	unsubscribe TERM
	ok "$what: a new subscription" subscribe
	send 10
	ok "$what: ends that" asked 1 10
	ask map 1 10 >>replies
	answer success
	ok "$what: so that all is well" says "frame 10" wait
}

# Who is asked dies, and so may iotlbd.
test_death()
{
	local first

	send 11
	ok "$what: somebody is asked" asked 1 11
	first=$group
	ok "$what: and killed" unsubscribe KILL
	ok "$what: the virtqueue waits" says waiting state
	ok "$what: the next subscriber" subscribe
	ok "$what: is asked" asked 1 11
	ok "$what: in another group" test "$group" -ne "$first"
	ctl -j request < <(echo '{"command":"page-requests","device":'"$device"',"on":true}')
	ok "$what: there is none beside it" grep -q '"name":"subscribed"' ctl.out
	ctl request < <(echo '{"command":"respond","device":'"$device"',"group":'"$group"',"pasid":5,"code":"invalid"}')
	ok "$what: and nobody else answers" grep -q '"name":"not-subscribed"' ctl.out
	ask map 1 11 >>replies
	answer success
	ok "$what: it goes on" says "frame 11" wait

	send 12
	ok "$what: a request" asked 1 12
	ok "$what: its PASID is unbound" ctl unbind "$device" "$tx"
	ok "$what: it ends by that" wait_for has_said 'ended: unbound'
	ok "$what: the virtqueue waits still" says waiting state
	ok "$what: the PASID is bound" ctl bind "$device" "$tx" "$root_tx"
	ok "$what: it is asked again" asked 1 12
	ask map 1 12 >>replies
	answer success
	ok "$what: and goes on" says "frame 12" wait
}

end()
{
	ok "$what: no virtqueue waits" ends_with 0 0
	unsubscribe TERM
	ok "$what: iotlbd ends well" stop
	ok "$what: all requests have ended" counts '.outstanding == 0 and .requests ==
		.success + .invalid + .failure + .timeouts + .no_effect + .withdrawn'
}

test_answers()
{
	begin
	test_success
	test_invalid
	test_in_vain
	test_failure
	test_death
	end
	ok "$what: answers are counted" counts '.success == 13 and .invalid == 5 and
		.failure == 2 and .no_effect == 1 and .timeouts == 0 and .withdrawn == 2'
	leave
}

# Nobody answers; and iotlbd is killed in between.
test_silence()
{
	begin --page-request-timeout 1
	ok "$what: a subscriber who says nothing" subscribe
	send 3
	# It may have ended by the time that one looks.
	ok "$what: is asked" wait_for has_said 'queue 1 r 0x7f1234413000 length 212'
	ok "$what: and told that it was too late" wait_for has_said 'ended: timeout'
	ok "$what: the device goes on" ends_with 0 1
	ok "$what: the log says so" grep -q 'was not answered in time' err
	ask send 5 >>replies
	ok "$what: with the next frame" says "frame 5" wait
	unsubscribe TERM

	send 6
	ok "$what: without subscriber it is a fault" wait_for grep -q \
		"no translation of 0x7f1234416000 of PASID $tx: .* (fault present" err
	stop KILL
	# shellcheck disable=SC2086
	start --vtd vtd --control "$socket" --json $how
	ok "$what: another iotlbd" set_up
	ok "$what: and its subscriber" subscribe
	ok "$what: is asked for what has waited" asked 1 6
	ask map 1 6 >>replies
	answer success
	ok "$what: it goes on" says "frame 6" wait

	send 7
	ok "$what: a request" asked 1 7
	leave
	wait "$subscriber"
	ok "$what: when the device goes, so does the subscriber" test $? -eq 0
	exec {answers}>&-
	ok "$what: it is told why" has_said 'ended: gone'
	ok "$what: iotlbd ends well" stop
}

# The guest says in its own tables what is bound.
test_tables()
{
	begin_tables
	ok "$what: a subscriber" subscribe
	take_away 1 3
	ask send 3 >>replies
	ok "$what: is asked" asked 1 3
	ask map 1 3 >>replies
	answer success
	ok "$what: it goes on" says "frame 3" wait
	send 4
	ok "$what: a request" asked 1 4
	answer invalid
	ok "$what: invalid" ends_with 0 1
	end
	leave
}

begin_tables()
{
	enter
	iommu "$legacy"
	# shellcheck disable=SC2086
	start --vtd vtd --control "$socket" --json $how
	ok "$what: the table" ctl attach "$device" "$directory" --bits=13
	ok "$what: the virtqueues start" says running run
	ok "$what: errors are watched for" ends_with 0 0
}

# In scalable mode, nobody manages PASIDs at the control socket.
test_scalable()
{
	enter
	iommu "$scalable"
	# shellcheck disable=SC2086
	start --vtd vtd --control "$socket" --json $how
	ok "$what: the virtqueues start" says running run
	ok "$what: errors are watched for" ends_with 0 0
	ok "$what: a subscriber" subscribe
	ask unmap 1 3 >>replies
	ctl invalidate "$device"
	ask send 3 >>replies
	ok "$what: is asked" asked 1 3
	ask map 1 3 >>replies
	answer success
	ok "$what: it goes on" says "frame 3" wait
	end
	leave
}

# watch NAME READY PROGRAM OPTION...: in the background, counting when this returns
watch()
{
	local name=$1 ready=$2

	shift 2
	"$@" >"$name" 2>"$name.err" &
	watchers+=($!)
	wait_for grep -q "$ready\$" "$name.err"
}

all_end_well()
{
	local watcher

	kill -INT "${watchers[@]}"
	for watcher in "${watchers[@]}"; do
		wait "$watcher" || return
	done
}

# csv_sum COLUMN: over all lines
csv_sum()
{
	tr -d '\r' <csv | awk -F, -v column="$1" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) n = i; next }
		{ sum += $n }
		END { print n ? sum : "no such column" }'
}

# cells COLUMN: of the table's lines for virtqueues
cells()
{
	awk -v column="$1" '
		$1 == "PID" { for (i = 1; i <= NF; i++) if ($i == column) n = i; next }
		/sva_guest/ { print $n }' table | xargs
}

# How many accesses have failed, as the tools tell it: three to send, one to receive.
test_tools()
{
	local nth

	watchers=()
	watch json counting "$build/iotlb-top" -v -j 3600
	watch table counting "$build/iotlb-top" -v 3600
	# Those without CAP_SYS_ADMIN count by other programs.
	watch csv counting setpriv \
		--bounding-set=-all,+bpf,+perfmon,+sys_ptrace,+dac_read_search \
		"$build/iotlb-top" -v --csv 3600
	watch metrics counting "$build/iotlb-top" -v --openmetrics 3600
	watch record recording "$build/iotlb-record" -v -f -o r.html
	begin
	ok "$what: one who always says invalid" subscribe --answer=invalid
	for nth in 3 4 5; do
		send "$nth"
		ok "$what: it fails" ends_with 0 1
	done
	take_away 0 2
	ask post 2 >>replies
	ok "$what: so does a buffer to receive" ends_with 1 0
	ok "$what: it is given back" says "frame -1 length 0" taken
	ask offer 6 >>replies
	ok "$what: another one does not" says "frame 2 length 212" taken
	end
	leave
	ok "$what: all that watch end well" all_end_well

	ok "$what: JSON: by virtqueue" json json '.[-1].devices[0].queues |
		map([.vq, .total.failed_accesses]) == [[0, 1], [1, 3]]'
	ok "$what: JSON: by PASID" json json '.[-1].devices[0].pasids |
		map([.pasid, .total.failed_accesses]) == [[0, 0], [5, 3], [7, 1]]'
	ok "$what: JSON: in all, and what has failed was not answered" json json '.[-1].total |
		.failed_accesses == 4 and
		.misses >= .resolved + (.latency_ns.log2 | add // 0) + .failed_accesses'
	ok "$what: the table" test "$(cells ACCFAIL)" = '1 3'
	ok "$what: people read of it" grep -qx \
		"no such page: 4 accesses of guests' devices failed" table
	ok "$what: CSV" test "$(csv_sum failed_accesses)" = 4
	ok "$what: OpenMetrics" test "$("$here/metrics.py" openmetrics metrics \
		'vhost_iotlb_failed_accesses_total{vq=1}')" = 3
	ok "$what: a record" json r.json 'first | .total.accesses_failed == 4 and
		.lost_events == 0 and ([.maps[].iova.accesses_failed[][2]] | add) == 4'
	ok "$what: by PASID" json r.json 'first | .maps |
		map(select(.pasid > 0) | [.pasid, ([.iova.accesses_failed[][2]] | add)]) |
		sort == [[5, 3], [7, 1]]'
	ok "$what: the report" grep -q '>Failed accesses: 3<' r.html
}

tests=(
	test_answers
	test_silence
	test_tools
	test_tables
	test_scalable
)

# By hand, some of them can be named.
[[ $# -eq 0 ]] || tests=("$@")
for how in '' --resolve; do
	for test in "${tests[@]}"; do
		what="${test#test_}${how:+, $how}"
		"$test"
	done
done
plan
