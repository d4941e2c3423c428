/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "fingerprint.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct mapping {
	unsigned long start, end, offset, inode;
	char perms[8], device[16], name[512], flags[256];
};

/* Pipes are compared by identity: the first one seen is pipe 1 in both fingerprints. */
struct pipe_names {
	unsigned long inode[4096];
	int count;
};

static int compare_pids(const void *a, const void *b)
{
	return *(const pid_t *)a - *(const pid_t *)b;
}

static int numeric_entries(const char *path, pid_t *numbers, int max)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int count = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) && count < max)
			numbers[count++] = atoi(entry->d_name);
	closedir(dir);
	qsort(numbers, count, sizeof *numbers, compare_pids);
	return count;
}

/* Reads a whole /proc file; the result is NUL-terminated and static. */
static char *slurp(size_t *size, const char *format, ...) __attribute__((format(printf, 2, 3)));
static char *slurp(size_t *size, const char *format, ...)
{
	static char buffer[1 << 20];
	char path[PATH_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path, sizeof path, format, arguments);
	va_end(arguments);
	size_t length = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	while (fd >= 0 && length < sizeof buffer - 1 && (got = read(fd, buffer + length, sizeof buffer - 1 - length)) > 0)
		length += got;
	if (fd >= 0)
		close(fd);
	buffer[length] = '\0';
	if (size)
		*size = length;
	return buffer;
}

/* The n-th field of /proc/PID/stat, counted as in proc(5). */
static const char *stat_field(char *stat, int number)
{
	static char field[64];
	char *at = strrchr(stat, ')');

	field[0] = '\0';
	for (int i = 2; at && i < number; i++)
		at = strchr(at + 1, ' ');
	if (at)
		snprintf(field, sizeof field, "%.*s", (int)strcspn(at + 1, " \n"), at + 1);
	return field;
}

static pid_t parent_of(pid_t pid)
{
	return atoi(stat_field(slurp(NULL, "/proc/%d/stat", pid), 4));
}

/* -1: this kernel does not tell them (CONFIG_PROC_CHILDREN). */
static int children_of(pid_t pid, pid_t *children, int max)
{
	static pid_t tids[32768];
	char path[64];
	int count = 0;

	snprintf(path, sizeof path, "/proc/%d/task", pid);
	for (int i = 0, total = numeric_entries(path, tids, 32768); i < total; i++) {
		char *at, *end;

		snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, tids[i]);
		if (access(path, F_OK))
			return -1;
		for (at = slurp(NULL, "%s", path); count < max; at = end) {
			children[count] = strtol(at, &end, 10);
			if (end == at)
				break;
			count++;
		}
	}
	return count;
}

/* All are asked for their parent, once for a tree: *total is 0 at first. */
static int children_among_all(pid_t pid, pid_t *children, int max, int *total)
{
	static pid_t all[32768], parent[32768];
	int count = 0;

	if (!*total) {
		*total = numeric_entries("/proc", all, 32768);
		for (int i = 0; i < *total; i++)
			parent[i] = parent_of(all[i]);
	}
	for (int i = 0; i < *total && count < max; i++)
		if (parent[i] == pid)
			children[count++] = all[i];
	return count;
}

int tree_list(pid_t root, pid_t *pids)
{
	int count = 1, total = 0;

	pids[0] = root;
	for (int known = 0; known < count; known++) {
		int more = children_of(pids[known], pids + count, MAX_TREE - count);

		count += more >= 0 ? more : children_among_all(pids[known], pids + count, MAX_TREE - count, &total);
	}
	qsort(pids + 1, count - 1, sizeof *pids, compare_pids);
	return count;
}

static void remove_flag(char *flags, const char *flag)
{
	char *at = strstr(flags, flag);

	if (at)
		memmove(at, at + 3, strlen(at + 3) + 1);
}

/* A memfd is how a restore may make one; a workload's own memfd shows as a descriptor. */
static bool is_shared_anonymous(const char *name)
{
	return strcmp(name, "/dev/zero (deleted)") == 0 || strncmp(name, "[anon_shmem:", 12) == 0 ||
	       strncmp(name, "/memfd:", 7) == 0 || strncmp(name, "/anon_hugepage", 14) == 0;
}

static bool is_deleted(const char *name)
{
	size_t length = strlen(name);

	return length > 10 && strcmp(name + length - 10, " (deleted)") == 0;
}

static void normalise(struct mapping *map)
{
	remove_flag(map->flags, "sd ");
	remove_flag(map->flags, "ac ");
	/* It has had guard regions, if perhaps none are left: the programs look for themselves. */
	remove_flag(map->flags, "gu ");
	/* Until 5.15, on what execve mapped; no call can ask for it (mmap ignores MAP_DENYWRITE). */
	remove_flag(map->flags, "dw ");
	if (is_shared_anonymous(map->name) || is_deleted(map->name)) {
		strcpy(map->name, is_shared_anonymous(map->name) ? "(shared anonymous)" : "(deleted)");
		strcpy(map->device, "-");
		map->inode = 0;
	}
}

/* The kernel may or may not have merged two neighbours that look alike; that difference is nobody's. */
static bool mergeable(const struct mapping *left, const struct mapping *right)
{
	bool has_file = left->name[0] == '/' || left->name[0] == '(';

	return left->end == right->start && strcmp(left->perms, right->perms) == 0 &&
	       strcmp(left->flags, right->flags) == 0 && strcmp(left->name, right->name) == 0 &&
	       left->inode == right->inode && strcmp(left->device, right->device) == 0 &&
	       (!has_file || left->offset + (left->end - left->start) == right->offset);
}

static void print_mapping(FILE *out, pid_t pid, const struct mapping *map)
{
	fprintf(out, "%d map %lx-%lx %s %lx %s %lu %s [%s]\n", pid, map->start, map->end, map->perms, map->offset,
		map->device, map->inode, map->name, map->flags);
}

static void print_mappings(FILE *out, pid_t pid, bool exact)
{
	char path[64], line[1024];
	struct mapping map = {0}, waiting = {0};

	snprintf(path, sizeof path, "/proc/%d/smaps", pid);
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof line, file)) {
		int name_at = 0;
		struct mapping next = {0};

		if (sscanf(line, "%lx-%lx %7s %lx %15s %lu %n", &next.start, &next.end, next.perms, &next.offset, next.device,
			   &next.inode, &name_at) == 6) {
			map = next;
			snprintf(map.name, sizeof map.name, "%.*s", (int)strcspn(line + name_at, "\n"), line + name_at);
		}
		if (strncmp(line, "VmFlags: ", 9))
			continue;
		snprintf(map.flags, sizeof map.flags, "%.*s", (int)strcspn(line + 9, "\n"), line + 9);
		if (!exact)
			normalise(&map);
		if (!exact && waiting.end && mergeable(&waiting, &map)) {
			waiting.end = map.end;
			continue;
		}
		if (waiting.end)
			print_mapping(out, pid, &waiting);
		waiting = map;
	}
	if (waiting.end)
		print_mapping(out, pid, &waiting);
	if (file)
		fclose(file);
}

static int pipe_number(struct pipe_names *pipes, unsigned long inode)
{
	for (int i = 0; i < pipes->count; i++)
		if (pipes->inode[i] == inode)
			return i + 1;
	if (pipes->count < 4096)
		pipes->inode[pipes->count++] = inode;
	return pipes->count;
}

static void print_link(FILE *out, const char *label, const char *path, struct pipe_names *pipes, bool exact)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof target - 1);
	unsigned long inode;

	target[length > 0 ? length : 0] = '\0';
	if (!exact && sscanf(target, "pipe:[%lu]", &inode) == 1)
		snprintf(target, sizeof target, "pipe %d", pipe_number(pipes, inode));
	else if (!exact && is_deleted(target))
		strcpy(target, "(deleted)");
	fprintf(out, "%s %s\n", label, target);
}

/*
 * Where the kernel takes no ticks (it is without CONFIG_CHECKPOINT_RESTORE) a timer that has ended is brought back as one that
 * was set to a moment in the past, whatever it was set to: its flags say so.
 */
static bool takes_ticks(void)
{
	static int answer = -1;
	const uint64_t ticks = 1;

	if (answer < 0) {
		int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

		answer = fd < 0 || ioctl(fd, _IOW('T', 0, uint64_t), &ticks) == 0; /* TFD_IOC_SET_TICKS */
		close(fd);
	}
	return answer;
}

static void print_descriptors(FILE *out, pid_t pid, struct pipe_names *pipes, bool exact)
{
	static pid_t numbers[65536];
	char path[64], label[64];

	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	int count = numeric_entries(path, numbers, 65536);

	for (int i = 0; i < count; i++) {
		struct stat status;

		snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, numbers[i]);
		snprintf(label, sizeof label, "%d fd %d", pid, numbers[i]);
		print_link(out, label, path, pipes, exact);
		if (stat(path, &status) == 0)
			fprintf(out, "%s mode %o size %lld owner %u:%u\n", label, status.st_mode,
				S_ISREG(status.st_mode) ? (long long)status.st_size : 0LL, status.st_uid, status.st_gid);
		char *line = strtok(slurp(NULL, "/proc/%d/fdinfo/%d", pid, numbers[i]), "\n");

		for (; line; line = strtok(NULL, "\n"))
			/* What remains of a timerfd's time runs on, and how often it has ended; an eventfd's number is the kernel's. */
			if (((strncmp(line, "ino:", 4) && strncmp(line, "eventfd-id:", 11)) || exact) &&
			    strncmp(line, "it_value:", 9) && strncmp(line, "ticks:", 6) &&
			    (strncmp(line, "settime flags:", 14) || exact || takes_ticks()))
				fprintf(out, "%s %s\n", label, line);
	}
}

/* Lines of /proc/PID/status that change by themselves, or that are printed elsewhere. */
static bool is_volatile_status(const char *line)
{
	static const char *const names[] = {
		"State:", "PPid:", "FDSize:", "VmPeak:", "VmSize:", "VmHWM:", "VmRSS:", "RssAnon:", "RssFile:", "RssShmem:",
		"VmData:", "VmStk:", "VmExe:", "VmLib:", "VmPTE:", "VmSwap:", "HugetlbPages:", "SigQ:", "voluntary_ctxt_switches:",
		"nonvoluntary_ctxt_switches:", "CoreDumping:",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void print_lines(FILE *out, const char *label, char *text, bool (*skip)(const char *))
{
	char *state = NULL;

	for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		if (!skip || !skip(line))
			fprintf(out, "%s %s\n", label, line);
}

/* Binary files: the readable part, and a hash over all. */
static void print_blob(FILE *out, pid_t pid, const char *name)
{
	size_t size;
	char *data = slurp(&size, "/proc/%d/%s", pid, name);
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	fprintf(out, "%d %s %zu bytes ", pid, name, size);
	for (size_t i = 0; i < size; i++) {
		hash = (hash ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
		if (i < 200)
			fputc(isgraph((unsigned char)data[i]) ? data[i] : '.', out);
	}
	fprintf(out, " hash %016llx\n", (unsigned long long)hash);
}

static void print_scheduling(FILE *out, const char *label, pid_t tid)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
		uint32_t util_min, util_max;
	} attributes = {0};
	unsigned long cpus[128] = {0};
	void *head = NULL;
	size_t length = 0;

	if (syscall(SYS_sched_getattr, tid, &attributes, sizeof attributes, 0) == 0)
		fprintf(out, "%s sched policy %u flags %llu nice %d priority %u\n", label, attributes.policy,
			(unsigned long long)attributes.flags, attributes.nice, attributes.priority);
	syscall(SYS_sched_getaffinity, tid, sizeof cpus, cpus);
	fprintf(out, "%s affinity %lx\n", label, cpus[0]);
	fprintf(out, "%s ioprio %ld\n", label, syscall(SYS_ioprio_get, 1, tid));
	syscall(SYS_get_robust_list, tid, &head, &length);
	fprintf(out, "%s robust list %p %zu\n", label, head, length);
}

/* A signal that is pending and not blocked is about to be handled, but of one that is stopped. */
static void leave_out_passing(char *status)
{
	static const char *const names[] = {"\nSigPnd:\t", "\nShdPnd:\t"};
	const char *blocked = strstr(status, "\nSigBlk:\t");

	for (size_t i = 0; blocked && !strstr(status, "\nState:\tT") && i < sizeof names / sizeof *names; i++) {
		char *pending = strstr(status, names[i]);
		char digits[17];

		if (!pending)
			continue;
		snprintf(digits, sizeof digits, "%016llx", strtoull(pending + 9, NULL, 16) & strtoull(blocked + 9, NULL, 16));
		memcpy(pending + 9, digits, 16);
	}
}

static void print_task(FILE *out, pid_t pid, pid_t tid)
{
	char label[64];
	char *status = slurp(NULL, "/proc/%d/task/%d/status", pid, tid);

	leave_out_passing(status);
	snprintf(label, sizeof label, "%d/%d", pid, tid);
	print_lines(out, label, status, is_volatile_status);
	print_scheduling(out, label, tid);
	/* Found under the thread's own number only. */
	fprintf(out, "%s timerslack %d\n", label, atoi(slurp(NULL, "/proc/%d/timerslack_ns", tid)));
}

static void print_process(FILE *out, pid_t pid, bool is_root, struct pipe_names *pipes, bool exact)
{
	static const struct {
		int number;
		const char *name;
	} fields[] = {
		{5, "pgid"}, {6, "sid"}, {7, "tty"}, {26, "startcode"}, {27, "endcode"}, {28, "startstack"},
		{38, "exit_signal"}, {45, "start_data"}, {46, "end_data"}, {47, "start_brk"}, {48, "arg_start"},
		{49, "arg_end"}, {50, "env_start"}, {51, "env_end"},
	};
	static const char *const plain[] = {
		"comm", "limits", "oom_score_adj", "personality", "coredump_filter", "uid_map", "timers",
	};
	static const char *const blobs[] = {"cmdline", "environ", "auxv"};
	static const char *const links[] = {
		"cwd", "root", "exe", "ns/mnt", "ns/net", "ns/pid", "ns/user", "ns/uts", "ns/ipc", "ns/cgroup",
	};
	static pid_t tids[4096];
	static char stat_text[1024];
	char path[64], label[64];

	snprintf(stat_text, sizeof stat_text, "%s", slurp(NULL, "/proc/%d/stat", pid));
	char state = stat_field(stat_text, 3)[0];

	fprintf(out, "%d state %s\n", pid, state == 'Z' ? "zombie" : state == 'T' ? "stopped" : state == 't' ? "traced" : "alive");
	if (!is_root)
		fprintf(out, "%d ppid %s\n", pid, stat_field(stat_text, 4));
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		fprintf(out, "%d %s %s\n", pid, fields[i].name, stat_field(stat_text, fields[i].number));
	/* Of a stopped task it tells whether the parent has asked already: that is for the parent to compare. */
	if (exact || state == 'Z')
		fprintf(out, "%d exit_code %s\n", pid, stat_field(stat_text, 52));
	for (size_t i = 0; i < (state == 'Z' ? 1 : sizeof plain / sizeof *plain); i++) {
		snprintf(label, sizeof label, "%d %s", pid, plain[i]);
		print_lines(out, label, slurp(NULL, "/proc/%d/%s", pid, plain[i]), NULL);
	}
	if (state == 'Z')
		return;
	for (size_t i = 0; i < sizeof blobs / sizeof *blobs; i++)
		print_blob(out, pid, blobs[i]);
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", pid, links[i]);
		snprintf(label, sizeof label, "%d %s", pid, links[i]);
		print_link(out, label, path, pipes, exact);
	}
	print_descriptors(out, pid, pipes, exact);
	print_mappings(out, pid, exact);
	snprintf(path, sizeof path, "/proc/%d/task", pid);
	int count = numeric_entries(path, tids, 4096);

	for (int i = 0; i < count; i++)
		print_task(out, pid, tids[i]);
}

void fingerprint(FILE *out, pid_t root, bool exact)
{
	static struct pipe_names pipes;
	pid_t pids[MAX_TREE];
	int count = tree_list(root, pids);

	pipes.count = 0;
	for (int i = 0; i < count; i++)
		print_process(out, pids[i], i == 0, &pipes, exact);
}
