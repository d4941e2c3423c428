/* SPDX-License-Identifier: MIT */
/* What `show` tells of an image, for people and for programs: word for word, of one that has something of nearly all. */
#include "image_fixture.h"

#include <elf.h>
#include <signal.h>
#include <time.h>

#include "clocks.pb.h"
#include "file.pb.h"
#include "objects/object.h"
#include "process.pb.h"
#include "show.h"
#include "thread.pb.h"
#include "timer.pb.h"
#include "tree/records.h"
#include "vma.pb.h"

enum { PAGE = 4096 };

struct part {
	uint16_t type;
	const pb_msgdesc_t *fields;
	const void *message;
	size_t len;
};
#define PART(record, message, ...) { record, message##_fields, &(const message){ __VA_ARGS__ }, 0 }
#define BODY(record, message, len, ...) { record, message##_fields, &(const message){ __VA_ARGS__ }, len }

/* A root; under it a child that is stopped, with a child, and one that has ended. */
static const struct part whole[] = {
	PART(RECORD_HEADER, Header, .page_size = PAGE, .created = 1000000000123456789, .kernel_release = "6.1\n", .tool_version = "9",
	     .firmware = "Board \"1\""),
	PART(RECORD_TREE, Tree, .root = 42, .processes = 4, .highest_fd = 7),
	PART(RECORD_CLOCKS, Clocks, .monotonic = 93784000000005, .boottime = 1000000000, .realtime = 7, .monotonic_offset = -3,
	     .boottime_offset = 4, .boot_id = "id"),
	PART(RECORD_FILE, File, .id = 1, .path = "/", .mode = S_IFDIR | 0755, .flags = O_PATH | O_DIRECTORY),
	PART(RECORD_FILE, File, .id = 2, .path = "/bin/x", .mode = S_IFREG | 0755, .mapped = true, .size = 5000, .has_content = true,
	     .content = { .crc = 0xabc }),
	PART(RECORD_FILE, File, .id = 3, .path = "/log", .mode = S_IFREG | 0644, .flags = O_WRONLY | O_APPEND, .pos = 12, .size = 34),
	PART(RECORD_PROCESS, Process, .pid = 42, .sid = 42, .pgid = 42, .comm = "a\"b\\c\x01\xff", .threads = 1),
	PART(RECORD_VMA, Vma, .start = 0x400000, .end = 0x410000, .prot = 5, .kind = VmaKind_FILE_BACKED, .file = 2, .pgoff = PAGE),
	PART(RECORD_VMA, Vma, .start = 0x500000, .end = 0x540000, .prot = 3, .shared = true, .name = "heap\xed\xa0\x80"),
	BODY(RECORD_PAGES, Pages, 3 * PAGE, .process = 42, .start_count = 2, .start = { 0x500, 0x510 }, .count_count = 2, .count = { 1, 2 },
	     .page_shift = 12),
	PART(RECORD_PROCESS, Process, .pid = 43, .parent = 42, .sid = 42, .pgid = 43, .comm = "stopped", .threads = 2, .stop_signal = 19),
	PART(RECORD_VMA, Vma, .start = 0x400000, .end = 0x401000, .prot = 0, .inherited = true),
	PART(RECORD_GUARD, Runs, .start_count = 1, .start = { 0x400000 }, .end_count = 1, .end = { 0x401000 }),
	PART(RECORD_PROCESS, Process, .pid = 44, .parent = 43, .sid = 44, .pgid = 44, .comm = "below", .threads = 2),
	PART(RECORD_PROCESS, Process, .pid = 45, .parent = 42, .sid = 42, .pgid = 42, .comm = "dead", .zombie = true, .exit_status = 0x700),
	PART(RECORD_STATE, State, .pid = 42, .exe = 2, .cwd = 1, .root = 1, .umask = 18, .oom_score_adj = -5, .start_brk = PAGE),
	PART(RECORD_SIGACTIONS, Sigactions, 1, { 10 }, 1, { 0x401000 }, 1, { 4 }, 1, { 0 }, 1, { 2 }),
	PART(RECORD_DESCRIPTORS, Descriptors, .fd_count = 2, .fd = { 0, 7 }, .file_count = 2, .file = { 3, 9 }, .cloexec_count = 2,
	     .cloexec = { false, true }),
	PART(RECORD_LOCK, Lock, .fd = 0, .file = 3, .kind = 3, .exclusive = true, .start = 1, .length = 2),
	PART(RECORD_TIMER, Timer, .id = 1, .clock = CLOCK_BOOTTIME, .signal = 14, .remains = 5000, .interval = 9000),
	PART(RECORD_TIMER, Timer, .id = 2, .clock = -6, .notify = SIGEV_NONE, .tid = 42),
	BODY(RECORD_PENDING, Pending, 128, .tid = 0),
	BODY(RECORD_THREAD, Thread, 24, .pid = 42, .tid = 42, .comm = "main", .uid_count = 4, .uid = { 1, 2, 3, 4 },
	     .gid_count = 4, .gid = { 5, 6, 7, 8 }, .groups_count = 2, .groups = { 9, 10 }, .cap_effective = 1 << 5 | 1 << 12,
	     .cap_bounding = 7, .regset_type_count = 1, .interrupted = 516, .syscall = 35, .nice = -4),
	BODY(RECORD_PENDING, Pending, 128, .tid = 42),
	PART(RECORD_STATE, State, .pid = 43, .exe = 2, .cwd = 1, .root = 1),
	PART(RECORD_DESCRIPTORS, Descriptors, .fd_count = 1, .fd = { 1 }, .file_count = 1, .file = { 1 }, .cloexec_count = 1),
	PART(RECORD_TIMER, Timer, .id = 3, .clock = CLOCK_REALTIME, .signal = 15),
	PART(RECORD_THREAD, Thread, .pid = 43, .tid = 46, .regset_type_count = 1, .uid_count = 4, .gid_count = 4),
	PART(RECORD_THREAD, Thread, .pid = 43, .tid = 43, .uid_count = 4, .gid_count = 4),
	PART(RECORD_STATE, State, .pid = 44, .exe = 2, .cwd = 1, .root = 1),
	PART(RECORD_THREAD, Thread, .pid = 44, .tid = 44, .regset_type_count = 1, .uid_count = 4, .gid_count = 4,
	     .cap_effective = UINT64_MAX),
};
enum { PARTS = sizeof(whole) / sizeof(*whole) };

static const char *shown(bool json, const struct part *parts, size_t n)
{
	static char text[65536];
	struct image_totals totals = { .processes = 4, .threads = 5, .files = 3, .pages_stored = 3, .pages_zero = 6 };
	int kept, fd = memfd_create("shown", MFD_CLOEXEC), err;
	struct image_writer w;
	struct image_reader r;
	ssize_t len;

	assert_int_equal(image_create(&w, path, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		memset(image_body(&w), 0, parts[i].len);
		assert_int_equal(image_write(&w, parts[i].type, MUST, parts[i].fields, parts[i].message, image_body(&w), parts[i].len), 0);
	}
	assert_int_equal(image_commit(&w, &totals), 0);
	image_drop(&w);
	assert_int_equal(image_open(&r, path, NULL), 0);
	r.skip_bodies = true;
	fflush(NULL);
	kept = dup(1);
	dup2(fd, 1);
	err = json ? show_json(&r) : show_text(&r, "an\nimage");
	fflush(NULL);
	dup2(kept, 1);
	close(kept);
	len = pread(fd, text, sizeof(text) - 1, 0);
	text[len] = '\0';
	for (char *from = text, *to = text; json; from++) {
		if (*from == '\n')
			from += 1 + strspn(from + 1, " ");
		*to++ = *from == '"' ? '\'' : *from;
		if (!*from)
			break;
	}
	close(fd);
	image_close(&r);
	unlink(path);
	return err ? NULL : text;
}

static void same(const char *got, const char *wanted)
{
	size_t n = 0;

	if (image_own_machine() != EM_X86_64) {
		print_message("skip reason: numbers of flags are another machine's\n");
		skip();
	}
	assert_non_null(got);
	while (got[n] && got[n] == wanted[n])
		n++;
	if (got[n] || wanted[n])
		print_error("from here on another text:\n%.200s\nwhere this is wanted:\n%.200s\n", got + n, wanted + n);
	assert_string_equal(got, wanted);
}

static const char whole_text[] =
	"image    an\\x0aimage, 13.4 KiB\n"
	"made     2001-09-09 01:46:40 UTC, by tinyckpt 9, on Linux 6.1\\x0a (x86_64, pages of 4.0 KiB)\n"
	"firmware Board \"1\"\n"
	"holds    4 processes, 5 threads, 3 files, 3 pages (12.0 KiB); 6 zero pages left out\n"
	"clocks   monotonic 1 d 02:03:04, boot time 0 d 00:00:01\n"
	"tree\n"
	"  42 a\"b\\c\\x01\\xff: 1 thread, session 42, process group 42, uid 2, gid 6\n"
	"    43 stopped: stopped by signal 19, 2 threads (the main one has ended), session 42, process group 43, uid 0, gid 0\n"
	"      44 below: 2 threads, session 44, process group 44, uid 0, gid 0\n"
	"    45 dead: zombie, wait status 0x700, session 42, process group 42\n"
	"\n"
	"process 42 (a\"b\\c\\x01\\xff)\n"
	"  memory   2 mappings, 320.0 KiB of addresses, 3 pages stored (12.0 KiB)\n"
	"  may      kill net_admin\n"
	"  program  file 2: /bin/x, O_RDONLY, at 0 of 5000, mapped\n"
	"  cwd      file 1: /, O_PATH|O_DIRECTORY, at 0 of 0\n"
	"  root     file 1: /, O_PATH|O_DIRECTORY, at 0 of 0\n"
	"  fd 0     file 3: /log, O_WRONLY|O_APPEND, at 12 of 34\n"
	"  fd 7     9\n"
	"  timer 1  CLOCK_BOOTTIME, signal 14, 5 us remain, then every 9 us\n"
	"  timer 2  processor time, no signal to thread 42\n"
	"\n"
	"process 43 (stopped)\n"
	"  memory   1 mappings, 4.0 KiB of addresses, 0 pages stored (0 bytes)\n"
	"  program  file 2: /bin/x, O_RDONLY, at 0 of 5000, mapped\n"
	"  cwd      file 1: /, O_PATH|O_DIRECTORY, at 0 of 0\n"
	"  root     file 1: /, O_PATH|O_DIRECTORY, at 0 of 0\n"
	"  fd 1     file 1: /, O_PATH|O_DIRECTORY, at 0 of 0\n"
	"  timer 3  CLOCK_REALTIME, signal 15\n"
	"\n"
	"process 44 (below)\n"
	"  memory   0 mappings, 0 bytes of addresses, 0 pages stored (0 bytes)\n"
	"  may      all\n"
	"  program  file 2: /bin/x, O_RDONLY, at 0 of 5000, mapped\n"
	"  cwd      file 1: /, O_PATH|O_DIRECTORY, at 0 of 0\n"
	"  root     file 1: /, O_PATH|O_DIRECTORY, at 0 of 0\n"
	"\n"
	"process 45 (dead)\n"
	"  ended, its parent has not waited for it\n"
	"\n"
	"mapped\n"
	"  file 2: /bin/x, O_RDONLY, at 0 of 5000, mapped\n";

/* With simple quotes in place of double ones, and all in one line. */
static const char whole_json[] =
	"{'machine': 'x86_64','page_size': 4096,'created_ns': 1000000000123456789,'kernel_release': '6.1\\u000a',"
	"'firmware': 'Board \\'1\\'','tool_version': '9','features': [],'root': 42,'highest_fd': 7,'clocks': {"
	"'monotonic_ns': 93784000000005,'boottime_ns': 1000000000,'realtime_ns': 7,'monotonic_offset_ns': -3,"
	"'boottime_offset_ns': 4,'boot_id': 'id'},'objects': [{'id': 1,'kind': 'file','what': 'file 1: /, O_PATH|O_DIRECTORY,"
	" at 0 of 0','bytes': 0,'embedded': false,'path': '/','flags': 2162688,'mapped': false},{'id': 2,'kind': 'file',"
	"'what': 'file 2: /bin/x, O_RDONLY, at 0 of 5000, mapped','bytes': 0,'embedded': false,'path': '/bin/x','flags': 0,"
	"'mapped': true,'size': 5000,'crc32c': '0xabc'},{'id': 3,'kind': 'file','what': 'file 3: /log, O_WRONLY|O_APPEND,"
	" at 12 of 34','bytes': 0,'embedded': false,'path': '/log','flags': 1025,'mapped': false}],'processes': [{'pid': 42,"
	"'parent': 0,'pgid': 42,'sid': 42,'comm': 'a\\'b\\\\c\\u0001\\ufffd','threads': 1,'zombie': false,'stop_signal': 0,"
	"'mappings': [{'start': '0x400000','end': '0x410000','permissions': 'r-xp','kind': 'file','file': 2,'offset': '0x1000',"
	"'inherited': false},{'start': '0x500000','end': '0x540000','permissions': 'rw-s','kind': 'anonymous','name': 'heap\\ufffd\\ufffd\\ufffd',"
	"'inherited': false}],'memory': [{'kind': 'pages','start': '0x500000','end': '0x501000'},{'kind': 'pages',"
	"'start': '0x510000','end': '0x512000'}]},{'pid': 43,'parent': 42,'pgid': 43,'sid': 42,'comm': 'stopped','threads': 2,"
	"'zombie': false,'stop_signal': 19,'mappings': [{'start': '0x400000','end': '0x401000','permissions': '---p',"
	"'kind': 'anonymous','inherited': true}],'memory': [{'kind': 'guard','start': '0x400000','end': '0x401000'}]},{'pid': 44,"
	"'parent': 43,'pgid': 44,'sid': 44,'comm': 'below','threads': 2,'zombie': false,'stop_signal': 0},{'pid': 45,'parent': 42,"
	"'pgid': 42,'sid': 42,'comm': 'dead','threads': 0,'zombie': true,'wait_status': 1792,'stop_signal': 0}],'states': [{"
	"'pid': 42,'exe': 2,'cwd': 1,'root': 1,'umask': 18,'dumpable': 0,'personality': 0,'oom_score_adj': -5,'subreaper': false,"
	"'start_brk': '0x1000','brk': '0x0','signal_actions': [{'signal': 10,'handler': '0x401000','flags': '0x4','mask': '0x2'}],"
	"'descriptors': [{'fd': 0,'object': 3,'cloexec': false},{'fd': 7,'object': 9,'cloexec': true}],'locks': [{'fd': 0,"
	"'kind': 'process','exclusive': true,'start': 1,'length': 2}],'timers': [{'id': 1,'clock': 7,'notify': 'signal',"
	"'signal': 14,'value': '0x0','tid': 0,'remains_ns': 5000,'interval_ns': 9000},{'id': 2,'clock': -6,'notify': 'none',"
	"'signal': 0,'value': '0x0','tid': 42,'remains_ns': 0,'interval_ns': 0}],'pending_signals': [{'siginfo_bytes': 128}],"
	"'threads': [{'tid': 42,'comm': 'main','ended': false,'blocked': '0x0','uid': [1,2,3,4],'gid': [5,6,7,8],'groups': [9,10],"
	"'cap_permitted': '0x0','cap_effective': '0x1020','cap_inheritable': '0x0','cap_bounding': '0x7','cap_ambient': '0x0',"
	"'no_new_privs': false,'sched_policy': 0,'sched_priority': 0,'nice': -4,'interrupted_syscall': 35,'register_bytes': 24,"
	"'pending_signals': [{'siginfo_bytes': 128}]}]},{'pid': 43,'exe': 2,'cwd': 1,'root': 1,'umask': 0,'dumpable': 0,"
	"'personality': 0,'oom_score_adj': 0,'subreaper': false,'start_brk': '0x0','brk': '0x0','descriptors': [{'fd': 1,"
	"'object': 1,'cloexec': false}],'timers': [{'id': 3,'clock': 0,'notify': 'signal','signal': 15,'value': '0x0','tid': 0,"
	"'remains_ns': 0,'interval_ns': 0}],'threads': [{'tid': 46,'comm': '','ended': false,'blocked': '0x0','uid': [0,0,0,0],"
	"'gid': [0,0,0,0],'groups': [],'cap_permitted': '0x0','cap_effective': '0x0','cap_inheritable': '0x0',"
	"'cap_bounding': '0x0','cap_ambient': '0x0','no_new_privs': false,'sched_policy': 0,'sched_priority': 0,'nice': 0,"
	"'interrupted_syscall': -1,'register_bytes': 0},{'tid': 43,'comm': '','ended': true,'blocked': '0x0','uid': [0,0,0,0],"
	"'gid': [0,0,0,0],'groups': [],'cap_permitted': '0x0','cap_effective': '0x0','cap_inheritable': '0x0',"
	"'cap_bounding': '0x0','cap_ambient': '0x0','no_new_privs': false,'sched_policy': 0,'sched_priority': 0,'nice': 0,"
	"'interrupted_syscall': -1,'register_bytes': 0}]},{'pid': 44,'exe': 2,'cwd': 1,'root': 1,'umask': 0,'dumpable': 0,"
	"'personality': 0,'oom_score_adj': 0,'subreaper': false,'start_brk': '0x0','brk': '0x0','threads': [{'tid': 44,'comm': '',"
	"'ended': false,'blocked': '0x0','uid': [0,0,0,0],'gid': [0,0,0,0],'groups': [],'cap_permitted': '0x0',"
	"'cap_effective': '0xffffffffffffffff','cap_inheritable': '0x0','cap_bounding': '0x0','cap_ambient': '0x0',"
	"'no_new_privs': false,'sched_policy': 0,'sched_priority': 0,'nice': 0,'interrupted_syscall': -1,'register_bytes': 0}]}],"
	"'totals': {'image_bytes': 13767,'processes': 4,'threads': 5,'files': 3,'pages_stored': 3,'pages_zero': 6,'records': 31}}";

static void test_text(void **state)
{
	(void)state;
	same(shown(false, whole, PARTS), whole_text);
}

static void test_json(void **state)
{
	(void)state;
	same(shown(true, whole, PARTS), whole_json);
}

/* With part FROM in another place, TO; or without it, when that is behind all. */
static const char *moved(bool json, size_t from, size_t to)
{
	struct part parts[PARTS];
	size_t n = 0;

	for (size_t i = 0; i < PARTS; i++) {
		if (i == from)
			continue;
		if (n == to)
			parts[n++] = whole[from];
		parts[n++] = whole[i];
	}
	return shown(json, parts, n);
}

/* What has lost its order is no document. */
static void test_disorder(void **state)
{
	(void)state;
	assert_null(moved(true, 5, 7));	/* a file behind a process */
	assert_said("not in order");
	assert_null(moved(true, 8, 9));	/* a mapping behind pages */
	assert_said("not in order");
	assert_null(moved(true, 7, 5));	/* a mapping before any process */
	assert_said("of no process");
	assert_null(moved(false, 7, 5));
	assert_said("of no process");
	assert_null(moved(false, 13, PARTS));	/* a state of no process */
	assert_said("there is no such process");
	assert_null(moved(false, 10, PARTS));	/* a process without its parent */
	assert_said("does not come before it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_disorder, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
