#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What iotlbd keeps of its privileges once it serves, that this is enough for
# all that it does, and what it does under narrow limits and with closed files.

# vm: --timeout 1200

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"

# Other users have to get here, and to the devices.
chmod 755 . /run
chmod 666 /dev/vhost-net /dev/net/tun
cp "$build/iotlbd" "$build/iotlb-bench" "$repo/tests/vm/vhost_owner.py" .

# CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE
readonly kept=0000000000080004 none=0000000000000000

# start_by COMMAND...: as start, but it is this command that leads to iotlbd.
start_by()
{
	: >out
	: >err
	"$@" >out 2>err &
	daemon=$!
	wait_for started
}

# Do packets pass?
pass()
{
	./iotlb-bench --quiet --timeout $((20 * slowness)) --server none "$@" >bench.out 2>bench.err
}

# With an owner that reads its fds
fd_pass()
{
	./iotlb-bench --quiet --timeout $((20 * slowness)) --server fd "$@" >bench.out 2>bench.err
}

# become_nobody CAPABILITY...: in as_nobody, what runs a command as a user without
# files of his own
become_nobody()
{
	local caps=-all

	[[ $# -eq 0 ]] || caps+=$(printf ',+%s' "$@")
	as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups
		"--inh-caps=$caps" "--ambient-caps=$caps" --)
}

nobody_passes()
{
	become_nobody net_admin net_raw sys_admin
	"${as_nobody[@]}" ./iotlb-bench --quiet --timeout $((20 * slowness)) --server none "$@" \
		>bench.out 2>bench.err
}

# status FIELD: of the daemon
status()
{
	awk -v field="$1:" '$1 == field { print $2 }' "/proc/$daemon/status"
}

has()
{
	[[ $(status "$1") == "$2" ]]
}

# The last that it does before it serves; for when it can say nothing.
attached()
{
	[[ -n $(find "/proc/$daemon/fd" -lname 'anon_inode:bpf[-_]link' 2>/dev/null) ]]
}

# is_null FD: of the daemon
is_null()
{
	[[ $(readlink "/proc/$daemon/fd/$1") == /dev/null ]]
}

test_stages()
{
	start --translator identity -v
	ok "stages come in their order" \
		test "$(sed -n 's/^iotlbd: stage \([a-z]*\): .*/\1/p' err | uniq | tr '\n' ' ')" = "start load serve "
	ok "loading has one capability more" \
		grep -q '^iotlbd: stage load: capabilities: dac_read_search, sys_ptrace, sys_admin$' err
	ok "effective capabilities" has CapEff $kept
	ok "permitted capabilities" has CapPrm $kept
	ok "inheritable capabilities" has CapInh $none
	ok "ambient capabilities" has CapAmb $none
	ok "bounding set" has CapBnd $none
	ok "no new privileges" has NoNewPrivs 1
	ok "system calls are filtered" has Seccomp 2
	ok "no core dump" grep -q '^Max core file size *0 *0 ' "/proc/$daemon/limits"
	ok "ends well" stop
}

test_serves()
{
	local run='--map sweep -n 300 --devices 4' pid

	# shellcheck disable=SC2086 # options
	{
		bench_table $run
		start --table table --json --stats
		pass $run &
		pid=$!
		ok "devices that come: every packet" wait "$pid"
		ok "gives them back" wait_for holds 0
		kill -STOP "$daemon"
		kill -CONT "$daemon"
		ok "others, after a stop: every packet" pass $run
		wait_for grep -q interval out
		ok "statistics and summary as JSON" stop
		ok "every miss had an answer" json out \
			'map(select(.kind == "total"))[0] | .misses > 0 and .unanswered == 0'

		start --table table --poll
		ok "polling: every packet" pass $run
		ok "polling: ends well" stop TERM
	}
}

test_output()
{
	local pipe

	start --translator identity --stats
	wait_for test -s out
	stop
	ok "statistics into a file" grep -q ' all$' out

	# script runs it on a terminal.
	: >err
	script -qec "./iotlbd --translator identity --stats 2>err" typescript >/dev/null &
	pipe=$!
	daemon=$pipe
	wait_for started
	wait_for grep -q MISSES typescript
	kill -INT "$(pgrep -nx iotlbd)"
	ok "statistics on a terminal" wait "$pipe"
	ok "the summary, too" grep -q ' all' typescript

	: >err
	mkfifo pipe
	head -n 1 pipe >out &
	pipe=$!
	./iotlbd --translator identity --stats >pipe 2>err &
	daemon=$!
	wait_for started
	wait "$pipe"
	sleep 2
	ok "goes on when nobody reads its statistics" pass --iova identity -n 100
	stop
	ok "fails in the end, but is not killed" test $? -eq 1
	ok "says why" grep -q 'cannot write the summary to standard output' err
}

test_others()
{
	local owner fd

	become_nobody
	coproc OWNER { exec "${as_nobody[@]}" /usr/bin/python3 vhost_owner.py; }
	owner=$OWNER_PID
	read -r fd <&"${OWNER[0]}"
	ok "another user's process has a device" test -n "$fd"
	start --translator identity
	ok "takes another user's device" holds 1
	kill "$owner"
	wait "$owner" 2>/dev/null
	ok "gives it back when its owner ends" wait_for holds 0
	ok "another user's, later: every packet" nobody_passes --iova identity -n 300
	stop
	ok "it was served" grep -q 'serving device .* of pid .*(iotlb-bench)' err

	start_by setpriv --bounding-set=-dac_read_search ./iotlbd --translator identity
	ok "says if it cannot serve others" \
		grep -q 'warning: without CAP_DAC_READ_SEARCH, only devices of this user' err
	ok "and so it is" not nobody_passes --iova identity -n 10 --timeout 2
	stop

	become_nobody dac_read_search sys_ptrace sys_admin
	start_by "${as_nobody[@]}" ./iotlbd --translator identity -v
	ok "as another user than root: effective capabilities" has CapEff $kept
	ok "as another user than root: permitted capabilities" has CapPrm $kept
	ok "as another user than root: ambient capabilities" has CapAmb $none
	ok "as another user than root: every packet" pass --iova identity -n 300
	ok "as another user than root: ends well" stop
}

# What somebody would do who has made the daemon run code of his.
build_intruder()
{
	cat >intruder.c <<'END'
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void intrude(int signal)
{
	const char *how = getenv("INTRUDE");
	long got = -1;

	if (!strcmp(how, "execve"))
		got = syscall(SYS_execve, "/bin/true", NULL, NULL);
	else if (!strcmp(how, "socket"))
		got = syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	else if (!strcmp(how, "write"))
		got = syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_WRONLY);
	else if (!strcmp(how, "code"))
		got = syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	else if (!strcmp(how, "program"))
		got = syscall(SYS_bpf, 5 /* BPF_PROG_LOAD */, NULL, 0);
	else if (!strcmp(how, "read"))
		got = syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
	if (got != -1)
		write(2, "intruded\n", 9);
	_exit(0);
}

__attribute__((constructor)) static void prepare(void)
{
	signal(SIGUSR1, intrude);
}
END
	gcc -shared -fPIC -D_GNU_SOURCE -o intruder.so intruder.c
}

# intrude HOW: returns the exit status of the daemon
intrude()
{
	start_by env INTRUDE="$1" LD_PRELOAD="$PWD/intruder.so" ./iotlbd --translator identity
	stop USR1 2>/dev/null
}

is_killed()
{
	intrude "$1"
	[[ $? -eq $((128 + $(kill -l SYS))) ]] && ! grep -q intruded err
}

# logged NUMBER: of the system call
logged()
{
	grep -q "type=1326 .* comm=\"iotlbd\" .* sig=31 .* syscall=$1 " < <(dmesg)
}

test_intruder()
{
	ok "an intruder can be built" build_intruder
	ok "is killed for execve" is_killed execve
	# Not without CONFIG_AUDIT, which the debug kernel does not have.
	[[ ! -e /proc/self/loginuid ]] || ok "the kernel says so" wait_for logged 59
	ok "is killed for a socket" is_killed socket
	ok "is killed for a file to write" is_killed write
	ok "is killed for memory with code" is_killed code
	ok "is killed for a BPF program" is_killed program
	ok "what is allowed goes on" intrude read
	ok "and is done" grep -q '^intruded$' err
}

# Either it works, or it says what is the matter; nothing kills it. Without memory
# for the libraries, the loader speaks for it.
works_or_says()
{
	local status

	start_by "$@"
	stop
	status=$?
	[[ $status -eq 0 ]] ||
		[[ $status -eq 1 && $(grep -c '^iotlbd: ' err) -gt 0 ]] ||
		[[ $status -eq 127 && $(grep -c 'loading shared libraries' err) -gt 0 ]]
}

works_with_memory()
{
	local megabytes

	for megabytes in 3 6 9 12 15 40; do
		if ! works_or_says prlimit --as=$((megabytes << 20)) ./iotlbd --translator identity; then
			echo "# with $megabytes MiB"
			return 1
		fi
	done
}

test_limits()
{
	start_by prlimit --nofile=16:16 ./iotlbd --translator identity
	ok "16 files: fails" not stop
	ok "16 files: says why" grep -q 'no more than 16 files may be open, which is too few' err
	start_by prlimit --nofile=48:48 ./iotlbd --translator identity
	ok "48 files: every packet" pass --iova identity -n 100 --devices 2
	ok "48 files: ends well" stop
	start_by prlimit --nofile=64:64 ./iotlbd --translator identity
	ok "64 files, 40 devices: every packet" \
		fd_pass --iova identity -n 100 --devices 40
	ok "64 files, 40 devices: serves some" grep -q 'serving device' err
	ok "64 files, 40 devices: says what is the matter" \
		grep -q 'cannot take device .*: Too many open files; its owner serves it' err
	ok "64 files, 40 devices: goes on with those that it has" \
		not grep -q 'cannot read its memory table' err
	ok "64 files, 40 devices: ends well" stop
	start_by prlimit --nofile=16:1024 ./iotlbd --translator identity
	ok "16 files at first: takes more" pass --iova identity -n 10 --devices 20
	ok "16 files at first: ends well" stop

	start_by prlimit --memlock=0:0 ./iotlbd --translator identity
	ok "no locked memory: every packet" pass --iova identity -n 100
	ok "no locked memory: ends well" stop
	ok "little memory: works, or says that it does not" works_with_memory

	: >err
	prlimit --fsize=0:0 ./iotlbd --translator identity --stats >out 2> >(cat >err) &
	daemon=$!
	wait_for started
	ok "no room for files: every packet" pass --iova identity -n 100
	sleep 2
	stop
	ok "no room for files: fails in the end, but is not killed" test $? -eq 1
	ok "no room for files: says why" wait_for grep -q 'cannot write the summary' err
}

# Its files are those from 3 on, whatever was open.
test_closed()
{
	local fd

	for fd in 0 1 2; do
		: >err
		case $fd in
		0) ./iotlbd --translator identity --stats >out 2>err <&- & ;;
		1) ./iotlbd --translator identity --stats 2>err >&- & ;;
		2) ./iotlbd --translator identity --stats >out 2>&- & ;;
		esac
		daemon=$!
		wait_for attached
		ok "fd $fd closed: leads nowhere" is_null $fd
		ok "fd $fd closed: every packet" pass --iova identity -n 100
		sleep 1.5
		ok "fd $fd closed: ends well" stop
	done

	./iotlbd --translator identity --stats <&- >&- 2>&- &
	daemon=$!
	wait_for attached
	ok "all closed: lead nowhere" eval "is_null 0 && is_null 1 && is_null 2"
	ok "all closed: every packet" pass --iova identity -n 100
	sleep 1.5
	ok "all closed: ends well" stop
}

test_stages
test_serves
test_output
test_others
test_intruder
test_limits
test_closed
plan
