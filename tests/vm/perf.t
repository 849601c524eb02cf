#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 600
#
# tools/perf/*: what each recipe says of traffic of which all is known.

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"

# Copies, as the repository may lie where only root may read.
cp -r "$repo/tools/perf" . && chmod -R a+rX .
readonly recipes=$PWD/perf
readonly send=("$build/iotlb-bench" -q -j --direction tx -n 97 -m strict)

# run RECIPE [ARG...]: what it and the traffic have printed is in out and err.
run()
{
	local recipe=$1

	shift
	"$recipes/$recipe" "$@" "${send[@]}" >out 2>err
}

# events FILE NAME COUNT: so many lines are about this event.
events()
{
	[[ $(grep -c "vhost:vhost_iotlb_$2[(:]" "$1") -eq $3 ]]
}

# counts NAME COUNT: perf stat has counted so many.
counts()
{
	[[ $(awk -v event="vhost:vhost_iotlb_$1" '$2 == event { gsub(/,/, "", $1); print $1 }' err) -eq $2 ]]
}

ok 'count' run count
ok 'count: misses' counts miss 100
ok 'count: updates' counts update 100
ok 'count: invalidations' counts invalidate 97
ok 'count: evictions' counts evict 0

ok 'trace' run trace --
ok 'trace: misses' events err miss 100
ok 'trace: updates' events err update 100
ok 'trace: invalidations' events err invalidate 97
ok 'trace: no hits' events err hit 0

ok 'events' run events
ok 'events: misses' events out miss 100
ok 'events: updates' events out update 100
ok 'events: invalidations' events out invalidate 97
ok 'events: hits of buffers' test "$(grep -c 'vhost_iotlb_hit: .* area=buffer' out)" -eq 97

ok 'flame' run flame -e vhost:vhost_iotlb_invalidate --
sed '/^<svg/,$!d' out >flame.svg
ok 'flame: a picture' python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("flame.svg")'
ok 'flame: each event has a stack' grep -q '>vhost:vhost_iotlb_invalidate: 97<' flame.svg
ok 'flame: who invalidates' grep -q '<title>iotlb-bench: 97 of 97<' flame.svg
ok 'flame: by which function' grep -q '<title>vhost_chr_write_iter: 97 of 97<' flame.svg
ok 'flame of misses' run flame
ok 'flame of misses: all' grep -q '>vhost:vhost_iotlb_miss: 100<' out
ok 'flame of misses: of buffers' grep -q '<title>translate_desc: 97 of 100<' out

# perf_of PROCESS: it is perf itself, or its parent.
perf_of()
{
	pgrep -P "$1" -x perf || pgrep -x perf
}

has_events()
{
	grep -q perf_event < <(readlink "/proc/$(perf_of "$1")/fd/"*)
}

# ends RECIPE [COMMAND...]: on SIGINT, when it has no command to wait for, after
# there was traffic and COMMAND has succeeded. Its output is in out and err.
ends()
{
	local recipe status

	"$recipes/$1" >out 2>err &
	recipe=$!
	shift
	wait_for has_events $recipe 2>/dev/null
	wait_for traffic_and "$@"
	kill -INT "$(perf_of $recipe)"
	wait $recipe
	status=$?
	# perf stat tells its counts, and ends by the signal then.
	[[ $status -eq 0 || $status -eq 130 ]]
}

traffic_and()
{
	"${send[@]}" >bench.out && "$@"
}

ok 'trace, Ctrl-C, tells at once' ends trace grep -q vhost_iotlb_miss err
for recipe in count events flame; do
	ok "$recipe, Ctrl-C" ends $recipe true
	ok "$recipe, Ctrl-C: it has told" grep -q vhost_iotlb_miss out err
done

for recipe in count trace events flame; do
	ok "$recipe --help" sh -c "'$recipes/$recipe' --help | grep -q '^Usage: $recipe '"
	refuses "$recipe, unknown option" 2 'unknown option' "$recipes/$recipe" --nonsense
	refuses "$recipe, not root" 1 'run this as root' \
		setpriv --reuid 65534 --clear-groups "$recipes/$recipe" true
done
ok 'a command that fails' not "$recipes/count" false 2>err
plan
