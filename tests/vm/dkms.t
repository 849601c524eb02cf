#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# host
#
# What make dkms_install gives to DKMS: DKMS builds and installs it, and the
# kernel loads it; other kernels are refused, and nothing is left of them.

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=module_tree.sh
. "$here/module_tree.sh"

# in_tree COMMAND [ARG]...: DKMS with all of its places in the tree, the key that
# it signs with, too. depmod would work on the real ones.
in_tree()
{
	mok_signing_key=$root/mok.key mok_certificate=$root/mok.pub \
		dkms "$@" --sourcetree "$root/usr/src" --dkmstree "$root/dkms" \
		--installtree "$root/lib/modules" --no-depmod >out 2>err
}

# refuses_build WHAT PATTERN RELEASE: nothing is built, and it is said why.
refuses_build()
{
	local what=$1 pattern=$2

	ok "refuses to build for $what" not in_tree build "vhost-iotlb/$series" -k "$3"
	cat out err "$root/dkms/vhost-iotlb/$series/build/make.log" 2>/dev/null >said
	ok "says why" grep -q "$pattern" said
	ok "builds nothing" test ! -e "$root/dkms/vhost-iotlb/$series/$3"
}

# The database of packages, but with another version of the source.
other_source()
{
	mkdir "$1" && cp -r /var/lib/dpkg/{status,info,updates} "$1/" &&
		sed -i '/^Package: linux-source-6.12$/,/^$/s/^Version: .*/&.1/' "$1/status"
}

installed()
{
	local module

	for module in vhost{_iotlb,,_net,_vsock,_scsi,_vdpa}; do
		[[ $(modinfo -F version "$lib/updates/dkms/$module".ko*) == *+iotlb ]] || return
	done
}

command -v dkms >/dev/null || bail_out "dkms is not installed; run make deps"
make_kernel || bail_out "cannot make an installation of the kernel $release"
mkdir "$root/dkms"
sums >before

ok "make dkms_install copies to DESTDIR" make -C "$repo" -s dkms_install DESTDIR="$root"
series=$(basename "$root"/usr/src/vhost-iotlb-*)
series=${series#vhost-iotlb-}
ok "DKMS takes it" in_tree add "vhost-iotlb/$series"

refuses_build "another series of kernels" BUILD_EXCLUSIVE 6.1.0-1-amd64
refuses_build "another flavour" BUILD_EXCLUSIVE "${release%-amd64}-cloud-amd64"
other_source dpkg || bail_out "cannot copy the database of packages"
DPKG_ADMINDIR=$PWD/dpkg refuses_build "a source of another version" \
	'kernel source and headers differ' "$release"

# Spares unpacking the source once more.
mkdir -p "$root/usr/src/vhost-iotlb-$series/cache/vhost-iotlb"
ln -s "$("$repo/kernel/base" source)" "$root/usr/src/vhost-iotlb-$series/cache/vhost-iotlb/"
ok "DKMS builds it" in_tree build "vhost-iotlb/$series" -k "$release"
ok "and installs it" in_tree install "vhost-iotlb/$series" -k "$release"
ok "with all modules" installed
depmod -b "$root" "$release"
ok "modprobe prefers them" needs 3 '^updates/dkms/vhost'
test_switch

ok "DKMS removes it" in_tree remove "vhost-iotlb/$series" --all
sums >after
ok "nothing is left of it" cmp before after
ok "make dkms_uninstall with DESTDIR" make -C "$repo" -s dkms_uninstall DESTDIR="$root"
ok "removes the copies" test -z "$(ls "$root/usr/src")"
plan
