# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154,SC2086,SC3043 # variables are shared with the files that run sources; lists are words
# save --leave-running, struck at each of its system calls and at random times: the victim goes on, nothing is left
# behind in it, and no file is there that is not a whole image. Sourced by run.

# strike_calls MODE LABEL LEAST MOST KILLER-OPTION...
strike_calls() {
	local mode=$1 label=$2 least=$3 limit=$4 all n
	shift 4

	all=$(for n in 1 2 3; do count_stops "$@" -- "$tool" save --leave-running -o "$image" "$pid"; done | sort -n | head -n 1)
	strike_all "$mode" "$label (of $all)" "$(every "$all" "$least" "$limit")" "$@"
}

strike_times() {
	local label=$1 count=$2
	shift 2

	strike_all save "$label: how long a run takes" "$never" -u 1
	strike_all save "$label (within $micros us)" "$(randoms "$(size ${count}0 $count $count)" "$micros")" -u 1 "$@"
}

victim_options=--longjmp
fresh $victim_options
strike_all save "save --leave-running, undisturbed" "$never $never $never" -u 1

strike_calls save "save --leave-running killed at its system calls" "$(size 100 100 6)" "$(size "$full_most" 120 8)" $stops_kind
strike_times "save --leave-running killed at random times" "$(size 40 40 4)"
# A supervisor that tries again at once: the second save meets threads that are still on their way home from the first.
strike_calls again "save --leave-running killed, and at once another save" "$(size 16 16 3)" "$(size 20 20 4)" -f
! few || return 0

# Threads that block no signal: an empty mask is a value like any other.
victim_options=--unblocked
fresh $victim_options
strike_calls save "save --leave-running of threads that block nothing killed at its system calls" 100 "$(size "$full_most" 60 20)" $stops_kind

victim_options="--longjmp --children 2"
victim_program=$build/victim.static
fresh $victim_options
strike_calls save "save --leave-running of a tree killed at its system calls" 16 "$(size "$full_most" 20 20)" $stops_kind
strike_times "save --leave-running of a tree killed at random times" 20
# Several processes are visited side by side: what fails for one must lead all of them home.
strike_calls save "save --leave-running of a tree with a call that fails (errno 5)" 16 "$(size "$full_most" 20 20)" -E 5
victim_program=$build/victim

# From some size on two work on an image, and one of them writes it.
victim_options="--ballast 12"
fresh $victim_options
strike_calls save "save --leave-running of a large victim killed at its system calls" 10 "$(size "$full_most" 12 12)" $stops_kind
strike_times "save --leave-running of a large victim killed at random times" 6
strike_calls save "save --leave-running of a large victim with a call that fails (errno 5)" 10 "$(size "$full_most" 12 12)" -E 5

victim_options=
fresh
strike_calls save "save --leave-running ended by SIGTERM" 12 15 -f -s 15
strike_calls save "save --leave-running ended by SIGINT" 8 10 -f -s 2
strike_times "save --leave-running ended by SIGTERM at random times" 10 -s 15

# One system call fails. Whatever tinyckpt makes of it, the victim must not feel it.
for error in 5 12; do
	strike_calls save "save --leave-running with a call that fails (errno $error)" 12 "$(size "$full_most" 16 16)" -E $error
	strike_calls save "save --leave-running with a call that fails and would change something (errno $error)" 12 "$(size "$full_most" 16 16)" -f -E $error
done
