// SPDX-License-Identifier: MIT
#include "tools.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const tool_names[TOOLS] = { "criu", "tinyckpt" };

static char criu_loader[TOOL_WORD], criu_libraries[TOOL_WORD], criu_program[TOOL_WORD];
static char criu_folder[TOOL_WORD], criu_log[TOOL_WORD];
static char tinyckpt_program[TOOL_WORD], tinyckpt_image[TOOL_WORD], log_file[TOOL_WORD];

static void set(char *word, const char *first, const char *second)
{
	snprintf(word, TOOL_WORD, "%s%s", first ? first : "", second);
}

void tools_setup(const char *scratch)
{
	const char *criu = getenv("BENCH_CRIU"), *tinyckpt = getenv("TINYCKPT");

	set(criu_loader, criu, "/usr/lib64/ld-linux-x86-64.so.2");
	set(criu_libraries, criu, "/usr/lib/x86_64-linux-gnu");
	set(criu_program, criu, "/usr/sbin/criu");
	set(criu_folder, scratch, "/criu");
	set(criu_log, scratch, "/criu/log");
	set(tinyckpt_program, tinyckpt, "");
	set(tinyckpt_image, scratch, "/bench.tck");
	set(log_file, scratch, "/log");
}

bool tool_present(int tool)
{
	const char *program = tool == CRIU ? criu_program : tinyckpt_program;
	struct stat st;

	return stat(program, &st) == 0 && S_ISREG(st.st_mode) && access(program, X_OK) == 0;
}

const char *tool_log(void)
{
	return log_file;
}

static void compose(struct command *command, const char *word, ...)
{
	va_list words;
	int n = 0;

	va_start(words, word);
	for (; word && n < TOOL_WORDS; word = va_arg(words, const char *)) {
		set(command->words[n], NULL, word);
		command->argv[n] = command->words[n];
		n++;
	}
	va_end(words);
	command->argv[n] = NULL;
}

void command_save(struct command *command, int tool, pid_t pid, bool leave_running)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", pid);
	if (tool == CRIU) {
		mkdir(criu_folder, 0700);
		compose(command, criu_loader, "--library-path", criu_libraries, criu_program, "dump", "-t",
			number, "-D", criu_folder, "-o", "log", leave_running ? "--leave-running" : NULL,
			NULL);
	} else {
		compose(command, tinyckpt_program, "save", "-o", tinyckpt_image,
			leave_running ? "--leave-running" : number, leave_running ? number : NULL, NULL);
	}
}

void command_restore(struct command *command, int tool)
{
	if (tool == CRIU)
		compose(command, criu_loader, "--library-path", criu_libraries, criu_program, "restore", "-d",
			"-D", criu_folder, "-o", "log", NULL);
	else
		compose(command, tinyckpt_program, "restore", "-d", tinyckpt_image, NULL);
}

// criu's image is a folder of files without folders inside. Its log is no part of the image.
static size_t each_file(bool delete)
{
	DIR *folder = opendir(criu_folder);
	struct dirent *entry;
	char path[TOOL_WORD + 256];
	size_t bytes = 0;
	struct stat st;

	while (folder && (entry = readdir(folder))) {
		snprintf(path, sizeof(path), "%s/%s", criu_folder, entry->d_name);
		if (lstat(path, &st) || !S_ISREG(st.st_mode))
			continue;
		if (delete)
			unlink(path);
		else if (strcmp(entry->d_name, "log") != 0)
			bytes += (size_t)st.st_size;
	}
	if (folder)
		closedir(folder);
	return bytes;
}

void image_remove(int tool)
{
	if (tool == CRIU)
		each_file(true);
	else
		unlink(tinyckpt_image);
}

size_t image_bytes(int tool)
{
	struct stat st;

	if (tool == CRIU)
		return each_file(false);
	return stat(tinyckpt_image, &st) ? 0 : (size_t)st.st_size;
}

void tool_complaint(int tool, char *line, size_t size)
{
	FILE *log = fopen(tool == CRIU ? criu_log : log_file, "re");
	char text[512];

	snprintf(line, size, "it said nothing");
	// criu's first error is the cause, what follows are its consequences; that it cannot raise its
	// own limit does not stop it. Ours says one line.
	while (log && fgets(text, sizeof(text), log)) {
		text[strcspn(text, "\n")] = '\0';
		if (*text && (tool != CRIU || (strstr(text, "Error") && !strstr(text, "rlimit:")))) {
			snprintf(line, size, "%s", text);
			if (tool == CRIU)
				break;
		}
	}
	if (log)
		fclose(log);
}
