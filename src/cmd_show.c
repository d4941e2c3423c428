/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>

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
	if (!err && (fflush(stdout) || ferror(stdout)))
		err = fail_errno("standard output");
	return err;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		IF_ON(TRUST, { "key", required_argument, NULL, 'k' },)
		{ 0 },
	};
	const char *key = KEY_DEFAULT;
	bool json = false;
	int c;

	while ((c = next_option(argc, argv, "", options)) != -1) {
		if (c == 'k') {
			key = optarg;
			continue;
		}
		if (c != 'j')
			return EXIT_USAGE;
		if (!IS_ON_JSON)
			return usage_error("--json: this tinyckpt was built without CONFIG_JSON");
		json = true;
	}
	if (argc - optind != 1)
		return usage_error("one image is needed");
	return exit_code(show(argv[optind], key, json));
}

static const struct command show_command = {
	.order = 3,
	.name = "show",
	.arguments = "IMAGE",
	.summary = "Tell what is inside an image",
	.help = "      --json           for programs\n"
		KEY_HELP,
	.notes = "IMAGE `-` is standard input.  Contents are not looked at: `verify` does that.\n",
	.run = run,
};
COMMAND(show_command);
