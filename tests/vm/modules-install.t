#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# host
#
# make modules_install and modules_uninstall: modprobe finds the patched modules
# before the distribution's, which stay as they are; the kernel loads them from
# there; what they are not made for is refused; and nothing is left of them.

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# Not in an ordinary user's: depmod, modprobe.
PATH=$PATH:/usr/sbin:/sbin

release=$("$repo/kernel/base" release)
version=$("$repo/kernel/base" version)
image=$("$repo/kernel/base" image)
[[ -n $release && -n $version && -n $image ]] || bail_out "no kernel to install the modules for"

# In the repository, which the VM sees.
root=$(mktemp -d "$repo/build/test-install.XXXXXX") || bail_out "cannot write to $repo/build"
trap 'cd / && rm -rf "$tap_dir" "$root"' EXIT
lib=$root/lib/modules/$release
ours=$lib/updates/vhost-iotlb
export INSTALL_MOD_PATH=$root

# An installation of the distribution's kernel, as far as vhost-net needs it.
make_kernel()
{
	local from=${image%/}/lib/modules/$release

	mkdir -p "$lib/kernel/drivers/net" &&
		cp "$from"/modules.{order,builtin,builtin.modinfo} "$lib/" &&
		cp -r "$from/kernel/drivers/vhost" "$lib/kernel/drivers/" &&
		cp "$from"/kernel/drivers/net/{tun,tap}.ko* "$lib/kernel/drivers/net/" &&
		depmod -b "$root" "$release"
}

# What there is, without the index.
sums()
{
	(cd "$root" && find . -type f ! -name 'modules.*' -print0 | sort -z | xargs -0 sha256sum)
}

# The files of vhost_net and the modules that it needs.
needed()
{
	modprobe -d "$root" -S "$release" --show-depends vhost_net | sed "s,^insmod $lib/,,; s/ *$//"
}

# count N PATTERN: so many of those are such.
count()
{
	[[ $(needed | grep -c "$2") -eq $1 ]]
}

# The installed modules are those of DIR.
same_as()
{
	local file

	for file in "$1"/*.ko; do
		cmp "$file" "$ours/${file##*/}" || return
	done
}

make_install()
{
	make -C "$repo" --no-print-directory modules_install >out 2>err
}

# fake NAME: modules for another kernel, in the directory NAME.
fake()
{
	cp -rL "$build/modules" "$1" && chmod u+w "$1"/*
}

make_kernel || bail_out "cannot make an installation of the kernel $release"
sums >before
ok "modprobe takes the distribution's modules" count 3 '^kernel/drivers/vhost/'

ok "make modules_install" make_install
ok "all that were built are there" same_as "$build/modules"
ok "modprobe prefers them" count 3 '^updates/vhost-iotlb/vhost.*\.ko$'
ok "and no others" count 0 '^kernel/drivers/vhost/'
sums | grep -v 'updates/vhost-iotlb/' >after
ok "the distribution's files are as before" cmp before after
ok "once more" make_install
ok "they are still preferred" count 3 '^updates/vhost-iotlb/'

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

ok "modules are switched in the VM" switch_in_vm
ok "which had the distribution's loaded" grep -qx stock switch.out
ok "a module in use stays" grep -qx 'in use' switch.out
ok "the distribution's are unloaded" grep -qx unloaded switch.out
ok "the patched ones are loaded from there" grep -qx patched switch.out
ok "with tracepoints" grep -qx vhost_iotlb_miss switch.out
ok "and iotlbd serves misses" grep -qx served switch.out

ok "make modules_uninstall" make -C "$repo" -s modules_uninstall
sums >after
ok "nothing is left of them" cmp before after
ok "nor a directory" test ! -e "$lib/updates"
ok "modprobe takes the distribution's again" count 3 '^kernel/drivers/vhost/'
ok "nothing to uninstall is no failure" make -C "$repo" -s modules_uninstall

fake other-version
echo "$version.1" >other-version/version
refuses "modules for another version of the headers" 1 "version $version.1, the headers" \
	"$repo/kernel/install" other-version

fake other-release
sed -i "s/vermagic=6\.12\./vermagic=6.99./" other-release/*.ko
refuses "modules for another kernel" 1 'are for kernel 6\.99\.' "$repo/kernel/install" other-release

mkdir -p "$root/var/lib/dpkg"
printf '%s\n' "Package: linux-image-$release" 'Status: install ok installed' 'Architecture: amd64' \
	'Maintainer: nobody' 'Description: kernel' "Version: $version.1" '' >"$root/var/lib/dpkg/status"
refuses "a kernel of another version" 1 "version $version.1 is installed" \
	"$repo/kernel/install" "$build/modules"
rm -r "${root:?}/var"

mkdir -p "$lib/updates/dkms"
cp "$build/modules/vhost.ko" "$lib/updates/dkms/"
refuses "modules of DKMS beside them" 1 'make dkms_uninstall' "$repo/kernel/install" "$build/modules"
rm -r "$lib/updates"

refuses "a directory without modules" 1 'no modules' "$repo/kernel/install" "$root"
refuses "an unknown option" 2 'unknown argument' "$repo/kernel/install" --remov
refuses "two directories" 2 Usage "$repo/kernel/install" a b
sums >after
ok "what is refused leaves nothing" cmp before after
plan
