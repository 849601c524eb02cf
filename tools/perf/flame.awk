# SPDX-License-Identifier: GPL-2.0
#
# Draws a flame graph, as SVG, of what fold.awk has written and sort has sorted.
# Variable: title.

BEGIN {
	FS = "\t"
	width = 1200
	height = 17
	split("", names)
}

function escape(text)
{
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	gsub(/>/, "\\&gt;", text)
	return text
}

# A box is open as long as the stacks that follow go through it.
function close_boxes(depth,    d)
{
	for (d = open; d > depth; d--) {
		boxes++
		level[boxes] = d
		first[boxes] = start[d]
		last[boxes] = total
		name[boxes] = names[d]
	}
	open = depth
}

{
	n = split($1, stack, ";")
	same = 0
	while (same < n && same < open && stack[same + 1] == names[same + 1])
		same++
	close_boxes(same)
	for (d = same + 1; d <= n; d++) {
		names[d] = stack[d]
		start[d] = total
	}
	open = n
	if (n > deepest)
		deepest = n
	total += $2
}

END {
	close_boxes(0)
	bottom = (deepest + 2) * height
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" ", width, bottom + height
	print "font-family=\"monospace\" font-size=\"11\">"
	printf "<text x=\"4\" y=\"13\">%s: %d</text>\n", escape(title), total
	for (i = 1; i <= boxes; i++) {
		x = first[i] * width / total
		w = (last[i] - first[i]) * width / total
		y = bottom - level[i] * height
		printf "<g><title>%s: %d of %d</title>", escape(name[i]), last[i] - first[i], total
		printf "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" ", x, y, w, height - 1
		printf "fill=\"hsl(%d,80%%,70%%)\"/>", 20 + level[i] * 37 % 40
		# As many characters as fit.
		if (w > 20)
			printf "<text x=\"%.1f\" y=\"%d\">%s</text>", x + 2, y + 12,
				escape(substr(name[i], 1, int((w - 4) / 6.7)))
		print "</g>"
	}
	print "</svg>"
}
