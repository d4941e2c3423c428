# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# What every complaint must look like, and the workloads to complain about. Sourced by run.

# Sets out, err and the number of lines in err. Thousands of runs are looked at: nothing is started for it.
take_output() {
	IFS= read -r -d '' out <"$work/out"
	IFS= read -r -d '' err <"$work/err"
	lines=${err//[!$'\n']/}
	lines=${#lines}
	out=${out%$'\n'}
	err=${err%$'\n'}
}

# run_tool COMMAND...: within ten seconds, whatever it is; sets status, out, err
run_tool() {
	timeout -s KILL 10 "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	take_output
}

# complaint STATUSES COMMAND PATTERN: text when the last run did not end with one of the statuses, nothing on standard output,
# and one line on standard error that begins with "tinyckpt: COMMAND: " and matches the pattern
complaint() {
	local begin="tinyckpt: ${2:+$2: }" text=

	case ,$1, in
	*",$status,"*) ;;
	*) text+="exit status $status instead of $1"$'\n' ;;
	esac
	[ -z "$out" ] || text+="on standard output: $out"$'\n'
	[ "$lines" = 1 ] || text+="not one line on standard error"$'\n'
	[ "${err#"$begin"}" != "$err" ] || text+="does not begin with \"$begin\""$'\n'
	[[ $err =~ $3 ]] || text+="does not match /$3/"$'\n'
	[[ $err != *[[:cntrl:]]* || $err == *$'\n'* ]] || text+="holds control characters"$'\n'
	[ -z "$text" ] || printf '%sit said: %s\n' "$text" "$err"
}

# refuses NAME STATUSES PATTERN SUBCOMMAND [ARGUMENT...]
refuses() {
	local name=$1
	shift

	run_tool "$tool" "${@:3}"
	verdict "$name" "$(complaint "$1" "$3" "$2")"
}

# accepts NAME SUBCOMMAND [ARGUMENT...]
accepts() {
	local name=$1
	shift

	run_tool "$tool" "$@"
	[ "$status" = 0 ] && err= || err="exit status $status: $err"
	verdict "$name" "$err"
}

# whole IMAGE: text when it is not. While the workload runs, its PIDs are taken, and verify says so instead.
whole() {
	local text

	text=$("$tool" verify "$1" 2>&1) || [[ $text == *": whole; would not"* ]] || echo "$text"
}

# act ROLE [ARGUMENT...]: starts an actor in a session of its own; sets actor to its PID and number to what it printed.
# It lives in the root directory, so that directories may come and go.
act() {
	local waited

	rm -f "$work/actor"
	(cd / && setsid --fork "$build/actor" "$@" </dev/null >"$work/actor" 2>/dev/null)
	for ((waited = 0; waited < 400; waited++)); do
		read -r actor number <"$work/actor" && return
		sleep 0.01
	done
	echo "Bail out! the actor $1 does not appear"
	exit 2
}

# still: starts the smallest process; sets pid
still() {
	# shellcheck disable=SC2016
	pid=$(cd "${1:-/}" && setsid --fork sh -c 'echo $$; exec "$1" </dev/null >/dev/null 2>&1' sh "${2:-$build/still}")
	while [ "$(readlink "/proc/$pid/exe")" != "$(realpath "${2:-$build/still}")" ]; do sleep 0.01; done
}

# exists PID: and is no zombie
exists() {
	local stat=

	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null
	[ -n "$stat" ] && [[ ${stat##*) } != Z* ]]
}

# end PID...: and wait until the numbers are free
end() {
	local p waited

	for p; do
		kill -KILL "$p" 2>/dev/null
		for ((waited = 0; waited < 200; waited++)); do
			[ -e "/proc/$p" ] || break
			sleep 0.01
		done
	done
}

# well PID: text when it is not alive, untraced and in its call as before
well() {
	exists "$1" || echo "pid $1 is gone"
	grep -qs '^TracerPid:.0$' "/proc/$1/status" || echo "pid $1 is traced or gone"
	grep -qs '^State:.[SR]' "/proc/$1/status" || echo "pid $1: $(grep -s ^State "/proc/$1/status")"
}
