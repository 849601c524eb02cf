# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests with a guest consist of, with tap.sh and daemon.sh of tests/vm; to
# be sourced by a test whose directory is `here`. Each step leaves the guest as it was,
# so that they can follow each other in any order, in one guest: to boot is what takes
# the time.
#
# Figures are printed as comments; of times, all is relative to the machine.

# shellcheck disable=SC2154 # here is of who sources this

# shellcheck source-path=SCRIPTDIR source=../vm/tap.sh
. "$here/../vm/tap.sh"
# shellcheck source-path=SCRIPTDIR source=../vm/daemon.sh
. "$here/../vm/daemon.sh"

guest=$repo/tests/guest
# shellcheck source-path=SCRIPTDIR source=control.sh
. "$guest/control.sh"

comparing=

# run_to FILE COMMAND...: its object goes there; returns its exit status.
run_to()
{
	local file=$1

	shift
	"$@" >"$file" 2>"$file.err" && sed "s/^/# $file: /" "$file" && return
	sed 's/^/# /' "$file" "$file.err"
	return 1
}

# holds_in FILE FILTER: of jq, about the one object in FILE
holds_in()
{
	jq -e "$2" "$1" >/dev/null
}

# describe_iommu FILE [DEVICE]: for iotlbd and for equality
describe_iommu()
{
	"$guest/vtd" "$GUEST_QMP" "${2:-$GUEST_DEVICE}" >"$1" || bail_out "QEMU does not tell about its IOMMU"
}

# begin_comparing FILE [forget COUNT]: what QEMU writes from now on; see equality.c
begin_comparing()
{
	"$build/tests/equality" "$GUEST_PID" "$@" >compared 2>compared.err &
	comparing=$!
	wait_for grep -qs comparing compared || bail_out "cannot compare: $(<compared.err)"
}

end_comparing()
{
	kill -INT $comparing
	wait $comparing
	sed -i '/^{/!d' compared
	sed 's/^/# compared: /' compared
}

# agrees COUNT: so many translations, or more, were the same, and none was not.
agrees()
{
	holds_in compared ".equal >= $1 and .different == 0" && return
	sed 's/^/# /' compared.err
	return 1
}

# The walk against QEMU while a command runs that makes it translate.
# compare COUNT WHAT FILE COMMAND...
compare()
{
	local count=$1 what=$2 file=$3

	shift 3
	describe_iommu vtd
	begin_comparing vtd
	ok "$what: all arrives" run_to "$file" "$@"
	end_comparing
	ok "$what: the walk agrees with QEMU $count times and more, and always" agrees "$count"
}

# arrives_until_enough COMMAND...: until so much has been compared, and all arrives each
# time
arrives_until_enough()
{
	local round

	for ((round = 0; round < 20; round++)); do
		run_to forgetting "$@" || return
		! grep -qx enough compared || return 0
	done
}

# The same where mappings stay, so that translations have to be forgotten.
compare_forgetting()
{
	local count=$1 what=$2

	shift 2
	describe_iommu vtd
	begin_comparing vtd forget "$count"
	ok "$what, translations forgotten all the time: all arrives" arrives_until_enough "$@"
	end_comparing
	ok "$what: the walk agrees with QEMU $count times and more, and always" agrees "$count"
}

# The guest's kernel uses the IOMMU in another way from now on.
step_domain()
{
	tell domain "$1"
	hear_word 300 ready || bail_out "$reply"
	ok "the guest's NIC is in a domain of type $1" test "$reply" = "$1"
	export GUEST_IOMMU=$reply
}

# hit_ring: sets `ring` to an address that the NIC's queues are at.
hit_ring()
{
	echo 'area != 3' >"$events/vhost_iotlb_hit/filter"
	echo >"$tracing/trace"
	echo 1 >"$events/vhost_iotlb_hit/enable"
	run_to hit "$guest/traffic" 100
	echo 0 >"$events/vhost_iotlb_hit/enable"
	echo 0 >"$events/vhost_iotlb_hit/filter"
	ring=$(sed -n 's/.*vhost_iotlb_hit: .* iova=\(0x[0-9a-f]*\) .*/\1/p;T;q' "$tracing/trace")
	[[ -n $ring ]] || bail_out "no lookup of a ring is seen in the trace"
}

# step_tables TABLE: what translates for the NIC, as iotlb-walk(8) names it.
step_tables()
{
	local ring

	hit_ring
	describe_iommu vtd
	"$build/iotlb-walk" --json --vtd vtd --pid "$GUEST_PID" "$ring" >walk
	sed 's/^/# walk: /' walk
	ok "the guest's IOMMU is in scalable mode, with $1 tables" holds_in walk \
		'(.steps | map(.table)) | index("scalable-context") and .[-1] == "'"$1"'"'
}

# Would a difference be seen? The bridge before the NIC has other tables, or none.
step_comparison_can_fail()
{
	describe_iommu vtd.other 00:03.0
	begin_comparing vtd.other
	run_to other "$guest/traffic" 100
	end_comparing
	ok "the walk for another device agrees with nothing" \
		holds_in compared '.equal == 0 and .different >= 100'
}

# start_daemon: iotlbd for the guest
start_daemon()
{
	start -p "$GUEST_PID" --qmp "$GUEST_QMP" --json
}

stop_daemon()
{
	stop
	ok "iotlbd ends well" test $? -eq 0
	# What it complains of is worth to be seen.
	grep -v '^iotlbd: serving ' err | sed 's/^/# /'
}

# total FILTER: of jq, about what the daemon has counted in all
total()
{
	json out "any(.[]; .kind == \"total\" and ($1))"
}

# Packets that the guest has sent
sent_by_guest()
{
	cat /sys/class/net/guest0/statistics/rx_packets
}

# has_sent COUNT: more than when sent_before was noted
has_sent()
{
	[[ $(($(sent_by_guest) - sent_before)) -ge $1 ]]
}

# traffic_begins FILE COUNT [VERB]: in the background, until a third has come by the
# first NIC
traffic_begins()
{
	sent_before=$(sent_by_guest)
	run_to "$1" "$guest/traffic" "$2" 1400 "${3:-send}" &
	sending=$!
	wait_for has_sent $(($2 / 3))
}

# The guest's kernel sends, its misses are resolved by the kernel; against the
# figures of FILE, where QEMU did it.
step_resolved_traffic()
{
	local qemu=$1

	start_daemon
	# Rings are mapped once and for all.
	run_to first "$guest/traffic" 100
	ok "iotlbd: all arrives" run_to resolved "$guest/traffic"
	ok "iotlbd: 0.01 misses of a packet, or less, reach user space" \
		holds_in resolved '(.verdicts.fd + .verdicts.queued) / .packets <= 0.01'
	ok "iotlbd: QEMU's CPU time for a packet falls" \
		holds_in resolved ".cpu_us < $(jq .cpu_us "$qemu")"
	stop_daemon
}

# step_daemon_killed [VERB]: iotlbd is killed and started again while the guest sends.
step_daemon_killed()
{
	start_daemon
	traffic_begins killed 3000 "$@"
	ok "the guest is sending when iotlbd is killed" alive $sending
	stop KILL
	start_daemon
	wait $sending
	ok "iotlbd killed and started again: all arrives" test $? -eq 0
	stop_daemon
}

# The driver leaves the NIC, and comes back, while it sends.
step_nic_reset()
{
	start_daemon
	# The queue of the NIC and the one before it may be full.
	ok "NIC reset: what arrives is right" run_to reset "$guest/traffic" 3000 1400 reset
	ok "NIC reset: no more is lost than was under way" holds_in reset '.lost <= 1500'
	ok "NIC reset: then all arrives" run_to after_reset "$guest/traffic" 500
	ok "NIC reset: iotlbd serves it" \
		holds_in after_reset '(.verdicts.fd + .verdicts.queued) / .packets <= 0.01'
	stop_daemon
}

# The guest reboots while it sends.
step_guest_reboot()
{
	start_daemon
	ok "guest reboot: what arrives is right" run_to reboot "$guest/traffic" 3000 1400 reboot
	ok "guest reboot: then all arrives" run_to after_reboot "$guest/traffic" 500
	stop_daemon
}

# step_forward PAGES FILTER: a DPDK program sends packets back, with whoever serves.
# Once it has warmed up, what vhost does has to be so.
step_forward()
{
	local pages=$1 filter=$2

	ok "$pages pages: all packets come back" \
		run_to "forward-$pages" "$guest/forward-traffic" "$pages" 2500 300
	ok "$pages pages: misses, as expected" holds_in "forward-$pages" "$filter"
}

step_forward_resolved()
{
	start_daemon
	ok "4K pages, iotlbd: all packets come back" \
		run_to forward-resolved "$guest/forward-traffic" 4K
	ok "4K pages, iotlbd: no miss leaves the kernel" holds_in forward-resolved \
		'.verdicts.fd + .verdicts.queued == 0 and .verdicts.resolved >= 1000'
	stop_daemon
}

# Pairs of queues of the second NIC; with the first NIC, there is a vhost device more.
readonly second_queues=2

make_second_tap()
{
	second_tap || bail_out "cannot set up the tap device guest1"
}

second_tap()
{
	ip tuntap add dev guest1 mode tap multi_queue vnet_hdr &&
		ip link set guest1 address "$(cat /sys/class/net/guest0/address)" &&
		{ [[ ! -e /proc/sys/net/ipv6 ]] || echo 1 >/proc/sys/net/ipv6/conf/guest1/disable_ipv6; } &&
		ip address add "$GUEST_SECOND_HOST/24" dev guest1 &&
		ip neighbour replace "$GUEST_SECOND_ADDRESS" lladdr "$GUEST_SECOND_MAC" dev guest1 &&
		ip link set guest1 up
}

# Vhost devices of QEMU's
has_devices()
{
	[[ $(find "/proc/$GUEST_PID/fd" -lname /dev/vhost-net | wc -l) -eq $1 ]]
}

# Each in two parts: what the guest's kernel does by itself, also while it sends, and
# what it has to be told.

begin_to_plug()
{
	"$guest/plug" "$GUEST_PLUG" add "$GUEST_SECOND_PORT" guest1 $second_queues "$GUEST_SECOND_MAC" ||
		bail_out "the guest cannot be given another NIC"
}

set_up_second()
{
	tell plug $second_queues
	hear_word 300 plugged || bail_out "$reply"
	ok "a NIC comes, its IOMMU domain is of the same type" test "$reply" = "$GUEST_IOMMU"
}

plug()
{
	make_second_tap
	begin_to_plug
	set_up_second
}

begin_to_unplug()
{
	"$guest/plug" "$GUEST_PLUG" remove || bail_out "the guest does not let go of its NIC"
}

finish_unplugging()
{
	tell unplug
	hear_word 300 unplugged || bail_out "$reply"
	ip tuntap del dev guest1 mode tap multi_queue || bail_out "the tap device guest1 is in use"
	ok "the NIC goes: so do its vhost devices" has_devices 1
}

unplug()
{
	begin_to_unplug
	finish_unplugging
}

# The guest gets a second NIC, with several queues, and uses both; then it goes again.
# step_plug COUNT: of packets
step_plug()
{
	start_daemon
	plug
	run_to first "$guest/traffic" 200 1400 both
	ok "two NICs, three pairs of queues: all arrives" run_to both "$guest/traffic" "$1" 1400 both
	ok "two NICs: 0.01 misses of a packet, or less, reach user space" \
		holds_in both '(.verdicts.fd + .verdicts.queued) / .packets <= 0.01'
	ok "two NICs: iotlbd has a vhost device for each pair" holds 3
	unplug
	ok "the NIC goes: iotlbd does not hold them" wait_for holds 1
	ok "the NIC has gone: all arrives" run_to gone "$guest/traffic" 300
	ok "the NIC has gone: the other one is served" \
		holds_in gone '(.verdicts.fd + .verdicts.queued) / .packets <= 0.01'
	stop_daemon
	ok "two NICs: the kernel has resolved misses of each pair of queues" json out \
		'[.[] | select(.kind == "device" and .resolved >= 20)] | length == 3'
}

# The second NIC comes and goes while the first one sends, or has sent much by then: how
# long QEMU and the guest take for it depends on the machine.
step_plug_while_sending()
{
	start_daemon
	make_second_tap
	traffic_begins coming 3000
	ok "the guest is sending when QEMU is told to add a NIC" alive $sending
	begin_to_plug
	wait $sending
	ok "a NIC is added while the guest sends: all arrives" test $? -eq 0
	set_up_second
	ok "a NIC has come: both send, and all arrives" run_to both "$guest/traffic" 500 1400 both
	traffic_begins going 3000
	ok "the guest is sending when QEMU is told to remove it" alive $sending
	begin_to_unplug
	wait $sending
	ok "a NIC is removed while the guest sends: all arrives" test $? -eq 0
	finish_unplugging
	ok "a NIC has gone: iotlbd does not hold it" wait_for holds 1
	stop_daemon
}

# Two NICs, and QEMU serving both; then iotlbd, which is killed.
step_second_nic()
{
	plug
	ok "two NICs, QEMU: all arrives" run_to both-qemu "$guest/traffic" 2000 1400 both
	ok "two NICs, QEMU: a miss for each packet reaches user space" \
		holds_in both-qemu '.verdicts.fd / .packets >= 0.9'
	step_daemon_killed both
	unplug
}

# Below all that DPDK maps; forward.c lies about an address in the page before.
readonly beyond_lies=0x1235000

trace_lies()
{
	# Only what is last is looked at.
	echo 64 >"$tracing/buffer_size_kb"
	echo "iova < $beyond_lies" >"$events/vhost_iotlb_miss/filter"
	echo "iova < $beyond_lies" >"$events/vhost_iotlb_update/filter"
	echo >"$tracing/trace"
	echo 1 >"$events/vhost_iotlb_miss/enable"
	echo 1 >"$events/vhost_iotlb_update/enable"
}

trace_no_lies()
{
	echo 0 >"$events/enable"
	echo 0 >"$events/vhost_iotlb_miss/filter"
	echo 0 >"$events/vhost_iotlb_update/filter"
}

# The guest gives its NIC an address that is not mapped: the packet stays where it is,
# and another device, beside, does not notice.
step_lie()
{
	local sent_before

	start_daemon
	trace_lies
	tell forward 2M lie
	hear_word 300 forwarding || bail_out "$reply"
	sent_before=$(sent_by_guest)
	"$GUEST_ROUND_TRIP" guest0 "$GUEST_MAC" 1 1000 1 1 >lie
	ok "a lie is a miss" wait_for has_event miss
	traffic --map strict --server fd --count 2000
	ok "a guest lies: another device, with iotlb-bench, loses nothing" all_arrived 2000
	ok "a lie is answered by nobody" not has_event update
	ok "a lie brings no packet out of the guest" not has_sent 1
	tell stop
	hear_word 300 forwarded || bail_out "$reply"
	trace_no_lies
	ok "the guest tells the truth again: all arrives" run_to truth "$guest/traffic" 500
	stop_daemon
	ok "a lie is counted as unanswered" total '.unanswered >= 1'
}

no_vhost_fds()
{
	[[ -z $(find /proc/[0-9]*/fd -lname '/dev/vhost-net' 2>/dev/null) ]]
}

not_shown()
{
	! grep -q "\"pid\": *$1\\b" < <("$build/iotlb-top" --json 0.1 1)
}

unload_modules()
{
	modprobe -r vhost_net
}

# The guest's QEMU is killed while it sends. The last step that there can be.
step_qemu_killed()
{
	local status

	start_daemon
	traffic_begins cut_off 3000
	ok "the guest is sending when QEMU is killed" alive $sending
	: >"$GUEST_CONTROL.killed"
	kill -KILL "$GUEST_PID"
	wait $sending
	ok "QEMU killed: iotlbd ends" wait_for not alive "$daemon"
	wait "$daemon"
	status=$?
	ok "QEMU killed: iotlbd ends well" test $status -eq 0
	ok "QEMU killed: nobody holds its vhost device" wait_for no_vhost_fds
	ok "QEMU killed: iotlb-top does not show it" not_shown "$GUEST_PID"
	ok "QEMU killed: the modules can be unloaded" wait_for unload_modules
}
