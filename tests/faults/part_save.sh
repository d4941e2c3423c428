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
	text=$(harm_seen; image_seen)
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
	stops=$(count_stops "${save[@]}")
	series
	for n in $(every "$stops" "$least" "$limit"); do
		struck "stop $n of $stops" -n "$n" "${stops_kind[@]}" "$@"
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

strike_calls "save --leave-running killed at its system calls" 300 "$most"
strike_times "save --leave-running killed at random times" 100

victim_options=(--longjmp --children 2)
victim_program=$build/victim.static
fresh "${victim_options[@]}"
strike_calls "save --leave-running of a tree killed at its system calls" 40 60
strike_times "save --leave-running of a tree killed at random times" 20
victim_program=$build/victim

victim_options=()
fresh
strike_calls "save --leave-running ended by SIGTERM" 20 30 -s 15
strike_calls "save --leave-running ended by SIGINT" 20 30 -s 2
strike_times "save --leave-running ended by SIGTERM at random times" 10 -s 15

# One system call fails. Whatever tinyckpt makes of it, the victim must not feel it.
strike_calls "save --leave-running with a system call that fails with EIO" 40 60 -E 5
strike_calls "save --leave-running with a system call that fails with ENOMEM" 40 60 -E 12
