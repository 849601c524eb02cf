#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 1200
#
# The guest's IOMMU tables are walked: by iotlbd, and with --resolve by the
# kernel, so that only what is large or faulty comes to iotlbd.

# shellcheck disable=SC2016,SC2119 # $ begins a variable of jq; stop needs no signal

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"

# Packets that take seconds, so that there is a middle.
many=$(fewer 30000)

readonly miss=$events/vhost_iotlb_miss

# bench_vtd OPTION...: the IOMMU of iotlb-bench with these options
bench_vtd()
{
	"$build/iotlb-bench" --iova vtd --write-vtd=vtd "$@" ||
		bail_out "iotlb-bench describes no IOMMU"
}

has_device()
{
	grep -qs '^vhost-iotlb:' "/proc/$bench/fdinfo/"*
}

# wait_with OPTION...: iotlb-bench with these options, whose device is there before
# iotlbd is, so that its first miss is one of a device that is served.
wait_with()
{
	traffic --iova vtd --server none "$@"
	wait_for has_device
}

count_verdicts()
{
	echo 'hist:keys=verdict' >"$miss/trigger"
}

# verdicts NUMBER: how many misses have got this one
verdicts()
{
	awk -v wanted="$1" '
		$2 == "verdict:" && $3 == wanted { count = $NF }
		END { print count + 0 }' "$miss/hist"
}

stop_counting()
{
	echo '!hist:keys=verdict' >"$miss/trigger"
}

# total FILTER: is this true of the sums?
total()
{
	json out ".[] | select(.kind == \"total\") | $1"
}

test_walk()
{
	bench_vtd -m sweep -n 300
	start --vtd vtd --json
	traffic --iova vtd -m sweep -n 300 --server none
	ok "iotlbd walks: every packet" all_arrived_both 300
	ok "iotlbd walks: ends well" stop
	ok "iotlbd walks: every miss has an answer" total '
		.misses >= 600 and .misses == .answered + .duplicates and .resolved == 0'
}

all_arrived_both()
{
	wait "$bench" && jq -e --argjson count "$1" '.good and
		.tx.verified == $count and .rx.verified == $count' bench.out >/dev/null
}

test_resolve()
{
	local options

	for options in "--size 64" "--size 4000" "--fragments" "--indirect"; do
		# shellcheck disable=SC2086 # options
		bench_vtd -m sweep -n 300 $options
		# shellcheck disable=SC2086
		wait_with -m sweep -n 300 $options
		count_verdicts
		start --vtd vtd --resolve --json
		ok "$options: every packet" all_arrived_both 300
		ok "$options: ends well" stop
		ok "$options: no miss comes to iotlbd" total \
			'.misses == 0 and .large == 0 and .faults == 0'
		ok "$options: all are resolved ($(verdicts 2))" total \
			".resolved == $(verdicts 2) and .resolved >= 600"
		ok "$options: none was queued" test "$(verdicts 1)" -eq 0
		stop_counting
	done
}

# A device that iotlbd has to learn of: until it has, misses go to the fd, too.
test_comes_later()
{
	bench_vtd -D 4 -m sweep -n 300
	start --vtd vtd --resolve --json
	traffic --iova vtd -D 4 -m sweep -n 300 --server none
	ok "four devices: every packet" all_arrived_both 1200
	stop
	ok "four devices: each of them is resolved" json out '
		[.[] | select(.kind == "device") | select(.resolved >= 600)] | length == 4'
	ok "four devices: their sum is right" json out '
		(map(select(.kind == "device").resolved) | add) ==
			(map(select(.kind == "total").resolved) | add)'
	ok "four devices: few misses come to iotlbd" total '.misses < 100 and .unanswered == 0'
}

# The id that the next vhost device gets
next_id()
{
	local fd id

	exec {fd}<>/dev/vhost-net
	id=$(awk '$1 == "vhost-id:" { print $2 }' "/proc/$BASHPID/fdinfo/$fd")
	exec {fd}>&-
	echo $((id + 1))
}

# Ids are never given twice, but places for units are: every 4096 ids.
test_same_place()
{
	local fd id first places=4096

	bench_vtd -m sweep -n 300
	start --vtd vtd --resolve --json
	first=$(next_id)
	traffic --iova vtd -m sweep -n 300 --server none
	ok "a place: every packet" all_arrived_both 300
	wait_for holds 0
	for ((id = $(next_id); id < first + places; id++)); do
		exec {fd}<>/dev/vhost-net
		exec {fd}>&-
	done
	traffic --iova vtd -m sweep -n 300 --server none
	ok "the same place again: every packet" all_arrived_both 300
	stop
	ok "the same place again: it is the same" json out "
		[.[] | select(.kind == \"device\").dev] == [$first, $first + $places]"
	ok "the same place again: both are resolved" json out '
		[.[] | select(.kind == "device") | select(.resolved >= 600)] | length == 2'
	ok "the same place again: the sum is right" json out '
		(map(select(.kind == "device").resolved) | add) ==
			(map(select(.kind == "total").resolved) | add)'
}

# One answer for a large page serves to the end.
test_large()
{
	local page

	for page in 2m 1g; do
		bench_vtd --page $page -n 300
		wait_with --page $page -n 300
		start --vtd vtd --resolve --json
		ok "pages of $page: every packet" all_arrived_both 300
		stop
		ok "pages of $page: iotlbd maps each once" total '
			.misses == .large and .large > 0 and .large < 100 and
			.misses == .answered + .duplicates and .resolved == 0 and .faults == 0'
	done
}

# What has no translation is left to iotlbd, which says why there is none.
test_faults()
{
	bench_vtd -n 10
	sed 's/^device .*/device 00:1f.0/' vtd >other
	start --vtd other --resolve --json
	traffic --iova vtd -n 10 --server none --timeout 2
	ok "another device: nothing arrives" not all_arrived_both 10
	stop
	ok "another device: nothing is resolved" total '.resolved == 0 and .faults > 0'
	ok "another device: handed back" total '.unanswered == .misses and .misses > 0'
	ok "another device: says why" grep -q \
		'no translation of 0x[0-9a-f]*: .* (fault context-present, table context, level 0); queue [0-9]* waits to' err

	sed 's/^root .*/root 0x7ffffff000/' vtd >outside
	start --vtd outside --resolve
	traffic --iova vtd -n 10 --server none --timeout 2
	ok "no tables: nothing arrives" not all_arrived_both 10
	stop
	ok "no tables: says why" grep -q '(fault read, table root, level 0)' err
}

# Pages of the tables that are not there when the kernel looks: iotlbd can wait.
# There are more packets than that takes, of which the rest is not sent.
test_paged_out()
{
	local root go paging count=300000

	bench_vtd --direction tx -m sweep -n $count
	root=$(awk '$1 == "root" { print $2 }' vtd)
	wait_with --direction tx -m sweep -n $count
	mkfifo go
	"$repo/tests/vm/page_out.py" "$bench" "$root" 0x4000 10 <go >paging &
	paging=$!
	exec {go}>go
	wait_for grep -q ready paging
	start --vtd vtd --resolve --json
	echo >&"$go"
	ok "paged out: ten times" wait "$paging"
	exec {go}>&-
	ok "paged out: it is not over yet" alive "$bench"
	kill -INT "$bench"
	wait "$bench"
	ok "paged out: every packet that was sent" json bench.out \
		'.[0] | .good and .interrupted and .tx.sent > 0 and .tx.verified == .tx.sent'
	count=$(jq .tx.sent bench.out)
	stop
	ok "paged out: iotlbd has had to look" total \
		'.faults > 0 and .answered > 0 and .misses == .faults'
	ok "paged out: every miss has an answer" total '
		.unanswered == 0 and .failed == 0 and .misses == .answered + .duplicates + .stale'
	ok "paged out: else the kernel did it" total ".resolved >= $count - 100"
}

# With the program, its translations go; the reader of the fd takes over.
test_killed()
{
	# So many that there is time to kill it, however fast this is.
	local many=$((5 * many))

	bench_vtd --direction tx -m sweep -n "$many"
	start --vtd vtd --resolve
	traffic --iova vtd --direction tx -m sweep -n "$many" --server fd
	wait_for grep -q 'serving device' err
	sleep 0.2
	ok "killed: in the middle" alive "$bench"
	kill -KILL "$daemon"
	wait "$daemon" 2>/dev/null
	ok "killed: every packet" all_arrived "$many"
	ok "killed: some by the reader of the fd" json bench.out \
		'.[0].tx | .misses.buffer > 0 and .misses.buffer < .sent'
}

test_refusals()
{
	refuses "--resolve without an IOMMU" 2 '^iotlbd: --resolve makes no sense with .*--vtd FILE' \
		"$build/iotlbd" --resolve --translator identity
	refuses "--vtd and --table" 2 '^iotlbd: --vtd vtd makes no sense with --translator table' \
		"$build/iotlbd" --vtd vtd --table table
	refuses "no description" 1 'cannot open the description of the IOMMU none' \
		"$build/iotlbd" --vtd none
	printf 'root 0x1000\nwidht 48\n' >bad
	refuses "a bad description" 1 '^iotlbd: bad:2: "widht" is none of root, width,' \
		"$build/iotlbd" --vtd bad
	refuses "nothing to go by" 2 'describe the IOMMU with --vtd FILE' \
		"$build/iotlbd" --translator vtd
}

tests=(
	test_walk
	test_resolve
	test_comes_later
	test_same_place
	test_large
	test_faults
	test_paged_out
	test_killed
	test_refusals
)

# By hand, some of them can be named.
[[ $# -eq 0 ]] || tests=("$@")
for test in "${tests[@]}"; do
	"$test"
done
plan
