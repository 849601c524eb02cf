// SPDX-License-Identifier: GPL-2.0
// Appended to a report by tests/record/browser: points at all charts, and says
// in the page what it has found.
'use strict';
addEventListener('load', () => {
	const found = [];
	const root = document.documentElement;
	if (root.scrollWidth > root.clientWidth)
		found.push('wider than the window');
	for (const details of document.querySelectorAll('details'))
		details.open = true;
	for (const svg of document.querySelectorAll('.chart svg')) {
		for (const plot of svg.querySelectorAll('.plot')) {
			const d = plot.dataset;
			// Where something is, if that is known.
			const row = [...svg.querySelectorAll('.row')].find(e =>
				e.dataset.v && +e.dataset.y >= d.y - 1 && +e.dataset.y < +d.y + +d.h);
			const column = row ? +row.dataset.v.split(':')[0] + .5 : 0;
			const at = new DOMPoint(
				+d.x + (row ? column * row.dataset.b / d.t : .5) * d.w,
				row ? +row.dataset.y + row.dataset.h / 2 : +d.y + d.h / 2)
				.matrixTransform(svg.getScreenCTM());
			svg.dispatchEvent(new PointerEvent('pointermove', {clientX: at.x, clientY: at.y}));
			const lines = document.getElementById('tip').textContent.split('\n');
			if (document.getElementById('tip').hidden || lines.length < 2)
				found.push('nothing at the pointer in ' + svg.querySelector('title').textContent);
			if (row && lines[2] !== (+row.dataset.v.split(/[: ]/)[1]).toLocaleString('en'))
				found.push('wrong at the pointer: ' + lines.join(' | '));
		}
		for (const path of svg.querySelectorAll('path, rect'))
			if (/NaN|inf/.test(path.getAttribute('d')))
				found.push('a path without numbers');
		for (const text of svg.querySelectorAll('text')) {
			const box = text.getBBox();
			if (box.x < -1 || box.x + box.width > 961)
				found.push('text beyond the edge: ' + text.textContent);
		}
	}
	const result = document.createElement('pre');
	result.id = 'probe';
	result.textContent = found.length ? 'bad: ' + found.join('; ')
		: 'good: ' + document.querySelectorAll('.chart svg').length + ' charts';
	document.body.append(result);
});
