# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# Workloads that are another at every look: whatever they are about to become or to end, they are saved, and soon. Sourced by run.

image=$work/changing.tck

# alive PID: also where it looks, for a moment, as if it had ended
alive() {
	exists "$1" || { sleep 0.01; exists "$1"; } || { sleep 0.1; exists "$1"; } || echo "it is gone"
}

# changes ROLE: starts such an actor, which says nothing; sets pid
changes() {
	# shellcheck disable=SC2016
	pid=$(cd / && setsid --fork sh -c 'echo $$; exec "$@" </dev/null >/dev/null 2>&1' sh "$build/actor" "$1")
	sleep 0.2
}

# often NAME TIMES ARGUMENT...: the tool says nothing, and ends well
often() {
	local name=$1 times=$2 i why=

	shift 2
	for ((i = 0; i < times; i++)); do
		run_tool "$tool" "$@" "$pid"
		[ "$status$err" = 0 ] || why+="exit status $status: $err"$'\n'
	done
	verdict "$name" "$why$(alive "$pid")"
}

# comes_back NAME TIMES
comes_back() {
	local i waited why=

	for ((i = 0; i < $2; i++)); do
		run_tool "$tool" save -o "$image" "$pid"
		[ "$status$err" = 0 ] || why+="save: exit status $status: $err"$'\n'
		for ((waited = 0; waited < 400; waited++)); do
			[ -e "/proc/$pid" ] || break
			sleep 0.01
		done
		run_tool "$tool" restore -d "$image"
		[ "$status$err" = 0 ] || why+="restore: exit status $status: $err"$'\n'
		sleep 0.02
	done
	verdict "$1" "$why$(alive "$pid")"
}

changes become
often "save, 40 times, of a program with threads that becomes another all the time" 40 save --leave-running -o "$image"
often "check, 40 times, of such a program" 40 check
comes_back "save and restore, 10 times, of such a program" 10
end "$pid"

changes outlive
often "save, 100 times, of children whose main threads end first" 100 save --leave-running -o "$image"
often "check, 100 times, of such children" 100 check
kill -KILL -- "-$pid"
