/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "command.h"
#include "config.h"
#include "kernel/pidns.h"
#include "restore.h"

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "detach", no_argument, NULL, 'd' },
		{ "pidfile", required_argument, NULL, 'p' },
		{ "pidns", no_argument, NULL, 'P' },
		{ "clock", required_argument, NULL, 'c' },
		{ 0 },
	};
	struct restore_options restore = { 0 };
	int c, code, status = 0, err;

	while ((c = next_option(argc, argv, "dp:", options)) != -1) {
		switch (c) {
		case 'd':
			restore.detach = true;
			break;
		case 'p':
			restore.pidfile = optarg;
			break;
		case 'c':
			if (!IS_ON_CLOCKS)
				return usage_error("--clock: this tinyckpt was built without CONFIG_CLOCKS");
			restore.advance = !strcmp(optarg, "advance");
			if (!restore.advance && strcmp(optarg, "freeze"))
				return usage_error("--clock takes freeze or advance, not \"%s\"", optarg);
			break;
		case 'P':
			if (!IS_ON_PIDNS)
				return usage_error("--pidns: this tinyckpt was built without CONFIG_PIDNS");
			restore.pidns = true;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	if (argc - optind != 1)
		return usage_error("one image is needed");
	restore.image = argv[optind];
	if (!*restore.image)
		return usage_error("the image needs a name");
	if (IS_ON_PIDNS && restore.pidns && (err = pidns_make()))
		return exit_code(err);
	err = restore_tree(&restore, &status);
	if (err || restore.detach)
		code = exit_code(err);
	else
		code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return IS_ON_PIDNS && restore.pidns ? pidns_end(code) : code;
}

#define HELP \
	"  -d, --detach         end when the tree is alive\n" \
	"  -p, --pidfile FILE   write the root's process ID there\n"
#define HELP_CLOCKS \
	"      --clock=freeze   monotonic clocks go on where they stopped; the default\n" \
	"      --clock=advance  they count the time that was lost, too\n"
#define HELP_PIDNS "      --pidns          give the tree a PID namespace of its own\n"
#define HELP_END "IMAGE `-` is standard input.\n"

static const struct command restore_command = {
	.order = 2,
	.name = "restore",
	.arguments = "IMAGE",
	.summary = "Bring the tree back, and stay as its parent until it ends, with its exit status",
	.help = IS_ON_CLOCKS && IS_ON_PIDNS ? HELP HELP_CLOCKS HELP_PIDNS HELP_END :
		IS_ON_CLOCKS ? HELP HELP_CLOCKS HELP_END : IS_ON_PIDNS ? HELP HELP_PIDNS HELP_END : HELP HELP_END,
	.run = run,
};
COMMAND(restore_command);
