#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 900
#
# The way from iotlb-top to the dashboard: node_exporter reads the file that
# iotlb-top writes, Prometheus asks node_exporter, and each query of the dashboard
# has an answer.

# shellcheck disable=SC2016 # in single quotes, $ begins a variable of jq or Grafana

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"

readonly dashboard=$repo/tools/grafana/vhost-iotlb.json
readonly prometheus=$build/prometheus
readonly server=127.0.0.1:9090 exporter=127.0.0.1:9100

servers=()

# serve NAME COMMAND...: in the background; what it says goes to NAME.err.
serve()
{
	local name=$1

	shift
	"$@" >"$name.err" 2>&1 &
	servers+=($!)
}

start()
{
	mkdir metrics
	cat >prometheus.yml <<-END
		global: {scrape_interval: 1s}
		scrape_configs:
		- {job_name: node, static_configs: [{targets: ["$exporter"]}]}
	END
	serve top "$build/iotlb-top" -v --openmetrics=metrics/iotlb.prom 1
	serve exporter "$prometheus/prometheus-node-exporter" --web.listen-address=$exporter \
		--collector.disable-defaults --collector.textfile \
		--collector.textfile.directory=metrics
	serve server "$prometheus/prometheus" --config.file=prometheus.yml \
		--storage.tsdb.path=data --web.listen-address=$server
	wait_for grep -q 'counting$' top.err && wait_for is '. == 1' 'up{job="node"}' && return
	tail -n 5 ./*.err | sed 's/^/# /'
	return 1
}

# ask QUERY: what Prometheus answers goes to the file answer.
ask()
{
	{
		printf 'GET /api/v1/query?query=%s HTTP/1.0\r\n\r\n' \
			"$(jq -rn --arg query "$1" '$query | @uri')" >&3
		sed '1,/^\r$/d' <&3 >answer
	} 3<>"/dev/tcp/${server/://}" 2>err
}

# is FILTER QUERY: there are values, and this is true of each; NaN is null.
is()
{
	ask "$2" && jq -e "[.data.result[].value[1] | tonumber] |
		length > 0 and all(.[]; $1)" answer >/dev/null 2>err
}

# A process of a guest, to whose every third page request the answer is that there is
# no such page. The device lives on, with counters that have changed while Prometheus
# looked on.
make_traffic()
{
	"$build/iotlb-bench" -q -t 600 --direction tx -n 1000000 --sva 1 -m strict \
		--page-requests --refuse 3 >bench.out 2>bench.err &
	bench=$!
	wait_for is '. >= 3' 'changes(vhost_iotlb_failed_accesses_total[1h])' || return
	kill -STOP $bench
	# All that there is has been looked at.
	misses=
	wait_for is_steady
}

# The file says twice the same, and so does Prometheus.
is_steady()
{
	local before=$misses

	sleep 1
	misses=$(awk '/^vhost_iotlb_misses_total/ { print $2 }' metrics/iotlb.prom)
	[[ -n $misses && $misses == "$before" ]] && is ". == $misses" vhost_iotlb_misses_total
}

# queries [TITLE]: a line for each query of the dashboard, or of this panel, as
# Grafana would ask it
queries()
{
	jq -r --arg device "$device" --arg title "${1:-}" '
		.panels[] | select($title == "" or .title == $title) | .targets[].expr |
		gsub("[$]__rate_interval"; "1h") | gsub("[$]device"; $device)' "$dashboard"
}

# panel TITLE FILTER [NTH]: is this true of what its first query, or the nth, answers?
panel()
{
	is "$2" "$(queries "$1" | sed -n "${3:-1}p")"
}

all_have_answers()
{
	local query number=0

	while IFS= read -r query; do
		number=$((number + 1))
		is true "$query" && continue
		echo "# no answer to $query"
		sed 's/^/# /' answer
		return 1
	done < <(queries)
	[[ $number -ge 23 ]]
}

for program in prometheus prometheus-node-exporter; do
	[[ -x $prometheus/$program ]] || bail_out "no $program; make $prometheus"
done

ok 'Prometheus gets what iotlb-top writes' start
ok 'a device with misses' make_traffic
device=$(sed -n 's/^vhost_iotlb_updates_total{device="\([0-9]*\)".*/\1/p' metrics/iotlb.prom)
variable=$(jq -r '.templating.list[] | select(.name == "device") | .query.query |
	capture("^label_values\\((?<metric>.*), device\\)$").metric' "$dashboard")
ok 'the dashboard knows the device' is '. > 0' "$variable{device=\"$device\"}"
ok 'each of its queries has an answer' all_have_answers
ok 'nothing has hit' panel 'True hit rate' '. > -0.1 and . < 0.1'
ok 'there were misses' panel Misses '. > 0'
ok 'they took a while' panel 'From miss to answer' '. > 0 and . < 60'
ok 'the IOTLB of the process holds something' panel 'Translations in the IOTLB' '. > 0 and . <= 2048' 3
ok 'a process had misses' panel 'Misses of each PASID' '. > 0'
ok 'accesses failed' panel 'Failed accesses' '. > 0'
ok 'those of the process' panel 'Failed accesses' '. > 0' 2
ok 'a wrong one would have none' not is true 'rate(vhost_iotlb_no_such_total[1h])'

kill "${servers[@]}"
wait "${servers[@]}"
kill -KILL "$bench"
wait "$bench" 2>/dev/null
plan
