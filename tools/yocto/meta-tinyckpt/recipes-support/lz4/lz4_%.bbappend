# SPDX-License-Identifier: MIT
# tinyckpt is a static program.  Its own assignment comes last on make's command line, and holds.
EXTRA_OEMAKE:append:class-target = " BUILD_STATIC=yes"
