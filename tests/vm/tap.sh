# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests that run within the VM have in common. To be sourced first; the
# test then stands in an empty directory of its own, which goes with it.

# shellcheck disable=SC2034 # of the tests
repo=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../..")
# shellcheck disable=SC2034
build=${BUILD:-$repo/build}

tap_dir=$(mktemp -d "/run/$(basename "$0" .t).XXXXXX") && cd "$tap_dir" || exit 1
trap 'cd / && rm -rf "$tap_dir"' EXIT

tap_number=0

# ok DESCRIPTION COMMAND...: one result; if it is bad, with the ends of what
# programs have said.
ok()
{
	local what=$1

	shift
	tap_number=$((tap_number + 1))
	if "$@"; then
		echo "ok $tap_number - $what"
	else
		echo "not ok $tap_number - $what"
		tail -qn 20 out err bench.out bench.err 2>/dev/null | cut -c1-1000 | sed 's/^/# /'
	fi
}

# plan: at the end, for a test that has not said before how many results it has.
plan()
{
	echo "1..$tap_number"
}

bail_out()
{
	echo "Bail out! $*"
	exit 1
}

not()
{
	! "$@"
}

# On a kernel that is slower by so much than others, see tests/vm/run.
slowness=${VM_TIMEOUT_FACTOR:-1}

# The kernel that looks for mistakes, see kernel/debug: it keeps what was given
# back, and takes about ten times as long for anything.
is_debug_kernel()
{
	[[ -e /sys/kernel/debug/kmemleak ]]
}

# fewer COUNT: rounds that take as long on that kernel as COUNT on others
fewer()
{
	if is_debug_kernel; then
		echo $(($1 / 10))
	else
		echo "$1"
	fi
}

# wait_for COMMAND...: until it succeeds. A minute is long for anything here, and
# short for whoever waits for a test.
wait_for()
{
	local end=$((SECONDS + 60 * slowness))

	until "$@"; do
		[[ $SECONDS -lt $end ]] || return
		sleep 0.1
	done
}

alive()
{
	kill -0 "$1" 2>/dev/null
}

# refuses DESCRIPTION STATUS PATTERN COMMAND...: it fails so, and says why.
refuses()
{
	local what=$1 status=$2 pattern=$3 got

	shift 3
	"$@" >out 2>err
	got=$?
	ok "$what" test "$got" -eq "$status"
	ok "$what: says why" grep -q "$pattern" err
}
