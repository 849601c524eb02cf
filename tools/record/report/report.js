// SPDX-License-Identifier: GPL-2.0
// Shows the values at the pointer. The report has all else without it.
'use strict';
(() => {
	const tip = document.createElement('div');
	tip.id = 'tip';
	tip.hidden = true;
	document.body.append(tip);

	const seconds = s => s < 10 ? s.toFixed(3) + ' s' : s.toFixed(1) + ' s';

	// The panel of this chart that the point is in.
	const panelAt = (svg, x, y) => [...svg.querySelectorAll('.plot')].find(plot => {
		const d = plot.dataset;
		return x >= +d.x && x <= +d.x + +d.w && y >= d.y - 2 && y <= +d.y + +d.h + 2;
	});

	// Values follow the panel that they belong to, or come before it.
	const inPanel = (plot, row) => row.dataset.y === undefined ||
		(+row.dataset.y >= plot.dataset.y - 1 &&
		 +row.dataset.y < +plot.dataset.y + +plot.dataset.h + 1);

	const lines = (svg, plot, t, y) => {
		const text = [seconds(t)];
		const panels = [...svg.querySelectorAll('.plot')];
		for (const e of svg.querySelectorAll('.values')) {
			const before = panels.filter(p =>
				p.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING);
			if (before[before.length - 1] !== plot)
				continue;
			const v = e.dataset.v.split(',')[Math.floor(t / e.dataset.b)];
			text.push(e.dataset.n + ': ' + (v ? (+v).toLocaleString('en') + e.dataset.u : '–'));
		}
		for (const e of svg.querySelectorAll('.row')) {
			const top = +e.dataset.y;
			if (!inPanel(plot, e) || y < top || y >= top + +e.dataset.h)
				continue;
			const column = Math.floor(t / e.dataset.b) + ':';
			const cell = e.dataset.v.split(' ').find(c => c.startsWith(column));
			text.push(e.dataset.n, cell ? (+cell.split(':')[1]).toLocaleString('en') : '0');
		}
		return text.join('\n');
	};

	for (const svg of document.querySelectorAll('.chart svg')) {
		const cursor = document.createElementNS('http://www.w3.org/2000/svg', 'path');
		cursor.setAttribute('class', 'cursor');
		svg.append(cursor);
		svg.addEventListener('pointermove', event => {
			const at = new DOMPoint(event.clientX, event.clientY)
				.matrixTransform(svg.getScreenCTM().inverse());
			const plot = panelAt(svg, at.x, at.y);
			tip.hidden = !plot;
			cursor.setAttribute('d', '');
			if (!plot)
				return;
			const d = plot.dataset;
			const t = (at.x - d.x) / d.w * d.t;
			tip.textContent = lines(svg, plot, t, at.y);
			cursor.setAttribute('d', `M${at.x} ${d.y}v${d.h}`);
			const left = event.pageX + 16;
			const width = document.documentElement.clientWidth;
			tip.style.left = Math.max(0, Math.min(left, width - tip.offsetWidth - 8)) + 'px';
			tip.style.top = event.pageY + 16 + 'px';
		});
		svg.addEventListener('pointerleave', () => {
			tip.hidden = true;
			cursor.setAttribute('d', '');
		});
	}

	// On paper all is open but the long tables.
	addEventListener('beforeprint', () => {
		for (const e of document.querySelectorAll('details:not(.numbers)'))
			e.open = true;
	});
})();
