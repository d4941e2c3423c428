/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>

#include "boot.h"
#include "command.h"
#include "image/key.h"

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		KEY_OPTION
		{ 0 },
	};
	struct kept kept = { 0 };
	struct given given = { .key = KEY_DEFAULT };
	int err;

	if (next_option(argc, argv, "", options, &given) != -1)
		return EXIT_USAGE;
	if (argc > optind)
		return usage_error("boot takes no arguments");
	err = boot_look(image_directory(), given.key, &kept);
	if (!err)
		err = boot_lift(&kept);
	if (err)
		return exit_code(err);
	if (!kept.images && kept.is > kept.was)
		printf("no process IDs to keep; those up to %d are left to what a boot begins with\n", kept.is);
	else if (!kept.images)
		puts("no process IDs to keep");
	else if (kept.is > kept.was && kept.was < kept.highest)
		printf("process IDs up to %d are kept for %u image%s; the last one given was %d\n", kept.highest, kept.images,
		       kept.images == 1 ? "" : "s", kept.was);
	else
		printf("process IDs up to %d were given before, %u image%s may find theirs taken\n", kept.was, kept.images,
		       kept.images == 1 ? "" : "s");
	return EXIT_DONE;
}

static const struct command boot_command = {
	.order = 6,
	.name = "boot",
	.arguments = "",
	.summary = "Keep the process IDs of all images in $TINYCKPT_DIR free: to be run first at boot",
	.help = "" KEY_HELP,
	.notes = "\nThe kernel goes on counting behind the highest one, and behind those that kernel threads have at any boot.\n"
		 "Images that cannot be read are named, and passed over.\n",
	.run = run,
};
COMMAND(boot_command);
