/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/escape.h"
#include "check_kernel.h"
#include "command.h"
#include "config.h"
#include "kernel/pidns.h"
#include "json.h"
#include "objects/rules.h"
#include "save.h"
#include "tree/resource.h"

/* FILE:LINE, or that there was none. */
static const char *origin(const struct rules *rules, const struct rule *rule, char *text, size_t cap)
{
	if (!rule)
		return "default";
	snprintf(text, cap, "%s:%u", rules->path, rule->line);
	return text;
}

static void resources_json(struct json *j, const struct rules *rules, const struct buffer *resources)
{
	char text[4096 + 16];

	json_array(j, "resources");
	for (const struct resource *r = resource_next(resources, NULL); r; r = resource_next(resources, r)) {
		json_object(j, NULL);
		json_number(j, "pid", r->pid);
		if (r->fd >= 0)
			json_number(j, "fd", r->fd);
		json_text(j, "what", r->what);
		json_text(j, "kind", r->kind);
		json_text(j, "path", r->path);
		json_text(j, "action", r->action);
		json_text(j, "rule", origin(rules, r->rule, text, sizeof(text)));
		json_bool(j, "lost_by_reboot", r->in_memory);
		json_object_end(j);
	}
	json_array_end(j);
}

static void resources_text(const struct rules *rules, const struct buffer *resources)
{
	char text[4096 + 16], shown[sizeof(text) * 4];

	printf("\n  %-7s %-7s %-8s %-24s %s\n", "process", "has", "action", "by rule", "on");
	for (const struct resource *r = resource_next(resources, NULL); r; r = resource_next(resources, r)) {
		const char *by = origin(rules, r->rule, text, sizeof(text));

		escape(shown, sizeof(shown), by, strlen(by));
		printf("  %-7d %-7s %-8s %-24s ", r->pid, r->what, r->action, shown);
		escape(shown, sizeof(shown), r->path, strlen(r->path));
		printf("%s %s%s\n", r->kind, shown, r->in_memory ? " (a tmpfs, which a reboot empties)" : "");
	}
}

static void verdict_json(pid_t pid, const struct verdict *v, const struct rules *rules)
{
	struct json j = { 0 };

	json_object(&j, NULL);
	json_number(&j, "pid", pid);
	json_text(&j, "comm", v->comm);
	json_bool(&j, "savable", !v->named.len);
	json_number(&j, "processes", (int64_t)v->processes);
	json_number(&j, "threads", (int64_t)v->threads);
	json_array(&j, "obstacles");
	for (const char *text = (const char *)v->named.data, *end = text + v->named.len; text < end; text += strlen(text) + 1)
		json_text(&j, NULL, text);
	json_array_end(&j);
	if (IS_ON_RULES)
		resources_json(&j, rules, &v->resources);
	json_object_end(&j);
}

static int check_pid(const struct save_options *options, bool json)
{
	struct verdict v = { 0 };
	char comm[sizeof(v.comm) * 4];
	int err = check_workload(options, &v);

	if (IS_ON_JSON && json && (!err || err == -EHOLDS)) {
		verdict_json(options->pid, &v, options->rules);
	} else if (!err) {
		escape(comm, sizeof(comm), v.comm, strlen(v.comm));
		printf("pid %d (%s): %zu process%s, %zu thread%s can be saved\n", options->pid, comm, v.processes,
		       v.processes == 1 ? "" : "es", v.threads, v.threads == 1 ? "" : "s");
	}
	if (IS_ON_RULES && !json && (!err || err == -EHOLDS))
		resources_text(options->rules, &v.resources);
	buffer_free(&v.named);
	buffer_free(&v.resources);
	return exit_code(err);
}

/* Without a PID. */
static int check_here(bool json, bool kconfig)
{
	if (!IS_ON_CHECK_KERNEL)
		return usage_error("a process ID is needed: this tinyckpt was built without CONFIG_CHECK_KERNEL");
	if (!kconfig)
		return check_kernel(json) ? EXIT_FAILED : EXIT_DONE;
	check_kconfig();
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "kconfig", no_argument, NULL, 'K' },
		{ "inherit-stdio", no_argument, NULL, 'I' },
		JSON_OPTION
		RULES_OPTION
		{ 0 },
	};
	struct rules rules = { 0 };
	struct save_options save = { .rules = &rules };
	struct given given = { 0 };
	bool kconfig = false;
	int c, err;

	while ((c = next_option(argc, argv, "", options, &given)) != -1) {
		if (c == 'K')
			kconfig = true;
		else if (c == 'I')
			save.inherit_stdio = true;
		else
			return EXIT_USAGE;
	}
	if (argc - optind > 1)
		return usage_error("one process ID is enough");
	if (kconfig && (given.json || argc > optind))
		return usage_error("--kconfig stands alone");
	if (given.rules && argc == optind)
		return usage_error("--rules: a process ID is needed");
	if (argc == optind)
		return check_here(given.json, kconfig);
	save.pid = parse_pid(argv[optind]);
	if (!save.pid)
		return EXIT_USAGE;
	err = IS_ON_RULES ? rules_read(&rules, given.rules) : 0;
	if (err)
		return exit_code(err);
	return IS_ON_PIDNS && pidns_enter(&save.pid) ? EXIT_FAILED : check_pid(&save, given.json);
}

static const struct command check_command = {
	.order = 5,
	.name = "check",
	.arguments = "[PID]",
	.summary = "Tell what stands in the way of saving the tree rooted at PID; without PID, what this kernel allows",
	.help = "" JSON_HELP
		"      --kconfig        without PID: the kernel options that allow everything, for merge_config.sh\n"
		"      --inherit-stdio  as for `save`\n"
		IF_ON(RULES, "      --rules FILE     as for `save`\n"),
	.run = run,
};
COMMAND(check_command);
