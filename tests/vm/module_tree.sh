# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For tests that install modules: an installation of the distribution's kernel
# in a directory of its own, as far as vhost-net needs it, which the VM sees,
# too. Source it after tap.sh; `root` is the directory, `lib` the modules'.

# shellcheck disable=SC2154 # repo, build, tap_dir of tap.sh

# Not in an ordinary user's: depmod, modprobe.
PATH=$PATH:/usr/sbin:/sbin

release=$("$repo/kernel/base" release)
version=$("$repo/kernel/base" version)
image=$("$repo/kernel/base" image)
[[ -n $release && -n $version && -n $image ]] || bail_out "no kernel to install modules for"
root=$(mktemp -d "$build/$(basename "$0" .t).XXXXXX") || bail_out "cannot write to $build"
trap 'cd / && rm -rf "$tap_dir" "$root"' EXIT
lib=$root/lib/modules/$release

make_kernel()
{
	local from=${image%/}/lib/modules/$release

	mkdir -p "$lib/kernel/drivers/net" &&
		ln -s "/usr/src/linux-headers-$release" "$lib/build" &&
		cp "$from"/modules.{order,builtin,builtin.modinfo} "$lib/" &&
		cp -r "$from/kernel/drivers/vhost" "$lib/kernel/drivers/" &&
		cp "$from"/kernel/drivers/net/{tun,tap}.ko* "$lib/kernel/drivers/net/" &&
		depmod -b "$root" "$release"
}

# sums: of what there is, without the index.
sums()
{
	(cd "$root/lib" && find . -type f ! -name 'modules.*' -print0 | sort -z | xargs -0 sha256sum)
}

# needs N PATTERN: so many of vhost_net and the modules that it needs are such.
needs()
{
	modprobe -d "$root" -S "$release" --show-depends vhost_net |
		sed "s,^insmod $lib/,,; s/ *$//" >needed
	[[ $(grep -c "$2" needed) -eq $1 ]]
}

# As kernel/install tells who wants to switch a running machine.
# shellcheck disable=SC2016 # for the VM's shell
switch='
	if ! grep -q iotlb /sys/module/vhost/version; then echo stock; fi
	exec 3<>/dev/vhost-net
	modprobe -d . -r vhost_net 2>/dev/null || echo in use
	exec 3<&-
	modprobe -d . -r vhost_net vhost vhost_iotlb || exit
	[[ -e /sys/module/vhost_iotlb ]] || echo unloaded
	modprobe -d . vhost_net || exit
	grep -q "+iotlb$" /sys/module/vhost/version && echo patched
	ls /sys/kernel/tracing/events/vhost
	"$@" && echo served'

switch_in_vm()
{
	(cd "$root" && "$repo/tests/vm/run" --stock -- bash -c "$switch" switch \
		"$build/iotlb-bench" --quiet --server ring --count 1000) >switch.out 2>err
}

# The modules in the tree: loaded by the VM, which has the distribution's.
test_switch()
{
	ok "modules are switched in the VM" switch_in_vm
	ok "which had the distribution's loaded" grep -qx stock switch.out
	ok "a module in use stays" grep -qx 'in use' switch.out
	ok "the distribution's are unloaded" grep -qx unloaded switch.out
	ok "the patched ones are loaded" grep -qx patched switch.out
	ok "with tracepoints" grep -qx vhost_iotlb_miss switch.out
	ok "and iotlbd serves misses" grep -qx served switch.out
}
