# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A guest whose two processes share a device, sva_guest, and the control socket of
# its iotlbd, for tests that have sourced tap.sh.

# shellcheck disable=SC2034,SC2154 # for the tests; build is of tap.sh

readonly socket=$PWD/socket

# As in tests/sva/tables.h: virtqueue 0 receives, 1 sends.
readonly rx=7 tx=5

guest_pid=

# ctl ARGUMENT...: iotlbctl; what it prints goes to the files ctl.out and ctl.err
ctl()
{
	"$build/iotlbctl" --socket "$socket" "$@" >ctl.out 2>ctl.err
}

# guest [flat]: sva_guest in the background, and what it says of itself
# shellcheck disable=SC2120 # not all give arguments
guest()
{
	coproc "$build/tests/sva_guest" "$@"
	guest_pid=$COPROC_PID
	read -r device legacy scalable directory root_tx root_rx <&"${COPROC[0]}" ||
		bail_out "sva_guest does not start"
}

# ask COMMAND ARGUMENT...: its reply
ask()
{
	local reply

	echo "$*" >&"${COPROC[1]}"
	read -r reply <&"${COPROC[0]}" && echo "$reply"
}

# says REPLY COMMAND ARGUMENT...: is this its reply?
says()
{
	local wanted=$1 reply

	shift
	reply=$(ask "$@")
	[[ $reply == "$wanted" ]] && return
	echo "# $*: $reply"
	return 1
}

# leave: it ends, and its device is gone
leave()
{
	local fd=${COPROC[1]}

	exec {fd}>&-
	wait "$guest_pid"
}

# iommu ROOT: what iotlbd has to know of the guest's, in the file vtd
iommu()
{
	printf 'root %s\nwidth 48\nsagaw 48\nnested yes\ndevice 00:01.0\n' "$1" >vtd
}

# Both processes' PASIDs
alloc()
{
	ctl alloc "$device" --min="$tx" --max="$tx" && ctl alloc "$device" --min="$rx" --max="$rx"
}

# Both processes' page tables
bind()
{
	ctl bind "$device" "$tx" "$root_tx" && ctl bind "$device" "$rx" "$root_rx"
}
