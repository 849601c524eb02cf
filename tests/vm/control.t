#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 1200
#
# The control socket of iotlbd: PASIDs of real devices, page tables in the memory
# of their owners, what is dropped from the IOTLBs, and clients that misbehave.

# shellcheck disable=SC2016,SC2119 # $ begins a variable of jq; stop needs no signal

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"

chmod 755 . /run
readonly socket=$PWD/control

# Packets that take seconds, so that there is a middle.
many=$(fewer 30000)

# ctl COMMAND...: what iotlbctl prints is in ctl.out, what it complains of in ctl.err
ctl()
{
	"$build/iotlbctl" -s "$socket" "$@" >ctl.out 2>ctl.err
}

# ctl_says TEXT COMMAND...: it succeeds and prints just that.
ctl_says()
{
	ctl "${@:2}" && [[ $(<ctl.out) == "$1" ]] && return
	sed 's/^/# /' ctl.out ctl.err
	return 1
}

# refused NAME COMMAND...: iotlbd refuses it by this error.
refused()
{
	ctl "${@:2}"
	[[ $? -eq 1 && $(<ctl.err) == "iotlbctl: $1: "* ]] && return
	sed 's/^/# /' ctl.out ctl.err
	return 1
}

# Owners of devices by name: their pids, the ids and fdinfos of the devices, and how
# to talk to them
declare -A pid id fdinfo to from

# start_owner NAME: one with a MiB of memory
start_owner()
{
	local name=$1 fd in out

	mkfifo "$name.in" "$name.out"
	"$repo/tests/vm/vhost_owner.py" <"$name.in" >"$name.out" &
	pid[$name]=$!
	exec {in}>"$name.in" {out}<"$name.out"
	to[$name]=$in
	from[$name]=$out
	read -r fd <&"$out"
	fdinfo[$name]=/proc/${pid[$name]}/fdinfo/$fd
	id[$name]=$(awk '$1 == "vhost-id:" { print $2 }' "${fdinfo[$name]}")
	tell "$name" ram 0x100000
}

tell()
{
	local answer

	echo "${@:2}" >&"${to[$1]}"
	read -r answer <&"${from[$1]}"
	[[ $answer == ok ]] || echo "# $*: $answer"
}

# has_entries NAME COUNT: translations in the IOTLB of its device
has_entries()
{
	[[ $(awk '$1 == "vhost-iotlb:" { print $2 }' "${fdinfo[$1]}") -eq $2 ]]
}

# Present, writable, for users; accessed and dirty, as only the kernel can set that
readonly flags=0x67 read_only=0x25

# map NAME ROOT ADDRESS PAGE TABLES: a page of 4K in tables of 4 levels, of which
# the lower three lie from TABLES on
map()
{
	local table=$2 level next=$5 entry

	for level in 4 3 2; do
		entry=$((table + ($3 >> (3 + 9 * level)) % 512 * 8))
		tell "$1" write $entry $((next | flags))
		table=$next
		next=$((next + 4096))
	done
	tell "$1" write $((table + ($3 >> 12) % 512 * 8)) $(($4 | flags))
}

invalidations()
{
	sed -n 's/.*vhost_iotlb_invalidate: //p' $tracing/trace
}

readonly all='0 and all others'

# dropped NAME IOVA SIZE ASID: there was one invalidation since the last, this one.
dropped()
{
	local line

	line=$(invalidations)
	echo >$tracing/trace
	[[ $line == "dev=${id[$1]} iova=$2 size=$3 asid=$4" ]] && return
	echo "# instead: $line"
	return 1
}

nothing_dropped()
{
	[[ -z $(invalidations) ]]
}

start_owner a
start_owner b
start --translator identity --control "$socket" --pasid-quota 3
# It is not here yet, and never misses.
start_owner late

test_socket()
{
	ok "only its owner may use the socket" test "$(stat -c %F:%a "$socket")" == socket:600
	ok "devices are listed" ctl -j devices
	ok "with their owners" json ctl.out ".[0].devices | map([.device, .pid, .comm]) ==
		[[${id[a]}, ${pid[a]}, \"python3\"], [${id[b]}, ${pid[b]}, \"python3\"]]"
	ok "a device that has not missed yet can be used" ctl_says 100 alloc "${id[late]}" --min 100
	ok "and is listed then" ctl_says "  DEVICE      PID  COMMAND         ASID   PASIDS  TABLE/BITS
$(printf '%8d %8d  python3          yes        0  -\n' "${id[a]}" "${pid[a]}" "${id[b]}" "${pid[b]}")
$(printf '%8d %8d  python3          yes        1  -' "${id[late]}" "${pid[late]}")" devices
	ok "one that is not there cannot" refused no-device alloc 99999
	ok "a second iotlbd does not take the socket away" second_is_refused
	ok "another user is refused" stranger_is_refused
	chmod 666 "$socket"
	ok "and so if the mode of the socket was changed" stranger_is_turned_away
	chmod 600 "$socket"
}

second_is_refused()
{
	"$build/iotlbd" --translator identity --control "$socket" 2>second.err
	[[ $? -eq 1 ]] && grep -q "somebody listens at $socket already" second.err &&
		ctl devices
}

as_nobody()
{
	cp "$build/iotlbctl" .
	setpriv --reuid=65534 --regid=65534 --clear-groups ./iotlbctl -s "$socket" devices 2>nobody.err
	[[ $? -eq 1 ]]
}

stranger_is_refused()
{
	as_nobody && grep -q 'may not be used by this user' nobody.err
}

stranger_is_turned_away()
{
	as_nobody && grep -q 'not-allowed: this is for root' nobody.err &&
		grep -q 'is of another user' err
}

test_pasids()
{
	ok "a PASID" ctl_says 5 alloc "${id[a]}" --min 5 --max 6
	ok "another" ctl_says 6 alloc "${id[a]}" --min 5 --max 6
	ok "no more of this range" refused exhausted alloc "${id[a]}" --min 5 --max 6
	ok "nor for another device" refused exhausted alloc "${id[b]}" --min 5 --max 6
	ok "a third" ctl_says 7 alloc "${id[a]}"
	ok "but not a fourth" refused quota alloc "${id[a]}"
	ok "another device has its own quota" ctl_says 8 alloc "${id[b]}"
	ok "free" ctl free "${id[a]}" 7
	ok "double free" refused not-allocated free "${id[a]}" 7
	ok "use after free" refused not-allocated bind "${id[a]}" 7 0
	ok "another device's PASID cannot be freed" refused other-device free "${id[a]}" 8
	ok "nor bound" refused other-device bind "${id[a]}" 8 0
	ok "nor invalidated" refused other-device invalidate "${id[a]}" --pasid 8
	ok "no PASID" refused bad-pasid free "${id[a]}" 0
	ok "no range" refused bad-range alloc "${id[b]}" --min 9 --max 8
	ok "wrong usage" test "$("$build/iotlbctl" free 1 2>/dev/null; echo $?)" -eq 2
}

# Two processes of a guest with different pages at one address
test_bindings()
{
	local address=0x7f1234567000

	map a 0x10000 $address 0x80000 0x11000
	map a 0x20000 $address 0x81000 0x21000
	ok "bind" ctl bind "${id[a]}" 5 0x10000
	ok "bind another" ctl bind "${id[a]}" 6 0x20000 --flags sre,wpe --guest-pasid 77
	ok "they are listed" ctl_says "   PASID KEEP               ROOT WIDTH GUEST FLAGS
       5  yes            0x10000    48     - -
       6  yes            0x20000    48    77 sre,wpe" pasids "${id[a]}"
	ok "one process's page" \
		ctl_says "$address size 0x1000 gpa 0x80000 rw" translate "${id[a]}" 5 $address
	ok "the other's page at the same address" ctl_says "$address size 0x1000 gpa 0x81000 rw" \
		translate "${id[a]}" 6 $((address + 7)) --access=rw
	tell a write $((0x23000 + (address >> 12) % 512 * 8)) $((0x82000 | read_only))
	ok "a page that is moved and not to be written" \
		ctl_says "$address size 0x1000 gpa 0x82000 r" translate "${id[a]}" 6 $address
	ok "is not written" refused fault translate "${id[a]}" 6 $address --access=w
	ok "says by which entry" \
		grep -q 'allow.*(first-level, level 1)' ctl.err
	tell a write $((0x23000 + (address >> 12) % 512 * 8)) $((0x900000 | flags))
	ok "a page that is no memory of the guest" refused outside translate "${id[a]}" 6 $address
	ok "no page" refused fault translate "${id[a]}" 6 0

	ok "bound already" refused bound bind "${id[a]}" 5 0x10000
	ok "unbind" ctl unbind "${id[a]}" 5
	ok "it leads nowhere then" refused not-bound translate "${id[a]}" 5 $address
	ok "unbind again" refused not-bound unbind "${id[a]}" 5
	ok "garbage: misaligned" refused root-misaligned bind "${id[a]}" 5 0x10008
	ok "garbage: outside" refused root-outside bind "${id[a]}" 5 0x100000
	ok "garbage: width" refused width bind "${id[a]}" 5 0x10000 --width 39
	ok "garbage: flags" refused bad-request bind "${id[a]}" 5 0x10000 --flags nonsense
	ok "flags that vhost does not have" \
		refused unsupported-flags bind "${id[a]}" 5 0x10000 --flags eafe
	# The memory table is that of now, even if nobody has missed since.
	tell a ram 0x200000
	ok "memory that the guest has got since" ctl bind "${id[a]}" 5 0x100000
	ok "free what is bound" ctl free "${id[a]}" 5
	ok "free the other" ctl free "${id[a]}" 6
}

test_tables()
{
	ok "attach" ctl attach "${id[b]}" 0x8000 --bits 13
	ok "it is listed" ctl -j devices
	ok "as it is" json ctl.out ".[0].devices | map(select(.device == ${id[b]}).table) ==
		[{base: 32768, bits: 13}]"
	# PASID 70: the second page of entries, 64 bytes each; first level only
	tell b write $((0x8000 + 8)) $((0x9000 | 1))
	tell b write $((0x9000 + 6 * 64)) $((1 << 6 | 1))
	tell b write $((0x9000 + 6 * 64 + 16)) $((0x30000))
	map b 0x30000 0x400000 0x80000 0x31000
	ok "what the guest's table says" ctl_says "0x400000 size 0x1000 gpa 0x80000 rw" \
		translate "${id[b]}" 70 0x400000
	ok "what it does not say" refused fault translate "${id[b]}" 71 0x400000
	ok "names the entry" grep -q '(pasid, level 0)' ctl.err
	ok "nothing is bound beside it" refused table-attached bind "${id[b]}" 8 0x30000
	ok "attached already" refused table-attached attach "${id[b]}" 0x8000 --bits 13
	ok "detach" ctl detach "${id[b]}"
	ok "detach again" refused no-table detach "${id[b]}"
	ok "garbage: misaligned" refused table-misaligned attach "${id[b]}" 0x8008 --bits 13
	ok "garbage: bits" refused table-bits attach "${id[b]}" 0x8000 --bits 21
	ok "garbage: outside" refused table-outside attach "${id[b]}" 0xff000 --bits 20
}

test_invalidations()
{
	echo 1 >"$events/vhost_iotlb_invalidate/enable"
	echo >$tracing/trace
	tell a update 0x10000 0x10000 0x10000000
	tell a update 0x40000 0x10000 0x20000000
	tell b update 0x10000 0x10000 0x10000000
	ok "there is something in the IOTLBs" has_entries a 2
	ok "addresses that are not there" ctl invalidate "${id[a]}" --pasid 0 --address 0x30000
	ok "vhost is told" dropped a 0x30000 0x1000 0
	ok "and has dropped nothing" has_entries a 2
	ok "addresses that are" \
		ctl invalidate "${id[a]}" --pasid 0 --address 0x40000 --granule 4k --count 16 --leaf
	ok "vhost is told by then" dropped a 0x40000 0x10000 0
	ok "and has dropped it" has_entries a 1
	ok "requests without PASID" ctl invalidate "${id[a]}" --pasid 0
	ok "is all that there is" dropped a 0x0 0x0 0
	ok "so that it is empty" has_entries a 0
	tell a update 0x10000 0x10000 0x10000000
	ok "the domain" ctl invalidate "${id[a]}" --caches iotlb,pasid
	ok "is all, too" dropped a 0x0 0x0 "$all"
	ok "so that it is empty again" has_entries a 0
	ok "another device has lost nothing" has_entries b 1
	ok "garbage: granule" refused granule invalidate "${id[a]}" --address 0 --granule 5000
	ok "garbage: alignment" \
		refused address-misaligned invalidate "${id[a]}" --address 4096 --granule 2m
	ok "garbage: wraps" refused address-range invalidate "${id[a]}" --address 4096 --count \
		0xfffffffffffff0
	ok "a PASID that is not allocated" refused not-allocated invalidate "${id[a]}" --pasid 9
	ok "vhost was told of none of these" nothing_dropped
	ok "detach drops all" ctl attach "${id[b]}" 0x8000 --bits 13
	ok "detach drops all, indeed" ctl detach "${id[b]}"
	ok "vhost is told of it" dropped b 0x0 0x0 "$all"
	ok "it is gone" has_entries b 0

	ctl alloc "${id[a]}" --min 40
	ctl bind "${id[a]}" 40 0
	ok "what is bound drops nothing" nothing_dropped
	ok "a PASID" ctl invalidate "${id[a]}" --pasid 40 --caches pasid
	ok "is its address space" dropped a 0x0 0x0 40
	ok "addresses of it" ctl invalidate "${id[a]}" --pasid 40 --address 0x7f0000000000 \
		--granule 2m --count 2
	ok "are addresses of that" dropped a 0x7f0000000000 0x400000 40
	ok "addresses of all" ctl invalidate "${id[a]}" --address 0x7f0000000000
	ok "are those of all" dropped a 0x7f0000000000 0x1000 "$all"
	ok "unbind drops it" ctl unbind "${id[a]}" 40
	ok "before it is done" dropped a 0x0 0x0 40
	ctl bind "${id[a]}" 40 0
	ok "free drops it" ctl free "${id[a]}" 40
	ok "before it is done, too" dropped a 0x0 0x0 40
	echo 0 >"$events/vhost_iotlb_invalidate/enable"
}

pasids_are()
{
	ctl -j pasids "$1" && [[ $(jq -c '[.pasids[].pasid]' ctl.out) == "$2" ]]
}

# hold_requests COMMAND...: while it runs, iotlbd stops when it has read a long request,
# before it does what that says.
hold_requests()
{
	local holder

	bpftrace --unsafe -e 'BEGIN { printf("holding\n"); }
		kretprobe:unix_stream_recvmsg
		/comm == "iotlbd" && (int32)retval > 1000/ { signal("SIGSTOP"); }' >holding 2>&1 &
	holder=$!
	wait_for grep -q holding holding || bail_out "bpftrace: $(<holding)"
	"$@"
	kill $holder
	wait $holder
}

# behind_its_back REQUEST COMMAND...: iotlbd has read this request when COMMAND is done.
# Its reply is in ctl.out.
behind_its_back()
{
	local client

	printf '%-1000s\n' "$1" | "$build/iotlbctl" -s "$socket" request >ctl.out &
	client=$!
	wait_for is_stopped
	"${@:2}"
	kill -CONT "$daemon"
	wait $client
}

# A page table for PASID 5 of device a, where there is memory only now and then
bind_5()
{
	echo "{\"command\":\"bind\",\"device\":${id[a]},\"pasid\":5,\"root\":$(($1)),\"width\":48}"
}

# The memory table is known and not read for each request, but is never an old one.
test_memory()
{
	ctl alloc "${id[a]}" --min 5 --max 5
	behind_its_back "$(bind_5 0x200000)" true
	ok "no memory, no page table" json ctl.out '.[0].error.name == "root-outside"'
	behind_its_back "$(bind_5 0x200000)" tell a ram 0x300000
	ok "memory of the moment before" json ctl.out '.[0] | has("return")'
	ctl unbind "${id[a]}" 5
	behind_its_back "$(bind_5 0x200000)" tell a reset
	ok "there is none for the next owner" json ctl.out '.[0].error.name == "root-outside"'
	tell a ram 0x200000
	ctl free "${id[a]}" 5
}

# Of two INVALIDATEs that are asked for, one after the other, is the second written
# without opening any file? Once a second there are some to open.
opens_nothing()
{
	local i

	echo "common_pid == $daemon" >"$tracing/events/syscalls/sys_enter_openat/filter"
	echo >$tracing/trace
	echo 1 >"$tracing/events/syscalls/sys_enter_openat/enable"
	echo 1 >"$events/vhost_iotlb_invalidate/enable"
	for ((i = 0; i < 50; i++)); do
		echo "{\"command\":\"invalidate\",\"device\":${id[a]},\"granularity\":\"domain\"}"
	done | "$build/iotlbctl" -s "$socket" request >requests.out
	echo 0 >"$tracing/events/syscalls/sys_enter_openat/enable"
	echo 0 >"$tracing/events/syscalls/sys_enter_openat/filter"
	echo 0 >"$events/vhost_iotlb_invalidate/enable"
	[[ $(grep -c '"return"' requests.out) -eq 50 ]] &&
		awk '/vhost_iotlb_invalidate: / { if (were) found = 1; were = 1 }
			/sys_openat/ { were = 0 } END { exit !found }' $tracing/trace
}

# A client that dies in the middle; what it has said shall stay, stays.
test_death()
{
	local client

	mkfifo requests
	"$build/iotlbctl" -s "$socket" request <requests >replies &
	client=$!
	exec {requests}>requests
	echo "{\"command\":\"alloc\",\"device\":${id[a]},\"min\":50}" >&$requests
	echo "{\"command\":\"bind\",\"device\":${id[a]},\"pasid\":50,\"root\":0,\"width\":48}" >&$requests
	echo "{\"command\":\"alloc\",\"device\":${id[a]},\"min\":60,\"keep\":true}" >&$requests
	wait_for has_replies 3
	ok "a client has two PASIDs" pasids_are "${id[a]}" '[50,60]'
	ok "of which one is its own" refused other-client free "${id[a]}" 50
	echo 1 >"$events/vhost_iotlb_invalidate/enable"
	echo >$tracing/trace
	kill -KILL $client
	wait $client 2>/dev/null
	exec {requests}>&-
	ok "when it is killed, only what it wanted to stay stays" wait_for pasids_are "${id[a]}" '[60]'
	ok "and what was bound is dropped" dropped a 0x0 0x0 50
	echo 0 >"$events/vhost_iotlb_invalidate/enable"
	ok "what stays is everybody's" ctl free "${id[a]}" 60
}

has_replies()
{
	[[ $(wc -l <replies) -eq $1 ]]
}

holds_nothing()
{
	[[ $(jq -c '[.devices[].pasids] | add' ctl.out) -eq 0 ]]
}

test_rubbish()
{
	ok "rubbish is answered, and what comes behind it too" \
		"$repo/tests/vm/control_client.py" "$socket" rubbish
	"$repo/tests/vm/control_client.py" "$socket" crowd 20 >crowd.out
	ok "sixteen clients may come" test "$(grep -c welcome crowd.out)" -eq 16
	ok "others are told" test "$(grep -c too-many-clients crowd.out)" -eq 4
	ok "there is room again then" wait_for ctl devices
}

has_stalled()
{
	grep -q stalled stall.out
}

test_stall()
{
	local client

	"$repo/tests/vm/control_client.py" "$socket" stall >stall.out &
	client=$!
	wait_for has_stalled
	ok "a client that does not read holds up no other" ctl devices
	ok "and is let go" wait $client
	ok "iotlbd says so" grep -q "pid $client does not read its replies" err
	ok "and goes on" ctl devices
}

# Beside packets: whatever is asked, as fast as it is answered
test_traffic()
{
	local device root rounds client requests

	# All is the same address in the guest's memory.
	traffic --iova identity -n "$many" --server none
	wait_for bench_is_served
	device='"device":'$bench_id
	root=$(awk '$1 == "vhost-mem:" { print $2; exit }' "/proc/$bench/fdinfo/"*)
	requests=(
		'{"command":"alloc",'"$device"',"min":1000,"max":1000}'
		'{"command":"bind",'"$device"',"pasid":1000,"root":'$((root))',"width":48}'
		'{"command":"invalidate",'"$device"',"granularity":"pasid","pasid":1000}'
		'{"command":"invalidate",'"$device"',"granularity":"domain"}'
		'{"command":"free",'"$device"',"pasid":1000}'
	)
	while alive "$bench"; do
		printf '%s\n' "${requests[@]}"
	done | "$build/iotlbctl" -s "$socket" request >rounds.out &
	client=$!
	ok "every packet arrives while all is invalidated again and again" all_arrived "$many"
	wait $client
	rounds=$(grep -c '"pasid":1000' rounds.out)
	echo "# $rounds rounds"
	ok "that was often enough" test "$rounds" -ge 10
	grep error rounds.out | grep -v no-device | sort | uniq -c | sed 's/^/# /' >odd
	cat odd
	ok "none was refused while the device was there" not test -s odd
	ok "its PASIDs go with it" wait_for refused no-device pasids "$bench_id"
}

bench_is_served()
{
	ctl -j devices
	bench_id=$(jq ".devices[] | select(.pid == $bench).device" ctl.out)
	[[ -n $bench_id ]]
}

set_all_tables()
{
	tell a others 64
	tell a ram 0x300000
}

# Its ring buffer is too small to be told all that is new.
test_lost_news()
{
	ctl alloc "${id[a]}" --min 5 --max 5
	behind_its_back "$(bind_5 0x200000)" set_all_tables
	ok "what there was no room to tell is seen" json ctl.out '.[0] | has("return")'
}

test_end()
{
	ctl free "${id[b]}" 8
	ctl free "${id[late]}" 100
	ctl -j devices
	ok "nothing is left over" holds_nothing
	kill -KILL "$daemon"
	wait "$daemon" 2>/dev/null
	ok "without iotlbd, the socket is refused" not ctl devices
	ok "and why" grep -q 'its iotlbd has ended' ctl.err
	tell a others 64
	start --translator identity --control "$socket" --ring-size 4k
	ok "the next iotlbd takes its place" ctl devices
	hold_requests test_lost_news
	ok "and ends well" stop
	ok "the socket is no other file's place" other_file_stays
}

other_file_stays()
{
	echo precious >file
	"$build/iotlbd" --translator identity --control "$PWD/file" 2>file.err
	[[ $? -eq 1 && $(<file) == precious ]] && grep -q 'is no socket' file.err
}

test_socket
test_pasids
test_bindings
test_tables
hold_requests test_memory
ok "a request does not look at the device again" opens_nothing
test_invalidations
test_death
test_rubbish
test_stall
test_traffic
test_end
kill "${pid[a]}" "${pid[b]}" "${pid[late]}"
plan
