/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "cmd_services.h"
#include "command.h"
#include "config.h"
#include "image/key.h"
#include "kernel/pidns.h"
#include "objects/rules.h"
#include "restore.h"

static const struct option options[] = {
	{ "detach", no_argument, NULL, 'd' },
	{ "pidfile", required_argument, NULL, 'p' },
	RULES_OPTION
	IF_ON(CLOCKS, { "clock", required_argument, NULL, 'c' },)
	IF_ON(PIDNS, { "pidns", no_argument, NULL, 'P' },)
	KEY_OPTION
	{ 0 },
};

static int parse(int argc, char **argv, struct restore_options *restore, struct given *given)
{
	int c;

	while ((c = next_option(argc, argv, "dp:", options, given)) != -1) {
		switch (c) {
		case 'd':
			restore->detach = true;
			break;
		case 'p':
			restore->pidfile = optarg;
			break;
		case 'c':
			restore->advance = !strcmp(optarg, "advance");
			restore->tell = IS_ON_VDSO_PROXY && !strcmp(optarg, "tell");
			if (IS_ON_CLOCKS && !restore->advance && !restore->tell && strcmp(optarg, "freeze"))
				return usage_error("--clock takes freeze, advance or tell, not \"%s\"", optarg);
			break;
		case 'P':
			restore->pidns = IS_ON_PIDNS;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	return EXIT_DONE;
}

static int try(int argc, char **argv)
{
	struct restore_options restore = { 0 };
	struct given given = { 0 };

	return parse(argc, argv, &restore, &given);
}

static int run(int argc, char **argv)
{
	struct rules rules = { 0 };
	struct restore_options restore = { .rules = IF_RULES(&rules) };
	struct given given = { .key = KEY_DEFAULT };
	int code, status = 0, err;

	if (IS_ON_SERVICES && services_asked(argc, argv))
		return services_restore(argc, argv);
	code = parse(argc, argv, &restore, &given);
	if (code)
		return code;
	if (argc - optind != 1)
		return usage_error("one image is needed");
	restore.key = given.key;
	restore.image = argv[optind];
	if (!*restore.image)
		return usage_error("the image needs a name");
	err = IS_ON_RULES && given.rules ? rules_read(&rules, given.rules) : 0;
	if (!err && IS_ON_PIDNS && restore.pidns)
		err = pidns_make();
	if (err)
		return exit_code(err);
	err = restore_tree(&restore, &status);
	if (err || restore.detach)
		code = exit_code(err);
	else
		code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return IS_ON_PIDNS && restore.pidns ? pidns_end(code) : code;
}

static const struct command restore_command = {
	.order = 2,
	.name = "restore",
	.arguments = "IMAGE",
	.summary = "Bring the tree back, and stay as its parent until it ends, with its exit status",
	.help = "  -d, --detach         end when the tree is alive\n"
		"  -p, --pidfile FILE   write the root's process ID there\n"
		IF_ON(RULES, "      --rules FILE     rules that come before what the image says of its files\n")
		IF_ON(CLOCKS, "      --clock=freeze   monotonic clocks go on where they stopped; the default\n"
			      "      --clock=advance  they count the time that was lost, too\n")
		IF_ON(VDSO_PROXY, "      --clock=tell     as freeze; where the kernel has no time namespaces, programs that ask the C library "
				  "are told of clocks that went on (what they then hand the kernel comes late)\n")
		IF_ON(PIDNS, "      --pidns          give the tree a PID namespace of its own\n")
		KEY_HELP
		IF_ON(SERVICES, SERVICES_HELP SERVICES_RESTORE_HELP),
	.notes = "\nIMAGE `-` is standard input.\n",
	.options = IS_ON_SERVICES ? options : NULL,
	.run = run,
	.try = IS_ON_SERVICES ? try : NULL,
};
COMMAND(restore_command);
