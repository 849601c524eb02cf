# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the recipes for perf have in common. A recipe sets $me, defines usage(),
# sources this and calls parse "$@"; what is to be watched is then in $watched.

# shellcheck disable=SC2154,SC2034 # variables from and for the recipes

die()
{
	echo "$me: $*" >&2
	exit 1
}

usage_error()
{
	echo "$me: $*; see $me --help" >&2
	exit 2
}

# parse ARG...: --help, or the command to be run.
parse()
{
	case ${1-} in
	-h | --help)
		usage
		exit 0
		;;
	--) shift ;;
	-*) usage_error "unknown option $1" ;;
	esac
	# perf ends with its command; without one, on Ctrl-C.
	watched=("$@")

	command -v perf >/dev/null ||
		die "there is no perf; install the package linux-perf"
	[[ $(id -u) == 0 ]] ||
		die "not allowed to trace the kernel; run this as root"
	[[ -d /sys/kernel/tracing/events ]] ||
		die "tracefs is not mounted; do: mount -t tracefs tracefs /sys/kernel/tracing"
	[[ -d /sys/kernel/tracing/events/vhost ]] ||
		die "this vhost has no IOTLB tracepoints; load the patched modules, see README"
}
