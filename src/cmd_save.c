/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "cmd_services.h"
#include "command.h"
#include "config.h"
#include "image/key.h"
#include "kernel/pidns.h"
#include "kernel/procfs.h"
#include "objects/rules.h"
#include "save.h"

/* DIR/NAME.tck; NAME from the option or the process's own name, of which no part may lead elsewhere.  *made: DIR, just now. */
static int default_output(char *path, size_t cap, const char *name, pid_t pid, bool *made)
{
	const char *dir = image_directory();
	struct proc_stat st;

	if (!name) {
		if (proc_stat(pid, 0, &st))
			return fail(ESRCH, "pid %d: there is no such process", pid);
		for (char *c = st.comm; *c; c++)
			if (*c == '/')
				*c = '_';
		name = st.comm;
	}
	if (!*name || strchr(name, '/') || name[0] == '.')
		return fail(EUSAGE, "\"%s\" is no name for an image: use --name", name);
	if ((size_t)snprintf(path, cap, "%s/%s.tck", dir, name) >= cap)
		return fail(ENAMETOOLONG, "%s", dir);
	*made = !mkdir(dir, 0700);
	return *made || errno == EEXIST ? 0 : fail_errno("%s", dir);
}

static bool parse_level(const char *text, int *level)
{
	bool good = text[0] >= '0' && text[0] <= '9' && !text[1];

	if (!good)
		usage_error("--level is 0 to 9");
	*level = text[0] - '0';
	return good;
}

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "name", required_argument, NULL, 'n' },
	{ "leave-running", no_argument, NULL, 'R' },
	{ "inherit-stdio", no_argument, NULL, 'I' },
	IF_ON(LZ4, { "level", required_argument, NULL, 'l' },)
	IF_ON(BUDGET, { "max-size", required_argument, NULL, 'M' }, { "rate", required_argument, NULL, 'r' },)
	RULES_OPTION
	KEY_OPTION
	IF_ON(EMBED, { "embed", optional_argument, NULL, 'E' },)
	{ 0 },
};

static int run(int argc, char **argv)
{
	struct rules rules = { 0 };
	struct save_options save = { .level = IS_ON_LZ4 ? 9 : 0, .rules = IF_RULES(&rules) };
	struct given given = { .key = KEY_DEFAULT };
	const char *name = NULL;
	bool made = false;
	char path[4096];
	int c, err;

	if (IS_ON_SERVICES && services_asked(argc, argv))
		return services_save(argc, argv);
	while ((c = next_option(argc, argv, "o:n:", options, &given)) != -1) {
		switch (c) {
		case 'o':
			save.output = optarg;
			break;
		case 'n':
			name = optarg;
			break;
		case 'R':
			save.leave_running = true;
			break;
		case 'I':
			save.inherit_stdio = true;
			break;
		case 'l':
			if (IS_ON_LZ4 && !parse_level(optarg, &save.level))
				return EXIT_USAGE;
			break;
		case 'M':
		case 'r':
			if (IS_ON_BUDGET && !parse_bytes(optarg, c == 'M' ? &save.max_size : &save.rate))
				return EXIT_USAGE;
			break;
		case 'E':
			if (IS_ON_EMBED && optarg && strcmp(optarg, "changed-risk"))
				return usage_error("--embed=%s: there is only --embed=changed-risk", optarg);
			save.embed = optarg ? EMBED_AT_RISK : EMBED_ALL;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	save.key = given.key;
	if (save.output && !*save.output)
		return usage_error("the image needs a name");
	if (argc - optind != 1)
		return usage_error("one process ID is needed");
	save.pid = parse_pid(argv[optind]);
	if (!save.pid)
		return EXIT_USAGE;
	if (IS_ON_PIDNS && pidns_enter(&save.pid))
		return EXIT_FAILED;
	if (!save.output) {
		err = default_output(path, sizeof(path), name, save.pid, &made);
		if (err)
			return exit_code(err);
		save.output = path;
	}
	err = IS_ON_RULES ? rules_read(&rules, given.rules) : 0;
	if (!err)
		err = save_tree(&save);
	if (err && made)	/* of a save that came to nothing, nothing stays; what others have put there does */
		unlinkat(AT_FDCWD, image_directory(), AT_REMOVEDIR);
	return exit_code(err);
}

static const struct command save_command = {
	.order = 1,
	.name = "save",
	.arguments = "PID",
	.summary = "Suspend the tree rooted at PID into an image, then end it",
	.help = "  -o, --output FILE    the image; `-` is standard output\n"
		"  -n, --name NAME      else it is NAME.tck in $TINYCKPT_DIR (/var/lib/tinyckpt); default: the root's own\n"
		"      --leave-running  do not end the tree\n"
		"      --inherit-stdio  standard streams from outside (a terminal, a pipe to a supervisor, a log socket) "
		"are replaced by restore's own\n"
		IF_ON(EMBED, "      --embed          mapped programs, libraries and files of the system travel along, for where they have "
			     "changed by then; --embed=changed-risk: only those that an update replaces\n")
		IF_ON(LZ4, "      --level N        pack by LZ4: 1 is the fastest, 9 (default) the smallest, 0 not at all\n")
		IF_ON(BUDGET, "      --max-size N     an image of more bytes is a failure; K, M, G may follow the number\n"
			      "      --rate N         write so many bytes a second at most, for flash that is slow or shared\n")
		IF_ON(RULES, "      --rules FILE     what may have changed until the restore, in place of " RULES_FILE "\n")
		KEY_HELP
		IF_ON(SERVICES, SERVICES_HELP),
	.options = IS_ON_SERVICES ? options : NULL,
	.run = run,
};
COMMAND(save_command);
