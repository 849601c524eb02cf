#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# host
#
# Completion offers every option of every program.

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"
# shellcheck source-path=SCRIPTDIR source=../../completions/iotlb.bash
. "$repo/completions/iotlb.bash"

programs=("$build"/iotlbd "$build"/iotlb-* "$build"/iotlbctl)

# all_options PROGRAM: long and short ones, as another reader of --help sees them
all_options()
{
	"$1" --help | grep -oE '^ +-.*' | sed -E 's/  +[^- ].*//' | grep -oE -- '(^|[ ,])--?[a-zA-Z0-9?-]+' |
		tr -d ' ,'
}

# reply PROGRAM WORD...: what bash would offer for the last word
reply()
{
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_iotlb "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
	printf '%s\n' "${COMPREPLY[@]}"
}

# offers_all PROGRAM: "--" and "-" lead to each of them
offers_all()
{
	local option all

	all=$(all_options "$1")
	[[ $(wc -l <<<"$all") -gt 5 ]] || return
	for option in $all; do
		grep -qxF -- "$option" < <(reply "$1" - | sed 's/=$//') && continue
		echo "# $option is missing"
		return 1
	done
}

is_completed()
{
	complete -p "$1" >/dev/null 2>&1
}

# value_is PROGRAM WORD... WANTED: what is offered, sorted
value_is()
{
	local wanted=${!#}

	[[ $(reply "${@:1:$#-1}" | sort | xargs) == "$wanted" ]]
}

# zsh_shows TEXT KEYS: after this was typed
zsh_shows()
{
	tmux send-keys -- "$2" Tab
	wait_for zsh_has "$1"
}

zsh_has()
{
	grep -qF -- "$1" < <(tmux capture-pane -p)
}

# zsh_offers_all PROGRAM: it lists all of them if there are many
zsh_offers_all()
{
	local option

	tmux send-keys C-u C-l
	tmux send-keys -- "$(basename "$1") --" Tab
	wait_for zsh_has --usage || return
	for option in $(all_options "$1" | grep -e '^--'); do
		wait_for zsh_has "$option" && continue
		echo "# $option is missing"
		return 1
	done
}

ok 'bash understands it' bash -n "$repo/completions/iotlb.bash"
for program in "${programs[@]}"; do
	name=$(basename "$program")
	ok "bash: $name" is_completed "$name"
	ok "bash: $name: every option" offers_all "$program"
done
ok 'bash: values, after an equals sign' \
	value_is "$build/iotlb-bench" --direction = 'both rx tx' 2>/dev/null
ok 'bash: values that have begun' value_is "$build/iotlb-bench" --direction = r rx
ok 'bash: values of a short option' value_is "$build/iotlb-bench" -S k kernel
ok 'bash: what is sorted by' value_is "$build/iotlb-top" --sort = p 'p50 p99 pid'
touch afile
ok 'bash: files' value_is "$build/iotlbd" --table = afi afile

ok 'bash: commands' value_is "$build/iotlbctl" de 'detach devices'
ok 'bash: commands, behind an option' value_is "$build/iotlbctl" --json un unbind
ok 'bash: a command of two words' value_is "$build/iotlbctl" page page-requests
ok 'bash: answers' value_is "$build/iotlbctl" page-requests --answer = 'failure invalid success'
ok 'bash: one command is enough' value_is "$build/iotlbctl" bind un ''

export TMUX_TMPDIR=$PWD
tmux -f /dev/null new-session -d -x 150 -y 100 'zsh -f' || bail_out 'tmux or zsh does not start'
tmux send-keys "fpath=($repo/completions \$fpath); autoload -U compinit; compinit -D -u" Enter
tmux send-keys "path=($build \$path); LISTMAX=1000; PROMPT='> '" Enter
for program in "${programs[@]}"; do
	ok "zsh: $(basename "$program"): every option" zsh_offers_all "$program"
done
tmux send-keys C-u C-l
ok 'zsh: what is sorted by' zsh_shows p50 'iotlb-top --sort=p'
tmux send-keys C-u C-l
ok 'zsh: commands' zsh_shows unbind 'iotlbctl '
tmux kill-server
plan
