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
# shellcheck source-path=SCRIPTDIR source=module_tree.sh
. "$here/module_tree.sh"

ours=$lib/updates/vhost-iotlb
export INSTALL_MOD_PATH=$root

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
ok "modprobe takes the distribution's modules" needs 3 '^kernel/drivers/vhost/'

ok "make modules_install" make_install
ok "all that were built are there" same_as "$build/modules"
ok "modprobe prefers them" needs 3 '^updates/vhost-iotlb/vhost.*\.ko$'
ok "and no others" needs 0 '^kernel/drivers/vhost/'
sums | grep -v 'updates/vhost-iotlb/' >after
ok "the distribution's files are as before" cmp before after
ok "once more" make_install
ok "they are still preferred" needs 3 '^updates/vhost-iotlb/'

test_switch

ok "make modules_uninstall" make -C "$repo" -s modules_uninstall
sums >after
ok "nothing is left of them" cmp before after
ok "nor a directory" test ! -e "$lib/updates"
ok "modprobe takes the distribution's again" needs 3 '^kernel/drivers/vhost/'
# On the running system, which says how to go on.
# shellcheck disable=SC2016 # for the VM's shell
live='
	mount --bind "lib/modules/$(uname -r)" "/lib/modules/$(uname -r)" || exit
	do_as_told()
	{
		"$@" 2>said || exit
		eval "$(sed -n "s/^kernel.install:     //p" said)"
		cat /sys/module/vhost/version
	}
	cd "$(mktemp -d)"
	do_as_told "$1/kernel/install" "$1/build/modules"
	do_as_told "$1/kernel/install" --remove'

live_in_vm()
{
	(cd "$root" && "$repo/tests/vm/run" --stock -- bash -c "$live" live "$repo") >live.out 2>err
}

ok "in the VM, for itself" live_in_vm
ok "it says how to switch to them" grep -qx '.*+iotlb' <(sed -n 1p live.out)
ok "and back" grep -qx '[0-9.]*' <(sed -n 2p live.out)

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
