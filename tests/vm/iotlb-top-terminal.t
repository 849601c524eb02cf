#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --timeout 900
#
# iotlb-top on a terminal, which tmux is: what is on the screen, to the letter;
# keys; sizes; and how it leaves the terminal, whatever ends it.
#
# With UPDATE_GOLDEN=1, screens are written to tests/vm/golden, not compared:
#	tests/vm/run --env UPDATE_GOLDEN=1 tests/vm/iotlb-top-terminal.t

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$here/tap.sh"

# Primes, so that no other count is the same by accident: packets of the two
# devices, each with a buffer of its own. A ring has three pages more.
readonly many=197 few=97

export TMUX_TMPDIR=$PWD

# As large as it is told, whether anybody looks on or not.
new_terminal()
{
	tmux -f /dev/null new-session -d -x 80 -y 24 "PS1='\$ ' bash --norc --noprofile" &&
		tmux set-option -g window-size manual
}

# The screen; -e: with styles
screen()
{
	tmux capture-pane -p "$@"
}

shows()
{
	grep -qF -- "$1" < <(screen)
}

# on_line NUMBER PATTERN: from 1
on_line()
{
	grep -q -- "$2" < <(screen | sed -n "$1p")
}

# type KEY...: as tmux calls them
type_keys()
{
	tmux send-keys "$@"
}

# start VARIABLES INTERVAL [REDIRECTION]: until it is on the screen
start()
{
	type_keys "clear; stty -g >before; $1 $build/iotlb-top $2 ${3:-}; echo status \$? >status" Enter
	wait_for shows 'q quit' && top=$(pidof iotlb-top)
}

# as_before: it has ended, and the terminal is as it was. Only a shell that reads
# its commands can say so.
as_before()
{
	wait_for test -s status &&
		type_keys 'stty -g >after' Enter && wait_for test -s after &&
		# The shell's own modes are those for the line that is typed.
		cmp before after && not shows 'q quit'
}

# ends_as STATUS: so has it ended, and left the terminal
ends_as()
{
	as_before && grep -qx "status $1" status && rm status after before
}

# Times, processes, latencies, and how often a ring was looked up, vary.
mask()
{
	sed -E 's/[0-9]{2}:[0-9]{2}:[0-9]{2}/hh:mm:ss/
		s/[0-9.]+ s; by/N s; by/
		s/^(miss\/s) {1,4}[^ ]+ /\1     N /' | awk '
		function hide(name, width,	end) {
			end = index(heading, name " ") + length(name) - 1
			if (end >= width)
				$0 = substr($0, 1, end - width) \
					substr("#######", 1, width) substr($0, end + 1)
		}
		/ PID / { heading = $0 " "; rows = 1; print; next }
		rows && /iotlb-be/ {
			hide("PID", 7); hide("LOOK", 4); hide("META", 4)
			hide("P50", 4); hide("P99", 4)
		}
		{ print }'
}

# golden NAME: is that what is on the screen?
golden()
{
	local file=$here/golden/iotlb-top-$1.txt

	screen | mask >screen.masked
	if [[ -n ${UPDATE_GOLDEN:-} ]]; then
		cp screen.masked "$file"
	else
		diff -u "$file" screen.masked | sed 's/^/# /'
		cmp -s "$file" screen.masked
	fi
}

bench()
{
	"$build/iotlb-bench" -q -t 600 --direction tx -m sweep -n "$1" >bench.out 2>bench.err
}

# Sum of the numbers of misses in the histogram
histogram_sum()
{
	screen | awk '/us +[0-9]+  #/ { sum += $4 } END { print sum + 0 }'
}

# The process has slept all the time.
is_idle()
{
	local before

	before=$(grep _switches "/proc/$top/status")
	sleep 2
	[[ $(grep _switches "/proc/$top/status") == "$before" ]]
}

has_style()
{
	grep -q $'\033\\[' < <(screen -e)
}

# first_misses NUMBER: of the first line of the table
first_misses()
{
	[[ $(screen | awk '/ MISS / { for (i = 1; i <= NF; i++) if ($i == "MISS") n = i }
		/iotlb-be/ { print $n; exit }') == "$1" ]]
}

test_screen()
{
	ok 'it is there before the first sample' start LANG=C.UTF-8 3600
	ok 'and claims nothing' golden waiting
	ok 'it sleeps while it waits' is_idle
	bench $many
	bench $few
	type_keys Space
	ok 'it freezes, even before it has a sample' not shows 'MISS'
	type_keys Space t
	ok 'it goes on with a sample' wait_for shows 't rates'
	ok '80x24' golden 80x24

	type_keys r
	wait_for shows ', reverse'
	ok 'r: the other way round' first_misses $((few + 3))
	type_keys r '>'
	ok '>: the next column' wait_for on_line 2 'by hit;'
	type_keys Left '<'
	ok '<: the one before' wait_for on_line 2 'by lookups;'
	type_keys '>' v
	wait_for shows 'v queues'
	ok 'v: a line is a device' golden devices
	type_keys v l
	ok 'l: latencies' wait_for shows 'FROM MISS TO ANSWER'
	ok 'l: one for each miss' [ "$(histogram_sum)" = $((many + few + 6)) ]
	type_keys l '?'
	wait_for shows 'Any key goes back'
	ok '?: help' golden help
	type_keys x

	tmux resize-window -x 200 -y 50
	ok 'it grows' wait_for shows 'FALLBACK'
	wait_for on_line 50 '^q quit'
	ok '200x50' golden 200x50
	type_keys / benchmark
	ok '/: what there is not' wait_for shows ' 0 devices '
	type_keys Escape
	ok 'Escape: all' wait_for shows ' 2 devices '
	type_keys / "$(screen | awk '/iotlb-bench/ { pid = $1 } END { print pid }')" Enter
	ok '/: the pid of the second' wait_for shows ' 1 device '
	ok '/: its misses' first_misses $((few + 3))
	tmux resize-window -x 20 -y 6
	ok 'it shrinks' wait_for on_line 6 '^q quit'
	tmux resize-window -x 80 -y 24
	ok 'and grows' wait_for on_line 24 '^q quit'
	ok 'it has styles' has_style
	type_keys q
	ok 'q: a good end' ends_as 0
	ok 'it shows what happened in all' shows 'In all '
}

test_plain()
{
	start 'LANG=C NO_COLOR=1' 3600
	bench $few
	type_keys Space Space
	wait_for shows 'iotlb-be'
	ok 'NO_COLOR: no styles' not has_style
	ok 'not UTF-8: ASCII' on_line 4 '#'
	ok 'not UTF-8: nothing else' not grep -qP '[^\x00-\x7F]' <(screen)
	type_keys C-c
	ok 'Ctrl-C is a good end' ends_as 0
}

# Standard input is something else; and all that is sent to the terminal is kept.
test_output()
{
	start LANG=C.UTF-8 0.2 '</dev/null'
	tmux pipe-pane 'cat >sent'
	wait_for shows 'devices'
	wait_for test -s sent
	sleep 2
	ok 'the screen is not cleared to be drawn' not grep -q $'\033\\[[23]\\?J' sent
	type_keys h
	ok 'keys come from the terminal all the same' wait_for shows 'Any key goes back'
	tmux pipe-pane
	kill -TERM "$top"
	ok 'SIGTERM is a good end' ends_as 0
}

test_crashes()
{
	start LANG=C.UTF-8 3600
	kill -SEGV "$top"
	ok 'the terminal survives a crash' ends_as 139
	start LANG=C.UTF-8 3600
	tmux kill-server
	ok 'it ends with its terminal' wait_for not alive "$top"
	new_terminal
}

# With job control, it would be stopped if it touched the terminal.
test_background()
{
	type_keys "clear; $build/iotlb-top -n 2 0.2 & wait \$!; echo status \$? >status" Enter
	ok 'in the background it shows tables' wait_for grep -qx 'status 0' status
	ok 'one after the other' [ "$(screen | grep -c ' PID ')" -eq 3 ]
	rm -f status
}

test_unknown()
{
	type_keys "TERM=nonsense $build/iotlb-top 3600 2>err; echo status \$? >status" Enter
	ok 'a terminal that is not known: it says so' \
		wait_for grep -q 'cannot use a terminal of type nonsense' err
	wait_for grep -qx 'status 1' status
	ok 'and fails' grep -qx 'status 1' status
}

new_terminal || bail_out "tmux does not start"
test_screen
test_plain
test_output
test_crashes
test_background
test_unknown
tmux kill-server
plan
