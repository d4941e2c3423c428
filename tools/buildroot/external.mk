# SPDX-License-Identifier: MIT
include $(sort $(wildcard $(BR2_EXTERNAL_TINYCKPT_PATH)/package/*/*.mk))
