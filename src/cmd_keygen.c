/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <sodium/utils.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/log.h"
#include "command.h"
#include "image/key.h"
#include "image/target.h"

static int write_key(const char *path, const uint8_t bytes[KEY_BYTES])
{
	struct image_target target;
	int err = target_open(&target, path);

	if (err)
		return err;
	err = write_all(target.fd, bytes, KEY_BYTES);
	err = err ? fail_for(err, "%s: cannot be written", path) : target_commit(&target);
	target_drop(&target);
	return err;
}

static int keygen(const char *path, bool force)
{
	uint8_t bytes[KEY_BYTES];
	struct stat st;
	struct key key;
	int err;

	if (path == key_installed && mkdir("/etc/tinyckpt", 0755) && errno != EEXIST)
		return fail_errno("/etc/tinyckpt");
	if (!force && strcmp(path, "-") && !lstat(path, &st))
		return fail(EEXIST, "%s: there is a key, without which its images are lost: --force replaces it", path);
	err = key_random(bytes, sizeof(bytes));
	if (err)
		return fail_for(err, "random numbers");
	err = write_key(path, bytes);
	key_derive(&key, bytes);
	if (!err && strcmp(path, "-"))
		printf("%s: key %s\n", path, key_text(key.id).text);
	sodium_memzero(bytes, sizeof(bytes));
	sodium_memzero(&key, sizeof(key));
	return err;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "force", no_argument, NULL, 'f' },
		{ 0 },
	};
	const char *path = key_installed;
	bool force = false;
	int c;

	while ((c = next_option(argc, argv, "o:", options, NULL)) != -1) {
		if (c == 'o')
			path = optarg;
		else if (c == 'f')
			force = true;
		else
			return EXIT_USAGE;
	}
	if (argc != optind)
		return usage_error("nothing but options is taken");
	return exit_code(keygen(path, force));
}

static const struct command keygen_command = {
	.order = 9,
	.name = "keygen",
	.arguments = "",
	.summary = "Make the key that images are encrypted with from then on",
	.help = "  -o, --output FILE    in place of /etc/tinyckpt/key; `-` is standard output\n"
		"      --force          also where there is one: images of that one are lost\n",
	.run = run,
};
COMMAND(keygen_command);
