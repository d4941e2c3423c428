# SPDX-License-Identifier: MIT
# tinyckpt is a static program; most distributions leave static libraries out.
DISABLE_STATIC:class-target = ""
