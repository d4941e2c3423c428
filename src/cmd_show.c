/* SPDX-License-Identifier: MIT */
#include <getopt.h>

#include "base/log.h"
#include "command.h"
#include "config.h"
#include "image/key.h"
#include "show.h"

static int show(const char *path, const char *key, bool json)
{
	struct image_reader image;
	int err = image_open(&image, path, key);

	if (err)
		return err;
	{
		CONTEXT("%s", path);
		image.skip_bodies = true;	/* they are `verify`'s */
		err = IS_ON_JSON && json ? show_json(&image) : show_text(&image, path);
	}
	image_close(&image);
	return err;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		JSON_OPTION
		KEY_OPTION
		{ 0 },
	};
	struct given given = { .key = KEY_DEFAULT };

	if (next_option(argc, argv, "", options, &given) != -1)
		return EXIT_USAGE;
	if (argc - optind != 1)
		return usage_error("one image is needed");
	return exit_code(show(argv[optind], given.key, given.json));
}

static const struct command show_command = {
	.order = 3,
	.name = "show",
	.arguments = "IMAGE",
	.summary = "Tell what is inside an image",
	.help = "" JSON_HELP
		KEY_HELP,
	.notes = "\nIMAGE `-` is standard input. Contents are not looked at: `verify` does that.\n",
	.run = run,
};
COMMAND(show_command);
