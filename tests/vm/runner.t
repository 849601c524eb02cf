#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# host
#
# Tests of tests/vm/run itself, from outside. TAP. As each boot takes seconds,
# one boot answers as many questions as possible.

set -uo pipefail

repo=$(readlink -f "$(dirname "$0")/../..")
cd "$repo" || exit 1
readonly vm=tests/vm/run
readonly plan=38

dir=$(mktemp -d)
# In the repository, the one place that the VM can write to.
mkdir -p build
shared=$(mktemp -d build/test-runner.XXXXXX)
trap 'rm -rf "$dir" "$shared"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

count=0
failed=0

# ok DESCRIPTION COMMAND...: a test that is good if COMMAND succeeds.
ok()
{
	local description=$1
	shift

	count=$((count + 1))
	if "$@"; then
		echo "ok $count - $description"
	else
		echo "not ok $count - $description"
		echo "# failed: $*"
		failed=$((failed + 1))
	fi
}

skip()
{
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

equal()
{
	[[ $1 == "$2" ]] && return
	echo "# is '$1', should be '$2'"
	return 1
}

# try [OPTION...]: runs the VM; sets status, and fills $dir/{out,err}.
try()
{
	"$vm" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
}

said()
{
	grep -q -e "$1" "$dir/err" && return
	sed 's/^/# /' "$dir/err"
	return 1
}

says_nothing()
{
	[[ ! -s $1 ]] && return
	sed 's/^/# /' "$1"
	return 1
}

test_usage()
{
	try --no-such-option true
	ok "an unknown option is refused" equal "$status" 2
	ok "an unknown option is named" said --no-such-option
	try --icount --smp 2 true
	ok "icount with two CPUs is refused" equal "$status" 2
	try
	ok "a shell without a terminal is refused" equal "$status" 2
	try --append "two words" true
	ok "two words in place of one are refused" equal "$status" 2
	try --modules "$dir" true
	ok "a directory without modules is refused" equal "$status" 125
	ok "a directory without modules is named" said "$dir"
	try --help
	ok "help is good" equal "$status" 0
}

test_command()
{
	local i

	# Every byte there is, and more than what a pipe holds.
	for ((i = 0; i < 256; i++)); do
		printf '%b' "\\x$(printf %02x "$i")"
	done >"$dir/bytes"
	for ((i = 0; i < 1000; i++)); do
		cat "$dir/bytes"
	done >"$dir/in"

	cat >"$shared/inside" <<'END'
cat
printf 'to stderr' >&2
shared=$1
printf '%s\n' "$2" >"$shared/argument"
pwd >"$shared/cwd"
echo "$GREETING" >"$shared/env"
echo seen >/etc/vm-run-was-here && cat /etc/vm-run-was-here >"$shared/root"
ls -d /dev/vhost-net /dev/net/tun /sys/fs/bpf /sys/kernel/tracing/events /sys/kernel/debug/tracing >"$shared/nodes"
cat /sys/module/vhost/parameters/max_iotlb_entries >"$shared/parameter"
modprobe -r vhost_net && modprobe vhost_net && modinfo -n vhost >"$shared/modinfo"
ls /sys/kernel/tracing/events/vhost >"$shared/events" 2>&1
ls /sys/class/net >"$shared/net"
ip -br link show lo >>"$shared/net"
: >/dev/stdout
nproc >"$shared/nproc"
grep -ow vm.word=7 /proc/cmdline >"$shared/cmdline"
(trap '' TERM HUP; exec sleep 1000) &
exit 3
END
	"$vm" --stock --smp 3 --env GREETING="a  b" --param vhost.max_iotlb_entries=4 \
		--append vm.word=7 -- bash "$shared/inside" "$shared" "x '\$y' z" \
		<"$dir/in" >"$dir/out" 2>"$dir/err"
	ok "the exit status passes" equal "$?" 3
	ok "standard input and output pass every byte" cmp "$dir/in" "$dir/out"
	ok "standard error is apart" equal "$(<"$dir/err")" "to stderr"
	ok "arguments pass as they are" equal "$(<"$shared/argument")" "x '\$y' z"
	ok "the directory is the same" equal "$(<"$shared/cwd")" "$repo"
	ok "a variable passes" equal "$(<"$shared/env")" "a  b"
	ok "the VM can write to /etc" equal "$(<"$shared/root")" seen
	ok "what it writes does not reach the host" test ! -e /etc/vm-run-was-here
	ok "devices and file systems are there" equal "$(wc -l <"$shared/nodes")" 5
	ok "a module parameter passes" equal "$(<"$shared/parameter")" 4
	ok "a word for the kernel passes" equal "$(<"$shared/cmdline")" vm.word=7
	ok "the distribution's modules are loaded" equal \
		"$(readlink -f "$(<"$shared/modinfo")" | grep -c /kernel/drivers/vhost/)" 1
	ok "they have no tracepoints" grep -q "No such file" "$shared/events"
	ok "lo is all the network" equal "$(tr -s ' \n' ' ' <"$shared/net" | cut -d ' ' -f 1-3)" "lo lo UNKNOWN"
	ok "the number of CPUs is as asked for" equal "$(<"$shared/nproc")" 3
}

test_patched()
{
	local built=build/modules/vhost.ko

	if [[ ! -e $built ]]; then
		skip "the patched modules are loaded" "$built is not built"
		return
	fi
	# Also when they are loaded anew.
	# shellcheck disable=SC2016 # for the shell in the VM
	try sh -c 'cat /sys/module/vhost/srcversion
		modprobe -r vhost_net && modprobe vhost_net && cat /sys/module/vhost/srcversion'
	built=$(modinfo -F srcversion "$built")
	ok "the patched modules are loaded" equal "$(<"$dir/out")" "$built"$'\n'"$built"
}

# QEMU, whose first machine has nothing to boot into.
make_stillborn()
{
	mkdir -p "$dir/bin"
	head -c 4096 /dev/zero >"$dir/nothing"
	cat >"$dir/bin/qemu-system-x86_64" <<-END
		#!/bin/sh
		[ "\$1" = -nodefaults ] && [ ! -e "$dir/born" ] ||
			exec $(command -v qemu-system-x86_64) "\$@"
		: >"$dir/born"
		exec $(command -v qemu-system-x86_64) "\$@" -initrd "$dir/nothing"
	END
	chmod +x "$dir/bin/qemu-system-x86_64"
}

test_stillborn()
{
	make_stillborn
	PATH=$dir/bin:$PATH try --stock echo alive
	ok "a kernel that dies before its first process is started again" equal "$status" 0
	ok "the command ran once" equal "$(<"$dir/out")" alive
	ok "that is said" said "once more"
}

test_failures()
{
	try --stock sh -c 'echo c >/proc/sysrq-trigger'
	ok "a panic is a failure" equal "$status" 125
	ok "a panic is named" said "panic: .*sysrq triggered crash"
	try --stock sh -c 'echo "WARNING: at test" >/dev/kmsg'
	ok "a warning of the kernel is a failure" equal "$status" 125
	ok "the warning is shown" said "WARNING: at test"
	try --stock --timeout 15 sleep 1000
	ok "a timeout is a failure" equal "$status" 125
	ok "a timeout is named" said "timeout: "
	try --stock no-such-command
	ok "a command that does not exist is told by 127" equal "$status" 127
}

test_icount()
{
	try --stock --icount nproc
	ok "icount works, with one CPU" equal "$status $(<"$dir/out")" "0 1"
	ok "nothing is said when all is well" says_nothing "$dir/err"
}

test_terminal()
{
	if ! command -v script >/dev/null; then
		skip "a terminal passes" "script is not installed"
		return
	fi
	# Input that neither comes nor ends: script would type the end.
	mkfifo "$dir/never"
	script -qec "stty rows 33 cols 101; $vm --stock --tty sh -c 'stty size; tty; exit 6'" \
		/dev/null >"$dir/out" <>"$dir/never"
	ok "a terminal, its size, and the status pass" equal "$? $(tr -d '\r' <"$dir/out" | tr '\n' ' ')" \
		"6 33 101 /dev/hvc0 "
}

# A runner that is ended takes its VM and its files with it.
test_termination()
{
	local runner line

	mkdir "$dir/tmp"
	exec 3< <(TMPDIR="$dir/tmp" exec "$vm" --stock sh -c 'echo up; sleep 1000' </dev/null 2>&1)
	runner=$!
	read -r line <&3
	kill -TERM "$runner"
	# All that have the pipe open have ended when it does.
	cat <&3 >/dev/null
	wait "$runner"
	ok "SIGTERM ends the runner, its VM, and its files" equal "$line $? $(ls "$dir/tmp")" "up 143 "
}

echo "1..$plan"
test_usage
test_command
test_patched
test_stillborn
test_failures
test_icount
test_terminal
test_termination
[[ $count == "$plan" ]] || echo "# $count tests instead of $plan"
[[ $failed == 0 && $count == "$plan" ]]
