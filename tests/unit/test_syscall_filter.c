// SPDX-License-Identifier: GPL-2.0
/*
 * Each case runs in a process of its own that has the filter. What the daemon
 * does while it serves has to go on working, on every C library; so this calls
 * its functions with what makes the libraries below them work hard.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/vhost.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "device.h"
#include "guest_memory.h"
#include "log.h"
#include "memory_table.h"
#include "miss_stats.h"
#include "syscall_filter.h"
#include "translator.h"

/* Ends the process with 0 if it could do what it had to. */
typedef void (*life)(void);

/* A file that a process is given: to write to, or a table */
static int output = -1;

/* What a process is allowed beyond what all are */
static struct syscall_filter_needs needs;

/* The exit status of a process that gets no filter */
#define NO_FILTER 100

/* What waitpid(2) says of a process that has the filter. */
static int live(life life)
{
	pid_t child;
	int status;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		/* One that does not yet know what it writes to */
		if (output >= 0)
			stdout = fdopen(output, "w");
		/* Being killed leaves no core behind. */
		if (prctl(PR_SET_DUMPABLE, 0) || syscall_filter_install(&needs))
			_exit(NO_FILTER);
		life();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void assert_lives(life life)
{
	int status = live(life);

	if (WIFSIGNALED(status))
		fail_msg("killed by signal %d", WTERMSIG(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void assert_killed(const char *what, life life)
{
	int status = live(life);

	if (WIFEXITED(status))
		fail_msg("%s: exit status %d", what, WEXITSTATUS(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void need(bool good)
{
	if (!good)
		_exit(1);
}

/* What is allowed */

static int no_device(const struct vhost_device *dev, void *arg)
{
	(void)dev;
	(void)arg;
	return 0;
}

static void look_for_devices(void)
{
	struct vhost_device dev;

	/* Each link in /proc/PID/fd is read, whatever it leads to. */
	need(vhost_device_read(getpid(), 0, &dev, NULL) == -ENOTTY);
	need(!vhost_device_for_each(getpid(), no_device, NULL));
	need(!vhost_device_for_each(0, no_device, NULL));
}

static void parse_big_memory_table(void)
{
	struct memory_table table = {};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int i;

	/* As many as need more memory to sort than is on the stack. */
	for (i = 20000; i > 0; i--)
		fprintf(out, "vhost-mem:\t0x%x000 0x1000 0x%x000\n", i * 2, i * 3);
	need(!fclose(out));
	need(!memory_table_parse(&table, text) && table.count == 20000);
	need(table.regions[0].gpa == 0x2000);
	memory_table_clear(&table);
	free(text);
}

static void print_statistics(void)
{
	const struct device_stats device = {.dev = 1, .comm = "qemu"};

	stats_view_text.device(stdout, &device);
	stats_view_json.device(stdout, &device);
	log_warn("%s", "something");
	exit(fflush(stdout) || ferror(stdout));
}

static void handle_much_memory(void)
{
	char *text = NULL, *others[100], *more;
	size_t size, i;

	/* From the heap to mappings of its own, which move as they grow. */
	for (size = 100; size < 64 << 20; size *= 2) {
		more = realloc(text, size);
		need(more);
		text = more;
		memset(text + size / 2, 1, size / 2);
	}
	for (i = 0; i < 100; i++) {
		others[i] = calloc(1, 100000);
		need(others[i]);
	}
	for (i = 0; i < 100; i++)
		free(others[i]);
	free(text);
}

static void read_table(void)
{
	struct translator translator = {.ops = &translator_table};
	const struct lookup lookup = {.dev = 1, .iova = 0x1234};
	struct finding finding = {};
	char path[] = "/proc/self/fd/0000000000";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", output);
	need(!translator.ops->open(&translator, &(struct translator_args){.table_path = path}));
	need(!translator.ops->translate(&translator, &lookup, &finding));
	need(finding.mapping.gpa == 0x7000 && finding.mapping.last == 0x1fff);
	translator.ops->close(&translator);
}

static void read_memory(void)
{
	uint64_t value = 5, copy = 0;
	struct memory_region region = {
		.gpa = 0x1000,
		.last = 0x1007,
		.hva = (uintptr_t)&value,
	};
	const struct memory_table table = {.regions = &region, .count = 1};
	struct guest_memory guest = {.pid = getpid(), .table = &table};

	guest.pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	need(guest.pidfd >= 0);
	need(!guest_memory_read(&guest, 0x1000, &copy, sizeof(copy)) && copy == 5);
	need(!guest_memory_check(&guest));
}

static void call_with_arguments(void)
{
	union bpf_attr attr = {};

	/* Refused by the kernel, but not forbidden. */
	attr.map_fd = -1;
	need(syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)) < 0);
	attr.link_create.prog_fd = -1;
	need(syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr)) < 0);
	need(ioctl(0, VHOST_GET_BACKEND_FEATURES, NULL) < 0);
	need(syscall(SYS_pidfd_open, getpid(), 0) >= 0);
	need(syscall(SYS_pidfd_getfd, -1, 0, 0) < 0 && errno == EBADF);
	/* What else is in the registers of an int plays no role. */
	need(syscall(SYS_ioctl, 0, 0xffffffff00000000UL | VHOST_GET_BACKEND_FEATURES, NULL) < 0);
	/* Would name its holder, as far as the filter is concerned. */
	need(syscall(SYS_bpf, BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr)) < 0 && errno == EPERM);
}

static void measure_time(void)
{
	struct timespec now;

	/* Without the vDSO, as where the clock cannot be read by it. */
	need(!syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now));
}

static void draw_random(void)
{
	/* As json-c does; some C libraries first make room for a state. */
	need(arc4random() != arc4random() || arc4random() != arc4random());
}

static void test_allowed(void **state)
{
	(void)state;
	assert_lives(look_for_devices);
	assert_lives(parse_big_memory_table);
	assert_lives(handle_much_memory);
	assert_lives(call_with_arguments);
	assert_lives(measure_time);
	assert_lives(draw_random);
}

static void test_output(void **state)
{
	int master, ends[2];
	char text[4096];

	(void)state;
	assert_int_equal(openpty(&master, &output, NULL, NULL, NULL), 0);
	assert_lives(print_statistics);
	assert_true(read(master, text, sizeof(text)) > 0);
	close(master);
	close(output);

	assert_int_equal(pipe(ends), 0);
	output = ends[1];
	assert_lives(print_statistics);
	assert_true(read(ends[0], text, sizeof(text)) > 0);
	close(ends[0]);
	close(ends[1]);

	/* Any character device but this pseudo-terminal may be a terminal. */
	output = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_true(output >= 0);
	assert_lives(print_statistics);
	close(output);
	output = -1;
}

static void test_table(void **state)
{
	static const char text[] = "0x3000 4k 0x9000 rw\n0x1000 4k 0x7000 rw\n";

	(void)state;
	output = memfd_create("table", MFD_CLOEXEC);
	assert_true(output >= 0);
	assert_int_equal(write(output, text, strlen(text)), strlen(text));
	assert_lives(read_table);
	close(output);
	output = -1;
}

/* What is not */

#define CALL(name, ...)                                                                            \
	static void name(void)                                                                     \
	{                                                                                          \
		syscall(__VA_ARGS__);                                                              \
	}

CALL(call_execve, SYS_execve, "/bin/true", NULL, NULL)
CALL(call_execveat, SYS_execveat, AT_FDCWD, "/bin/true", NULL, NULL, 0)
CALL(call_fork, SYS_fork)
CALL(call_clone, SYS_clone, SIGCHLD, NULL, NULL, NULL, 0)
CALL(call_clone3, SYS_clone3, NULL, 0)
CALL(call_socket, SYS_socket, AF_UNIX, SOCK_DGRAM, 0)
CALL(call_connect, SYS_connect, 0, NULL, 0)
CALL(call_kill, SYS_kill, 0, 0)
CALL(call_tgkill, SYS_tgkill, 0, 0, 0)
CALL(call_ptrace, SYS_ptrace, PTRACE_TRACEME, 0, NULL, NULL)
CALL(call_vm_writev, SYS_process_vm_writev, 1, NULL, 0, NULL, 0, 0)
CALL(call_vm_readv, SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0)
CALL(call_setuid, SYS_setuid, 0)
CALL(call_capset, SYS_capset, NULL, NULL)
CALL(call_seccomp, SYS_seccomp, 0, 0, NULL)
CALL(call_sigreturn, SYS_rt_sigreturn)
CALL(call_sigaction, SYS_rt_sigaction, SIGTERM, NULL, NULL, 8)
CALL(call_unlink, SYS_unlink, "/dev/none")
CALL(call_mount, SYS_mount, NULL, NULL, NULL, 0, NULL)
CALL(call_io_uring, SYS_io_uring_setup, 1, NULL)
CALL(call_open, SYS_open, "/dev/null", O_RDONLY)
CALL(open_for_writing, SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY, 0)
CALL(open_for_both, SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0)
CALL(open_for_ioctl, SYS_openat, AT_FDCWD, "/dev/null", O_ACCMODE, 0)
CALL(open_new, SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY | O_CREAT, 0)
CALL(open_empty, SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY | O_TRUNC, 0)
CALL(open_unnamed, SYS_openat, AT_FDCWD, "/tmp", O_TMPFILE, 0)
CALL(map_code, SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
CALL(make_code, SYS_mprotect, NULL, 0, PROT_EXEC)
CALL(load_program, SYS_bpf, BPF_PROG_LOAD, NULL, 0)
CALL(create_map, SYS_bpf, BPF_MAP_CREATE, NULL, 0)
CALL(get_program, SYS_bpf, BPF_PROG_GET_FD_BY_ID, NULL, 0)
CALL(type_ahead, SYS_ioctl, 0, TIOCSTI, "x")
CALL(set_owner, SYS_ioctl, 0, VHOST_SET_OWNER, NULL)
CALL(set_memory, SYS_ioctl, 0, VHOST_SET_MEM_TABLE, NULL)
CALL(set_dumpable, SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0)
CALL(x32_write, 0x40000000 | SYS_write, 1, "", 0)

#define KILLED(name) assert_killed(#name, name)

static void test_memory(void **state)
{
	(void)state;
	needs.memory = true;
	assert_lives(read_memory);
	assert_killed("call_vm_writev", call_vm_writev);
	needs.memory = false;
	assert_killed("read_memory", read_memory);
}

/* Somebody has connected to it. */
static int listener = -1;

static void accept_client(void)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	need(fd >= 0);
	need(!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.uid == geteuid());
	need(write(fd, "", 1) == 1 && read(fd, &peer, 1) < 0 && errno == EAGAIN);
	need(!close(fd));
}

CALL(accept_inheritable, SYS_accept4, -1, NULL, NULL, SOCK_NONBLOCK)
CALL(get_error, SYS_getsockopt, -1, SOL_SOCKET, SO_ERROR, NULL, NULL)
CALL(call_listen, SYS_listen, -1, 1)
CALL(call_bind, SYS_bind, -1, NULL, 0)

static void test_clients(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0test_syscall_filter"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(fd >= 0 && listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	KILLED(accept_client);
	needs.clients = true;
	assert_lives(accept_client);
	KILLED(accept_inheritable);
	KILLED(get_error);
	KILLED(call_listen);
	KILLED(call_bind);
	KILLED(call_socket);
	KILLED(call_connect);
	KILLED(call_unlink);
	needs.clients = false;
	close(fd);
	close(listener);
}

static void test_forbidden(void **state)
{
	(void)state;
	KILLED(call_execve);
	KILLED(call_execveat);
	KILLED(call_fork);
	KILLED(call_clone);
	KILLED(call_clone3);
	KILLED(call_socket);
	KILLED(call_connect);
	KILLED(call_kill);
	KILLED(call_tgkill);
	KILLED(call_ptrace);
	KILLED(call_vm_writev);
	KILLED(call_vm_readv);
	KILLED(call_setuid);
	KILLED(call_capset);
	KILLED(call_seccomp);
	KILLED(call_sigreturn);
	KILLED(call_sigaction);
	KILLED(call_unlink);
	KILLED(call_mount);
	KILLED(call_io_uring);
	KILLED(call_open);
	KILLED(x32_write);
}

static void test_forbidden_arguments(void **state)
{
	(void)state;
	KILLED(open_for_writing);
	KILLED(open_for_both);
	KILLED(open_for_ioctl);
	KILLED(open_new);
	KILLED(open_empty);
	KILLED(open_unnamed);
	KILLED(map_code);
	KILLED(make_code);
	KILLED(load_program);
	KILLED(create_map);
	KILLED(get_program);
	KILLED(type_ahead);
	KILLED(set_owner);
	KILLED(set_memory);
	KILLED(set_dumpable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_forbidden_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
