#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --stock
#
# iotlb-top says what is missing on a kernel that it cannot work on.

set -uo pipefail

repo=$(readlink -f "$(dirname "$0")/../..")
build=${BUILD:-$repo/build}
number=0

# fails_with TEXT COMMAND...
fails_with()
{
	local want=$1 message status

	shift
	message=$("$@" 2>&1)
	status=$?
	number=$((number + 1))
	[[ $status -eq 1 && $message == *"$want"* ]] || printf 'not '
	echo "ok $number - $want"
	echo "# $message"
}

echo 1..4
fails_with 'no process 999999' "$build/iotlb-top" -p 999999 -1
fails_with 'no IOTLB tracepoints' "$build/iotlb-top" -1
fails_with 'run this as root' setpriv --reuid 65534 --clear-groups "$build/iotlb-top" -1
modprobe -r vhost_net
fails_with 'vhost is not loaded' "$build/iotlb-top" -1
