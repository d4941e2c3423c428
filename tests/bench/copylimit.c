// SPDX-License-Identifier: MIT
#include "copylimit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"

enum { BUFFER = 256 << 10 };

size_t tree_bytes(pid_t pid)
{
	char path[64], line[256];
	size_t bytes = 0, kib;
	FILE *file;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Anonymous: %zu", &kib) == 1)
			bytes += kib << 10;
	if (file)
		fclose(file);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	file = fopen(path, "re");
	while (file && fscanf(file, "%d", &child) == 1)
		bytes += tree_bytes(child);
	if (file)
		fclose(file);
	return bytes;
}

// A child that holds the area and waits. With FULL its pages are there, each with bytes of its own.
static pid_t holder(size_t bytes, bool full, char **area)
{
	int ready[2];
	char byte;
	pid_t pid;

	*area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (*area == MAP_FAILED || pipe2(ready, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid == 0) {
		for (size_t i = 0; full && i < bytes; i += sizeof(size_t))
			*(size_t *)(void *)(*area + i) = i * 0x9e3779b97f4a7c15;
		if (write(ready[1], "r", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (pid > 0 && read(ready[0], &byte, 1) != 1)
		pid = -1;
	close(ready[0]);
	return pid;
}

static int64_t copy(size_t bytes, const char *file, bool out)
{
	static char buffer[BUFFER];
	int64_t start, spent = -1;
	char *area;
	pid_t pid = holder(bytes, out, &area);
	size_t done = 0;
	int fd;

	// As for the tools, the file of the run before goes only now: its pages are the ones taken
	// next. In a virtual machine pages that were free for long may first have to come from the host.
	if (out)
		unlink(file);
	fd = open(file, out ? O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0600);
	start = now_ns();
	while (pid > 0 && fd >= 0 && done < bytes) {
		size_t part = bytes - done < BUFFER ? bytes - done : BUFFER;
		struct iovec here = { buffer, part }, there = { area + done, part };
		ssize_t moved = out ? process_vm_readv(pid, &here, 1, &there, 1, 0) :
				      read(fd, buffer, part);

		if (moved > 0) {
			here.iov_len = there.iov_len = (size_t)moved;
			moved = out ? write(fd, buffer, (size_t)moved) :
				      process_vm_writev(pid, &here, 1, &there, 1, 0);
		}
		if (moved <= 0)
			break;
		done += (size_t)moved;
	}
	if (done == bytes)
		spent = now_ns() - start;
	if (fd >= 0)
		close(fd);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	munmap(area, bytes);
	return spent;
}

int64_t copy_out_ns(size_t bytes, const char *file)
{
	return copy(bytes, file, true);
}

int64_t copy_in_ns(size_t bytes, const char *file)
{
	return copy(bytes, file, false);
}
