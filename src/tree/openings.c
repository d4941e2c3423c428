/* SPDX-License-Identifier: MIT */
#include "tree/openings.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"
#include "config.h"
#include "job/world.h"
#include "kernel/abi.h"
#include "kernel/same.h"
#include "objects/object.h"
#include "tree/locks.h"
#include "tree/memory.h"
#include "tree/resource.h"

struct walk {
	struct save *s;
	const struct process *p;
	struct opened *o;	/* 4 KiB of path: one for all */
	int pidfd;		/* of p; -1: the kernel has none */
	bool many;		/* p has many descriptors */
	int own_fds;		/* /proc/self/fd */
	int own;		/* a number in it, -1: none; its link and fdinfo, opened */
	int own_link, own_info;
	bool owned;		/* somebody gets signals of what happens to it */
	bool informed;		/* o->info is there, but for close-on-exec */
};

enum { MANY = 64 };	/* descriptors for which it pays to have the process asked about them */

static int each_opening(struct walk *w);

static void forget_own(struct walk *w)
{
	if (w->own < 0)
		return;
	close(w->own_link);
	close(w->own_info);
}

/* A descriptor that is borrowed has the same number each time, so that what is opened in /proc for one tells of all. */
static void open_own(struct walk *w, int own)
{
	char path[32];

	if (own == w->own)
		return;
	forget_own(w);
	w->own = own;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", own);
	w->own_link = open_file(path, O_PATH | O_NOFOLLOW);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", own);
	w->own_info = open_file(path, O_RDONLY);
}

/*
 * What fdinfo has to tell.  Not whether it is closed on exec, which is asked of the process later, and not of POSIX locks,
 * which are the process's: where anybody has such, it is not told.  (/proc/locks, which has them all, takes the kernel some
 * milliseconds to open.)
 */
static void inform(struct walk *w, int own)
{
	struct proc_fdinfo *info = &w->o->info;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (proc_fdinfo_again(w->own_info, info))
		return;
	info->flags &= ~(unsigned int)O_CLOEXEC;
	w->informed = info->flags & O_PATH || (!fcntl(own, F_GETLK, &lock) && lock.l_type == F_UNLCK);
}

/* By a descriptor of our own, where the kernel lends one: of thousands, half of the time is saved. */
static ssize_t look_at_own(struct walk *w)
{
	struct opened *o = w->o;
	CLEANUP_CLOSE int own = o->fd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, w->pidfd, o->fd, 0);
	struct f_owner_ex owner;
	char number[16];
	ssize_t len;

	if (own < 0 || fstat(own, &o->st))
		return -1;
	w->owned = !fcntl(own, F_GETOWN_EX, &owner) && owner.pid;
	if (IS_ON_MANY_FILES && w->many) {
		open_own(w, own);
		inform(w, own);
		len = readlinkat(w->own_link, "", o->path, sizeof(o->path));
	} else {
		snprintf(number, sizeof(number), "%d", own);
		len = readlinkat(w->own_fds, number, o->path, sizeof(o->path));
	}
	return len < (ssize_t)sizeof(o->path) ? len : -1;
}

static int look(struct walk *w, const char *link)
{
	struct opened *o = w->o;
	ssize_t len = look_at_own(w);
	size_t deleted = strlen(" (deleted)");

	if (len < 0) {
		if (proc_lookup(o->access, 0, &o->st))
			return -errno;
		len = proc_readlink(link, o->path, sizeof(o->path));
	}
	if (len < 0)
		return -errno;
	o->path[len] = '\0';
	o->dev = o->st.st_dev;
	o->ino = o->st.st_ino;
	o->deleted = o->st.st_nlink == 0 && (size_t)len > deleted && !strcmp(o->path + (size_t)len - deleted, " (deleted)");
	/* a name that is gone while hard links remain also reads "(deleted)"; so may an honest file name: see if it is there */
	if (!o->deleted && (size_t)len > deleted && !strcmp(o->path + (size_t)len - deleted, " (deleted)"))
		o->deleted = access(o->path, F_OK) != 0;
	if (o->deleted)
		o->path[(size_t)len - deleted] = '\0';
	return 0;
}

static void opened_init(struct walk *w, int fd)
{
	struct opened *o = w->o;

	o->pid = w->p->tid;
	o->fd = fd;
	o->mapped = false;
	w->informed = w->owned = false;
	memset(&o->info, 0, sizeof(o->info));
	o->path[0] = '\0';
	o->deleted = false;
}

static int walk_fd(struct walk *w, int fd)
{
	struct opened *o = w->o;
	int err;

	opened_init(w, fd);
	snprintf(o->what, sizeof(o->what), "fd %d", fd);
	snprintf(o->access, sizeof(o->access), "/proc/%d/fd/%d", o->pid, fd);
	err = look(w, o->access);
	if (!err && !(IS_ON_MANY_FILES && w->informed))
		err = proc_fdinfo(o->pid, fd, &o->info);
	if (err)
		return (err == -EBADF || err == -ENOENT || err == -ESRCH) && w->s->checking ? 0 : fail_for(err, "fd %d", fd);
	if (w->owned)	/* so has what F_NOTIFY tells of */
		o->info.flags |= O_ASYNC;
	return each_opening(w);
}

static int walk_vma(void *arg, struct vma *v)
{
	struct walk *w = arg;
	struct opened *o = w->o;
	struct stat link;
	int err;

	/* names in brackets are the kernel's; private hugetlb without a file is as good as anonymous */
	if (v->name[0] != '/' || (!v->shared && !strncmp(v->name, "/anon_hugepage", 14)))
		return 0;
	opened_init(w, -1);
	o->mapped = true;
	snprintf(o->what, sizeof(o->what), "mapping %llx-%llx", (unsigned long long)v->start, (unsigned long long)v->end);
	snprintf(o->access, sizeof(o->access), "/proc/%d/map_files/%llx-%llx", o->pid, (unsigned long long)v->start,
		 (unsigned long long)v->end);
	/* the link's mode is the mode in which the file was opened for the mapping */
	v->maywrite = v->shared && !proc_lookup(o->access, AT_SYMLINK_NOFOLLOW, &link) && link.st_mode & S_IWUSR;
	if (openings_mapped(w->s, v) || (IS_ON_UNLINKED && memory_refusal(v)))	/* which was named already */
		return 0;
	o->info.flags = v->maywrite ? O_RDWR : O_RDONLY;
	err = look(w, o->access);
	if (err)
		return w->s->checking && (err == -ENOENT || err == -ESRCH) ? 0 : fail_for(err, "%s: %s", o->what, v->name);
	o->dev = v->dev;
	o->ino = v->ino;
	return each_opening(w);
}

static int walk_link(struct walk *w, int place, const char *name, const char *what, unsigned int flags)
{
	struct opened *o = w->o;
	int err;

	opened_init(w, place);
	o->info.flags = flags;
	o->mapped = place == PLACE_EXE;
	snprintf(o->what, sizeof(o->what), "%s", what);
	snprintf(o->access, sizeof(o->access), "/proc/%d/%s", o->pid, name);
	err = look(w, o->access);
	if ((err == -ENOENT || err == -ESRCH) && w->s->checking)	/* every process has these, until it ends */
		return -ESRCH;
	if (err)
		return fail_for(err, "%s", what);
	return each_opening(w);
}

/* Is what has the key that description?  0: yes; 1 and 2: no, and below it on which side.  o: the opening, if it has a descriptor. */
static int side_of(struct save *s, const struct description *d, const struct description_key *key, const struct opened *o)
{
	int order = memcmp(key, &d->key, sizeof(*key));

	if (order)
		return order < 0 ? 1 : 2;
	if (!key->has_fd || (d->pid == o->pid && d->fd == o->fd))
		return 0;
	order = file_order(o->pid, o->fd, d->pid, d->fd);
	if (order < 0 && !s->checking)	/* what is only looked at may be gone by now */
		obstacle(s, "%s: whether it shares its offset with fd %d of process %d cannot be told (CONFIG_KCMP): %s", o->what,
			 d->fd, d->pid, strerror(-order));
	return order < 0 ? 2 : order;
}

/* NULL: it is not known; *at: where its number belongs then.  Valid until descriptions are added. */
static struct description *find(struct save *s, const struct description_key *key, const struct opened *o, uint32_t **at)
{
	*at = &s->boxes[key->ino % (sizeof(s->boxes) / sizeof(*s->boxes))];
	while (**at) {
		struct description *d = (struct description *)(void *)s->descriptions.data + **at - 1;
		const int side = side_of(s, d, key, o);

		if (!side)
			return d;
		*at = &d->below[side - 1];
	}
	return NULL;
}

/* One opening: named if it stands in the way, written if nothing does and this is a save. */
static int each_opening(struct walk *w)
{
	struct save *s = w->s;
	const struct opened *o = w->o;
	struct description *d = buffer_grow(&s->descriptions, sizeof(*d)), *known;
	uint32_t *at;
	struct place place = {
		.fd = o->fd, .cloexec = IS_ON_MANY_FILES && w->informed ? -1 : (o->info.flags & O_CLOEXEC) != 0,
		.locked = o->info.locked,
	};
	const unsigned int obstacles = s->obstacles;
	const struct object_ops *ops;
	char text[512];
	int err;

	if (!d)
		return fail(ENOMEM, "out of memory");
	d->pid = o->pid;
	d->fd = o->fd;
	d->key = (struct description_key){ o->dev, o->ino, o->info.pos, o->info.flags & ~(unsigned int)O_CLOEXEC, o->fd >= 0 };
	known = find(s, &d->key, o, &at);
	if (known) {
		s->descriptions.len -= sizeof(*d);
		d = known;
	} else {
		ops = object_of_opened(s, o);
		if (!ops)
			obstacle(s, "%s: %s%s", o->what, object_describe(o, text, sizeof(text)),
				 o->fd >= 0 && o->fd <= 2 ? "; --inherit-stdio would replace a standard stream by restore's own"
							  : "");
		else if (ops->check)
			ops->check(s, o);
		if (ops && !s->checking && !s->obstacles) {
			err = ops->save(s, o);
			if (err)
				return err;
		}
		d->id = s->last_id;
		d->refused = IS_ON_RULES && s->obstacles != obstacles;
		s->totals.files++;
		*at = (uint32_t)(s->descriptions.len / sizeof(*d));
	}
	if (o->info.locked && !IS_ON_LOCKS)
		obstacle(s, "%s: %s: it holds a lock (%s): this tinyckpt was built without CONFIG_LOCKS", o->what, o->path, o->info.lock);
	if (o->info.locked && IS_ON_LOCKS) {
		err = locks_check(s, o);
		if (err)
			return err;
	}
	if (IS_ON_RULES && s->resources) {
		err = resource_note(s, o, s->obstacles != obstacles || d->refused);
		if (err)
			return err;
	}
	if (o->fd == -1)
		return 0;
	place.id = d->id;
	return buffer_append(&s->places, &place, sizeof(place)) ? fail(ENOMEM, "out of memory") : 0;
}

static int note_number(void *arg, int fd)
{
	struct save *s = arg;

	if (fd > s->highest_fd)
		s->highest_fd = fd;
	return buffer_append(&s->numbers, &fd, sizeof(fd)) ? fail(ENOMEM, "out of memory") : 0;
}

int openings_find(struct save *s, struct process *p)
{
	const size_t before = s->numbers.len;
	char path[32];
	int err;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", p->tid);	/* which is looked into next, unlike fd */
	err = proc_numbers(path, note_number, s);
	p->descriptors = (s->numbers.len - before) / sizeof(int);
	if (err == -ESRCH && s->checking)
		return 0;
	return err ? fail_for(err, "its descriptors") : 0;
}

static int walk_tree(struct walk *w)
{
	struct save *s = w->s;
	const int *number = (const int *)(void *)s->numbers.data;

	for (size_t i = 0; i < s->tree.n; i++) {
		struct process *p = &s->tree.processes[i];
		CONTEXT("pid %d (%s)", p->pid, p->comm);
		CLEANUP_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
		int err = 0;

		if (p->zombie)
			continue;
		p->place = s->places.len / sizeof(struct place);
		w->p = p;
		w->pidfd = pidfd;
		w->many = p->descriptors >= MANY;
		for (size_t k = 0; !err && k < p->descriptors; k++)
			err = walk_fd(w, *number++);
		if (!err)
			err = walk_link(w, PLACE_CWD, "cwd", "its working directory", O_PATH | O_DIRECTORY);
		if (!err)
			err = walk_link(w, PLACE_ROOT, "root", "its root directory", O_PATH | O_DIRECTORY);
		if (!err)
			err = walk_link(w, PLACE_EXE, "exe", "its program", O_RDONLY);
		if (!err)
			err = proc_vmas(p->tid, false, walk_vma, w);
		p->place_end = s->places.len / sizeof(struct place);
		if (err && !(s->checking && err == -ESRCH))
			return err;
	}
	return 0;
}

int openings_save(struct save *s)
{
	struct opened o;
	CLEANUP_CLOSE int own_fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct walk w = { .s = s, .o = &o, .own_fds = own_fds, .own = -1 };
	const uint64_t room = world_room();
	uint64_t needed;
	int err = walk_tree(&w);

	if (IS_ON_MANY_FILES)
		forget_own(&w);
	/* what is only looked at has no ids yet, and takes at least as many */
	needed = (uint64_t)world_begin((uint32_t)s->highest_fd) + (s->checking ? s->totals.files : s->last_id) + 1;
	if (!err && needed > room)
		obstacle(s, "%u open files and pieces of shared memory take %" PRIu64 " descriptors, tinyckpt may have %" PRIu64
			    " (RLIMIT_NOFILE): raise `ulimit -n`", s->totals.files, needed, room);
	return err;
}

uint32_t openings_mapped(struct save *s, const struct vma *v)
{
	const struct description_key key = { v->dev, v->ino, 0, v->shared && v->maywrite ? O_RDWR : O_RDONLY, 0 };
	uint32_t *at;
	const struct description *d = find(s, &key, NULL, &at);

	return d ? d->id : 0;
}

uint32_t openings_place(const struct save *s, const struct process *p, int fd)
{
	const struct place *place = (const struct place *)(void *)s->places.data;

	for (size_t i = p->place; i < p->place_end; i++)
		if (place[i].fd == fd)
			return place[i].id;
	return 0;
}
