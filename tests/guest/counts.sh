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

# events NAME [PATTERN]: how many of the event there were, with such keys
events()
{
	awk -v pattern="${2:-.}" '
		/^{/ && $0 ~ pattern { count += $NF }
		END { print count + 0 }' "$vhost_events/vhost_iotlb_$1/hist"
}

# All of them, for a message
counts()
{
	local key

	for key in "${count_keys[@]}"; do
		printf '%s %s, ' "$(events "${key%:*}")" "${key%:*}"
	done
	echo "$(</sys/class/net/guest0/statistics/rx_packets) received"
}

# As a JSON object, with these keys:
#
#   hits, misses   lookups in the device IOTLB, by what was looked up
#   verdicts       misses: for the vhost fd; queued for, or resolved by, a BPF
#                  program
#   updates, invalidations, evictions, fallbacks   events of these names
counts_json()
{
	jq -cn --argjson hits "[$(events hit 'area: *3 '), $(events hit 'area: *[0-24-9]')]" \
		--argjson misses "[$(events miss 'area: *3[ ,]'), $(events miss 'area: *[0-24-9]')]" \
		--argjson verdicts "[$(events miss 'verdict: *0 '), $(events miss 'verdict: *1 '), $(events miss 'verdict: *2 ')]" \
		--argjson other "[$(events update), $(events invalidate), $(events evict), $(events fallback)]" '
		{
			hits: {buffer: $hits[0], ring: $hits[1]},
			misses: {buffer: $misses[0], ring: $misses[1]},
			verdicts: {fd: $verdicts[0], queued: $verdicts[1], resolved: $verdicts[2]},
			updates: $other[0], invalidations: $other[1],
			evictions: $other[2], fallbacks: $other[3]
		}'
}
