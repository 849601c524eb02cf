# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion in bash, for all programs of this project. What there is to complete
# is read from their --help, so that it is what they know.

# _iotlb_options PROGRAM: all options, a line each; "--long=" if it takes a value
_iotlb_options()
{
	"$1" --help 2>/dev/null | sed -nE '
		/^ +-/!d
		# Help begins after two blanks.
		s/^ +(-.*)/\1/; s/  .*//
		s/\[=[^]]*\]//; s/=.*/=/
		s/, /\n/g; p'
}

# _iotlb_value PROGRAM OPTION: what its value is called there
_iotlb_value()
{
	"$1" --help 2>/dev/null |
		sed -nE "s/^ +(-., )?(--[a-z0-9-]+)\[?=([^] ]+).*/\1 \2 \3/p" |
		awk -v option="$2" '{ sub(",", "", $1); if ($1 == option || $(NF - 1) == option) print $NF }'
}

# The program itself knows what it sorts by.
_iotlb_keys()
{
	"$1" --sort= 2>&1 | sed -n 's/.*must be one of //p' | tr -d ','
}

# _iotlb_commands PROGRAM: what its first argument may be, if that is a command
_iotlb_commands()
{
	"$1" --help 2>/dev/null | sed -nE '/^Commands:/,/^$/s/^  ([a-z-]+) .*/\1/p'
}

# _iotlb_has_command PROGRAM: is one among the words before the current one?
_iotlb_has_command()
{
	local word

	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		! grep -qxF -- "$word" < <(_iotlb_commands "$1") || return 0
	done
	return 1
}

# _iotlb_complete_value PROGRAM OPTION CURRENT
_iotlb_complete_value()
{
	local value

	value=$(_iotlb_value "$1" "$2")
	case $value in
	'') return 1 ;;
	*'|'*) mapfile -t COMPREPLY < <(compgen -W "${value//|/ }" -- "$3") ;;
	KEY) mapfile -t COMPREPLY < <(compgen -W "$(_iotlb_keys "$1")" -- "$3") ;;
	PID) mapfile -t COMPREPLY < <(cd /proc && compgen -G "${3}[0-9]*") ;;
	*FILE* | *PATH* | DUMP* | SOCKET) mapfile -t COMPREPLY < <(compgen -f -- "$3") ;;
	# A number, and which one nobody knows.
	*) COMPREPLY=() ;;
	esac
}

# bash takes "=" for a word of its own.
_iotlb()
{
	local program=$1 current=$2 previous=$3

	if [[ $current == '=' ]]; then
		current=
	elif [[ $previous == '=' ]]; then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $previous == -* ]] && _iotlb_complete_value "$program" "$previous" "$current"; then
		return
	fi

	COMPREPLY=()
	if [[ $current != -* ]] && ! _iotlb_has_command "$program"; then
		mapfile -t COMPREPLY < <(compgen -W "$(_iotlb_commands "$program")" -- "$current")
		[[ ${#COMPREPLY[@]} -eq 0 ]] || return
	fi
	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_iotlb_options "$program")" -- "$current")
		[[ ${COMPREPLY[*]} != *= ]] || compopt -o nospace 2>/dev/null
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}

complete -F _iotlb iotlbd iotlb-bench iotlb-check iotlb-record iotlb-top iotlb-walk iotlbctl
