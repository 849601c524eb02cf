// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <string.h>

#include "screen.h"

/* The column on the screen to the left or right; any, if that sorted by is not
 * on the screen.
 */
static void move_sort(struct screen *screen, int step)
{
	unsigned int i;

	if (!screen->nr_sorts)
		return;
	for (i = 0; i < screen->nr_sorts; i++)
		if (screen->sorts[i] == screen->sort)
			break;
	if (i == screen->nr_sorts)
		i = 0;
	else
		i = (i + screen->nr_sorts + step) % screen->nr_sorts;
	screen->sort = screen->sorts[i];
}

static void scroll_by(struct screen *screen, unsigned int lines, bool up)
{
	if (!up)
		screen->scroll += lines;
	else
		screen->scroll -= lines < screen->scroll ? lines : screen->scroll;
}

static void set_filter(struct screen *screen, size_t length)
{
	screen->filter[length] = '\0';
	screen->scroll = 0;
	/* What is in it was about other devices. */
	history_clear(&screen->history);
}

static void edit(struct screen *screen, int key)
{
	size_t length = strlen(screen->filter);

	if (key == SCREEN_ENTER) {
		screen->editing = false;
	} else if (key == SCREEN_ESCAPE) {
		screen->editing = false;
		set_filter(screen, 0);
	} else if (key == SCREEN_BACKSPACE) {
		if (length)
			set_filter(screen, length - 1);
	} else if (key < 128 && isprint(key) && length + 1 < sizeof(screen->filter)) {
		screen->filter[length] = (char)key;
		set_filter(screen, length + 1);
	}
}

static void toggle(bool *what)
{
	*what = !*what;
}

static void toggle_by(struct screen *screen, enum table_by by)
{
	screen->by = screen->by == by ? TABLE_BY_QUEUE : by;
	screen->scroll = 0;
}

enum view_wish screen_key(struct screen *screen, int key)
{
	if (screen->editing) {
		edit(screen, key);
		return VIEW_GO_ON;
	}
	if (screen->help && key != 'q') {
		screen->help = false;
		return VIEW_GO_ON;
	}

	switch (key) {
	case 'q':
		return VIEW_QUIT;
	case ' ':
		toggle(&screen->frozen);
		/* What has happened meanwhile. */
		return screen->frozen ? VIEW_GO_ON : VIEW_SAMPLE;
	case '<':
	case SCREEN_LEFT:
		move_sort(screen, -1);
		break;
	case '>':
	case SCREEN_RIGHT:
		move_sort(screen, 1);
		break;
	case SCREEN_UP:
		scroll_by(screen, 1, true);
		break;
	case SCREEN_DOWN:
		scroll_by(screen, 1, false);
		break;
	case SCREEN_PAGE_UP:
		scroll_by(screen, screen->page, true);
		break;
	case SCREEN_PAGE_DOWN:
		scroll_by(screen, screen->page, false);
		break;
	case SCREEN_HOME:
		screen->scroll = 0;
		break;
	case 'r':
		toggle(&screen->reverse);
		break;
	case 'v':
		toggle_by(screen, TABLE_BY_DEVICE);
		break;
	case 'p':
		toggle_by(screen, TABLE_BY_SPACE);
		break;
	case 't':
		toggle(&screen->total);
		break;
	case 'l':
		toggle(&screen->latency);
		break;
	case 'h':
	case '?':
		screen->help = true;
		break;
	case '/':
		screen->editing = true;
		break;
	case SCREEN_ESCAPE:
		set_filter(screen, 0);
		break;
	}
	return VIEW_GO_ON;
}
