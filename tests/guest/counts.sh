# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Counts of vhost's tracepoints, made by the kernel. To be sourced; what sources
# it has a function die.

readonly vhost_events=/sys/kernel/tracing/events/vhost
# shellcheck disable=SC2054 # a comma is between two keys
readonly count_keys=(hit:area miss:area,verdict update:dev invalidate:dev evict:dev fallback:dev)

count_events()
{
	local key

	[[ -d $vhost_events ]] || die "vhost has no tracepoints; load the patched modules (no --stock)"
	for key in "${count_keys[@]}"; do
		echo "hist:keys=${key#*:}" >"$vhost_events/vhost_iotlb_${key%:*}/trigger" ||
			die "cannot count the events vhost_iotlb_${key%:*}"
	done
}

stop_counting()
{
	local key

	for key in "${count_keys[@]}"; do
		echo "!hist:keys=${key#*:}" >"$vhost_events/vhost_iotlb_${key%:*}/trigger"
	done 2>/dev/null
}

# As a JSON object, with these keys:
#
#   hits, misses   lookups in the device IOTLB, by what was looked up
#   verdicts       misses: for the vhost fd; queued for, or resolved by, a BPF
#                  program
#   updates, invalidations, evictions, fallbacks   events of these names
#
# A line of the kernel's is "{ area:          3, verdict:          0 } hitcount: 7".
# One program for all: here, to start one takes longer than what it does.
counts_json()
{
	awk '
		FNR == 1 {
			event = FILENAME
			sub(".*/vhost_iotlb_", "", event)
			sub("/hist", "", event)
		}
		!/^{/ { next }
		{ sum[event] += $NF }
		event == "hit" || event == "miss" {
			area[event, /area: *3[ ,]/ ? "buffer" : "ring"] += $NF
		}
		match($0, /verdict: *[0-9]+/) {
			verdict = substr($0, RSTART, RLENGTH)
			sub(".*[: ]", "", verdict)
			verdicts[verdict] += $NF
		}
		END {
			printf "{\"hits\":{\"buffer\":%d,\"ring\":%d},", area["hit", "buffer"], area["hit", "ring"]
			printf "\"misses\":{\"buffer\":%d,\"ring\":%d},", area["miss", "buffer"], area["miss", "ring"]
			printf "\"verdicts\":{\"fd\":%d,\"queued\":%d,\"resolved\":%d},", verdicts[0], verdicts[1], verdicts[2]
			printf "\"updates\":%d,\"invalidations\":%d,", sum["update"], sum["invalidate"]
			printf "\"evictions\":%d,\"fallbacks\":%d}\n", sum["evict"], sum["fallback"]
		}' "$vhost_events"/vhost_iotlb_{hit,miss,update,invalidate,evict,fallback}/hist
}
