#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 600
#
# iotlb-check: what it concludes from real traffic, and from a real QEMU that is
# set up in ways that are no good. (Its guest does not run; for one that does,
# see tests/guest.)

# shellcheck disable=SC2054 # arguments of QEMU are lists of their own

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"

subject=

refuses_usage()
{
	refuses "$1" 2 "$2" "$build/iotlb-check" "${@:3}"
}

# concludes STATUS NAMES [OPTION...]: about $subject, exactly these, in order
concludes()
{
	local status=$1 names=$2 got

	shift 2
	"$build/iotlb-check" -j -p "$subject" "$@" >out 2>err
	got=$?
	[[ $got -eq $status && $(jq -r .name out | tr '\n' ' ') == "$names " ]]
}

# says NAME FILTER: of the conclusion of this name
says()
{
	jq -es --arg name "$1" "map(select(.name == \$name)) | length == 1 and (.[0] | $2)" \
		out >/dev/null
}


# traffic OPTION...: more than will ever be sent
traffic()
{
	"$build/iotlb-bench" -q -n 100000000 --direction tx "$@" >bench.out 2>bench.err &
	subject=$!
	wait_for has_iotlb
}

has_iotlb()
{
	grep -qs ^vhost-iotlb: "/proc/$subject/fdinfo/"*
}

no_traffic()
{
	kill -INT "$subject"
	wait "$subject"
}

iommu=(-device intel-iommu,device-iotlb=on,intremap=off,caching-mode=off)
port=(-device pcie-root-port,id=port0,chassis=1)
tap=(-netdev tap,id=net0,ifname=check0,script=no,downscript=no,vhost=on,vhostforce=on)
nic=virtio-net-pci,id=nic0,netdev=net0,disable-legacy=on,iommu_platform=on,romfile=

# qemu OPTION...: not started, so that no guest is needed
qemu()
{
	rm -f qmp hmp
	qemu-system-x86_64 -S -nodefaults -no-user-config -display none -accel tcg -m 32M \
		-machine q35,kernel-irqchip=off "$@" \
		-qmp unix:qmp,server=on,wait=off -monitor unix:hmp,server=on,wait=off \
		</dev/null >bench.out 2>bench.err &
	subject=$!
	wait_for test -S hmp
}

end_qemu()
{
	kill "$subject"
	wait "$subject"
}

refuses_usage 'without a process' 'which QEMU'
refuses_usage 'two monitors' 'not both' -p 1 --qmp a --monitor b
refuses_usage 'no time' 'no number from 1' -p 1 -d 0
refuses 'a process that is not there' 1 'no process' "$build/iotlb-check" -p 999999

sleep 1000 &
subject=$!
ok 'a process without vhost' concludes 1 'not-asked no-vhost-device' -d 1
refuses 'a socket that is not there' 1 nothere "$build/iotlb-check" -p $subject -d 1 --qmp ./nothere
kill $subject

traffic
ok 'buffers that stay' concludes 0 'not-asked hits' -d 3
no_traffic
traffic --map strict
ok 'a mapping for each packet' concludes 1 'not-asked strict misses' -d 3
ok 'says for whom' says misses ".subject | endswith(\"bench0\")"
ok 'says what to do' says misses ".advice | endswith(\"iotlbd -p $subject --qmp SOCKET\")"
no_traffic
traffic --iova vtd --map strict --server kernel
ok 'resolved in the kernel' concludes 0 'not-asked strict resolved' -d 3
no_traffic
traffic --map random --working-set 8192
ok 'more than fits' concludes 1 'not-asked thrashing misses' -d 5
no_traffic

# A process of a guest that waits for its tables: those of sva_guest's PASIDs 5, which
# sends, and 7, which receives.
readonly socket=$PWD/socket

ctl()
{
	"$build/iotlbctl" --socket "$socket" "$@" >>replies
}

# tell COMMAND...: has sva_guest done it?
tell()
{
	local reply

	echo "$*" >&"${COPROC[1]}"
	read -r reply <&"${COPROC[0]}" && echo "# $*: $reply"
}

# bound PASID ROOT
bound()
{
	ctl alloc "$device" --min="$1" --max="$1" && ctl bind "$device" "$1" "$2"
}

# Its programs are attached.
watches()
{
	[[ $(grep -ls link_type "/proc/$1/fdinfo/"* | wc -l) -ge 6 ]]
}

# check_while COMMAND...: it is done while iotlb-check looks
check_while()
{
	"$build/iotlb-check" -j -p "$subject" -d $((10 * slowness)) >out 2>err &
	local checker=$!

	wait_for watches "$checker" && "$@"
	wait "$checker"
}

coproc "$build/tests/sva_guest" flat
read -r device _ _ _ tx rx <&"${COPROC[0]}" || bail_out 'sva_guest does not start'
subject=$COPROC_PID
"$build/iotlbd" --translator identity --control "$socket" >daemon.out 2>daemon.err &
daemon=$!
wait_for grep -q '^iotlbd: serving' daemon.err
bound 5 "$tx"
bound 7 "$rx"
tell run
tell traffic 30
ctl unbind "$device" 5
check_while tell send 3
ok 'a process waits for its tables' says pasid-waits '.subject | endswith("PASID 5")'
ok 'the other one does not' not grep -q 'PASID 7' out
kill -INT $daemon
wait $daemon
kill "$subject"
wait "$subject"

qemu "${port[@]}" "${tap[@]}" -device $nic,bus=port0,ats=on
ok 'a guest without IOMMU' concludes 1 'no-iommu no-iotlb' -d 1 --qmp qmp
ok 'the same by the human monitor' concludes 1 'no-iommu no-iotlb' -d 1 --monitor hmp
end_qemu
qemu "${iommu[@]}" "${port[@]}" "${tap[@]}" -device $nic,bus=port0,ats=on
ok 'one that has not begun' concludes 1 'iommu-off no-vhost no-iotlb' -d 1 --qmp qmp
refuses 'the socket of another process' 1 "socket of process $subject" \
	"$build/iotlb-check" -d 1 -p $$ --qmp qmp
kill -STOP "$subject"
refuses 'a QEMU that is stopped' 1 'does not answer' "$build/iotlb-check" -d 1 -p "$subject" --qmp qmp
kill -CONT "$subject"
end_qemu
qemu "${iommu[@]}" "${tap[@]}" -device $nic,ats=on
ok 'a NIC on the root bus' concludes 1 'iommu-off no-vhost root-bus no-iotlb' -d 1 --qmp qmp
end_qemu
qemu "${iommu[@]}" "${port[@]}" "${tap[@]}" -device $nic,bus=port0
ok 'a NIC without ATS' concludes 1 'iommu-off no-vhost no-ats no-iotlb' -d 1 --qmp qmp
end_qemu
qemu "${iommu[0]}" intel-iommu,intremap=off "${port[@]}" "${tap[@]}" -device $nic,bus=port0,ats=on
ok 'an IOMMU without device-iotlb' concludes 1 'iommu-off no-vhost no-device-iotlb no-iotlb' \
	-d 1 --qmp qmp
end_qemu
qemu "${iommu[@]}" "${port[@]}" "${tap[@]}" \
	-device ${nic/iommu_platform=on/iommu_platform=off},bus=port0,ats=on
ok 'a NIC past the IOMMU' concludes 1 'iommu-off no-vhost no-iommu-platform no-iotlb' \
	-d 1 --qmp qmp
end_qemu
qemu "${iommu[@]}"
ok 'no NIC at all' concludes 1 'iommu-off no-nic no-vhost-device' -d 1 --qmp qmp
end_qemu
plan
