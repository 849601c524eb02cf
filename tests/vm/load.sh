# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# tests/load and what it has counted, for tests that have sourced tap.sh.

# shellcheck disable=SC2154 # build is of tap.sh

load=$build/tests/load

# Mappings of all devices that there will be, for iotlbd
load_mappings()
{
	"$load" mappings >table || bail_out "no mappings"
}

# show FILE: figures, as comments
show()
{
	awk '{ printf "%s %s %s", (NR > 1 ? "," : "#"), $1, $2 } END { print "" }' "$1"
}

# value FILE NAME: the figure
value()
{
	awk -v name="$2" '$1 == name { print $2 }' "$1"
}

# has FILE NAME OPERATOR NUMBER: as of test(1), such as: has traffic stuck -eq 0
has()
{
	test "$(value "$1" "$2")" "$3" "$4"
}

# load_to FILE COMMAND...: its figures go there
load_to()
{
	local file=$1

	shift
	# A process in the background has its own standard input only if it is told.
	"$load" "$@" <&0 >"$file" 2>err.load && show "$file" && return
	sed 's/^/# /' "$file" err.load
	return 1
}

# load_started FILE WORD COMMAND...: in the background, until it says WORD
load_started()
{
	local file=$1 word=$2

	shift 2
	# A process in the background has its own standard input only if it is told.
	"$load" "$@" <&0 >"$file" 2>err.load &
	# shellcheck disable=SC2034 # of the tests
	loading=$!
	wait_for grep -qs "^$word " "$file"
}
