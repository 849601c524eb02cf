// SPDX-License-Identifier: GPL-2.0
#include "iotlbd.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "iova_table.h"
#include "vtd_file.h"

#define END_MS 60000 /* what it takes to end is much less */

/* In a VM whose clock counts instructions, time passes at once when all wait for the
 * host. Waiting in slices, we make some.
 */
#define SLICE_MS 10

struct command {
	char program[PATH_MAX];
	char pid[16];
	char file[32];
	char socket[IOTLBD_SOCKET_MAX];
	char *argv[10];
};

/* What is built, or installed, beside us is what belongs to us. */
static void find_program(char *program, const struct options *o)
{
	char self[PATH_MAX];
	ssize_t length;

	if (o->iotlbd) {
		snprintf(program, PATH_MAX, "%s", o->iotlbd);
		return;
	}
	length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (length > 0) {
		self[length] = '\0';
		if (snprintf(program, PATH_MAX, "%s/iotlbd", dirname(self)) < PATH_MAX &&
		    !access(program, X_OK))
			return;
	}
	snprintf(program, PATH_MAX, "iotlbd");
}

/* Nobody else is to have a name like it. */
static int make_folder(struct iotlbd *d)
{
	strcpy(d->folder, "/tmp/iotlb-bench.XXXXXX");
	if (mkdtemp(d->folder))
		return 0;
	warn("cannot make a folder in /tmp for the control socket of iotlbd");
	*d->folder = '\0';
	return -1;
}

static void remove_folder(struct iotlbd *d)
{
	char path[IOTLBD_SOCKET_MAX];

	if (!*d->folder)
		return;
	iotlbd_socket(d, path);
	unlink(path);
	rmdir(d->folder);
	*d->folder = '\0';
}

void iotlbd_socket(const struct iotlbd *d, char path[IOTLBD_SOCKET_MAX])
{
	snprintf(path, IOTLBD_SOCKET_MAX, "%s/control", d->folder);
}

void iotlbd_remove_socket(struct iotlbd *d)
{
	remove_folder(d);
}

static void make_command(struct command *c, const struct iotlbd *d, const struct options *o)
{
	int n = 0;

	find_program(c->program, o);
	snprintf(c->pid, sizeof(c->pid), "%d", (int)getpid());
	snprintf(c->file, sizeof(c->file), "/proc/self/fd/%d", d->file);
	c->argv[n++] = c->program;
	c->argv[n++] = "-p";
	c->argv[n++] = c->pid;
	if (o->iova == IOVA_IDENTITY) {
		c->argv[n++] = "--translator";
		c->argv[n++] = "identity";
	} else {
		c->argv[n++] = o->iova == IOVA_VTD ? "--vtd" : "--table";
		c->argv[n++] = c->file;
	}
	if (o->server == SERVER_KERNEL)
		c->argv[n++] = "--resolve";
	if (*d->folder) {
		iotlbd_socket(d, c->socket);
		c->argv[n++] = "--control";
		c->argv[n++] = c->socket;
	}
	c->argv[n] = NULL;
}

/* In memory, so that nothing is left behind however this ends. */
static int write_file(struct iotlbd *d, const struct options *o, const struct layout *l)
{
	FILE *file;
	int fd, result;

	d->file = memfd_create("iotlb-bench", MFD_CLOEXEC);
	fd = d->file < 0 ? -1 : fcntl(d->file, F_DUPFD_CLOEXEC, 0);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file) {
		warn("cannot make a file for iotlbd");
		return -1;
	}
	result = o->iova == IOVA_VTD ? vtd_file_write(l, file) : iova_table_write(l, file);
	if (fclose(file) || result) {
		warn("cannot write a file for iotlbd");
		return -1;
	}
	return 0;
}

/* A socket without a file, whose name the kernel chooses. */
static int open_notify(struct iotlbd *d, char *name, size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(address.sun_family);

	d->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (d->notify < 0 || bind(d->notify, (struct sockaddr *)&address, length)) {
		warn("cannot make a socket for iotlbd");
		return -1;
	}
	length = sizeof(address);
	if (getsockname(d->notify, (struct sockaddr *)&address, &length)) {
		warn("cannot get the name of a socket");
		return -1;
	}
	length -= offsetof(struct sockaddr_un, sun_path) + 1;
	snprintf(name, size, "@%.*s", (int)length, address.sun_path + 1);
	return 0;
}

/* Never returns: reports on @pipe what went wrong. */
static void run_child(const struct iotlbd *d, const struct command *c, bool show, pid_t parent,
		      int pipe)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), error;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Ctrl-C is for us: what is under way still has to be served. */
	setpgid(0, 0);
	/* Its summary must not get between our results. */
	if (!prctl(PR_SET_PDEATHSIG, SIGTERM) && getppid() == parent && null >= 0 &&
	    dup2(null, STDIN_FILENO) >= 0 &&
	    dup2(show ? STDERR_FILENO : null, STDOUT_FILENO) >= 0 &&
	    (d->file < 0 || !fcntl(d->file, F_SETFD, 0)))
		execvp(c->program, c->argv);
	error = errno;
	if (write(pipe, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

/* Return: a pipe on which it tells what becomes of it, or -1 after a message. */
static int spawn(struct iotlbd *d, const struct command *c, bool show)
{
	pid_t parent = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC)) {
		warn("cannot make a pipe");
		return -1;
	}
	d->pid = fork();
	if (!d->pid)
		run_child(d, c, show, parent, fds[1]);
	close(fds[1]);
	if (d->pid < 0) {
		d->pid = 0;
		warn("cannot start iotlbd");
	} else {
		d->pidfd = syscall(SYS_pidfd_open, d->pid, 0);
		if (d->pidfd >= 0)
			return fds[0];
		warn("cannot watch iotlbd");
	}
	close(fds[0]);
	return -1;
}

/* Its file may be one that takes for ever to be read, which is for the user to end. */
static enum iotlbd_result wait_exec(struct iotlbd *d, const struct command *c, int pipe,
				    int signals)
{
	struct pollfd fds[] = {
		{.fd = pipe, .events = POLLIN},
		{.fd = signals, .events = POLLIN},
	};
	int error;

	if (poll(fds, 2, -1) < 0) {
		warn("poll failed");
		return IOTLBD_FAILED;
	}
	if (fds[1].revents)
		return IOTLBD_INTERRUPTED;
	/* The end of the pipe: it has become iotlbd. */
	if (read(pipe, &error, sizeof(error)) != sizeof(error))
		return IOTLBD_READY;
	waitpid(d->pid, NULL, 0);
	d->pid = 0;
	warnx("cannot start %s: %s; --iotlbd says where it is", c->program, strerror(error));
	return IOTLBD_FAILED;
}

/* Return: < 0 while it runs; 0 if it has ended well; else after a message. */
static int collect(struct iotlbd *d, const char *when)
{
	int status;

	if (!d->pid || waitpid(d->pid, &status, WNOHANG) != d->pid)
		return -1;
	d->pid = 0;
	/* We have told it to, before it was able to do so in good order. */
	if (!*when && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM)
		return 0;
	if (WIFSIGNALED(status)) {
		warnx("iotlbd has died of signal %d (%s)%s", WTERMSIG(status),
		      strsignal(WTERMSIG(status)), when);
		return 1;
	}
	if (!*when && !WEXITSTATUS(status))
		return 0;
	warnx("iotlbd has ended with status %d%s", WEXITSTATUS(status), when);
	return 1;
}

bool iotlbd_has_died(struct iotlbd *d)
{
	return collect(d, " in the middle of the run") >= 0;
}

static bool is_ready(const struct iotlbd *d)
{
	char text[256];
	ssize_t length = recv(d->notify, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (length < 0)
		return false;
	text[length] = '\0';
	for (char *rest = text, *line; (line = strtok_r(rest, "\n", &rest));)
		if (!strcmp(line, "READY=1"))
			return true;
	return false;
}

/*
 * However long it takes: it can die, and the user can end us. Where the clock
 * counts instructions, a second is over as soon as there is nothing else to do.
 */
static enum iotlbd_result wait_ready(struct iotlbd *d, int signals)
{
	struct pollfd fds[] = {
		{.fd = d->notify, .events = POLLIN},
		{.fd = d->pidfd, .events = POLLIN},
		{.fd = signals, .events = POLLIN},
	};

	for (;;) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR) {
			warn("poll failed");
			return IOTLBD_FAILED;
		}
		if (fds[0].revents && is_ready(d))
			return IOTLBD_READY;
		if (fds[1].revents && collect(d, " before it was ready") >= 0)
			return IOTLBD_FAILED;
		if (fds[2].revents)
			return IOTLBD_INTERRUPTED;
	}
}

static enum iotlbd_result start(struct iotlbd *d, const struct options *o, const struct layout *l,
				int signals)
{
	enum iotlbd_result result;
	struct command c;
	char name[128];
	int pipe;

	if (o->iova != IOVA_IDENTITY && write_file(d, o, l))
		return IOTLBD_FAILED;
	if (open_notify(d, name, sizeof(name)) || (o->control && make_folder(d)))
		return IOTLBD_FAILED;
	make_command(&c, d, o);
	/* For the child; we have no other use of the environment. */
	if (setenv("NOTIFY_SOCKET", name, 1))
		return IOTLBD_FAILED;
	pipe = spawn(d, &c, o->verbose);
	if (pipe < 0)
		return IOTLBD_FAILED;
	result = wait_exec(d, &c, pipe, signals);
	close(pipe);
	return result == IOTLBD_READY ? wait_ready(d, signals) : result;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

enum iotlbd_result iotlbd_start(struct iotlbd *d, const struct options *o, const struct layout *l,
				int signals)
{
	enum iotlbd_result result;

	*d = (struct iotlbd){.pidfd = -1, .notify = -1, .file = -1};
	result = start(d, o, l, signals);
	if (result != IOTLBD_READY)
		iotlbd_stop(d);
	return result;
}

static bool ends(const struct iotlbd *d, int signal)
{
	struct pollfd fd = {.fd = d->pidfd, .events = POLLIN};

	kill(d->pid, signal);
	for (int waited = 0; waited < END_MS; waited += SLICE_MS)
		if (poll(&fd, 1, SLICE_MS) > 0)
			return true;
	return false;
}

static int end(struct iotlbd *d)
{
	if (ends(d, SIGTERM))
		return collect(d, "") > 0 ? -1 : 0;
	warnx("iotlbd (process %d) does not end; killed", (int)d->pid);
	/* Who waits for a disk, or in the kernel, does not even hear that. */
	if (ends(d, SIGKILL))
		waitpid(d->pid, NULL, 0);
	else
		warnx("iotlbd (process %d) hangs in the kernel (/proc/%d/stack says where), and is "
		      "left there",
		      (int)d->pid, (int)d->pid);
	d->pid = 0;
	return -1;
}

int iotlbd_stop(struct iotlbd *d)
{
	int result = d->pid ? end(d) : 0;

	close_fd(&d->pidfd);
	close_fd(&d->notify);
	close_fd(&d->file);
	remove_folder(d);
	return result;
}
