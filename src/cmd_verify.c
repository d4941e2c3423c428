/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/escape.h"
#include "base/log.h"
#include "command.h"
#include "objects/rules.h"
#include "verify.h"

static void whole(const char *path, const struct verify *v)
{
	char name[512];
	bool fits = !v->foreign && !v->busy;

	escape(name, sizeof(name), path, strlen(path));
	printf("%s: whole; would %srestore here: %u process%s, %u thread%s, %llu pages\n", name, fits ? "" : "not ",
	       v->found.processes, v->found.processes == 1 ? "" : "es", v->found.threads, v->found.threads == 1 ? "" : "s",
	       (unsigned long long)v->found.pages_stored);
}

static int verify_one(const char *path, const struct rules *rules)
{
	struct verify v = { .here = true, .rules = rules };
	struct image_reader image;
	int err = image_open(&image, path);

	if (err)
		return exit_code(err);
	{
		CONTEXT("%s", path);
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
		IF_ON(RULES, { "rules", required_argument, NULL, 'u' },)
		{ 0 },
	};
	struct rules rules = { 0 };
	const char *rules_file = NULL;
	int c, err, worst = EXIT_DONE;

	while ((c = next_option(argc, argv, "", options)) != -1) {
		if (c != 'u')
			return EXIT_USAGE;
		rules_file = optarg;
	}
	if (argc == optind)
		return usage_error("an image is needed");
	err = IS_ON_RULES && rules_file ? rules_read(&rules, rules_file) : 0;
	if (err)
		return exit_code(err);
	for (int i = optind; i < argc; i++) {
		int status = verify_one(argv[i], &rules);

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
	.help = IF_ON(RULES, "      --rules FILE     as for `restore`\n")
		"IMAGE `-` is standard input.  Exit code 1: what stands in the way may pass (a process ID is taken); 4: it may not.\n"
		"Of several images, the worst decides.\n",
	.run = run,
};
COMMAND(verify_command);
