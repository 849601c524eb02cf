# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# How the guest is told what to do, and heard; see init for what it understands.
# To be sourced.

# shellcheck disable=SC2154 # reply is set by hear, dir by whoever sources this

# tell LINE
tell()
{
	echo "$*" >"$GUEST_CONTROL.in"
}

# hear SECONDS: sets `reply` to the guest's next line. If there is none in that
# time, or will be none, fails, and `reply` says why. A kernel that dies later than
# when it boots for the first time boots again, and that will be what it says.
hear()
{
	local end=$((SECONDS + $1 * ${VM_TIMEOUT_FACTOR:-1})) part

	reply=
	# In pieces, to see whether there is still a guest.
	until IFS= read -r -t 2 part; do
		reply+=$part
		if ! kill -0 "$GUEST_PID" 2>/dev/null; then
			reply="the guest's QEMU has ended"
		elif [[ -z ${GUEST_IOMMU:-} ]] && grep -q 'Kernel panic' "$GUEST_CONSOLE"; then
			reply="the guest's kernel has died"
		elif [[ $SECONDS -ge $end ]]; then
			reply="the guest has said nothing for $1 s"
		else
			continue
		fi
		return 1
	done <>"$GUEST_CONTROL.out"
	reply+=$part
}

# hear_word SECONDS WORD: sets `reply` to what follows WORD in the next line, and
# fails if the line does not begin with it.
hear_word()
{
	hear "$1" || return
	if [[ $reply != "$2" && $reply != "$2 "* ]]; then
		reply="the guest says: $reply"
		return 1
	fi
	reply=${reply#"$2"}
	reply=${reply# }
}
