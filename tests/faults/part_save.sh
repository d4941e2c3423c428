# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# save --leave-running, struck at each of its system calls and at random times: the victim goes on, nothing is left
# behind in it, and no file is there that is not a whole image. Sourced by run.

save_command() {
	save=("$tool" save --leave-running -o "$image" "${pids[0]}")
}

# struck NAME INSTANT KILLER-OPTION...: one instant; appends to $complaints
struck() {
	local instant=$1 result text
	shift

	clear_images
	save_command
	result=$("$build/killer" "$@" -- "${save[@]}" 2>"$work/stderr")
	text=
	if [ -n "${again:-}" ]; then
		clear_images
		"${save[@]}" >"$work/stdout" 2>&1 || text="the next save: exit status $?: $(cat "$work/stdout")"$'\n'
	fi
	text+=$(harm_seen; image_seen)
	[ "$(field ended "$result")" != hangs ] || text="tinyckpt hangs"$'\n'$text
	[ "$(field ended "$result")" != killed ] || strikes=$((strikes + 1))
	instants=$((instants + 1))
	if [ -n "$text" ]; then
		bad=$((bad + 1))
		[ "$bad" -gt 4 ] || complaints+="at $instant ($result): $text"$'\n'"$(cat "$work/stderr")"$'\n'
		fresh "${victim_options[@]}"
	fi
}

series() {
	instants=0 strikes=0 bad=0 complaints=
}

outcome() {
	[ "$bad" = 0 ] || complaints="$bad of $instants instants"$'\n'$complaints
	verdict "$1: $instants instants, $strikes struck" "$complaints"
}

# strike_calls LABEL LEAST MOST KILLER-OPTION...
strike_calls() {
	local label=$1 least=$2 limit=$3 n stops
	shift 3

	save_command
	stops=$(for n in 1 2 3; do count_stops "$@" -- "${save[@]}"; done | sort -n | head -n 1)
	series
	for n in $(every "$stops" "$least" "$limit"); do
		struck "stop $n of $stops" -n "$n" "$@"
	done
	outcome "$label (a run has $stops stops)"
}

strike_times() {
	local label=$1 count=$2 span n
	shift 2

	save_command
	span=$(micros "${save[@]}")
	series
	for n in $(randoms "$count" "$span"); do
		struck "$n us" -u "$n" "$@"
	done
	outcome "$label (a run takes $span us)"
}

victim_options=(--longjmp)
fresh "${victim_options[@]}"
save_command
clear_images
text=$("${save[@]}" 2>&1)
status=$?
[ $status = 0 ] || text="exit status $status"$'\n'$text
verdict "save --leave-running, undisturbed" "$text$(harm_seen; image_seen)"

strike_calls "save --leave-running killed at its system calls" 300 "$most" "${stops_kind[@]}"
strike_times "save --leave-running killed at random times" 100

# A supervisor that tries again at once: the second save meets threads that are still on their way home from the first.
retried() {
	local n stops

	save_command
	stops=$(count_stops -x -- "${save[@]}")
	series
	for n in $(every "$stops" 30 40); do
		again=yes struck "stop $n of $stops" -n "$n" -x
	done
	outcome "save --leave-running killed, and at once another save (a run has $stops stops)"
}
retried

victim_options=(--longjmp --children 2)
victim_program=$build/victim.static
fresh "${victim_options[@]}"
strike_calls "save --leave-running of a tree killed at its system calls" 40 60 "${stops_kind[@]}"
strike_times "save --leave-running of a tree killed at random times" 20
victim_program=$build/victim

victim_options=()
fresh
strike_calls "save --leave-running ended by SIGTERM" 20 30 -x -s 15
strike_calls "save --leave-running ended by SIGINT" 20 30 -x -s 2
strike_times "save --leave-running ended by SIGTERM at random times" 10 -s 15

# One system call fails. Whatever tinyckpt makes of it, the victim must not feel it.
for error in 5 12; do
	strike_calls "save --leave-running with a call that fails (errno $error)" 40 60 -E $error
	strike_calls "save --leave-running with a call that fails, of those that change something (errno $error)" 40 60 -x -E $error
done
