#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# iotlb-walk in the memory of a guest that runs, and in a dump of it.

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
