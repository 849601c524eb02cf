# SPDX-License-Identifier: GPL-2.0
#
# Everything that is made lies in build/, or, where it is costly and the same
# for every clone, in the cache that scripts/cache.sh describes.

MAKEFLAGS += --no-builtin-rules --check-symlink-times
.DELETE_ON_ERROR:
.SECONDARY:

ifeq ($(V),1)
Q :=
msg :=
else
Q := @
msg = @printf '  %-8s%s\n' $(1) $(2);
endif

prefix  ?= /usr/local
sbindir ?= $(prefix)/sbin
mandir  ?= $(prefix)/share/man
bashcompletiondir ?= $(prefix)/share/bash-completion/completions
zshcompletiondir  ?= $(prefix)/share/zsh/site-functions
DESTDIR ?=

BUILD   := build
CC      ?= gcc
CLANG   ?= clang
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)

CFLAGS  ?= -O2 -g
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' \
	-Wall -Wextra -Werror $(CFLAGS) \
	-I. -Iinclude -Iuserspace -Itools -I$(BUILD)/bpf -I$(BUILD)/libbpf/include
LDLIBS  := $(BUILD)/libbpf/lib/libbpf.a -lelf -lz -ljson-c -lseccomp -lcap-ng

BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Iinclude -Ibpf \
	-I$(BUILD)/libbpf/include -idirafter /usr/include/$(shell uname -m)-linux-gnu

PROGRAMS := $(BUILD)/iotlbd $(BUILD)/iotlb-top $(BUILD)/iotlb-bench $(BUILD)/iotlb-walk \
	$(BUILD)/iotlb-record $(BUILD)/iotlb-check $(BUILD)/iotlbctl
MANPAGES := $(wildcard userspace/*.8 tools/*.8)
MANPAGES_7 := $(wildcard userspace/*.7)
SKELETONS := $(patsubst bpf/%.bpf.c,$(BUILD)/bpf/%.skel.h,$(wildcard bpf/*.bpf.c))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))

# A program is the file of its name; the rest of its folder is a library.
objs = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIBIOTLB := $(call objs,$(filter-out userspace/iotlbd.c,$(wildcard userspace/*.c)))
# Only one program has a screen, and needs curses for it.
TOP_CURSES := $(call objs,tools/top/view_terminal.c tools/top/rescue.c)
LIBTOP   := $(filter-out $(TOP_CURSES),$(call objs,$(wildcard tools/top/*.c)))
LIBBENCH := $(call objs,$(wildcard tools/bench/*.c))
LIBWALK  := $(call objs,$(wildcard tools/walk/*.c) tools/ctl/ctl_client.c)
LIBCHECK := $(call objs,$(wildcard tools/check/*.c))
LIBCTL := $(call objs,$(wildcard tools/ctl/*.c))
RECORD_SRCS := $(wildcard tools/record/*.c tools/record/report/*.c)
LIBRECORD := $(call objs,$(RECORD_SRCS))

KERNEL_TEST := $(BUILD)/tests/vhost_iotlb_test
KERNEL_TEST_OBJS := $(call objs,$(filter-out %.bpf.c,$(wildcard tests/kernel/*.c)))

# The race, and an iotlbd that goes by the race's page table.
RACE_TEST := $(BUILD)/tests/vhost_iotlb_race $(BUILD)/tests/iotlbd-race
RACE_OBJS := $(call objs,$(filter-out %/shared_table.c,$(wildcard tests/race/*.c)))

FUZZ_TEST := $(BUILD)/tests/fuzz_messages
FUZZ_OBJS := $(call objs,$(filter-out %.bpf.c,$(wildcard tests/fuzz/*.c)))

LOAD_TEST := $(BUILD)/tests/load
LOAD_OBJS := $(call objs,$(filter-out %.bpf.c,$(wildcard tests/load/*.c)))

WALK_TEST := $(BUILD)/tests/walk_equality
WALK_SRCS := $(addprefix tests/walk/,compare.c generate.c guest.c image.c names.c reference.c tally.c) \
	userspace/parse.c userspace/vtd_name.c
WALK_OBJS := $(call objs,tests/walk/equality.c $(WALK_SRCS))

# The same walk in the kernel.
WALK_KERNEL_TEST := $(BUILD)/tests/walk_in_kernel
WALK_KERNEL_OBJS := $(call objs,$(addprefix tests/walk/,in_kernel.c kernel_walk.c deep.c))

# A guest with bad tables.
HOSTILE_TEST := $(BUILD)/tests/hostile_guest
HOSTILE_OBJS := $(call objs,$(wildcard tests/hostile/*.c))

# A guest whose virtqueues are its processes'.
SVA_GUEST := $(BUILD)/tests/sva_guest
SVA_OBJS := $(call objs,$(wildcard tests/sva/*.c) tools/ctl/ctl_client.c \
	$(addprefix userspace/,control_socket.c device_table.c fdinfo.c log.c memory_table.c parse.c \
		sva.c sva_error.c))

# A real guest's QEMU beside the walk.
GUEST_TEST := $(BUILD)/tests/equality
GUEST_OBJS := $(call objs,tests/guest/equality.c)

# What libFuzzer drives: a target is the file of its name, with all else that it
# needs of the project, built anew with checks.
FUZZ_TARGETS := $(patsubst tests/libfuzzer/%.c,$(BUILD)/fuzz/%,$(wildcard tests/libfuzzer/*.c))
FUZZ_CHECKS  := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_LIB     := $(addprefix $(BUILD)/fuzz/,walk.a record.a top.a iotlb.a)
fuzz_objs = $(patsubst %.c,$(BUILD)/obj/fuzzer/%.o,$(1))

BENCH_MESSAGES := $(BUILD)/tests/bench_messages

.PHONY: all
all: $(PROGRAMS) $(BUILD)/modules ## build the programs and the kernel modules
	@:

.PHONY: deps
deps: ## install the packages that are needed (root, Debian)
	$(Q)scripts/deps

.PHONY: demo
demo: deps ## the whole in half a minute: real packets, real misses, live hit rate
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/demo

.PHONY: test
test: deps ## run all tests
	$(Q)$(MAKE) --no-print-directory all unit $(KERNEL_TEST) $(FUZZ_TEST) $(RACE_TEST) $(LOAD_TEST) \
		$(WALK_TEST) $(WALK_KERNEL_TEST) $(HOSTILE_TEST) $(SVA_GUEST) fuzz-targets $(BUILD)/prometheus
	$(Q)tests/run $(UNIT_TESTS) tests/vm/*.t

.PHONY: test-unit
test-unit: unit ## run the tests that need no kernel
	$(Q)tests/run $(UNIT_TESTS)

.PHONY: test-vm
test-vm: all $(KERNEL_TEST) $(FUZZ_TEST) $(RACE_TEST) $(LOAD_TEST) $(WALK_TEST) $(WALK_KERNEL_TEST) $(HOSTILE_TEST) $(SVA_GUEST) fuzz-targets $(BUILD)/prometheus ## run the tests within the VM, on the real /dev/vhost-net
	$(Q)tests/run tests/vm/*.t

.PHONY: test-guest
test-guest: deps ## test with a real guest: QEMU within the VM, some minutes
	$(Q)$(MAKE) --no-print-directory all $(GUEST_TEST)
	$(Q)tests/run tests/guest/strict.t

.PHONY: test-guest-long
test-guest-long: deps ## the same with all modes of its IOMMU, all sizes of pages, NICs that come and go
	$(Q)$(MAKE) --no-print-directory all $(GUEST_TEST)
	$(Q)tests/run --jobs 1 tests/guest/*.t

.PHONY: test-sva-long
test-sva-long: deps ## shared virtual addressing: a million packets, a million invalidations of each granularity
	$(Q)$(MAKE) --no-print-directory all $(SVA_GUEST)
	$(Q)VM_TIMEOUT_FACTOR=20 SVA_PACKETS=6500 SVA_INVALIDATIONS=500000 \
		tests/run --jobs 1 tests/vm/bench-sva.t tests/vm/sva.t

.PHONY: fuzz
fuzz: deps ## fuzz the page walk and all that reads text for FUZZ_SECONDS (600)
	$(Q)$(MAKE) --no-print-directory fuzz-targets
	$(Q)tests/libfuzzer/run $(FUZZ_SECONDS)

.PHONY: fuzz-targets
fuzz-targets: $(FUZZ_TARGETS)
	@:

.PHONY: test-report
test-report: $(BUILD)/iotlb-record ## look at the reports of iotlb-record with a browser (installs Chromium)
	$(Q)tests/run tests/record/browser

.PHONY: test-debug
test-debug: deps ## run the VM's tests on a kernel with KASAN, lockdep, kmemleak (built first)
	$(Q)$(MAKE) --no-print-directory all $(KERNEL_TEST) $(FUZZ_TEST) $(RACE_TEST) $(LOAD_TEST) $(WALK_KERNEL_TEST) \
		$(HOSTILE_TEST) $(SVA_GUEST) $(BUILD)/prometheus
	$(Q)tests/debug

.PHONY: bench
bench: deps ## measure in instructions: what a hit and a miss cost, how they are served
	$(Q)$(MAKE) --no-print-directory all $(BENCH_MESSAGES) $(SVA_GUEST)
	$(Q)tests/bench/run

.PHONY: check
check: deps ## lint the kernel series, the scripts and the programs
	$(Q)$(MAKE) --no-print-directory all unit
	$(Q)scripts/check
	$(Q)kernel/check

.PHONY: install
install: all ## install programs, man pages and completions below $(DESTDIR)$(prefix)
	$(Q)install -d $(DESTDIR)$(sbindir) $(DESTDIR)$(mandir)/man7 $(DESTDIR)$(mandir)/man8
	$(Q)install $(PROGRAMS) $(DESTDIR)$(sbindir)
	$(Q)install -m 644 $(MANPAGES) $(DESTDIR)$(mandir)/man8
	$(Q)install -m 644 $(MANPAGES_7) $(DESTDIR)$(mandir)/man7
	$(Q)install -d $(DESTDIR)$(bashcompletiondir) $(DESTDIR)$(zshcompletiondir)
	$(Q)for program in $(notdir $(PROGRAMS)); do \
		install -m 644 completions/iotlb.bash $(DESTDIR)$(bashcompletiondir)/$$program || exit; \
	done
	$(Q)install -m 644 completions/_iotlb $(DESTDIR)$(zshcompletiondir)

.PHONY: modules_install
modules_install: $(BUILD)/modules ## install the modules beside the distribution's (root; DESTDIR, INSTALL_MOD_PATH)
	$(Q)kernel/install $<

.PHONY: modules_uninstall
modules_uninstall: ## take the modules away again
	$(Q)kernel/install --remove

.PHONY: dkms_install
dkms_install: ## have DKMS build, sign and install the modules (root)
	$(Q)kernel/dkms/register

.PHONY: dkms_uninstall
dkms_uninstall: ## take the modules away from DKMS again
	$(Q)kernel/dkms/register --remove

.PHONY: clean
clean: ## remove what was built (the cache stays)
	$(Q)rm -rf $(BUILD)

.PHONY: help
help: ## show this
	@sed -n 's/^\([a-z_-]*\):.*## /  \1\t/p' Makefile | expand -t 22
	@echo "Variables: V=1 shows the commands; DESTDIR, prefix say where to install."

.PHONY: unit
unit: $(UNIT_TESTS)
	@:

# A link to the cache is made anew when what it was made from changes.
$(BUILD)/libbpf: scripts/libbpf
	$(call msg,LIBBPF,$@)
	$(Q)mkdir -p $(BUILD)
	$(Q)dir=$$(scripts/libbpf) && ln -sfn "$$dir" $@

# Also when headers have been installed.
$(BUILD)/modules: kernel/modules kernel/tree.sh kernel/base $(wildcard kernel/patches/*/*.patch \
		/var/lib/dpkg/info/linux-headers-6.12*.list)
	$(call msg,MODULES,$@)
	$(Q)mkdir -p $(BUILD)
	$(Q)dir=$$(kernel/modules) && rm -rf $@ && ln -sfn "$$dir" $@

# What tests of metrics check them with.
$(BUILD)/prometheus: scripts/prometheus
	$(call msg,GET,$@)
	$(Q)mkdir -p $(BUILD)
	$(Q)dir=$$(scripts/prometheus) && ln -sfn "$$dir" $@

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h include/*.h) | $(BUILD)/libbpf
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BUILD)/bpf/%.skel.h: $(BUILD)/bpf/%.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BUILD)/libbpf/bin/bpftool gen skeleton $< name $*_bpf >$@

$(BUILD)/obj/%.o: %.c | $(SKELETONS)
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

link = $(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) $(filter %.o,$^) -o $@

$(BUILD)/iotlbd: $(call objs,userspace/iotlbd.c) $(LIBIOTLB)
	$(call msg,LINK,$@)
	$(link) $(LDLIBS)

$(BUILD)/iotlb-top: $(call objs,tools/iotlb-top.c) $(LIBTOP) $(TOP_CURSES) $(LIBIOTLB)
	$(call msg,LINK,$@)
	$(link) $(LDLIBS) -lncursesw -ltinfo

$(BUILD)/iotlb-bench: $(call objs,tools/iotlb-bench.c tools/ctl/ctl_client.c) $(LIBBENCH) \
		$(call objs,$(addprefix userspace/,cli.c control_socket.c log.c parse.c))
	$(call msg,LINK,$@)
	$(link) -ljson-c

$(BUILD)/iotlb-walk: $(call objs,tools/iotlb-walk.c) $(LIBWALK) $(LIBIOTLB)
	$(call msg,LINK,$@)
	$(link) $(LDLIBS)

$(BUILD)/iotlb-record: $(call objs,tools/iotlb-record.c) $(LIBRECORD) $(LIBTOP) $(LIBIOTLB)
	$(call msg,LINK,$@)
	$(link) $(LDLIBS) -lm

# What is in it as it is.
$(BUILD)/obj/tools/record/report/assets.o $(BUILD)/obj/fuzzer/tools/record/report/assets.o: \
	tools/record/report/report.css tools/record/report/report.js

$(BUILD)/iotlb-check: $(call objs,tools/iotlb-check.c) $(LIBCHECK) $(LIBTOP) $(LIBIOTLB)
	$(call msg,LINK,$@)
	$(link) $(LDLIBS)

$(BUILD)/iotlbctl: $(call objs,tools/iotlbctl.c) $(LIBCTL) $(LIBIOTLB)
	$(call msg,LINK,$@)
	$(link) $(LDLIBS)

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(LIBIOTLB) $(LIBTOP) $(LIBBENCH) $(LIBWALK) $(LIBCHECK) $(LIBRECORD) $(LIBCTL) \
		$(call objs,tests/fuzz/model.c)
	$(call msg,LINK,$@)
	$(link) $(LDLIBS) -lcmocka -lm

$(BUILD)/tests/%.bpf.o: tests/kernel/%.bpf.c $(wildcard tests/kernel/*.h bpf/*.h) | $(BUILD)/libbpf
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BUILD)/tests/%.bpf.o: tests/fuzz/%.bpf.c $(wildcard tests/fuzz/*.h) | $(BUILD)/libbpf
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BUILD)/tests/%.bpf.o: tests/load/%.bpf.c $(wildcard bpf/*.h) | $(BUILD)/libbpf
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BUILD)/tests/%.bpf.o: tests/walk/%.bpf.c $(wildcard tests/walk/*.h bpf/*.h include/*.h) | $(BUILD)/libbpf
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BUILD)/tests/%.bpf.o: tests/guest/%.bpf.c $(wildcard tests/guest/*.h bpf/*.h include/*.h) | $(BUILD)/libbpf
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BUILD)/tests/%.skel.h: $(BUILD)/tests/%.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BUILD)/libbpf/bin/bpftool gen skeleton $< name $*_bpf >$@

$(KERNEL_TEST_OBJS): ALL_CFLAGS += -I$(BUILD)/tests
$(KERNEL_TEST_OBJS): | $(BUILD)/tests/hook.skel.h
$(FUZZ_OBJS): ALL_CFLAGS += -I$(BUILD)/tests
$(FUZZ_OBJS): | $(BUILD)/tests/snapshot.skel.h
$(LOAD_OBJS): ALL_CFLAGS += -I$(BUILD)/tests
$(LOAD_OBJS): | $(BUILD)/tests/verdicts.skel.h
$(WALK_KERNEL_OBJS): ALL_CFLAGS += -I$(BUILD)/tests
$(WALK_KERNEL_OBJS): | $(BUILD)/tests/in_kernel.skel.h

$(GUEST_OBJS): ALL_CFLAGS += -I$(BUILD)/tests
$(GUEST_OBJS): | $(BUILD)/tests/equality.skel.h

$(KERNEL_TEST): $(KERNEL_TEST_OBJS)
	$(call msg,LINK,$@)
	$(link) $(LDLIBS)

$(BUILD)/tests/vhost_iotlb_race: $(RACE_OBJS) \
		$(call objs,tools/bench/tap.c tests/kernel/bail_out.c tests/kernel/slowness.c userspace/parse.c)
	$(call msg,LINK,$@)
	$(link)

$(BUILD)/tests/iotlbd-race: $(call objs,userspace/iotlbd.c) \
		$(filter-out %/translator_table.o,$(LIBIOTLB)) \
		$(call objs,$(addprefix tests/race/,shared_table.c space.c iommu.c dawdle.c)) \
		$(call objs,tests/kernel/bail_out.c)
	$(call msg,LINK,$@)
	$(link) $(LDLIBS)

# An archive, so that only what is used gets in.
$(BUILD)/tests/kernel.a: $(filter-out %/vhost_iotlb_test.o,$(KERNEL_TEST_OBJS))
	$(call msg,AR,$@)
	$(Q)mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $^

$(FUZZ_TEST): $(FUZZ_OBJS) $(call objs,userspace/parse.c) $(BUILD)/tests/kernel.a
	$(call msg,LINK,$@)
	$(link) $(BUILD)/tests/kernel.a $(LDLIBS)

$(LOAD_TEST): $(LOAD_OBJS) $(BUILD)/tests/kernel.a
	$(call msg,LINK,$@)
	$(link) $(BUILD)/tests/kernel.a $(LDLIBS)

$(WALK_TEST): $(WALK_OBJS)
	$(call msg,LINK,$@)
	$(link)

$(WALK_KERNEL_TEST): $(WALK_KERNEL_OBJS) $(call objs,$(WALK_SRCS)) $(BUILD)/tests/kernel.a
	$(call msg,LINK,$@)
	$(link) $(BUILD)/tests/kernel.a $(LDLIBS)

$(HOSTILE_TEST): $(HOSTILE_OBJS) $(call objs,$(addprefix tests/walk/,deep.c guest.c reference.c)) \
		$(BUILD)/tests/kernel.a
	$(call msg,LINK,$@)
	$(link) $(BUILD)/tests/kernel.a $(LDLIBS)

$(SVA_GUEST): $(SVA_OBJS) $(BUILD)/tests/kernel.a
	$(call msg,LINK,$@)
	$(link) $(BUILD)/tests/kernel.a $(LDLIBS)

$(GUEST_TEST): $(GUEST_OBJS) $(LIBIOTLB)
	$(call msg,LINK,$@)
	$(link) $(LDLIBS)

$(BUILD)/obj/fuzzer/%.o: %.c | $(SKELETONS)
	$(call msg,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(filter-out -W%,$(ALL_CFLAGS)) -O1 -fsanitize=fuzzer-no-link $(FUZZ_CHECKS) \
		-MMD -MP -c $< -o $@

$(BUILD)/fuzz/walk.a: $(call fuzz_objs,$(WALK_SRCS))
$(BUILD)/fuzz/iotlb.a: $(call fuzz_objs,$(filter-out userspace/iotlbd.c,$(wildcard userspace/*.c)))
$(BUILD)/fuzz/record.a: $(call fuzz_objs,$(RECORD_SRCS))
$(BUILD)/fuzz/top.a: $(call fuzz_objs,$(wildcard tools/top/*.c))
$(FUZZ_LIB):
	$(call msg,AR,$@)
	$(Q)mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $^

$(FUZZ_TARGETS): $(BUILD)/fuzz/%: $(BUILD)/obj/fuzzer/tests/libfuzzer/%.o $(FUZZ_LIB)
	$(call msg,LINK,$@)
	$(Q)$(CLANG) -g -fsanitize=fuzzer $(FUZZ_CHECKS) -Wl,--wrap=argp_error $^ $(LDLIBS) -lm -o $@

$(BENCH_MESSAGES): $(call objs,tests/bench/messages.c) $(BUILD)/tests/kernel.a
	$(call msg,LINK,$@)
	$(link) $(BUILD)/tests/kernel.a $(LDLIBS)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
