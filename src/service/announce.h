/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_SERVICE_ANNOUNCE_H
#define TINYCKPT_SERVICE_ANNOUNCE_H

/*
 * Says a line, with its context, as log_at() does, and to the system's log as well: that of the syslog daemon (/dev/log)
 * where there is one, else the kernel's (/dev/kmsg).
 */
void announce(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
