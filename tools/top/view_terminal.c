// SPDX-License-Identifier: GPL-2.0
/*
 * The screen on a terminal, with curses. What is on it comes from screen.c; this
 * only puts it there, and reads keys. Whatever happens, the terminal is left as
 * it was found.
 */
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <curses.h>

#include "log.h"
#include "print.h"
#include "rescue.h"
#include "screen.h"
#include "view.h"

#define PAIR_ALARM 1

/* A terminal sends the rest of a key's sequence at once. */
#define ESCAPE_MS 25

#define CTRL_L 12

/**
 * struct view - the terminal
 * @options:	how samples are shown
 * @screen:	what is chosen
 * @sample:	the latest one
 * @has_sample:	there is one
 * @terminal:	of curses, NULL once it has been left
 * @in:		where keys come from, NULL: nowhere
 * @own_in:	opened here
 * @styled:	colours and other styles are wanted
 */
struct view {
	struct view_options options;
	struct screen screen;
	struct top_sample sample;
	bool has_sample;
	SCREEN *terminal;
	FILE *in;
	bool own_in;
	bool styled;
};

/* Keys come from the terminal even if standard input does not. */
static void open_input(struct view *view)
{
	if (isatty(STDIN_FILENO)) {
		view->in = stdin;
		return;
	}
	view->in = fopen("/dev/tty", "re");
	view->own_in = view->in;
}

static bool enter(struct view *view)
{
	FILE *out = view->options.out;

	rescue_prepare(fileno(out));
	view->terminal = newterm(NULL, out, view->in ? view->in : stdin);
	if (!view->terminal) {
		rescue_end();
		log_error("cannot use a terminal of type %s: it is not known here; set TERM, or "
			  "use --batch",
			  getenv("TERM"));
		return false;
	}
	rescue_terminal_known();
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	if (view->styled && has_colors()) {
		start_color();
		use_default_colors();
		init_pair(PAIR_ALARM, COLOR_RED, -1);
	}
	return true;
}

static void leave(struct view *view)
{
	if (!view->terminal)
		return;
	endwin();
	delscreen(view->terminal);
	view->terminal = NULL;
	rescue_end();
}

static attr_t style_of(const struct view *view, enum screen_style style)
{
	if (!view->styled)
		return A_NORMAL;
	switch (style) {
	case SCREEN_HEADING:
		return A_REVERSE;
	case SCREEN_ALARM:
		return A_BOLD | (has_colors() ? COLOR_PAIR(PAIR_ALARM) : 0);
	case SCREEN_PLAIN:
		break;
	}
	return A_NORMAL;
}

/* Curses sends only what has changed. */
static void draw(struct view *view)
{
	struct screen_lines lines = {.width = COLS, .height = LINES};
	unsigned int i;

	if (screen_make(&view->screen, view->has_sample ? &view->sample : NULL, &lines))
		return;
	erase();
	for (i = 0; i < lines.count; i++) {
		attrset(style_of(view, lines.lines[i].style));
		mvaddstr((int)i, 0, lines.lines[i].text);
	}
	attrset(A_NORMAL);
	refresh();
	screen_lines_free(&lines);
}

static void close_input(struct view *view)
{
	if (view->own_in)
		fclose(view->in);
	view->own_in = false;
	view->in = NULL;
}

static void terminal_close(struct view *view)
{
	leave(view);
	close_input(view);
	free(view);
}

static struct view *terminal_open(const struct view_options *options)
{
	const char *no_color = getenv("NO_COLOR");
	struct view *view = calloc(1, sizeof(*view));

	if (!view) {
		log_error("out of memory");
		return NULL;
	}
	setlocale(LC_CTYPE, "");
	view->options = *options;
	view->styled = !no_color || !no_color[0];
	view->screen = (struct screen){
		.sort = options->sort,
		.by = options->by,
		.rows = options->rows,
		.timestamps = options->timestamps,
		.interval = options->interval,
		.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8"),
	};
	open_input(view);
	if (!enter(view)) {
		terminal_close(view);
		return NULL;
	}
	draw(view);
	return view;
}

static int terminal_input(const struct view *view)
{
	return view->in ? fileno(view->in) : -1;
}

static int key_of(int code)
{
	switch (code) {
	case KEY_LEFT:
		return SCREEN_LEFT;
	case KEY_RIGHT:
		return SCREEN_RIGHT;
	case KEY_UP:
		return SCREEN_UP;
	case KEY_DOWN:
		return SCREEN_DOWN;
	case KEY_PPAGE:
		return SCREEN_PAGE_UP;
	case KEY_NPAGE:
		return SCREEN_PAGE_DOWN;
	case KEY_HOME:
		return SCREEN_HOME;
	case KEY_ENTER:
	case '\n':
	case '\r':
		return SCREEN_ENTER;
	case KEY_BACKSPACE:
	case '\b':
	case 127:
		return SCREEN_BACKSPACE;
	case 27:
		return SCREEN_ESCAPE;
	default:
		return code < 128 ? code : 0;
	}
}

/* It can be read, and there is nothing: that would be so again and again. */
static bool input_ended(const struct view *view)
{
	int bytes = 0;

	return ioctl(fileno(view->in), FIONREAD, &bytes) || !bytes;
}

static enum view_wish terminal_key(struct view *view)
{
	enum view_wish wish = VIEW_GO_ON, wanted;
	int code;

	if (input_ended(view)) {
		close_input(view);
		return VIEW_GO_ON;
	}
	while (wish != VIEW_QUIT && (code = getch()) != ERR) {
		wanted = VIEW_GO_ON;
		if (code == CTRL_L)
			clearok(curscr, TRUE);
		else
			wanted = screen_key(&view->screen, key_of(code));
		if (wanted > wish)
			wish = wanted;
	}
	/* A new sample will be drawn anyway. */
	if (wish == VIEW_GO_ON)
		draw(view);
	return wish;
}

static void terminal_resize(struct view *view)
{
	unsigned int lines = terminal_lines(view->options.out);
	unsigned int columns = terminal_columns(view->options.out);

	if (!lines || !columns)
		return;
	resizeterm((int)lines, (int)columns);
	clearok(curscr, TRUE);
	draw(view);
}

static bool terminal_frozen(const struct view *view)
{
	return view->screen.frozen;
}

static int terminal_sample(struct view *view, const struct top_sample *sample)
{
	view->sample = *sample;
	view->has_sample = true;
	screen_sample(&view->screen, sample);
	draw(view);
	return print_flush(view->options.out);
}

static int terminal_summary(struct view *view, const struct top_sample *sample, unsigned long shown)
{
	(void)shown;
	leave(view);
	print_summary(&view->options, sample);
	return print_flush(view->options.out);
}

const struct view_ops view_terminal = {
	.name = "terminal",
	.open = terminal_open,
	.input = terminal_input,
	.key = terminal_key,
	.resize = terminal_resize,
	.frozen = terminal_frozen,
	.sample = terminal_sample,
	.summary = terminal_summary,
	.close = terminal_close,
};
