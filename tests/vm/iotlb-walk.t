#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# iotlb-walk in the memory of a guest that runs, and in a dump of it; and of PASIDs
# that are managed at the control socket of iotlbd.

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"

# Its rings are mapped for the whole run; nobody serves it, so it waits.
readonly ring=0x200000000000

walk()
{
	"$build/iotlb-walk" --vtd vtd "$@" >out 2>err
}

has_memory()
{
	grep -qs '^vhost-iotlb:' "/proc/$bench/fdinfo/"*
}

# dump GPA SIZE: guest memory of iotlb-bench, into a file
dump()
{
	python3 - "$bench" "$1" "$2" <<-'END'
	import glob, re, sys

	pid, gpa, size = (int(word, 0) for word in sys.argv[1:])
	for path in glob.glob(f"/proc/{pid}/fdinfo/*"):
	    for line in re.findall(r"^vhost-mem:\s*(.*)$", open(path).read(), re.M):
	        first, length, hva = (int(word, 0) for word in line.split())
	        if first <= gpa < first + length:
	            with open(f"/proc/{pid}/mem", "rb") as memory, open("dump", "wb") as out:
	                memory.seek(hva + gpa - first)
	                out.write(memory.read(min(size, first + length - gpa)))
	            sys.exit(0)
	sys.exit(1)
	END
}

for page in 4k 2m 1g; do
	"$build/iotlb-bench" --iova vtd --page $page --write-vtd=vtd -n 10 ||
		bail_out "iotlb-bench describes no IOMMU"
	"$build/iotlb-bench" --iova vtd --page $page --write-table=table -n 10 ||
		bail_out "iotlb-bench writes no table"
	traffic --iova vtd --page $page --server none -n 10
	wait_for has_memory || bail_out "iotlb-bench has no device"
	root=$(awk '$1 == "root" { print $2 }' vtd)

	ok "page $page: the ring is mapped" walk --pid "$bench" $ring
	case $page in
	4k) steps=6 ;;
	2m) steps=5 ;;
	1g) steps=4 ;;
	esac
	ok "page $page: by $steps entries" \
		test "$(grep -cE '^(root|context|second-level) ' out)" -eq "$steps"
	ok "page $page: says so" grep -qi "^$ring is 0x[0-9a-f]*, page of $page, " out

	ok "page $page: where the table says" walk --pid "$bench" --json --access w $ring
	gpa=$(awk -v iova=$ring '$1 == iova { print $3 }' table)
	ok "page $page: which is ${gpa:-not there}" json out \
		".[0] | .fault == null and .translation.gpa == \"$gpa\""

	ok "page $page: nothing is at 0" not walk --pid "$bench" --json 0
	ok "page $page: for want of an entry" json out '
		.[0] | .translation == null and .fault.name == "present" and
		.steps[-1].meaning == ["not present"]'
	ok "page $page: another device" not walk --pid "$bench" --source 1f:1f.7 $ring
	ok "page $page: has no root entry" \
		grep -q '^fault root-present: .* (table root, level 0)' out

	dump "$root" 0x2000000
	walk --pid "$bench" $ring 0
	mv out process
	walk --memory "dump@$root" $ring 0
	ok "page $page: the same in a dump" cmp out process
	kill_traffic
done

# Processes of a guest that share a device, as in tests/sva/tables.h
readonly socket=$PWD/socket pasid=5 buffer=0x7f1234410000 hole=0x7f1234420000

ctl()
{
	"$build/iotlbctl" --socket "$socket" "$@" >ctl.out 2>ctl.err
}

# iommu FILE ROOT
iommu()
{
	printf 'root %s\nwidth 48\nsagaw 48\nnested yes\ndevice 00:01.0\n' "$2" >"$1"
}

# ask OPTION... ADDRESS: with what iotlbd knows
ask()
{
	walk --control "$socket" --pasid $pasid "$@"
}

# ask_without_iommu OPTION... ADDRESS: with what iotlbd knows, and nothing else
ask_without_iommu()
{
	"$build/iotlb-walk" --control "$socket" "$@" >out 2>err
}

# Both lead to the same place.
agrees_with_iotlbd()
{
	local page

	ctl --json translate "$device" $pasid $buffer || return
	page=$(jq ".gpa + $((buffer)) - .address" ctl.out)
	ask --json $buffer && json out ".[0].translation.gpa == \"$(printf '0x%x' "$page")\""
}

coproc "$build/tests/sva_guest"
read -r device legacy scalable directory root _ <&"${COPROC[0]}" ||
	bail_out "sva_guest does not start"
guest=$COPROC_PID
iommu vtd "$scalable"
start --vtd vtd --control "$socket"

ok "nobody manages PASIDs" not ask_without_iommu --pasid $pasid $buffer
ok "says so" grep -q "nobody manages PASIDs of device $device" err
ok "the guest's IOMMU does" ask $buffer
ok "by its PASID table" grep -q '^pasid  .* nested' out
stop INT

iommu vtd "$legacy"
start --vtd vtd --control "$socket"
ctl alloc "$device" --min=$pasid --max=$pasid || bail_out "no PASID"
ok "nothing is bound" not ask $buffer
ok "says so" grep -q "nothing is bound to PASID $pasid of device $device" err
ok "another PASID" not ask_without_iommu --pasid 6 0
ok "is none" grep -q "device $device has no PASID 6" err

ctl bind "$device" $pasid "$root" || bail_out "nothing can be bound"
ok "what is bound is walked" ask $buffer
ok "from its root, in the second level" grep -q \
	"^bound: first level of 4 at $root, nested in the second level of 4 at 0x" out
ok "by four tables" test "$(grep -c '^first-level ' out)" -eq 4
ok "which are found through the second level, as the page is" \
	test "$(grep -c '^second-level ' out)" -eq $((5 * 4))
ok "as iotlbd does" agrees_with_iotlbd
ask $buffer
mv out asked
ok "the same by hand" walk --pid "$guest" --pasid $pasid --bound "$root/48" $buffer
ok "step by step" cmp out asked
ok "what is not mapped" not ask $hole
ok "is not present at the last level" \
	grep -q '^fault present: .* (table first-level, level 1)' out
ok "iotlbd finds the same" not ctl translate "$device" $pasid $hole
ok "by the same entry" grep -q '^iotlbctl: fault: .*first-level.*level 1' ctl.err
ok "without the second level, there are no tables" not ask_without_iommu --pasid $pasid $buffer
ok "where the guest has them" grep -q "^bound: first level of 4 at $root, nested in none" out

ctl free "$device" $pasid
ctl attach "$device" "$directory" --bits=13 || bail_out "no PASID table can be attached"
ok "a table that is attached is walked" ask $buffer
ok "from its directory" grep -q "^attached: PASID directory at $directory, of 13 bits" out
ok "by its entry" grep -q '^pasid  ' out
ok "as iotlbd does" agrees_with_iotlbd
ask $buffer
mv out asked
ok "the same by hand" walk --pid "$guest" --pasid $pasid --attached "$directory/13" $buffer
ok "step by step" cmp out asked
stop INT
kill "$guest"
wait "$guest"

refuses "nobody listens" 1 'is an iotlbd running' "$build/iotlb-walk" --control ./nobody --pasid 1 0
refuses "no PASID" 2 'which PASID' "$build/iotlb-walk" --bound 0x1000 --pid 1 0
refuses "a root between pages" 2 'multiple of 0x1000' \
	"$build/iotlb-walk" --bound 0x1001 --pasid 1 --pid 1 0
refuses "a strange width" 2 'none of 48, 57' \
	"$build/iotlb-walk" --bound 0x1000/39 --pasid 1 --pid 1 0
refuses "a strange flag" 2 'none of sre, wpe' \
	"$build/iotlb-walk" --bound 0x1000/48,cd --pasid 1 --pid 1 0
refuses "two beginnings" 2 'only one of' \
	"$build/iotlb-walk" --bound 0x1000 --attached 0x1000 --pasid 1 --pid 1 0
refuses "few bits" 2 'bits "12"' "$build/iotlb-walk" --attached 0x1000/12 --pasid 1 --pid 1 0
refuses "two who know" 2 'does not go with' \
	"$build/iotlb-walk" --control ./nobody --pid 1 --pasid 1 0
refuses "no memory" 2 'where is the guest.s memory' "$build/iotlb-walk" --vtd vtd 0
refuses "no address" 2 'which IOVA' "$build/iotlb-walk" --vtd vtd --pid 1
refuses "a process without vhost" 1 "pid $$ holds no vhost device" \
	"$build/iotlb-walk" --vtd vtd --pid $$ 0
refuses "no process" 1 'cannot look at pid 4000000' \
	"$build/iotlb-walk" --vtd vtd --pid 4000000 0
refuses "no dump" 1 'cannot open the memory none' \
	"$build/iotlb-walk" --vtd vtd --memory none 0
refuses "a strange address" 2 'IOVA "0xg" is not a number' \
	"$build/iotlb-walk" --vtd vtd --memory dump 0xg
plan
