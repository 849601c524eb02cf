#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 600
#
# All views of iotlb-top look at the same traffic at the same time, and show
# exactly the same counts; machines can read what is for machines.

# shellcheck disable=SC2016 # in single quotes, $ begins a variable of jq or a field of awk

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"

# Primes, so that no other count is the same by accident: so many packets to a
# virtqueue, a new buffer each. The ring has three pages more.
readonly packets=197
readonly misses=$((packets + 3))

readonly dashboard=$repo/tools/grafana/vhost-iotlb.json

tops=()

# start NAME OPTION...: iotlb-top; what it prints goes to NAME.
start()
{
	local name=$1

	shift
	"$build/iotlb-top" -v "$@" 3600 >"$name" 2>"$name.err" &
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
}

# csv COLUMN [all]: sum of a column
csv()
{
	tr -d '\r' <csv | awk -F, -v column="$1" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) n = i; next }
		{ sum += $n }
		END { print n ? sum : "no such column" }'
}

# json FILTER: is this true?
json()
{
	jq -se "$1" json >/dev/null
}

# metric KIND FILE NAME: sum of the samples
metric()
{
	"$here/metrics.py" "$@"
}

# cell COLUMN: of the table's line with the most misses
cell()
{
	awk -v column="$1" '
		$1 == "PID" { for (i = 1; i <= NF; i++) if ($i == column) n = i; next }
		/iotlb-bench/ { print $n; exit }' table
}

# agree DESCRIPTION COUNT JSON CSV METRIC [COLUMN]: the same in each view
agree()
{
	local what=$1 count=$2 json=$3 csv=$4 metric=$5 column=${6:-}

	ok "$what: JSON" [ "$(jq -s ".[-1].total | $json" json)" = "$count" ]
	ok "$what: CSV" [ "$(csv "$csv")" = "$count" ]
	ok "$what: OpenMetrics" [ "$(metric openmetrics openmetrics "$metric")" = "$count" ]
	ok "$what: the file for node_exporter" \
		[ "$(metric prometheus file.prom "$metric")" = "$count" ]
	[[ -z $column ]] || ok "$what: the table" [ "$(cell "$column")" = "$count" ]
}

# No line ends without a carriage return, and all have the same number of fields.
is_rfc4180()
{
	! grep -qv $'\r$' csv && [[ $(awk -F, '{ print NF }' csv | sort -u | wc -l) -eq 1 ]]
}

# The checker has something to say of names that are unusual, too.
promtool_is_content()
{
	"$build/prometheus/promtool" check metrics <file.prom >out 2>&1 && [[ ! -s out ]]
}

[[ -x $build/prometheus/promtool ]] || bail_out "no promtool; make $build/prometheus"

# a_device_lives: stopped amid its traffic
a_device_lives()
{
	"$build/iotlb-bench" -q -t 600 --direction tx -n 1000000 -m sweep >bench.out 2>bench.err &
	bench=$!
	"$build/iotlb-top" -p $bench -j 0.1 >live 2>err &
	top=$!
	wait_for has_tap && kill -STOP $bench && kill -INT $top && wait $top
}

# The latest sample that is complete says so.
has_tap()
{
	grep '}$' live | tail -n 1 | jq -es '
any(.[].devices[]; .tap != null and .entries > 0 and .limit >= .entries)' >/dev/null
}

# dashboard_metrics: names, each once
dashboard_metrics()
{
	grep -o 'vhost_iotlb_[a-z_]*' "$dashboard" | sort -u
}

# There is each metric that the dashboard asks for; those of now have a sample only
# while there is a device. Those of PASIDs are there only if there are any: dashboard.t
# has them.
dashboard_has_data()
{
	local name

	[[ $(dashboard_metrics | wc -l) -ge 20 ]] || return
	for name in $(dashboard_metrics); do
		[[ $name != vhost_iotlb_pasid_* ]] || continue
		grep -qE "^(${name}[{ ]|# TYPE $name gauge\$)" file.prom && continue
		echo "# $name is not there"
		return 1
	done
}

# Its queries, as rules that promtool can read
dashboard_is_understood()
{
	jq '[.panels[].targets[].expr | gsub("[$]__rate_interval"; "5m")] | to_entries |
		map({record: "dashboard:query:\(.key)", expr: .value}) |
		{groups: [{name: "dashboard", rules: .}]}' "$dashboard" >rules.yml &&
		"$build/prometheus/promtool" check rules rules.yml >out 2>&1
}

start json --json
start csv --csv
start openmetrics --openmetrics
start file --openmetrics=file.prom
start table --batch
"$build/iotlb-bench" -q -t 600 -j --direction tx -n $packets -m sweep >bench.out 2>bench.err
ok 'all of them end well' all_end_well

agree misses $misses .misses misses vhost_iotlb_misses_total MISS
agree 'misses of buffers' $packets .buffer_misses buffer_misses vhost_iotlb_buffer_misses_total
agree 'hits of buffers' $packets .hits.buffer hits_buffer \
	'vhost_iotlb_hits_total{area=buffer}' BUF
agree 'misses on the fd' $misses .fd fd vhost_iotlb_fd_misses_total FD
agree updates $misses .updates updates vhost_iotlb_updates_total UPD
agree answers $misses '.latency_ns.log2 | add' answered \
	'vhost_iotlb_miss_latency_seconds_bucket{le=+Inf}'
ok 'time of answers: it fits the histogram' json '
.[-1].total.latency_ns | .sum as $sum | .log2 |
($sum >= (to_entries | map(.value * pow(2; .key)) | add)) and
($sum < (to_entries | map(.value * pow(2; .key + 1)) | add))'

ok 'CSV: lines are as in RFC 4180' is_rfc4180
ok 'CSV: headings, a device, a virtqueue' [ "$(wc -l <csv)" -eq 3 ]
ok 'OpenMetrics: who it is' [ "$(metric openmetrics openmetrics \
	'vhost_iotlb_misses_total{command=iotlb-bench,vq=1}')" = $misses ]
ok 'the file for node_exporter: promtool has nothing to say' promtool_is_content
ok 'the dashboard: each of its metrics is there' dashboard_has_data
ok 'the dashboard: its queries are understood' dashboard_is_understood
ok 'and nothing else was left' [ "$(echo file*)" = 'file file.err file.prom' ]
ok 'nor written to standard output' [ ! -s file ]

ok 'a device has a network interface and entries' a_device_lives
tap=$(jq -rs '.[-1].devices[0].tap' live)
"$build/iotlb-top" --openmetrics -1 0.1 >live.om
ok 'OpenMetrics: one exposition for one sample' metric openmetrics live.om
ok 'OpenMetrics: the network interface' \
	[ "$(metric openmetrics live.om "vhost_iotlb_entries_limit{tap=$tap}")" = 2048 ]
"$build/iotlb-top" --csv 0.1 2 >live.csv
ok 'CSV: the network interface, in each line' \
	[ "$(cut -d, -f8 live.csv | sort | uniq -c | xargs)" = "3 $tap 1 tap" ]
ok 'the table: the network interface' grep -q " $tap " <("$build/iotlb-top" -b -1 0.1)
kill -KILL "$bench"
wait "$bench" 2>/dev/null

refuses 'a file that cannot be written' 1 'no/folder/x.prom: No such file' \
	"$build/iotlb-top" --openmetrics=no/folder/x.prom -1 0.1
ok 'a full disk is an error, of CSV' \
	sh -c "! '$build/iotlb-top' --csv -1 0.1 2>err >/dev/full && grep -q 'No space' err"
refuses 'two formats' 2 'only one of' "$build/iotlb-top" --csv --json
plan
