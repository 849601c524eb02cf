# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts share: messages, and a cache of things that are costly to
# make. Source it after setting `me` to the name that messages begin with.

# A failure within $(...) ends the script too.
set -euo pipefail
shopt -s inherit_errexit

say()
{
	printf '%s: %s\n' "${me:?}" "$*" >&2
}

die()
{
	say "$@"
	exit 1
}

# cache_root: the directory that holds all entries.
cache_root()
{
	# Build daemons and containers run without HOME.
	local home=${HOME:-}

	[[ -n $home ]] || home=$(getent passwd "$(id -u)" | cut -d: -f6)
	printf '%s\n' "${XDG_CACHE_HOME:-${home:-/root}/.cache}/vhost-iotlb"
}

# cache_get NAME COMMAND [ARG...]: prints the directory of the entry NAME.
#
# If there is none, runs COMMAND ARG... DIR to fill an empty DIR. The entry
# appears under its name only when COMMAND has succeeded, so that an
# interrupted run leaves no half entry; of several runs one makes it and the
# others wait. NAME has to contain whatever the content depends on.
#
# Not to be called in a condition (if, ||, &&): bash would then carry on after
# failures within COMMAND.
cache_get()
{
	local name=$1 root dir
	shift

	root=$(cache_root)
	dir=$root/$name
	if [[ ! -d $dir ]]; then
		mkdir -p "$root" || die "cannot create the cache directory $root; set XDG_CACHE_HOME to a writable directory"
		(
			cache_lock "$root/$name.lock" "$name"
			[[ -d $dir ]] || cache_fill "$root" "$name" "$@"
		) 1>&2
	fi
	printf '%s\n' "$dir"
}

# The lock lives as long as the subshell that takes it, however that ends.
# Commands that outlive it must not inherit descriptor 9.
cache_lock()
{
	exec 9>"$1" || die "cannot write $1; set XDG_CACHE_HOME to a writable directory"
	flock -n 9 && return
	say "waiting for another run that makes $2"
	flock 9
}

cache_fill()
{
	local root=$1 name=$2 tmp
	shift 2

	# Whoever left these behind is dead: this run has the lock.
	rm -rf "$root/.$name".??????
	tmp=$(mktemp -d "$root/.$name.XXXXXX")
	# shellcheck disable=SC2064 # the value of now is meant
	trap "rm -rf '$tmp'" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	"$@" "$tmp"
	chmod 755 "$tmp"
	mv -T "$tmp" "$root/$name"
}
