/* SPDX-License-Identifier: MIT */
/*
 * save and restore of what is configured: a file NAME.conf in /etc/tinyckpt says what workload NAME is and how to start it.
 * Without CONFIG_SERVICES there is no cmd_services.c: calls stand behind `if (IS_ON_SERVICES && ...)`.
 */
#ifndef TINYCKPT_CMD_SERVICES_H
#define TINYCKPT_CMD_SERVICES_H

#include <stdbool.h>

#define SERVICES_HELP \
	"      --all            every workload that has a file in /etc/tinyckpt, see tinyckpt.conf(5)\n" \
	"      --service NAME   that of /etc/tinyckpt/NAME.conf\n" \
	"      --config DIR     in place of $TINYCKPT_CONFIG (/etc/tinyckpt)\n"
#define SERVICES_RESTORE_HELP \
	"      --foreground     with --service: stay as its parent until it ends, with its exit status\n"

/* Is it services that the command line is about?  They have options of their own. */
bool services_asked(int argc, char **argv);

/* Each returns the exit code: the worst of all. */
int services_save(int argc, char **argv);
int services_restore(int argc, char **argv);

#endif
