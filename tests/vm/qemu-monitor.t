#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 900 --mem 2G
#
# iotlbd asks a real QEMU about its guest, and follows it: with an IOMMU that is
# off, on, set up anew; through resets; when QEMU does not answer, and when it goes.
# The guest has no kernel, but hands, see qtest_guest.py, so nothing has to boot.

# shellcheck disable=SC2119 # stop needs no signal

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"

readonly iommu="intel-iommu,intremap=off,device-iotlb=on,caching-mode=off"
readonly nic="virtio-net-pci,netdev=net0,disable-legacy=on,romfile="

qemu=
hands=
fake=

prepare()
{
	ip tuntap add dev guest0 mode tap vnet_hdr || bail_out "cannot make a tap"
	ip link set guest0 up
	# It is to receive what the guest sends, and no more.
	[[ ! -e /proc/sys/net/ipv6 ]] || echo 1 >/proc/sys/net/ipv6/conf/guest0/disable_ipv6
	mkfifo hands.in hands.out
	exec {to_hands}<>hands.in {from_hands}<>hands.out
	# hlt everywhere; at the reset vector: cli; hlt; jmp back
	{
		head -c 65520 /dev/zero | tr '\0' '\364'
		printf '\372\364\353\375%012d' 0
	} >halted
}

# start_qemu OPTION...: QEMU with a guest that does nothing by itself. The tap is made
# by QEMU, or given to it.
start_qemu()
{
	local launch=() netdev=ifname=guest0,script=no,downscript=no

	if [[ ${1:-} == --fd ]]; then
		launch=("$here/with_tap.py" guest0)
		netdev="fd={fd}"
		shift
	fi
	rm -f qmp hmp qtest
	"${launch[@]}" qemu-system-x86_64 -nodefaults -no-user-config -display none \
		-machine q35,kernel-irqchip=off,usb=off,smbus=off,sata=off,vmport=off,i8042=off,hpet=off \
		-accel tcg,tb-size=16 -smp 1 -m 64M -bios halted \
		-qmp unix:qmp,server=on,wait=off -monitor unix:hmp,server=on,wait=off \
		-qtest unix:qtest,server=on,wait=off -qtest-log none \
		-netdev "tap,id=net0,$netdev,vhost=on,vhostforce=on" \
		"$@" >qemu.out 2>&1 &
	qemu=$!
	wait_for test -S qtest || bail_out "QEMU does not start: $(<qemu.out)"
}

# The usual one, and what moves it
start_guest()
{
	start_qemu -device "$iommu" -device pcie-root-port,id=port0,addr=3,chassis=1 \
		-device "$nic,bus=port0,iommu_platform=on,ats=on"
	start_hands
}

# Pipes that stay, so that nobody waits for the other side to open them
start_hands()
{
	"$here/qtest_guest.py" qtest <hands.in >hands.out 2>hands.err &
	hands=$!
}

# guest VERB [NUMBER]: it does that.
guest()
{
	local answer

	echo "$*" >&"$to_hands"
	IFS= read -r -t $((60 * slowness)) answer <&"$from_hands"
	[[ $answer == "done $*" ]] || bail_out "the guest cannot $*: $(<hands.err) $(<qemu.out)"
}

stop_qemu()
{
	kill -KILL "$qemu"
	wait "$qemu" 2>/dev/null
	if [[ -n $hands ]]; then
		kill "$hands"
		wait "$hands" 2>/dev/null
		hands=
	fi
}

received()
{
	cat /sys/class/net/guest0/statistics/rx_packets
}

has_received()
{
	[[ $(received) -ge $1 ]]
}

# sends COUNT: that many packets arrive.
sends()
{
	local wanted=$(($(received) + $1)) i

	for ((i = 0; i < $1; i++)); do
		guest send
		# One at a time: a packet has a buffer only
		wait_for has_received $((wanted - $1 + i + 1)) || return
	done
	[[ $(received) -eq $wanted ]]
}

says()
{
	grep -q "$1" err
}

# The last that it has said
said_last()
{
	grep -q "$1" < <(tail -n 1 err)
}

on_at()
{
	wait_for says "is 01:00.0 of a guest whose IOMMU is on, with tables at 0x$1\$"
}

# total FILTER: is this true of the sums? device FILTER: and of the only device?
total()
{
	json out ".[] | select(.kind == \"total\") | $1"
}

device()
{
	json out "[.[] | select(.kind == \"device\")] | length == 1 and (.[0] | $1)"
}

test_follows()
{
	local option=$1 socket=$2

	start_guest
	start -p "$qemu" "$option" "$socket" --json
	ok "$option: serves no device yet" says 'serving 0 devices'

	# No IOMMU: QEMU answers.
	guest start
	ok "$option: off: packets pass" sends 3
	ok "$option: off: says so" wait_for says 'its guest has not switched its IOMMU on; QEMU serves it$'

	# The guest's kernel switches it on, then the driver starts the NIC.
	guest stop
	guest tables 0
	guest on 0
	guest start
	ok "$option: on: says where" on_at 1000000
	ok "$option: on: packets pass" sends 20

	# Another kernel, with other tables; nothing of the former is left.
	guest reset
	guest wipe 0
	guest tables 1
	guest on 1
	guest start
	ok "$option: again: says where" on_at 1100000
	ok "$option: again: packets pass" sends 20

	# And one that does not use it.
	guest reset
	guest wipe 1
	guest start
	ok "$option: off again: packets pass" sends 3
	ok "$option: off again: says so" wait_for said_last 'has not switched its IOMMU on'
	guest stop
	ok "$option: ends well" stop
	ok "$option: the kernel has resolved" total '.resolved >= 40'
	ok "$option: nothing was looked up in former tables" total \
		'.faults == 0 and .failed == 0 and .answered == 0'
	ok "$option: nor missed there" not says 'no translation'
	ok "$option: what QEMU had to answer was passed" total '.passed > 0'
	ok "$option: it is off" device '.iommu == "off"'
	ok "$option: QEMU was asked" total '.asked >= 4 and .asked <= 40'
	stop_qemu
}

# The same guest as in the beginning, with its IOMMU on
begin_again()
{
	guest reset
	guest tables 0
	guest on 0
	guest start
}

# It is there before iotlbd is.
test_is_on()
{
	begin_again
	start -p "$qemu" --qmp qmp --json
	ok "is on: known at once" says 'is 01:00.0 of a guest whose IOMMU is on, with tables at 0x1000000$'
	ok "is on: serves" says 'serving 1 devices'
	ok "is on: packets pass" sends 20
	ok "is on: all that with filtered system calls" \
		grep -q '^Seccomp:[[:blank:]]*2$' "/proc/$daemon/status"
	ok "is on: ends well" stop
	ok "is on: all is resolved" total '.resolved >= 20 and .misses == 0 and .passed == 0'
	ok "is on: QEMU was asked once" total '.asked == 1'
	ok "is on: the device says so" device '.iommu == "on"'
}

# Whoever invalidates all may have set up something anew; but many do it always.
test_flush()
{
	local i begin=$SECONDS

	begin_again
	start -p "$qemu" --qmp qmp --json
	for ((i = 0; i < 50; i++)); do
		guest flush
		sends 1 || break
	done
	sleep 2
	ok "flush: every packet" test "$i" -eq 50
	stop
	ok "flush: QEMU was asked, once a second at most" total \
		".asked >= 2 and .asked <= $((SECONDS - begin + 2))"
	ok "flush: resolving went on" total '.resolved >= 50 and .misses == 0'
}

# The guest moves its tables and does not start the NIC anew, which none does: the
# flush that must follow tells.
test_moved()
{
	begin_again
	start -p "$qemu" --qmp qmp --json
	ok "moved: packets pass" sends 3
	guest tables 1
	guest on 1
	guest flush
	ok "moved: says where" on_at 1100000
	guest wipe 0
	ok "moved: packets pass again" sends 20
	stop
	ok "moved: none was looked up in the former tables" total '.faults == 0'
}

# Tables that make no sense: QEMU is asked, but not all the time.
test_faults()
{
	local begin=$SECONDS

	begin_again
	start -p "$qemu" --qmp qmp --json
	ok "faults: packets pass" sends 1
	guest wipe 0
	guest flush
	guest send
	ok "faults: says why" wait_for says 'no translation of 0x.*fault root-present'
	stop
	ok "faults: handed back" total '.unanswered >= 1 and .faults >= 1'
	ok "faults: QEMU was asked again, but not for each" total \
		".asked >= 2 and .asked <= $((SECONDS - begin + 3))"
}

test_is_silent()
{
	begin_again
	kill -STOP "$qemu"
	start -p "$qemu" --qmp qmp --json
	ok "stopped: iotlbd serves all the same" says 'serving 1 devices'
	ok "stopped: knows nothing" not says 'IOMMU is on'
	ok "stopped: says so" wait_for says 'has not answered on its monitor qmp for 10 s'
	kill -CONT "$qemu"
	ok "stopped: catches up" on_at 1000000
	ok "stopped: packets pass" sends 20
	kill -STOP "$qemu"
	ok "stopped again: iotlbd ends well" stop
	ok "stopped: all is resolved" total '.resolved >= 20 and .misses == 0'
	kill -CONT "$qemu"
}

test_is_killed()
{
	begin_again
	start -p "$qemu" --qmp qmp
	ok "killed: packets pass" sends 3
	stop_qemu
	ok "killed: iotlbd ends well" wait "$daemon"
	ok "killed: says so" says 'all processes given by --pid have ended'
	ok "killed: says no more" not says 'of no use'
}

# In one guest, which ends with the last of them
test_states()
{
	start_guest
	test_is_on
	test_flush
	test_moved
	test_faults
	test_is_silent
	test_is_killed
}

# Memory is plugged in while the NIC is in use: another block, above 4 GiB. What the
# NIC sends, and the table that says so, are there then.
test_memory()
{
	start_qemu -m 64M,slots=1,maxmem=1G -qmp unix:plug,server=on,wait=off -device "$iommu" \
		-device pcie-root-port,id=port0,addr=3,chassis=1 \
		-device "$nic,bus=port0,iommu_platform=on,ats=on"
	start_hands
	guest tables 0
	guest on 0
	guest start
	start -p "$qemu" --qmp qmp --json
	ok "more memory: packets pass before" sends 3
	ok "more memory: comes" "$here/../guest/plug_memory" plug 128
	ok "more memory: packets pass when it is there" sends 3
	guest high 0
	guest flush
	ok "more memory: packets pass that are there" sends 20
	stop
	ok "more memory: all is resolved" total '.resolved >= 20 and .faults == 0 and .failed == 0'
	stop_qemu
}

# Two NICs with an IOMMU: which is which says the tap, of which QEMU knows the name or
# a number.
test_two()
{
	local what=$1

	shift
	ip tuntap add dev guest1 mode tap vnet_hdr && ip link set guest1 up
	start_qemu "$@" -device "$iommu" -device pcie-root-port,id=port0,addr=3,chassis=1 \
		-device "$nic,bus=port0,iommu_platform=on,ats=on" \
		-netdev tap,id=net1,ifname=guest1,script=no,downscript=no,vhost=on,vhostforce=on \
		-device "${nic/net0/net1},addr=4,iommu_platform=on,ats=on"
	start_hands
	guest tables 0
	guest on 0
	guest start
	start -p "$qemu" --qmp qmp --json
	ok "two, $what: it is the one with this tap" on_at 1000000
	ok "two, $what: packets pass" sends 20
	stop
	ok "two, $what: all is resolved" total '.resolved >= 20 and .misses == 0'
	stop_qemu
	ip link delete guest1
}

test_refusals()
{
	start_qemu -device "$iommu"
	refuses "no -p" 2 '^iotlbd: --qmp takes exactly one -p' "$build/iotlbd" --qmp qmp
	refuses "two -p" 2 'takes exactly one -p' "$build/iotlbd" -p 1 -p 2 --monitor hmp
	refuses "both" 2 'one of --qmp and --monitor is enough' \
		"$build/iotlbd" -p "$qemu" --qmp qmp --monitor hmp
	refuses "with --vtd" 2 '^iotlbd: --qmp and --vtd both say' "$build/iotlbd" -p 1 --qmp qmp --vtd vtd
	refuses "with --table" 2 'makes no sense with --translator vtd' \
		"$build/iotlbd" -p 1 --qmp qmp --table table
	refuses "with another translator" 2 '^iotlbd: --qmp makes no sense with --translator identity' \
		"$build/iotlbd" -p 1 --qmp qmp --translator identity
	refuses "no socket" 1 '^iotlbd: there is no none; have QEMU make it, with -qmp unix:none' \
		"$build/iotlbd" -p "$qemu" --qmp none
	refuses "another process" 1 "^iotlbd: the monitor qmp belongs to pid $qemu, not to pid $$," \
		"$build/iotlbd" -p $$ --qmp qmp
	refuses "QMP as --monitor" 1 'this is a QMP socket; give it with --qmp' \
		"$build/iotlbd" -p "$qemu" --monitor qmp
	refuses "a human monitor as --qmp" 1 'this is the human monitor; give it with --monitor' \
		"$build/iotlbd" -p "$qemu" --qmp hmp
	stop_qemu
	refuses "nobody there" 1 'nobody listens to qmp' "$build/iotlbd" -p $$ --qmp qmp

	start_qemu
	refuses "no IOMMU" 1 \
		'has no IOMMU, .*-device intel-iommu,device-iotlb=on,caching-mode=off, .*iommu_platform=on,ats=on' \
		"$build/iotlbd" -p "$qemu" --qmp qmp
	stop_qemu
	start_qemu -device virtio-iommu-pci
	refuses "another IOMMU" 1 'has virtio-iommu-pci and no intel-iommu' \
		"$build/iotlbd" -p "$qemu" --monitor hmp
	stop_qemu
}

# start_fake TEXT [silent]: something that is no QEMU
start_fake()
{
	rm -f fake
	"$here/fake_monitor.py" fake "$@" &
	fake=$!
	wait_for test -S fake
	wait_for grep -qs vhost-id "/proc/$fake/fdinfo/"*
}

stop_fake()
{
	kill -KILL $fake
	wait $fake 2>/dev/null
}

test_fakes()
{
	local hello='{"QMP": {}}\n{"return": {}, "id": 1}\n'

	start_fake 'SSH-2.0-OpenSSH\r\n'
	refuses "no monitor" 1 'what listens there is no QMP of QEMU' \
		"$build/iotlbd" -p "$fake" --qmp fake
	refuses "no human monitor" 1 'what listens there is no monitor of QEMU' \
		"$build/iotlbd" -p "$fake" --monitor fake
	stop_fake
	start_fake ''
	refuses "closes" 1 'QEMU has closed it' "$build/iotlbd" -p "$fake" --qmp fake
	stop_fake
	start_fake "$hello"'{"return": "", "id": 7}\n' silent
	refuses "out of step" 1 'it answers what it was not asked' \
		"$build/iotlbd" -p "$fake" --qmp fake
	stop_fake
	start_fake "$hello"'{"return": "rubbish", "id": 2}\n' silent
	start -p $fake --qmp fake
	ok "rubbish: is not believed" says 'says nothing of use about its devices'
	ok "rubbish: iotlbd ends well" stop
	stop_fake
}

tests=(
	"test_follows --qmp qmp"
	"test_follows --monitor hmp"
	test_states
	test_memory
	"test_two names"
	"test_two an_fd --fd"
	test_refusals
	test_fakes
)

prepare
# By hand, some of them can be named.
[[ $# -eq 0 ]] || tests=("$@")
for test in "${tests[@]}"; do
	# shellcheck disable=SC2086 # with arguments
	$test
done
plan
