# SPDX-License-Identifier: MIT
# What of Buildroot's package infrastructure a generic-package meets, in a few lines: the variables that it may use, a download
# that is checked against the hashes, and the commands of each step, run in Buildroot's order.
#
#     make -f tests/package/buildroot.mk BR2_EXTERNAL_TINYCKPT_PATH= BR2_CONFIG= BASE_DIR= TARGET_CROSS= PKG_CONFIG_HOST_BINARY=

include $(BR2_CONFIG)
qstrip = $(strip $(subst ",,$(1)))
BUILD_DIR  := $(BASE_DIR)/build
TARGET_DIR := $(BASE_DIR)/target
HOST_DIR   := $(BASE_DIR)/host
INSTALL    := install
TARGET_OBJCOPY  = $(TARGET_CROSS)objcopy
TARGET_MAKE_ENV = PATH="$(HOST_DIR)/bin:$(PATH)"

all:
define generic-package
$(foreach v,VERSION SOURCE SITE LICENSE LICENSE_FILES,$(if $(TINYCKPT_$(v)),,$(error TINYCKPT_$(v) is not set)))
endef
include $(BR2_EXTERNAL_TINYCKPT_PATH)/external.mk
$(if $(TINYCKPT_VERSION),,$(error external.mk included no package))

dir  := $(BUILD_DIR)/tinyckpt-$(TINYCKPT_VERSION)
hash := $(BR2_EXTERNAL_TINYCKPT_PATH)/package/tinyckpt/tinyckpt.hash

$(BASE_DIR)/dl/$(TINYCKPT_SOURCE):
	test "$(TINYCKPT_SITE_METHOD)" = file
	mkdir -p $(@D)
	cp $(TINYCKPT_SITE)/$(TINYCKPT_SOURCE) $@
	cd $(@D) && grep " $(TINYCKPT_SOURCE)$$" $(hash) | sed 's/^sha256 *//' | sha256sum -c
$(dir)/.stamp_extracted: $(BASE_DIR)/dl/$(TINYCKPT_SOURCE)
	mkdir -p $(@D)
	tar -x --strip-components=1 -C $(@D) -f $<
	cd $(@D) && for f in $(TINYCKPT_LICENSE_FILES); do grep " $$f$$" $(hash) | sed 's/^sha256 *//' | sha256sum -c || exit; done
	touch $@
$(dir)/.stamp_configured: $(dir)/.stamp_extracted
	$(TINYCKPT_CONFIGURE_CMDS)
	touch $@
$(dir)/.stamp_built: $(dir)/.stamp_configured
	$(TINYCKPT_BUILD_CMDS)
	touch $@
$(dir)/.stamp_target_installed: $(dir)/.stamp_built
	$(TINYCKPT_INSTALL_TARGET_CMDS)
	$(if $(BR2_INIT_SYSTEMD),$(TINYCKPT_INSTALL_INIT_SYSTEMD))
	$(if $(BR2_INIT_SYSV)$(BR2_INIT_BUSYBOX),$(TINYCKPT_INSTALL_INIT_SYSV))
	$(if $(BR2_INIT_OPENRC),$(TINYCKPT_INSTALL_INIT_OPENRC))
	touch $@
all: $(dir)/.stamp_target_installed
	@echo dependencies: $(TINYCKPT_DEPENDENCIES)
.PHONY: arch
arch:
	@echo $(TINYCKPT_ARCH)
