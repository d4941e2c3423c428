# SPDX-License-Identifier: MIT
# tinyckpt: build, test, install.  `make help` tells what there is.
#
# By itself it fetches what it needs (tools/setup, tools/sysroot), and compiles with gcc, or with clang (COMPILER=clang).
# With CC, CROSS_COMPILE or PKG_CONFIG from outside (Buildroot, Yocto) it takes those and fetches nothing.

CONFIG ?= full
COMPILER ?= gcc
PREFIX ?= /usr/local
sbindir ?= $(PREFIX)/sbin
mandir  ?= $(PREFIX)/share/man
bashcompletiondir ?= $(PREFIX)/share/bash-completion/completions
FUZZ_SECONDS ?= 60

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

# Output stays short; V=1 shows the commands, -s nothing.
Q   := $(if $(V),,@)
say  = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),,@printf '  %-5s %s\n' $(1) '$(2)')

outside := $(filter environment environment\ override command,$(foreach v,CC CROSS_COMPILE PKG_CONFIG,$(origin $(v))))
ifneq ($(outside),)
  ifeq ($(origin CC),default)
    CC   := $(CROSS_COMPILE)gcc
  endif
  # A compiler from outside tells what it compiles for; armv7 has several names.
  ARCH   ?= $(patsubst arm%,armv7,$(firstword $(subst -, ,$(shell $(CC) -dumpmachine))))
  ARCH   := $(ARCH)
endif
ARCH     ?= x86_64

version := $(shell cat VERSION)
B       := build/$(ARCH)/$(CONFIG)
gen     := $(B)/gen
tool    := $(B)/tinyckpt

.PHONY: all
all: $(tool)

# ---------------------------------------------------------------------------------------------------------------------
# The toolchain: our own sysroot, or whatever comes from outside.

sysroot := .cache/sysroot/$(ARCH)

# A release brings nanopb's C files, and the code that it generates (see dist below).
bundled_nanopb := $(if $(wildcard nanopb/pb.h),nanopb)

ifeq ($(outside),)
  triplet    := $(shell awk '$$1 == "$(ARCH)" { print $$2 }' tools/architectures)
  CC-gcc     := $(sysroot)/bin/musl-gcc
  CC-clang   := clang --target=$(triplet) --gcc-toolchain=/usr --sysroot=$(sysroot) -nostdlibinc -isystem $(sysroot)/include
  # For a cross target it takes the C library beside gcc's first, of which these headers are not.
  link-clang := -B$(sysroot)/lib -L$(sysroot)/lib
  CC         := $(CC-$(COMPILER))
  tools      := $(triplet)-
  NANOPB_DIR ?= $(or $(bundled_nanopb),$(sysroot)/share/nanopb)
  capng_libs := -lcap-ng
  lz4_libs   := -llz4
  sodium_libs := -lsodium
  WERROR     ?= 1
else
  tools      := $(CROSS_COMPILE)
  OBJCOPY    ?= $(if $(tools),$(tools)objcopy,$(shell $(CC) -print-prog-name=objcopy))
  STRIP      ?= $(if $(tools),$(tools)strip,$(shell $(CC) -print-prog-name=strip))
  NANOPB_DIR ?= $(bundled_nanopb)
  PKG_CONFIG ?= pkg-config
  capng_cflags := $(shell $(PKG_CONFIG) --cflags libcap-ng)
  capng_libs   := $(or $(shell $(PKG_CONFIG) --static --libs libcap-ng),-lcap-ng)
  lz4_cflags   := $(shell $(PKG_CONFIG) --cflags liblz4 2>/dev/null)
  lz4_libs     := $(or $(shell $(PKG_CONFIG) --static --libs liblz4 2>/dev/null),-llz4)
  sodium_cflags := $(shell $(PKG_CONFIG) --cflags libsodium 2>/dev/null)
  sodium_libs  := $(or $(shell $(PKG_CONFIG) --static --libs libsodium 2>/dev/null),-lsodium)
  WERROR     ?= 0
endif
OBJCOPY ?= $(tools)objcopy
STRIP   ?= $(tools)strip
PROTOC  ?= protoc
PROTOC_GEN_NANOPB ?= $(or $(wildcard $(NANOPB_DIR)/generator/protoc-gen-nanopb),$(shell command -v protoc-gen-nanopb))

# Everything that compiles waits for this one; it costs nothing when all is there.
.PHONY: toolchain
toolchain:
ifeq ($(outside),)
	@tools/setup build $(ARCH)
	@tools/sysroot $(ARCH)
endif

# ---------------------------------------------------------------------------------------------------------------------
# The configuration: configs/CONFIG_defconfig, expanded.

config      := $(B)/.config
# Who builds with a Kconfig of its own may have another prefix in the environment.
kconfig_env := ARCH=$(ARCH) CONFIG_=CONFIG_ KCONFIG_CONFIG=$(config)

DEFCONFIG ?= configs/$(CONFIG)_defconfig
$(config): $(DEFCONFIG) configs/Kconfig arch/$(ARCH)/Kconfig tools/expand-config
	@mkdir -p $(@D)
	$(Q)if command -v kconfig-conf >/dev/null; then \
		$(kconfig_env) kconfig-conf --defconfig=$< configs/Kconfig >/dev/null; \
	else \
		ARCH=$(ARCH) tools/expand-config configs/Kconfig $< >$@; \
	fi; touch $@

# The same for make (obj-$(CONFIG_NAME)) and, as the only trace of it in C, IS_ON_NAME with the value 0 or 1, also of
# those that are not asked for since they depend on another.
$(B)/config.mk: $(config)
	$(Q)grep '^CONFIG_[A-Z0-9_]*=y$$' $< | sort >$@ || true

ifeq ($(filter clean distclean help toolchain,$(MAKECMDGOALS)),)
  include $(B)/config.mk
endif

# Replaces the target by target.new, but only when they differ: what depends on it is built again only then.
define update
@mkdir -p $(@D)
@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
endef

kconfigs := configs/Kconfig $(sort $(wildcard arch/*/Kconfig))
$(gen)/config.h: $(config) $(kconfigs)
	@mkdir -p $(@D)
	@{ echo '/* SPDX-License-Identifier: MIT */'; \
	   awk 'FNR == NR { if (/^CONFIG_.*=y$$/) on[substr($$1, 8, length($$1) - 9)] = 1; next } \
	        $$1 == "config" { name = $$2 } \
	        $$1 == "bool" { print "#define IS_ON_" name, name in on ? 1 : 0 }' $< $(kconfigs) | sort; } >$@.new
	$(update)

# ---------------------------------------------------------------------------------------------------------------------
# The sources.  All of src/ and arch/ARCH/ is built, but for the files that a toggle leaves out.

obj-$(CONFIG_FILE)          += src/objects/file.c
obj-$(CONFIG_UNLINKED)      += src/objects/unlinked.c
obj-$(CONFIG_EMBED)         += src/objects/embed.c src/objects/build_id.c
obj-$(CONFIG_PIPE)          += src/objects/pipe.c
obj-$(CONFIG_DEVICE)        += src/objects/device.c
obj-$(CONFIG_EVENTFD)        += src/objects/eventfd.c
obj-$(CONFIG_TIMERFD)        += src/objects/timerfd.c
obj-$(CONFIG_LOCKS)         += src/tree/locks.c
obj-$(CONFIG_POSIX_TIMERS)   += src/tree/posix_timers.c src/tree/timer_signals.c
obj-$(CONFIG_MANY_FILES)    += src/tree/cloexec.c
obj-$(CONFIG_SETTINGS)      += src/tree/landlock.c
obj-$(CONFIG_SESSIONS)      += src/tree/lineage.c src/tree/session.c
obj-$(CONFIG_CLOCKS)        += src/tree/clocks.c
obj-$(CONFIG_PIDS)          += src/tree/pids.c src/cmd_boot.c src/boot.c
obj-$(CONFIG_PIDNS)         += src/kernel/pidns.c
obj-$(CONFIG_VDSO_PROXY)    += src/tree/vdso.c src/tree/vdso_functions.c src/tree/signal_frames.c arch/$(ARCH)/vdso.c
obj-$(CONFIG_INHERIT_STDIO) += src/objects/inherit_stdio.c
obj-$(CONFIG_RULES)         += src/base/glob.c src/objects/rules.c src/objects/changed.c src/objects/unchanged.c src/objects/carried.c src/tree/resource.c
obj-$(CONFIG_OVERLAY)       += src/tree/overlay.c
obj-$(CONFIG_BUDGET)        += src/image/budget.c src/tree/estimate.c
obj-$(CONFIG_LZ4)           += src/image/lz4.c
obj-$(CONFIG_TRUST)         += src/cmd_keygen.c $(addprefix src/image/,key.c seal.c newest.c)
obj-$(CONFIG_OLD_KERNELS)   += src/tree/library_rseq.c
obj-$(CONFIG_BARE_KERNELS)  += src/kernel/poke.c src/kernel/lacking.c
obj-$(or $(CONFIG_PIDS),$(CONFIG_OLD_KERNELS)) += src/kernel/pid_counter.c
obj-$(CONFIG_COPY_BEHIND)   += src/image/behind.c src/tree/fill.c
obj-$(CONFIG_INSTALL_PAGES) += src/tree/install.c
obj-$(CONFIG_CMD_SHOW)      += src/cmd_show.c src/show_text.c src/objects/open_flags.c
obj-$(CONFIG_CMD_VERIFY)    += src/cmd_verify.c src/verify.c
obj-$(CONFIG_CMD_CHECK)     += src/cmd_check.c
obj-$(CONFIG_CHECK_KERNEL)  += src/check_kernel.c src/kernel/feature.c src/kernel/probe.c
obj-$(CONFIG_SERVICES)      += src/cmd_services.c $(addprefix src/service/,announce.c child.c conf.c find.c root.c start.c supervise.c)
obj-$(CONFIG_CMD_LIST)      += src/cmd_list.c src/image/firmware.c
obj-$(or $(CONFIG_SERVICES),$(CONFIG_CMD_LIST)) += src/service/shelf.c src/service/outline.c
obj-$(CONFIG_JSON)          += src/json.c src/show_json.c

obj-$(CONFIG_MTE)           += src/tree/tags.c arch/$(ARCH)/mte.c
obj-$(CONFIG_FEATURE_NAMES) += arch/$(ARCH)/feature_names.c

# uClibc-ng's headers lack much, and its archive has its members call each other by names that nothing can stand in for.
uclibc := $(if $(outside),$(filter __UCLIBC__,$(shell $(CC) -E -dM -include features.h -x c /dev/null 2>/dev/null)))

# What no toggle turned on has landed in `obj-`.
sources := $(filter-out $(obj-) $(if $(uclibc),src/libc/%),$(sort $(shell find src arch/$(ARCH) -name blob -prune -o -name '*.[cS]' -print)))

# Messages are all compiled in; the linker drops those that no source left in speaks of.
protos  := $(sort $(wildcard proto/*.proto))
# A release has their code in gen/; of other messages than those in proto/ it would be no use.  (BitBake's builds have cmp,
# but no cksum.)
pb      := $(or $(shell LC_ALL=C; export LC_ALL; cat proto/* | cmp -s - gen/messages 2>/dev/null && echo gen),$(gen))
pb_h    := $(protos:proto/%.proto=$(pb)/%.pb.h)
pb_c    := $(protos:proto/%.proto=$(pb)/%.pb.c)

# The blobs: code that runs inside other tasks.  Into the interpreter leads arch/ARCH/blob; the proxy is called, not run.
blobs := interpreter $(if $(CONFIG_VDSO_PROXY),proxy)
blob_source = $(sort $(wildcard $(1)/*.[cS]) $(if $(filter interpreter,$(1)),$(wildcard arch/$(ARCH)/blob/*.[cS])))

# ---------------------------------------------------------------------------------------------------------------------
# Flags.  CPPFLAGS, CFLAGS, LDFLAGS and LDLIBS are the user's and come last.

# $(call ask,FLAGS): FLAGS, if the compiler has them all.  Our own gcc has, others are asked.
ask = $(if $(outside)$(filter-out gcc,$(COMPILER)),$(shell echo 'void _start(void) { }' | \
	$(CC) -Werror $(1) -nostdlib -o /dev/null -x c - 2>/dev/null && echo $(1)),$(1))

$(if $(wildcard arch/$(ARCH)/arch.mk),,$(error ARCH=$(ARCH): no such architecture, see tools/architectures))
include arch/$(ARCH)/arch.mk

# What an architecture or a configuration lacks is a constant 0 in conditions, which clang finds worth a warning.
warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wvla -Wno-constant-logical-operand $(if $(filter 1,$(WERROR)),-Werror)
includes := -Isrc $(addprefix -I,$(sort $(gen) $(pb))) -Iarch/$(ARCH) -Iarch -Iinterpreter -Iproxy
defines  := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DTINYCKPT_VERSION='"$(version)"'
# Of nanopb's sources, which are compiled along, only what is used: without its own texts it is 1.7 KB smaller.
nanopb_include := $(if $(NANOPB_DIR),-isystem $(NANOPB_DIR) -DPB_NO_ERRMSG -DPB_BUFFER_ONLY,$(shell $(PKG_CONFIG) --cflags nanopb 2>/dev/null))

# No path and no date of the machine that builds.
same_everywhere := -ffile-prefix-map='$(CURDIR)'=. -Wdate-time

# gcc has -Oz since 12; all sources optimized as one (LTO) are 2 to 3 % smaller.
# What a compiler does for speed in spite of that is 0.7 percent of the bytes.
smallest := $(or $(call ask,-Oz),-Os) $(call ask,-flto -flto-partition=one) \
	$(call ask,-fno-move-loop-invariants -fno-guess-branch-probability -fno-shrink-wrap)
tool_flags := -std=gnu11 $(smallest) $(warnings) $(same_everywhere) -ffunction-sections -fdata-sections -fno-pie \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fno-unwind-tables $(ARCH_CFLAGS) \
	$(if $(uclibc),-include src/libc/lacking.h) $(defines) $(includes) $(nanopb_include) $(capng_cflags) $(lz4_cflags) $(sodium_cflags) $(CPPFLAGS) $(CFLAGS)
# No constructor runs before main(), and no frames are registered for exceptions: of the files that a program starts with, the
# one that calls the C library will do, if that one does not want the others.
start_files := -nostartfiles $(sysroot)/lib/crt1.o
ifneq ($(outside),)
  start_files := -nostartfiles $(shell $(CC) -### -x c /dev/null 2>&1 | sed -n 's,.*[" ]\([^" ]*/\)S\{0\,1\}crt1\.o.*,\1crt1.o,p')
  start_files := $(shell echo 'int main(void) { return 0; }' | \
	$(CC) -static -no-pie $(start_files) -o /dev/null -x c - 2>/dev/null && echo $(start_files))
endif
# Segments that share pages of the file save up to 8 KiB of padding; what relro would protect here is 64 bytes.
# A small common page size has the linker not pad to a page of it, either.
link_flags := $(link-$(COMPILER)) $(start_files) -static -no-pie -Wno-unused-command-line-argument -Wl,-z,noseparate-code -Wl,-z,common-page-size=64 -Wl,-z,norelro \
	-Wl,--gc-sections -Wl,--build-id=none -Wl,-z,noexecstack $(LDFLAGS)
link_libs  := $(capng_libs) $(if $(CONFIG_LZ4),$(lz4_libs)) $(if $(CONFIG_TRUST),$(sodium_libs)) $(LDLIBS)

blob_flags := -std=gnu11 -Os $(warnings) $(same_everywhere) -ffreestanding -fPIE -fvisibility=hidden \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-builtin $(call ask,-fno-tree-loop-distribute-patterns) \
	$(ARCH_BLOB_CFLAGS) -D_GNU_SOURCE $(includes) -Iarch/$(ARCH)/blob

# The unit tests run on the machine that builds, with its own C library and all sanitizers; so does the fuzzer.
HOSTCC     ?= gcc
FUZZCC     ?= clang
host_flags := -std=gnu11 -g -O1 -fno-omit-frame-pointer $(warnings) $(defines) $(includes) $(nanopb_include)
unit_flags := $(host_flags) -fsanitize=address,undefined -fno-sanitize-recover=undefined
fuzz_flags := $(filter-out -Werror,$(host_flags)) -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined

# Flags, tools and file lists leave a trace on disk, so that a change of them builds again what it must.
.PHONY: FORCE
FORCE:
remember = $(file >$@.new,$(1))
$(B)/tool.flags: FORCE | $(B)/config.mk
	$(call remember,$(CC) $(tool_flags) $(NANOPB_DIR))
	$(update)
$(B)/blob.flags: FORCE | $(B)/config.mk
	$(call remember,$(CC) $(blob_flags))
	$(update)
$(B)/unit.flags: FORCE | $(B)/config.mk
	$(call remember,$(HOSTCC) $(unit_flags))
	$(update)
$(B)/fuzz.flags: FORCE | $(B)/config.mk
	$(call remember,$(FUZZCC) $(fuzz_flags))
	$(update)
$(B)/link.flags: FORCE | $(B)/config.mk
	$(call remember,$(link_flags) $(link_libs) $(objects))
	$(update)

# ---------------------------------------------------------------------------------------------------------------------
# Generated files

# protoc tells which messages a message imports; the bounds beside it count too.
$(gen)/%.pb.c $(gen)/%.pb.h: proto/%.proto | toolchain $(gen)/config.h
	$(call say,PROTO,$<)
	$(Q)$(PROTOC) $(if $(PROTOC_GEN_NANOPB),--plugin=protoc-gen-nanopb=$(PROTOC_GEN_NANOPB)) \
		--dependency_out=$(gen)/$*.pb.d -Iproto --nanopb_out=-Iproto:$(gen) $<
$(foreach p,$(protos:proto/%.proto=%),$(eval $(gen)/$(p).pb.c $(gen)/$(p).pb.h: $(wildcard proto/$(p).options)))

ifeq ($(pb),gen)
$(pb_c) $(pb_h): ;
endif
generated := $(gen)/config.h $(pb_h)

# ---------------------------------------------------------------------------------------------------------------------
# The blobs

# That nothing in it needs relocating, the linker script sees to.
comma := ,
define blob
$(1)_objects := $$(patsubst %,$(B)/blob/%.o,$$(basename $$(call blob_source,$(1))))
$(B)/$(1).elf: $$($(1)_objects) arch/$(ARCH)/blob.lds
	$$(call say,BLOB,$(1))
	$$(Q)$$(CC) -nostdlib -static -Wno-unused-command-line-argument -Wl,--build-id=none -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,--gc-sections \
		$(if $(filter interpreter,$(1)),-Wl$(comma)--undefined=interpret) -T arch/$(ARCH)/blob.lds -o $$@ $$($(1)_objects)
$(B)/$(1).bin: $(B)/$(1).elf
	$$(Q)$$(OBJCOPY) -O binary $$< $$@
$(gen)/$(1)_blob.S: Makefile | $(gen)/config.h
	@printf '%s\n' '/* SPDX-License-Identifier: MIT */' \
		'	.section .rodata.$(1)_blob, "a"' '	.balign 16' '	.globl $(1)_blob, $(1)_blob_end' \
		'$(1)_blob:' '	.incbin "$(B)/$(1).bin"' '$(1)_blob_end:' '	.section .note.GNU-stack, "", %progbits' >$$@
$(foreach v,obj unit,$(B)/$(v)/$(gen)/$(1)_blob.o: $(B)/$(1).bin
)
endef
$(foreach b,$(blobs),$(eval $(call blob,$(b))))

$(B)/blob/%.o: %.c $(B)/blob.flags | toolchain $(generated)
	@mkdir -p $(@D)
	$(call say,CC,$< (blob))
	$(Q)$(CC) $(blob_flags) -MMD -MP -c -o $@ $<
$(B)/blob/%.o: %.S $(B)/blob.flags | toolchain $(generated)
	@mkdir -p $(@D)
	$(call say,AS,$< (blob))
	$(Q)$(CC) $(blob_flags) -MMD -MP -c -o $@ $<

# ---------------------------------------------------------------------------------------------------------------------
# The tool, and its sources once more for unit tests and fuzzer

nanopb_c   := $(if $(NANOPB_DIR),pb_common pb_encode pb_decode)
all_source := $(sources) $(pb_c) $(blobs:%=$(gen)/%_blob.S)
objects_in  = $(patsubst %,$(B)/$(1)/%.o,$(basename $(2))) $(nanopb_c:%=$(B)/$(1)/nanopb/%.o)
objects    := $(call objects_in,obj,$(all_source))
nanopb_libs := $(if $(NANOPB_DIR),,$(or $(shell $(PKG_CONFIG) --static --libs nanopb 2>/dev/null),-lprotobuf-nanopb))
link_libs  += $(nanopb_libs)

# compile FOLDER, FLAGS-NAME, COMPILER
define compile
$(B)/$(1)/%.o: %.c $(B)/$(2).flags | toolchain $(generated)
	@mkdir -p $$(@D)
	$$(call say,CC,$$<$(if $(filter-out obj,$(1)), ($(1))))
	$$(Q)$(3) $$($(2)_flags) -MMD -MP -c -o $$@ $$<
$(B)/$(1)/%.o: %.S $(B)/$(2).flags | toolchain $(generated)
	@mkdir -p $$(@D)
	$$(Q)$(3) $$($(2)_flags) -MMD -MP -c -o $$@ $$<
$(B)/$(1)/nanopb/%.o: $(B)/$(2).flags | toolchain
	@mkdir -p $$(@D)
	$$(Q)$(3) $$($(2)_flags) -w -c -o $$@ $$(NANOPB_DIR)/$$*.c
endef
$(eval $(call compile,obj,tool,$$(CC)))
# What the C library calls here must be there when its members come in, and those that stand for a builtin of gcc's come
# late: after all sources were optimized as one, and what none of them calls was gone.
$(B)/obj/src/libc/%.o: tool_flags += -fno-lto
$(eval $(call compile,unit,unit,$$(HOSTCC)))
$(eval $(call compile,fuzz,fuzz,$$(FUZZCC)))

$(tool).elf: $(objects) $(B)/link.flags
	$(call say,LINK,$@)
	$(Q)$(CC) $(smallest) $(CFLAGS) $(link_flags) -o $@ $(objects) $(link_libs)
$(tool): $(tool).elf
	$(Q)$(STRIP) -s -R .comment -R '.note*' -R .eh_frame -o $@ $<

# Of those, without main(), and with the whole C library of the machine.
host_source := $(filter-out src/main.c src/cmd_%.c src/libc/%,$(all_source))

unit_tests := $(patsubst tests/unit/%.c,$(B)/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
$(unit_tests): $(B)/unit/%: $(B)/unit/tests/unit/%.o \
		$(call objects_in,unit,$(host_source)) $(B)/unit.flags
	$(call say,LINK,$@)
	$(Q)$(HOSTCC) -fsanitize=address,undefined -o $@ $(filter %.o,$^) -lcmocka -lcap-ng -llz4 -lsodium $(nanopb_libs)

fuzz_source := $(filter-out %/crc32c.c,$(host_source)) src/image/crc32c.c
fuzzers := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
$(fuzzers): $(B)/fuzz/%: $(B)/fuzz/tests/fuzz/%.o $(call objects_in,fuzz,$(fuzz_source)) $(B)/fuzz.flags
	$(call say,LINK,$@)
	$(Q)$(FUZZCC) -fsanitize=fuzzer,address,undefined -o $@ $(filter %.o,$^) -lcap-ng -llz4 -lsodium $(nanopb_libs)

.PHONY: unit fuzzers
unit: $(unit_tests)
fuzzers: $(fuzzers)
.SECONDARY:

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# ---------------------------------------------------------------------------------------------------------------------
# What one does with it

# Test drivers find the tool, and the configuration it was built with, in the environment.  The make that they run
# inherits what was said on the command line, but no jobs: a recipe that is no make gets none.
run_env = MAKEFLAGS='$(filter-out -j% --jobserver%,$(MAKEFLAGS))' \
	 ARCH=$(ARCH) CONFIG=$(CONFIG) TINYCKPT='$(CURDIR)/$(tool)' FUZZ_SECONDS=$(FUZZ_SECONDS)

.PHONY: demo check check-boards check-days check-cuts check-stress bench fuzz
demo: all
	$(Q)$(run_env) tools/demo
check: all
	$(Q)tools/setup check
	$(Q)$(run_env) tests/run $(SUITES)
# Builds by itself, for each board's architecture, and kernels once.  Each board has a time limit of its own.
check-boards:
	$(Q)tools/setup boards
	$(Q)BOARDS='$(BOARDS)' SUITE_SECONDS=0 tests/run boards
# So does this.  Each boot has a time limit of its own.
check-days:
	$(Q)DAYS='$(DAYS)' SUITE_SECONDS=0 tests/run emulated
# And this.
check-cuts:
	$(Q)CUTS='$(CUTS)' SUITE_SECONDS=0 tests/run cuts
check-stress: all
	$(Q)tools/setup stress
	$(Q)$(run_env) SUITE_SECONDS=0 tests/run stress
bench: all
	$(Q)tools/setup bench
	$(Q)$(run_env) tests/bench/run
fuzz:
	$(Q)tools/setup check
	$(Q)$(run_env) tests/run fuzz

# build/dist: the release, and the packages that build it.
.PHONY: dist
dist: $(pb_c) $(pb_h)
	$(Q)tools/dist $(version) $(pb) $(NANOPB_DIR) build/dist

.PHONY: install
install: all
	install -D -m 755 $(tool) $(DESTDIR)$(sbindir)/tinyckpt
	$(if $(wildcard src/man/tinyckpt.8),install -D -m 644 src/man/tinyckpt.8 $(DESTDIR)$(mandir)/man8/tinyckpt.8)
	$(if $(CONFIG_SERVICES),install -D -m 644 src/man/tinyckpt.conf.5 $(DESTDIR)$(mandir)/man5/tinyckpt.conf.5)
	$(if $(CONFIG_RULES),install -D -m 644 src/man/tinyckpt.rules.5 $(DESTDIR)$(mandir)/man5/tinyckpt.rules.5)
	$(if $(wildcard src/completion/tinyckpt),install -D -m 644 src/completion/tinyckpt \
		$(DESTDIR)$(bashcompletiondir)/tinyckpt)

# What runs it at boot and at shutdown (tools/boot/README.md), and what updaters call.
sysconfdir ?= /etc
systemdsystemunitdir ?= $(PREFIX)/lib/systemd/system
libexecdir ?= $(PREFIX)/lib/tinyckpt
boot-busybox := S01tinyckpt:S01tinyckpt S99tinyckpt:S99tinyckpt
boot-sysv    := S01tinyckpt:tinyckpt-boot S99tinyckpt:tinyckpt
boot-openrc  := tinyckpt-boot:tinyckpt-boot tinyckpt:tinyckpt
boot-procd   := $(boot-openrc)
# $(call put,MODE,FROM,TO): with the paths in it as they are here.
put = install -d $(dir $(3)) && sed 's|/usr/sbin/tinyckpt|$(sbindir)/tinyckpt|g; s|/usr/lib/tinyckpt|$(libexecdir)|g' $(2) >$(3) && \
	chmod $(1) $(3) || exit;
.PHONY: install-boot install-hooks
install-boot:
	$(if $(filter busybox sysv openrc procd systemd,$(INIT)),,$(error INIT=busybox, sysv, openrc, procd or systemd))
	$(foreach f,$(boot-$(INIT)),$(call put,755,tools/boot/$(INIT:busybox=sysv)/$(firstword $(subst :, ,$(f))),\
		$(DESTDIR)$(sysconfdir)/init.d/$(lastword $(subst :, ,$(f)))))
	$(if $(filter systemd,$(INIT)),$(foreach f,$(wildcard tools/boot/systemd/*.service),\
		$(call put,644,$(f),$(DESTDIR)$(systemdsystemunitdir)/$(notdir $(f)))))
	install -d $(DESTDIR)$(sysconfdir)/tinyckpt
install-hooks:
	$(call put,755,tools/boot/update,$(DESTDIR)$(libexecdir)/update)
	$(foreach h,$(HOOKS),$(foreach f,$(filter-out %.conf,$(wildcard tools/boot/$(h)/*)),\
		$(call put,755,$(f),$(DESTDIR)$(libexecdir)/$(h)/$(notdir $(f)))))
	$(if $(filter rauc,$(HOOKS)),$(call put,644,tools/boot/rauc/rauc-mark-good.conf,\
		$(DESTDIR)$(systemdsystemunitdir)/rauc-mark-good.service.d/tinyckpt.conf))

# Every architecture in every configuration.
arches := $(shell awk '/^[a-z]/ { print $$1 }' tools/architectures)
.PHONY: all-arches size
all-arches:
	+$(Q)for arch in $(arches); do for config in full iot minimal; do \
		$(MAKE) --no-print-directory ARCH=$$arch CONFIG=$$config || exit; \
	done; done

# Bytes that may go to flash.
size:
	$(Q)tools/size $(if $(filter command%,$(origin ARCH)),$(ARCH))

.PHONY: menuconfig defconfig oldconfig savedefconfig
menuconfig: $(config)
	$(if $(outside),,$(Q)tools/setup menuconfig)
	$(Q)$(kconfig_env) kconfig-mconf configs/Kconfig
defconfig:
	$(Q)rm -f $(config)
	$(Q)$(MAKE) --no-print-directory $(config)
# A .config of another version: what it does not know is as by default.
oldconfig: $(config)
	$(Q)mv $(config) $(config).old && ARCH=$(ARCH) tools/expand-config configs/Kconfig $(config).old >$(config)
savedefconfig: $(config)
	$(Q)$(kconfig_env) kconfig-conf --savedefconfig=$(DEFCONFIG) configs/Kconfig

.PHONY: lint
lint: $(generated)
	$(Q)tools/setup lint
	$(Q)tools/lint $(sources) -- $(filter-out -Werror $(smallest),$(tool_flags))

.PHONY: clean distclean
clean:
	rm -rf build
distclean: clean
	rm -rf .cache

.PHONY: help
help:
	@echo 'make [ARCH=x86_64] [CONFIG=full|iot|minimal]   builds $(tool)'
	@echo
	@echo 'demo           saves and restores a small workload before your eyes'
	@echo 'check          runs the tests; SUITES="unit system" some of them'
	@echo 'check-boards   runs the system tests on booted kernels, under emulation; BOARDS="x86_64-6.1" some of them'
	@echo 'check-days     saves under one firmware, restores under another, and back; DAYS="x86_64-ext4" some of tests/emulated/days'
	@echo 'check-cuts     cuts the power of boards in the midst of a save; CUTS="ext4" some of tests/cuts/cuts'
	@echo 'check-stress   saves and restores each stressor of stress-ng, half an hour'
	@echo 'fuzz           runs the fuzzers for FUZZ_SECONDS (60)'
	@echo 'bench          measures'
	@echo 'lint           static analysis, layout, licences'
	@echo 'all-arches     builds every configuration for every architecture'
	@echo 'size           bytes of the tool, its blobs and its toggles, against the limits; ARCH= for one architecture'
	@echo 'dist           build/dist: the release tarball, and the Buildroot and Yocto packages that build it'
	@echo 'install        DESTDIR=, PREFIX=/usr/local, sbindir=, mandir=, bashcompletiondir='
	@echo 'install-boot   INIT=busybox|sysv|openrc|procd|systemd; install-hooks: HOOKS="rauc swupdate mender"'
	@echo 'menuconfig     chooses what goes in ($(config))'
	@echo 'defconfig      goes back to configs/$(CONFIG)_defconfig; savedefconfig writes it'
	@echo 'clean          removes build/; distclean also the sysroots in .cache/'
	@echo
	@echo 'V=1 shows the commands, WERROR=0 lets warnings pass, COMPILER=clang takes clang in place of gcc.'
	@echo 'From outside, nothing is fetched then: CC= or CROSS_COMPILE=, PKG_CONFIG= (finds libcap-ng),'
	@echo 'NANOPB_DIR= (pb_*.c, generator/), CPPFLAGS=, CFLAGS=, LDFLAGS=, LDLIBS=.'
