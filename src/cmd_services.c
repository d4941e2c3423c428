/* SPDX-License-Identifier: MIT */
/* The story of a shutdown and of a boot, for all workloads that are configured. */
#include "cmd_services.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "command.h"
#include "image/key.h"
#include "kernel/pidns.h"
#include "kernel/procfs.h"
#include "service/announce.h"
#include "service/child.h"
#include "service/conf.h"
#include "service/find.h"
#include "service/outline.h"
#include "service/root.h"
#include "service/shelf.h"
#include "service/start.h"
#include "service/supervise.h"

/* What is done with a service at a boot, beside its file. */
struct coming {
	enum { SETTLED, ABSENT, BACK } state;	/* nothing left to do; to be started; restored, but not for long */
	pid_t root;
	uint64_t begun, done;	/* when its restore was, as the kernel counts (proc_stat.start_time) */
	uint64_t since;		/* root's start_time */
	int64_t until;		/* by when it has stayed alive */
	struct said why;	/* it was not restored */
};

struct run {
	struct buffer services;	/* struct service */
	const char *dir;	/* where images lie */
	int directory;		/* the same, open and locked; -1: there is none, */
	struct said trouble;	/* or this is the matter */
	bool made;		/* just now */
	bool foreground;	/* stand for the one service until it ends */
	int worst;
};

bool services_asked(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--all") || !strncmp(argv[i], "--service", strlen("--service")))
			return true;
	return false;
}

/* Into only: a service's name, or NULL for all.  0 or an exit code, said. */
static int parse(int argc, char **argv, const char **only, const char **conf, bool *foreground)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "service", required_argument, NULL, 's' },
		{ "config", required_argument, NULL, 'c' },
		{ "foreground", no_argument, NULL, 'f' },
		{ 0 },
	};
	bool all = false;
	int c;

	*only = NULL;
	*conf = getenv("TINYCKPT_CONFIG");
	while ((c = next_option(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			all = true;
			break;
		case 's':
			*only = optarg;
			break;
		case 'c':
			*conf = optarg;
			break;
		case 'f':
			*foreground = true;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	if (!*conf || !**conf)
		*conf = "/etc/tinyckpt";
	if (argc != optind || all == !!*only)
		return usage_error("either --all or --service NAME, and nothing else, is needed");
	return 0;
}

static const char *restore_key(const struct service *s)
{
	const char *key = IS_ON_TRUST ? service_restore_option(s, "--key") : NULL;

	return key ? key : KEY_DEFAULT;
}

static bool in_pidns(const struct service *s)
{
	return IS_ON_PIDNS && service_restore_option(s, "--pidns");
}

static int begin(struct run *r, int argc, char **argv, bool saving)
{
	const struct option *save = command_named("save")->options, *restore = command_named("restore")->options;
	const char *only, *conf;
	int code;

	*r = (struct run){ .directory = -1 };
	code = parse(argc, argv, &only, &conf, &r->foreground);
	if (!code && r->foreground && (saving || !only))
		code = usage_error("--foreground is for restore --service alone");
	if (code)
		return code;
	code = exit_code(services_read(&r->services, conf, only, save, restore));
	if (code && !only)
		announce(LOG_ERROR, "no service is %s: the configuration in %s is no good", saving ? "saved" : "restored or started", conf);
	else if (!code && !r->services.len)
		log_notice("no service is configured in %s", conf);
	if (!code && r->foreground && r->services.len && in_pidns((const struct service *)(const void *)r->services.data))
		code = usage_error("--foreground is not for a service with pidns=yes: its exit status stays in there");
	if (!code && r->services.len) {
		/* each service may have a tinyckpt of its own at this boot */
		const int64_t patience = services_longest(conf, save, restore);

		r->dir = image_directory();
		log_keep(&r->trouble);	/* each is told */
		(void)shelf_open(r->dir, saving, patience, &r->directory, &r->made);
		log_keep(NULL);
	}
	return code;
}

static int end(struct run *r)
{
	services_free(&r->services);
	if (r->directory >= 0)
		close(r->directory);
	if (r->made)	/* of saves that came to nothing, nothing stays; where there is an image, it does */
		unlinkat(AT_FDCWD, r->dir, AT_REMOVEDIR);
	return r->worst;
}

static void count(struct run *r, int code)
{
	if (code > r->worst)
		r->worst = code;
}

static int64_t deadline(const struct service *s)
{
	return s->timeout ? now_ms() + s->timeout * 1000LL : INT64_MAX;
}

/* RUN is run_command() or try_command(): by the words, the options (each ended by a NUL) and, last, the operand. */
static int command(int (*run)(int argc, char **argv), const char *const words[], const struct buffer *options, const char *operand,
		   int64_t by, struct said *why)
{
	struct buffer argv = { 0 };
	const char *last[] = { "--", operand, NULL }, *option = (const char *)options->data;
	int err = 0, code = EXIT_FAILED;

	for (; !err && *words; words++)
		err = buffer_append(&argv, words, sizeof(*words));
	for (; !err && option && option < (const char *)options->data + options->len; option += strlen(option) + 1)
		err = buffer_append(&argv, &option, sizeof(option));
	if (!err)
		err = buffer_append(&argv, last, sizeof(last));
	if (!err)
		code = child_command(run, (char **)(void *)argv.data, by, why);
	else
		snprintf(why->first, sizeof(why->first), "out of memory");
	buffer_free(&argv);
	return code;
}

static const char *reason(const struct said *why)
{
	return why->first[0] ? why->first : "no reason is known";
}

/* The image was complete just before the tool was killed: what it is an image of is ending, or else is not to be there twice. */
static int after_kill(const struct run *r, const struct service *s, pid_t pid, int code)
{
	int nap = 0;

	for (int64_t by = now_ms() + 1000; process_lives(pid, 0) && now_ms() < by; nap_ms(&nap))
		;
	if (!process_lives(pid, 0))
		return EXIT_DONE;
	(void)shelf_move(r->directory, s->name, SHELF_READY, SHELF_DONE);
	return code;
}

/* One that is there is of an earlier life of what runs now: it must not come back, also if this save fails, or is not reached. */
static int set_aside(const struct run *r, const struct service *s)
{
	return shelf_has(r->directory, s->name, SHELF_READY) ? shelf_move(r->directory, s->name, SHELF_READY, SHELF_DONE) : 0;
}

static int save_service(struct run *r, const struct service *s, pid_t pid, struct said *why)
{
	char output[4200] = "--output=", number[16];
	const size_t begun = strlen(output);
	const char *words[] = { "save", output, NULL };
	const int64_t by = deadline(s);
	int code;

	snprintf(number, sizeof(number), "%d", pid);
	if (shelf_path(output + begun, sizeof(output) - begun, r->dir, s->name, SHELF_READY))
		return EXIT_FAILED;
	if (set_aside(r, s))
		return EXIT_FAILED;
	if (child_told_to_end()) {
		snprintf(why->first, sizeof(why->first), "tinyckpt was told to end (signal %d)", child_told_to_end());
		return EXIT_FAILED;
	}
	/* what would keep it from coming back is to be known while it lives */
	code = command(try_command, (const char *const[]){ "restore", NULL }, &s->restore, "", by, why);
	if (code)
		return code;
	code = command(run_command, words, &s->save, number, by, why);
	/* There may be no room for two. */
	if ((why->err == -ENOSPC || why->err == -EDQUOT) && process_lives(pid, 0) && shelf_clear(r->directory, s->name))
		code = command(run_command, words, &s->save, number, by, why);
	if (code && why->killed && shelf_has(r->directory, s->name, SHELF_READY))
		code = after_kill(r, s, pid, code);
	if (!code)
		shelf_clear(r->directory, s->name);
	return code;
}

static void save_one(struct run *r, const struct service *s)
{
	CONTEXT("%s", s->name);
	struct said why = { 0 };
	const char *lives;
	pid_t pid;
	int code;

	if (s->err) {
		announce(LOG_ERROR, "not saved: its file is no good");
		return count(r, EXIT_USAGE);
	}
	if (r->directory < 0) {
		announce(LOG_ERROR, "not saved: %s", reason(&r->trouble));
		return count(r, EXIT_FAILED);
	}
	log_keep(&why);
	pid = service_find(s, r->directory);
	code = pid < 0 ? exit_code(pid) : pid ? save_service(r, s, pid, &why) : EXIT_DONE;
	log_keep(NULL);
	if (!pid) {
		const bool ready = shelf_has(r->directory, s->name, SHELF_READY);

		announce(LOG_NOTICE, "does not run%s", ready ? ", its image is ready" : ": there is nothing to save");
		return count(r, ready ? EXIT_DONE : EXIT_FAILED);
	}
	lives = pid < 0 || process_lives(pid, 0) ? "it runs on" : "it ended meanwhile";
	if (!code)
		announce(LOG_NOTICE, "saved, as process %d", pid);
	else if (why.errors > 1)
		announce(LOG_ERROR, "not saved, %s: %s (and %u more)", lives, reason(&why), why.errors - 1);
	else
		announce(LOG_ERROR, "not saved, %s: %s", lives, reason(&why));
	count(r, code);
}

/* What cannot be saved as one tree runs, too. */
static bool runs(pid_t found)
{
	return found > 0 || found == -EHOLDS;
}

/* Whoever has us end, or the machine, may leave no time for all of them. */
static void begin_one(const struct run *r, const struct service *s)
{
	CONTEXT("%s", s->name);
	struct said why = { 0 };

	log_keep(&why);	/* it is said when its turn comes */
	if (!s->err && shelf_has(r->directory, s->name, SHELF_READY) && runs(service_find(s, r->directory)))
		(void)set_aside(r, s);
	log_keep(NULL);
}

int services_save(int argc, char **argv)
{
	struct run r;
	const struct service *s;
	int code = begin(&r, argc, argv, true);

	count(&r, code);
	s = (const struct service *)(const void *)r.services.data;
	child_heed_signals();
	for (size_t i = code ? 0 : r.services.len / sizeof(*s); i-- > 0;)
		begin_one(&r, &s[i]);
	for (size_t i = code ? 0 : r.services.len / sizeof(*s); i-- > 0;)
		save_one(&r, &s[i]);
	return end(&r);
}

/* The pidfile's folder is one more thing that a boot takes away. */
static void make_parents(const char *path)
{
	char parent[4096];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/'))
		if ((size_t)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path) < sizeof(parent))
			(void)mkdir(parent, 0755);	/* what is amiss, the pidfile's opening will say */
}

/* CLOCK_BOOTTIME as /proc counts it: USER_HZ is 100 on all that Linux runs on but alpha and ia64 */
static uint64_t ticks(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 100 + (uint64_t)now.tv_nsec / 10000000;
}

/* Those that were made since. */
static void end_process(void *arg, uint32_t pid)
{
	const struct coming *c = arg;
	struct proc_stat st;

	if (!proc_stat((pid_t)pid, 0, &st) && st.start_time >= c->begun)
		kill((pid_t)pid, SIGKILL);
}

/* What its root has left behind would stand in the way of a new one. */
static void end_rest(const struct run *r, const struct service *s, struct coming *c)
{
	char path[4200];
	struct outline outline = { .restorable = false };

	if (in_pidns(s)) {	/* with its init ends all that is in it */
		const pid_t init = pidns_find(1, c->begun, c->done);

		if (init)
			kill(init, SIGKILL);
	} else if (!shelf_path(path, sizeof(path), r->dir, s->name, SHELF_TRYING))
		(void)outline_read(&outline, path, restore_key(s), end_process, c);
}

static bool came(const struct coming *c, struct proc_stat *st)
{
	return !proc_stat(c->root, 0, st) && st->start_time >= c->begun;
}

static int restore_image(const struct run *r, const struct service *s, struct coming *c)
{
	char path[4200], pidfile[4200];
	const char *words[] = { "restore", "--detach", s->pidfile ? pidfile : NULL, NULL };
	struct outline outline = { .restorable = false };	/* the restore asks */
	struct proc_stat st;
	int code, nap = 0;

	if (shelf_path(path, sizeof(path), r->dir, s->name, SHELF_TRYING) || outline_read(&outline, path, restore_key(s), NULL, NULL))
		return EXIT_IMAGE;
	if (s->pidfile) {
		snprintf(pidfile, sizeof(pidfile), "--pidfile=%s", s->pidfile);
		make_parents(s->pidfile);
	}
	c->begun = ticks();
	code = command(run_command, words, &s->restore, path, deadline(s), &c->why);
	c->done = ticks();
	c->root = (pid_t)outline.tree.root;
	if (in_pidns(s))
		c->root = pidns_find(c->root, c->begun, c->done);
	/* a tree that was half made dies on its own, but takes its time; what does not was back before its tool was killed */
	for (int64_t by = now_ms() + 1000; code && came(c, &st) && now_ms() < by; nap_ms(&nap))
		;
	if (c->why.killed && came(c, &st) && process_lives(c->root, st.start_time))
		code = EXIT_DONE;
	c->since = !code && came(c, &st) ? st.start_time : 0;
	if (c->since && (s->cgroup || s->unit) && !runs(service_find(s, r->directory)) && root_keep(r->directory, s->name, c->root))
		log_warning("it is in another cgroup now, which cannot be written down: a save will not find it");
	c->until = now_ms() + s->settle * 1000LL;
	return code;
}

/* One attempt for an image, which is on disk as such before anything happens: no second one, however this one ends. */
static void try_image(struct run *r, const struct service *s, struct coming *c)
{
	c->state = ABSENT;
	c->why = r->trouble;
	if (shelf_has(r->directory, s->name, SHELF_TRYING)) {
		snprintf(c->why.first, sizeof(c->why.first), "the machine stopped while it was being restored, that is not tried again");
		if (shelf_move(r->directory, s->name, SHELF_TRYING, SHELF_FAILED))
			return;
	}
	if (!shelf_has(r->directory, s->name, SHELF_READY)) {
		if (!c->why.first[0])
			snprintf(c->why.first, sizeof(c->why.first), "there is no image");
		return;
	}
	c->why = (struct said){ 0 };
	if (shelf_move(r->directory, s->name, SHELF_READY, SHELF_TRYING))
		return;
	if (!restore_image(r, s, c))
		c->state = BACK;
	else
		(void)shelf_move(r->directory, s->name, SHELF_TRYING, SHELF_FAILED);
}

/* Says so when it does; and, at first, when that cannot be told. */
static bool runs_already(const struct run *r, const struct service *s, bool at_first)
{
	/* where somebody else starts it at a boot, it never comes back */
	const char *image = shelf_has(r->directory, s->name, SHELF_READY) ? ", and is not restored from its image" : "";
	struct said why = { 0 };
	pid_t pid;

	log_keep(&why);
	pid = service_find(s, r->directory);
	log_keep(NULL);
	if (pid > 0)
		announce(LOG_NOTICE, "runs already, as process %d%s", pid, image);
	else if (runs(pid))
		announce(LOG_NOTICE, "runs already%s: %s", image, reason(&why));
	else if (pid && at_first)	/* a board is not to stay without it */
		log_warning("whether it runs already cannot be told: %s", reason(&why));
	return runs(pid);
}

static void look_for(struct run *r, const struct service *s, struct coming *c)
{
	CONTEXT("%s", s->name);

	if (s->err) {
		announce(LOG_ERROR, "neither restored nor started: its file is no good");
		return count(r, EXIT_USAGE);
	}
	if (runs_already(r, s, true))
		return;
	log_keep(&c->why);
	try_image(r, s, c);
	log_keep(NULL);
}

static void start_afresh(struct run *r, const struct service *s, struct coming *c)
{
	char why[256];

	c->state = SETTLED;
	if (r->foreground && s->start) {
		announce(LOG_NOTICE, "started afresh: %s", reason(&c->why));
		prctl(PR_SET_CHILD_SUBREAPER, 0);
		service_become(s);
	}
	if (!service_start(s, why, sizeof(why)))
		return announce(LOG_NOTICE, "started afresh: %s", reason(&c->why));
	announce(LOG_ERROR, "does not run: %s; not restored: %s", why, reason(&c->why));
	count(r, EXIT_FAILED);
}

static void start_absent(struct run *r, const struct service *s, struct coming *c)
{
	CONTEXT("%s", s->name);

	/* one that is the same as another, or that another's start= line has started; what is left of an attempt of its own is neither */
	if (c->begun || !runs_already(r, s, false))
		return start_afresh(r, s, c);
	c->state = SETTLED;
}

/* Whether what was restored stays alive.  How it ends is its image's name. */
static void watch(struct run *r, const struct service *s, struct coming *c)
{
	CONTEXT("%s", s->name);

	if (!c->since || !process_lives(c->root, c->since)) {
		end_rest(r, s, c);
		snprintf(c->why.first, sizeof(c->why.first), "it was restored and ended within %u seconds", s->settle);
		(void)shelf_move(r->directory, s->name, SHELF_TRYING, SHELF_FAILED);
		start_afresh(r, s, c);
	} else if (now_ms() >= c->until || (r->foreground && supervise_asked())) {
		c->state = SETTLED;
		(void)shelf_move(r->directory, s->name, SHELF_TRYING, SHELF_DONE);
		announce(LOG_NOTICE, "restored, as process %d", c->root);
		if (r->foreground) {
			close(r->directory);	/* and with it the lock */
			r->directory = -1;
			count(r, supervise_child(c->root));
		}
	}
}

/* First all that have an image, whose process IDs nobody has yet; then the others. */
static void restore_all(struct run *r, struct coming *c)
{
	const struct service *s = (const struct service *)(const void *)r->services.data;
	const size_t n = r->services.len / sizeof(*s);
	bool left = true;

	for (size_t i = 0; i < n; i++)
		look_for(r, &s[i], &c[i]);
	for (size_t i = 0; i < n; i++)
		if (c[i].state == ABSENT)
			start_absent(r, &s[i], &c[i]);
	for (int nap = 0; left; nap_ms(&nap)) {
		left = false;
		for (size_t i = 0; i < n; i++) {
			if (c[i].state == BACK)
				watch(r, &s[i], &c[i]);
			left |= c[i].state == BACK;
		}
	}
}

int services_restore(int argc, char **argv)
{
	struct run r;
	struct coming *coming;
	int code = begin(&r, argc, argv, false);

	count(&r, code);
	coming = calloc(r.services.len / sizeof(struct service) + 1, sizeof(*coming));
	if (!coming)
		count(&r, exit_code(fail(ENOMEM, "out of memory")));
	if (coming && !code) {
		/* what is restored comes to the next one above that collects orphans */
		if (r.foreground) {
			prctl(PR_SET_CHILD_SUBREAPER, 1);
			supervise_soon();
		}
		restore_all(&r, coming);
	}
	free(coming);
	return end(&r);
}
