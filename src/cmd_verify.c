/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/scope.h"
#include "command.h"
#include "image/key.h"
#include "objects/rules.h"
#include "verify.h"

static void whole(const char *path, const struct verify *v)
{
	char name[512], place[512] = "here";
	bool fits = !v->foreign && !v->busy;

	escape(name, sizeof(name), path, strlen(path));
	if (v->root)
		snprintf(place, 7, "under ");
	if (v->root)
		escape(place + strlen(place), sizeof(place) - strlen(place), v->root, strlen(v->root));
	printf("%s: whole; would %srestore %s: %u process%s, %u thread%s, %llu pages", name, fits ? "" : "not ", place,
	       v->found.processes, v->found.processes == 1 ? "" : "es", v->found.threads, v->found.threads == 1 ? "" : "s",
	       (unsigned long long)v->found.pages_stored);
	if (v->carried)
		printf("; %u file%s would come from the image", v->carried, v->carried == 1 ? "" : "s");
	putchar('\n');
}

static int verify_one(const char *path, const char *key, const char *root, int root_fd, const struct rules *rules)
{
	struct verify v = { .here = true, .root = root, .root_fd = root_fd, .rules = rules };
	struct image_reader image;
	int err = image_open(&image, path, key);

	if (err)
		return exit_code(err);
	{
		CONTEXT("%s%s%s", path, root ? ": " : "", root ? root : "");
		/* updaters ask while the workload runs that it was restored as: what they want to know is of the next one */
		err = root ? 0 : image_check_newest(&image);
		if (!err)
			err = verify_image(&v, &image);
	}
	image_close(&image);
	if (err)
		return exit_code(err);
	whole(path, &v);
	return v.foreign ? EXIT_IMAGE : v.busy ? EXIT_FAILED : EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", required_argument, NULL, 'r' },
		KEY_OPTION
		RULES_OPTION
		{ 0 },
	};
	CLEANUP_CLOSE int fd = -1;
	struct rules rules = { 0 };
	struct given given = { .key = KEY_DEFAULT };
	const char *root = NULL;
	int c, err, worst = EXIT_DONE;

	while ((c = next_option(argc, argv, "", options, &given)) != -1) {
		if (c != 'r')
			return EXIT_USAGE;
		root = optarg;
	}
	if (argc == optind)
		return usage_error("an image is needed");
	err = IS_ON_RULES && given.rules ? rules_read(&rules, given.rules) : 0;
	if (err)
		return exit_code(err);
	if (root) {
		fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return exit_code(fail_errno("--root=%s", root));
		log_notice("under %s only files are looked at; what its kernel has, its vDSO included, and which process IDs are "
			   "free then, cannot be known before it runs", root);
	}
	for (int i = optind; i < argc; i++) {
		int status = verify_one(argv[i], given.key, root, fd, &rules);

		if (status > worst)
			worst = status;
	}
	return worst;
}

static const struct command verify_command = {
	.order = 4,
	.name = "verify",
	.arguments = "IMAGE...",
	.summary = "Tell whether images are whole, and whether they would restore here; restores nothing",
	.help = "      --root DIR       under the firmware whose root directory is (mounted at) DIR: its files are looked at, not its "
		"kernel, nor the process IDs that are free then\n"
		IF_ON(RULES, "      --rules FILE     as for `restore`\n")
		KEY_HELP,
	.notes = "\nIMAGE `-` is standard input. Exit code 1: what stands in the way may pass (a process ID is taken); 4: it may not.\n"
		 "Of several images, the worst decides.\n",
	.run = run,
};
COMMAND(verify_command);
