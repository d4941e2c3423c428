# SPDX-License-Identifier: MIT
# With DISTRO_FEATURES:append = " tinyckpt-kernel": what makes a kernel's restores complete (`tinyckpt check` tells what is lost
# without).  Other kernels' recipes take the same fragment in the same way.
FILESEXTRAPATHS:prepend := "${THISDIR}/linux-yocto:"
SRC_URI:append = "${@bb.utils.contains('DISTRO_FEATURES', 'tinyckpt-kernel', ' file://tinyckpt.cfg', '', d)}"
