// SPDX-License-Identifier: MIT
// Starting, timing, asking and clearing away: the processes of a benchmark.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// The caller becomes a subreaper, so that the PIDs of a workload are free as soon as it is reaped.
void launch_setup(void);

// Nanoseconds of CLOCK_MONOTONIC.
int64_t now_ns(void);

// Starts "program mode n" with stdin from /dev/null and stdout appended to the file OUT; returns
// its PID when it says that it is ready, or -1.
pid_t workload_start(const char *program, const char *mode, long n, const char *out);

// Sends the question and waits for one more line in OUT; puts it into LINE without its newline.
bool workload_ask(pid_t pid, const char *out, char *line, size_t size);

// Runs a program to its end, its output to the file LOG. Returns the wall-clock time from before
// the exec to after the wait in ns, or -1 when it could not be run or did not exit with 0.
int64_t tool_time(char *const argv[], const char *log);

// The same with the program's largest resident set in KiB, read at its exit from its own address
// space (ru_maxrss would count the parent's, which the child has until its exec).
long tool_peak_kib(char *const argv[], const char *log, bool has_agent);

// Reaps what has ended; true when PID is no more.
bool reaped(pid_t pid);

// Kills and reaps every descendant.
void clear_away(void);
