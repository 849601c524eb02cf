# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Scripts for bpftrace and what they say, for tests that have sourced tap.sh.

# shellcheck disable=SC2016,SC2154 # $ begins a variable of jq; repo is of tap.sh

readonly scripts=$repo/tools/bpftrace

# Puts in and invalidates what is never looked up
# shellcheck disable=SC2034 # of the tests
readonly unused="/usr/bin/env python3 $repo/tests/vm/unused_mappings.py"

# trace COMMAND SCRIPT [ARG...]: what SCRIPT and COMMAND have printed is in the
# file out.
trace()
{
	local command=$1 script=$2

	shift 2
	bpftrace -f json -c "$command" "$scripts/$script" "$@" >out 2>err && [[ ! -s err ]]
}

# says FILTER: is this true? There are the maps, of which each key has a value,
# without the devices' ids or addresses, or a histogram; $text; and $misses, those
# that iotlb-bench has seen.
says()
{
	jq -se '
([.[] | select(.type == "map" or .type == "hist" or .type == "stats") | .data] | add // {}) as $maps
| ([.[] | select(.type == "printf" or .type == "time") | .data] | join("")) as $text
| ([.[] | select(.tx) | .tx.misses] | first) as $misses
| def values: [.[]] | sort;
  def keys_without_device: with_entries(.key |= sub("^[0-9a-fx]+,"; ""));
  def counts: [.[] | .[].count] | add;
  '"$1" out >/dev/null
}
