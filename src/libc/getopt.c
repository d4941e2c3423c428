/* SPDX-License-Identifier: MIT */
/*
 * getopt_long(3) as far as the tool needs it, linked in place of the C library's, which has messages of its own: 2 KB less.
 *
 * Letters begin with ':' (no messages; an argument that is missing is ':'), options have a val and no flag.  As ever, options
 * may stand behind operands, which are moved behind them; "--" ends them; letters may share a '-', and long names be cut
 * short while only one begins so.  What is wrong with it or not, argv[optind - 1] is the option, or its argument.
 */
#include <getopt.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

char *optarg;
int optind = 1, opterr = 1;

/* The nth argument, which goes in front of the operands before it. */
static char *take(char **argv, int n)
{
	char *taken = argv[n];

	memmove(&argv[optind + 1], &argv[optind], (size_t)(n - optind) * sizeof(*argv));
	argv[optind++] = taken;
	return taken;
}

static const struct option *find(const struct option *options, const char *name, size_t len)
{
	const struct option *found = NULL;
	int n = 0;

	for (; options->name; options++) {
		if (strncmp(options->name, name, len))
			continue;
		if (!options->name[len])
			return options;
		found = options;
		n++;
	}
	return n == 1 ? found : NULL;
}

int getopt_long(int argc, char *const *arguments, const char *letters, const struct option *options, int *index)
{
	static const char *more;	/* letters of the argument last taken */
	static int next;		/* what stood behind it */
	char **argv = (char **)arguments;
	bool wants;
	int letter;

	(void)index;
	optarg = NULL;
	if (!more) {
		next = optind;
		while (next < argc && (argv[next][0] != '-' || !argv[next][1]))
			next++;
		if (next == argc)
			return -1;
		more = take(argv, next++) + 1;
	}
	if (*more == '-' && more == argv[optind - 1] + 1) {
		const char *name = more + 1;
		size_t len = strcspn(name, "=");
		const struct option *option;

		more = NULL;
		if (!*name)
			return -1;
		option = find(options, name, len);
		if (!option || (name[len] && !option->has_arg))
			return '?';
		letter = option->val;
		wants = option->has_arg == required_argument;
		if (name[len])
			optarg = (char *)name + len + 1;
	} else {
		const char *known;

		letter = (unsigned char)*more;
		more = more[1] ? more + 1 : NULL;
		known = strchr(letters + 1, letter);
		if (letter == ':' || !known)
			return '?';
		wants = known[1] == ':';
		if (wants) {
			optarg = (char *)more;
			more = NULL;
		}
	}
	if (wants && !optarg) {
		if (next >= argc)
			return ':';
		optarg = take(argv, next++);
	}
	return letter;
}
