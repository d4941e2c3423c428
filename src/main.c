/* SPDX-License-Identifier: MIT */
/* A table of subcommands. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/lines.h"
#include "command.h"
#include "config.h"

extern const struct command *const __start_command_table[];
extern const struct command *const __stop_command_table[];

static const struct command *current;
static int level = LOG_NOTICE, log_fd = 2;


static const char INDENT[] = "                       ";	/* of what options do */
static const char COMMON_HELP[] =
	"  -v, --verbose        say more; -vv says all\n"
	"  -q, --quiet          say nothing but errors\n"
	"      --log FILE       messages go to FILE, not standard error\n"
	"  -h, --help           this text\n";

int exit_code(int err)
{
	if (err)
		log_unsaid(err);
	switch (err) {
	case 0:
		return EXIT_DONE;
	case -EUSAGE:
		return EXIT_USAGE;
	case -EHOLDS:
		return EXIT_HOLDS;
	case -EIMAGE:
		return EXIT_IMAGE;
	default:
		return EXIT_FAILED;
	}
}

/* What was printed must have arrived: a full disk is a failure. */
static int printed(int code)
{
	if (!fflush(NULL))
		return code;
	fail_errno("standard output");
	return code ? code : EXIT_FAILED;
}

static void command_help(const struct command *c)
{
	char summary[256];

	printf("Usage: tinyckpt %s [OPTION]...%s%s\n", c->name, *c->arguments ? " " : "", c->arguments);
	if (IS_ON_SERVICES && c->options)
		printf("       tinyckpt %s --all | --service NAME\n", c->name);
	snprintf(summary, sizeof(summary), "%s.\n\n", c->summary);
	put_lines(summary, "");
	put_lines(c->help, INDENT);
	put_lines(COMMON_HELP, INDENT);
	if (c->notes)
		put_lines(c->notes, "");
}

static const struct command *nth_command(int n)
{
	for (const struct command *const *p = __start_command_table; p < __stop_command_table; p++)
		if ((*p)->order == n)
			return *p;
	return NULL;
}

static void top_help(void)
{
	char line[256];

	put_lines("Usage: tinyckpt COMMAND [OPTION]... ARGUMENT\n"
		  "Suspend a running process tree to one file, and bring it back: after a reboot or a firmware update.\n\n", "");
	for (int i = 0; i < 16; i++) {
		const struct command *c = nth_command(i);

		if (!c)
			continue;
		snprintf(line, sizeof(line), "  %-8s %-8s %s\n", c->name, c->arguments, c->summary);
		put_lines(line, INDENT + 3);
	}
	put_lines("\n`tinyckpt COMMAND --help` tells more. Exit codes: 0 done; 1 failed, the workload is as it was; 2 usage; "
		  "3 the workload holds something that cannot be saved; 4 the image is damaged, or of another machine.\n", "");
}

int usage_error(const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fail(EUSAGE, "%s (see `tinyckpt%s%s --help`)", text, current ? " " : "", current ? current->name : "");
	return EXIT_USAGE;
}

const char *image_directory(void)
{
	const char *dir = getenv("TINYCKPT_DIR");

	return dir && *dir ? dir : "/var/lib/tinyckpt";
}

int parse_pid(const char *text)
{
	char *end;
	long pid;

	errno = 0;
	pid = strtol(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end || errno || pid < 1 || pid > 4194304) {
		usage_error("\"%s\" is no process ID", text);
		return 0;
	}
	return (int)pid;
}

bool parse_bytes(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMG";
	const char *unit;
	char *end;
	unsigned int shift = 0;

	errno = 0;
	*bytes = strtoull(text, &end, 10);
	if (*end && (unit = strchr(units, *end)) && !end[1]) {
		shift = 10 * (unsigned int)(unit - units + 1);
		end++;
	}
	if (!isdigit((unsigned char)text[0]) || *end || errno || *bytes > UINT64_MAX >> 30) {
		usage_error("\"%s\" is no number of bytes", text);
		return false;
	}
	*bytes <<= shift;
	return true;
}

static int set_log(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return fail_errno("%s", path);
	log_init(current->name, level, log_fd = fd);
	return 0;
}

static bool is_shared(int letter, struct given *given)
{
	if (IS_ON_TRUST && letter == 'k')
		given->key = optarg;
	else if (IS_ON_RULES && letter == 'u')
		given->rules = optarg;
	else if (IS_ON_JSON && letter == 'j')
		given->json = true;
	else
		return false;
	return true;
}

int next_option(int argc, char **argv, const char *letters, const struct option *options, struct given *given)
{
	static const struct option common[] = {
		{ "verbose", no_argument, NULL, 'v' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "log", required_argument, NULL, 'L' },
		{ "help", no_argument, NULL, 'h' },
	};
	struct option all[24] = { { 0 } };
	char short_options[64];
	size_t n = 0;
	int c;

	while (options[n].name)
		all[n] = options[n], n++;
	for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++)
		all[n++] = common[i];
	snprintf(short_options, sizeof(short_options), ":%svqh", letters);
	opterr = 0;
	for (;;) {
		c = getopt_long(argc, argv, short_options, all, NULL);
		switch (c) {
		case 'v':
			log_init(current->name, level = level < LOG_DEBUG ? level + 1 : level, log_fd);
			break;
		case 'q':
			log_init(current->name, level = LOG_ERROR, log_fd);
			break;
		case 'L':
			if (set_log(optarg))
				exit(EXIT_FAILED);
			break;
		case 'h':
			command_help(current);
			exit(printed(EXIT_DONE));
		case '?':
			usage_error("unknown option \"%s\"", argv[optind - 1]);
			return '?';
		case ':':
			usage_error("option \"%s\" needs an argument", argv[optind - 1]);
			return '?';
		default:
			if (!is_shared(c, given))
				return c;
		}
	}
}

const struct command *command_named(const char *name)
{
	for (const struct command *const *p = __start_command_table; p < __stop_command_table; p++)
		if (!strcmp((*p)->name, name))
			return *p;
	return NULL;
}

static const struct command *begin(const char *name)
{
	const struct command *command = command_named(name);

	if (!command)
		return NULL;
	current = command;
	log_init(current->name, level, log_fd);
	optind = 1;
	return command;
}

int run_command(int argc, char **argv)
{
	const struct command *command = begin(argv[0]);

	return command ? command->run(argc, argv) : -1;
}

int try_command(int argc, char **argv)
{
	return begin(argv[0])->try(argc, argv);
}

/* Cron jobs and init may come without: what is opened next would be told messages, and be what a workload inherits. */
static void open_standard_streams(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0 && fd <= 2)
		fcntl(fd, F_SETFD, 0);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	int code;

	open_standard_streams();
	log_init(NULL, LOG_NOTICE, 2);
	/* a write that fails is an error to report, not a death that leaves the workload stopped */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* whoever ignores it hands that down, and then no child leaves a status to wait for */
	signal(SIGCHLD, SIG_DFL);
	if (argc < 2)
		return usage_error("no command");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		top_help();
		return printed(EXIT_DONE);
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("tinyckpt %s\n", TINYCKPT_VERSION);
		return printed(EXIT_DONE);
	}
	code = run_command(argc - 1, argv + 1);
	return code >= 0 ? printed(code) : usage_error("there is no command \"%s\"", argv[1]);
}
