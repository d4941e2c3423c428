/* SPDX-License-Identifier: MIT */
/*
 * Strikes a program at many instants, one after the other, and looks at the victim after each:
 *
 *   strike save|again|end|restore VICTIM IMAGE killer's options -- TINYCKPT …
 *
 * VICTIM: the stem of the victim's files, VICTIM.heartbeat, VICTIM.report and VICTIM.before (a snapshot). The instants come
 * from standard input, a number each: a stop, or with -u 1 among the options a time in microseconds. After each
 *
 *   save      the victim goes on as before, and IMAGE is absent or whole, with nothing beside it
 *   again     the same after another save at once, which nobody strikes
 *   end       (a save that ends it) it goes on, or there is a whole IMAGE; if all of it is gone, that brings it back
 *   restore   the victim goes on, or nothing of it is left and it has not run; IMAGE is as it was. Then it is put down, its
 *             files are put back, and every eighth time a restore that nobody strikes must work
 *
 * A file VICTIM.carried, whose content is in the image, is something else or missing before each restore, and at any instant
 * that or what it was, whole; what it was once the victim is back. The environment's STRIKE_KEY is the key for images.
 *
 * Reasons go to standard output. All but `restore` end once the victim is of no more use: at the first, or when it saw a part of
 * itself end. The last line is "instants=N strikes=N bad=N returned=N spent=0|1 stops=N micros=N": how often an image brought
 * it back, whether it is of no more use, and the stops and the time of the last one.
 */
#define _GNU_SOURCE
#include "carried.h"
#include "killing.h"
#include "watching.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *image;
static char **program;
static long patience_ms = 3000;
static char before[4096], report[4096], heartbeat_path[4096];
static struct heartbeat *heartbeat, heartbeat_then;
static struct timespec heartbeat_time[2], report_time[2];
static int messages; /* what programs wrote to standard output and error */
static bool spent;   /* the victim is of no more use */
static long returned;

/* With the key, where there is one; argv has room for two more. */
static void add_key(char **argv)
{
	char *key = getenv("STRIKE_KEY");

	while (*argv)
		argv++;
	if (key && *key) {
		argv[0] = "--key";
		argv[1] = key;
		argv[2] = NULL;
	}
}

static int run(char **argv)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		dup2(messages, 1);
		dup2(messages, 2);
		execv(argv[0], argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static const char *said(void)
{
	static char text[4096];
	ssize_t n = pread(messages, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = 0;
	return text;
}

static void forget_messages(void)
{
	if (ftruncate(messages, 0) || lseek(messages, 0, SEEK_SET))
		abort();
}

/* While the victim lives its PIDs are taken, so that verify calls its image whole, but of no use at this moment. */
static bool image_whole(void)
{
	char *argv[6] = { program[0], "verify", image };

	if (access(image, F_OK))
		return true;
	add_key(argv);
	forget_messages();
	if (!run(argv) || strstr(said(), ": whole; would not"))
		return true;
	printf("the image is not whole: %s", said());
	return false;
}

/* Beside an encrypted image, which is restored once: by one that was killed too late, say. */
static char note_path[4096];
static char note_then[256];
static ssize_t note_bytes;

/* Or, where one was to replace it at that instant, what the next one that is written takes away. */
static bool is_note(const char *name)
{
	const char *note = strrchr(note_path, '/');
	const size_t n = note ? strlen(++note) : 0;

	return n && (!strcmp(name, note) || (*name == '.' && !strncmp(name + 1, note, n) && !strncmp(name + 1 + n, ".tmp.", 5)));
}

static void remember_note(void)
{
	char *copy = strdup(image);
	int fd;

	if (getenv("STRIKE_KEY"))
		snprintf(note_path, sizeof(note_path), "%s/.%s.newest", dirname(copy), strrchr(image, '/') + 1);
	free(copy);
	fd = open(note_path, O_RDONLY | O_CLOEXEC);
	note_bytes = fd < 0 ? 0 : read(fd, note_then, sizeof(note_then));
	close(fd);
}

static void put_back_note(void)
{
	int fd = note_bytes > 0 ? open(note_path, O_WRONLY | O_TRUNC | O_CLOEXEC) : -1;

	if (note_bytes > 0 && write(fd, note_then, (size_t)note_bytes) != note_bytes)
		perror(note_path);
	close(fd);
}

/* All names in the image's directory: counted, or removed. */
static bool directory(bool clear)
{
	char *copy = strdup(image), *path = dirname(copy);
	const char *own = strrchr(image, '/') + 1;
	DIR *dir = opendir(path);
	struct dirent *e;
	bool clean = true;

	while (dir && (e = readdir(dir))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (clear) {
			unlinkat(dirfd(dir), e->d_name, 0);
		} else if (strcmp(e->d_name, own) && !is_note(e->d_name)) {
			printf("left behind: %s\n", e->d_name);
			clean = false;
		}
	}
	if (dir)
		closedir(dir);
	free(copy);
	return clean;
}

/* What the victim itself had to say. */
static void tell_report(void)
{
	char text[512] = "";
	int fd = open(report, O_RDONLY | O_CLOEXEC);

	if (read(fd, text, sizeof(text) - 1) > 0)
		printf("%s", text);
	close(fd);
}

static bool intact(void)
{
	watch_for(patience_ms);
	if (watch_intact(before))
		return true;
	tell_report();
	return false;
}

static bool after_save(bool again)
{
	bool good = true;

	if (again) {
		directory(true);
		forget_messages();
		if (run(program)) {
			printf("the next save fails: %s", said());
			good = false;
		}
	}
	good = intact() && good;
	good = directory(false) && carried_seen(true) && good;
	return image_whole() && good;
}

static void remember_files(void)
{
	struct stat st;

	heartbeat_then = *heartbeat;
	if (!stat(heartbeat_path, &st))
		heartbeat_time[0] = heartbeat_time[1] = st.st_mtim;
	if (!stat(report, &st))
		report_time[0] = report_time[1] = st.st_mtim;
}

/* A workload that came back and went on has written to its files, and restore rightly refuses files that have changed. */
static void put_back(void)
{
	watch_for(patience_ms);
	watch_put_down();
	if (memcmp(heartbeat, &heartbeat_then, sizeof(*heartbeat)))
		memcpy(heartbeat, &heartbeat_then, sizeof(*heartbeat));
	utimensat(AT_FDCWD, heartbeat_path, heartbeat_time, 0);
	if (truncate(report, 0))
		perror(report);
	utimensat(AT_FDCWD, report, report_time, 0);
	put_back_note();
}

static bool good_restore(void)
{
	bool good;

	forget_messages();
	if (carried_is_back())
		carried_spoil(false);
	good = !run(program);
	if (!good)
		printf("the next restore fails: %s", said());
	good = intact() && carried_seen(true) && good;
	put_back();
	return good;
}

static bool after_restore(long instants)
{
	bool good = true;

	watch_for(patience_ms);
	switch (watch_fate()) {
	case ALIVE: good = intact() && carried_seen(true); break;
	case HALF:
		good = false;
		tell_report();
		break;
	case GONE:
		/* Once it has run, it has done things that cannot be taken back: from then on it must live. */
		good = carried_seen(false);
		if (memcmp(heartbeat, &heartbeat_then, sizeof(*heartbeat))) {
			good = false;
			printf("the victim had begun to run, and is gone\n");
			tell_report();
		}
	}
	put_back();
	if (good && instants % 8 == 0)
		good = good_restore();
	return good;
}

/* Some dead and some alive is right once there is an image: the rest is the doing of who ended the tool. */
static bool after_end(void)
{
	char *argv[8] = { program[0], "restore", "-d", image };
	bool good = directory(false) && carried_seen(true), is_there;
	enum fate fate;

	add_key(argv);
	watch_for(patience_ms);
	fate = watch_fate();
	good = image_whole() && good;
	is_there = !access(image, F_OK);
	if (fate == ALIVE)
		return intact() && good;
	if (!is_there) {
		printf("it is gone, and there is no image\n");
		tell_report();
	}
	spent = fate == HALF || heartbeat->violations;
	if (!is_there || !good || spent)
		return is_there && good;
	forget_messages();
	carried_spoil(returned % 2);
	if (run(argv)) {
		printf("the image does not restore: %s", said());
		return false;
	}
	returned++;
	return intact() && carried_seen(true);
}

static uint64_t checksum(void)
{
	uint64_t sum = 0;
	FILE *f = fopen(image, "re");
	int c;

	while (f && (c = getc_unlocked(f)) != EOF)
		sum = (sum ^ (uint64_t)c) * 0x100000001b3ULL;
	if (f)
		fclose(f);
	return sum;
}

static bool strike_once(const char *mode, const struct killing *k, struct killed *killed, long instants)
{
	bool restores = !strcmp(mode, "restore"), good;
	int out = dup(1), err = dup(2);
	static uint64_t sum;

	if (restores && !sum)
		sum = checksum();
	if (restores)
		carried_spoil(instants % 2);
	else
		directory(true);
	forget_messages();
	fflush(stdout);
	dup2(messages, 1);
	dup2(messages, 2);
	good = !killing_run(k, program, killed);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	if (!good || !strcmp(killed->ended, "hangs")) {
		printf("tinyckpt hangs, or could not be run: %s", said());
		good = false;
	} else if (strstr(said(), "tinyckpt: ") && killed->failed < 0 && !strcmp(killed->ended, "exited") && killed->status) {
		printf("it failed by itself: %s", said());
		good = false;
	}
	if (restores)
		good = after_restore(instants) && good;
	else
		good = (!strcmp(mode, "end") ? after_end() : after_save(!strcmp(mode, "again"))) && good;
	spent = spent || (!restores && !good);
	if (restores && checksum() != sum) {
		printf("the image has changed\n");
		good = false;
	}
	return good;
}

int main(int argc, char **argv)
{
	const char *wait_ms = getenv("OBSERVE_MS"), *mode = argc > 1 ? argv[1] : "";
	long value, instants = 0, strikes = 0, bad = 0;
	struct killed killed = { 0 };
	struct killing k;
	int first;

	if (argc < 6)
		return 2;
	first = killing_options(argc - 3, argv + 3, &k);
	if (first < 0)
		return 2;
	program = argv + 3 + first;
	image = argv[3];
	snprintf(heartbeat_path, sizeof(heartbeat_path), "%s.heartbeat", argv[2]);
	snprintf(report, sizeof(report), "%s.report", argv[2]);
	snprintf(before, sizeof(before), "%s.before", argv[2]);
	patience_ms = wait_ms ? atol(wait_ms) : patience_ms;
	watch_for(patience_ms);
	heartbeat = watch_open(heartbeat_path);
	messages = memfd_create("messages", MFD_CLOEXEC);
	if (!heartbeat || messages < 0 || !strchr(image, '/'))
		return 2;
	remember_files();
	carried_open(argv[2]);
	remember_note();
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (!spent && scanf("%ld", &value) == 1) {
		bool good;

		killed = (struct killed){ .ended = "not at all" };
		*(k.micro ? &k.micro : &k.stop) = value;
		instants++;
		good = strike_once(mode, &k, &killed, instants);
		strikes += !strcmp(killed.ended, "killed") || killed.failed >= 0;
		if (good)
			continue;
		bad++;
		printf("^ at %ld: ", value);
		killed_print(&killed);
	}
	carried_put_back();
	printf("instants=%ld strikes=%ld bad=%ld returned=%ld spent=%d stops=%ld micros=%ld\n", instants, strikes, bad, returned,
	       spent, killed.stops, killed.micros);
	return bad != 0;
}
