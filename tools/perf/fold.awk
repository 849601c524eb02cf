# SPDX-License-Identifier: GPL-2.0
#
# Folds the call stacks that "perf script -F comm,ip,sym" prints: a line for each
# stack, thread;caller;...;function, a tab, and how often it was there.

function end()
{
	if (thread != "")
		count[thread stack]++
	thread = stack = ""
}

# The threads of a device's workers have its owner's number in their names.
/^[^ \t]/ {
	end()
	thread = $0
	sub(/[ \t]+$/, "", thread)
	sub(/^vhost-[0-9]+$/, "vhost", thread)
	next
}

NF == 0 {
	end()
	next
}

# Innermost first.
{
	name = $2 == "" ? "?" : $2
	stack = ";" name stack
}

END {
	end()
	for (line in count)
		print line "\t" count[line]
}
