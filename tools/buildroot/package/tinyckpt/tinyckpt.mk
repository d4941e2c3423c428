# SPDX-License-Identifier: MIT
################################################################################
#
# tinyckpt
#
################################################################################

TINYCKPT_VERSION = 0.1.0
TINYCKPT_SOURCE = tinyckpt-$(TINYCKPT_VERSION).tar.xz
TINYCKPT_SITE = $(or $(call qstrip,$(BR2_PACKAGE_TINYCKPT_SITE)),$(abspath $(BR2_EXTERNAL_TINYCKPT_PATH)/..))
ifneq ($(filter /%,$(TINYCKPT_SITE)),)
TINYCKPT_SITE_METHOD = file
endif
# nanopb, which is linked in, is under the zlib licence.
TINYCKPT_LICENSE = MIT, Zlib (nanopb)
TINYCKPT_LICENSE_FILES = LICENSE nanopb/LICENSE.txt
TINYCKPT_DEPENDENCIES = host-pkgconf libcap-ng

ifeq ($(BR2_PACKAGE_TINYCKPT_CONFIG_LZ4),y)
TINYCKPT_DEPENDENCIES += lz4
endif
ifeq ($(BR2_PACKAGE_TINYCKPT_CONFIG_TRUST),y)
TINYCKPT_DEPENDENCIES += libsodium
endif

TINYCKPT_ARCH = $(if $(BR2_arm),armv7,$(if $(BR2_riscv),riscv64,$(call qstrip,$(BR2_ARCH))))

# The compiler's wrapper knows the processor; how to optimize, the Makefile knows.  What BR2_STRIP_* says is of no use for a
# program that is never run otherwise than stripped.
TINYCKPT_MAKE_OPTS = \
	ARCH=$(TINYCKPT_ARCH) \
	CONFIG=buildroot DEFCONFIG=buildroot_defconfig \
	CC="$(TARGET_CC)" OBJCOPY="$(TARGET_OBJCOPY)" STRIP="$(TARGET_CROSS)strip" \
	PKG_CONFIG="$(PKG_CONFIG_HOST_BINARY)" \
	PREFIX=/usr DESTDIR=$(TARGET_DIR)

# Buildroot's names of the toggles are those of configs/Kconfig behind BR2_PACKAGE_TINYCKPT_.
define TINYCKPT_CONFIGURE_CMDS
	sed -n -e 's/^BR2_PACKAGE_TINYCKPT_\(CONFIG_[A-Z0-9_]*=y\)$$/\1/p' \
		-e 's/^# BR2_PACKAGE_TINYCKPT_\(CONFIG_[A-Z0-9_]* is not set\)$$/# \1/p' \
		$(BR2_CONFIG) >$(@D)/buildroot_defconfig
endef

define TINYCKPT_BUILD_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) -C $(@D) $(TINYCKPT_MAKE_OPTS)
endef

TINYCKPT_HOOKS = \
	$(if $(BR2_PACKAGE_RAUC),rauc) \
	$(if $(BR2_PACKAGE_SWUPDATE),swupdate) \
	$(if $(BR2_PACKAGE_MENDER),mender)

define TINYCKPT_INSTALL_TARGET_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) -C $(@D) $(TINYCKPT_MAKE_OPTS) \
		install $(if $(strip $(TINYCKPT_HOOKS)),install-hooks HOOKS="$(strip $(TINYCKPT_HOOKS))")
endef

define TINYCKPT_INSTALL_BOOT
	$(TARGET_MAKE_ENV) $(MAKE) -C $(@D) $(TINYCKPT_MAKE_OPTS) install-boot INIT=$(1)
endef

define TINYCKPT_INSTALL_INIT_SYSV
	$(call TINYCKPT_INSTALL_BOOT,busybox)
endef

define TINYCKPT_INSTALL_INIT_OPENRC
	$(call TINYCKPT_INSTALL_BOOT,openrc)
endef

define TINYCKPT_INSTALL_INIT_SYSTEMD
	$(call TINYCKPT_INSTALL_BOOT,systemd)
endef

$(eval $(generic-package))
