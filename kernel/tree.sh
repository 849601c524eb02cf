# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The patched vhost: a copy of the parts of the kernel source that the series
# touches, the patches on top of it, and the modules that come of it. Source
# it after scripts/cache.sh.

kernel_dir=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# series_dir: the directory with the patches for the kernel base.
series_dir()
{
	local release
	release=$("$kernel_dir/base" release)
	# 6.12 of 6.12.117+deb12-amd64, and of 6.12.115+deb13.1-amd64
	[[ $release =~ ^[0-9]+\.[0-9]+ ]]
	printf '%s/patches/%s\n' "$kernel_dir" "${BASH_REMATCH[0]}"
}

# tree_new DIR: makes DIR the unpatched tree.
tree_new()
{
	local source
	source=$("$kernel_dir/base" source)
	mkdir -p "$1"/{drivers,include/uapi/linux,Documentation/virt}
	cp -r "$source/drivers/vhost" "$1/drivers/"
	cp "$source"/include/uapi/linux/vhost{,_types}.h "$1/include/uapi/linux/"
	cp "$source/MAINTAINERS" "$1/"
	cp "$source/Documentation/virt/index.rst" "$1/Documentation/virt/"
}

# tree_patch DIR PATCH: applies PATCH without fuzz.
tree_patch()
{
	patch -d "$1" -p1 -s -F0 --no-backup-if-mismatch <"$2" ||
		die "$2 does not apply to the source of $("$kernel_dir/base" release); the series is for the kernel that kernel/base names"
}

# tree_mark DIR: has the modules say in their versions that they are patched:
# 0.0.1+iotlb. DKMS does not install a module whose version there is already,
# and having none counts as one.
tree_mark()
{
	local file

	for file in "$1"/drivers/vhost/*.c; do
		if ! grep -q '^MODULE_LICENSE' "$file"; then
			continue
		elif ! grep -q '^MODULE_VERSION' "$file"; then
			echo 'MODULE_VERSION("0.0.1+iotlb");' >>"$file"
		else
			sed -Ei 's/^(MODULE_VERSION\(|#define MOD_VERSION +)"([0-9.]+)"/\1"\2+iotlb"/' "$file"
		fi
	done
}

# tree_build DIR [ARG...]: builds the modules within DIR/drivers/vhost. The
# headers in DIR come before those of the kernel.
tree_build()
{
	local release dir=$1
	shift
	release=$("$kernel_dir/base" release)
	make -s -C "/usr/src/linux-headers-$release" -j "$(nproc)" \
		M="$dir/drivers/vhost" \
		NOSTDINC_FLAGS="-nostdinc -I$dir/include/uapi" "$@" modules
}
