# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# restore in the foreground stands for the tree: its exit status is the tree's, signals go to it. Sourced by run.

image=$work/foreground.tck
go=$work/go

# ending CHILDREN HOW: a tree that ends as soon as it lives again; sets pid
ending() {
	rm -f "$go"
	# shellcheck disable=SC2016
	pid=$(setsid --fork sh -c 'echo $$; exec "$@" </dev/null >/dev/null 2>&1' sh "$build/ends" "$1" "$go" "$2")
	while [ "$(wc -w <"/proc/$pid/task/$pid/children")" != "$1" ]; do sleep 0.01; done
	run_tool "$tool" save -o "$image" "$pid"
	[ "$status" = 0 ] || echo "# save: $err"
}

# ends_with STATUS CHILDREN HOW
ends_with() {
	ending "$2" "$3"
	: >"$go"
	run_tool "$tool" restore "$image"
	verdict "restore of a tree of $(($2 + 1)) that at once ends ($3) ends so" "$(
		[ "$status" = "$1" ] || echo "exit status $status instead of $1: $err"
		! exists "$pid" || echo "pid $pid is there"
	)"
	end "$pid"
}

# The root may be gone before the ties of all others are cut.
for try in 1 2; do
	ends_with 7 40 7
done
ends_with 0 0 0
ends_with 143 3 -15
ends_with 137 0 -9
# Whoever ignores SIGCHLD hands that down.
ending 0 7
: >"$go"
run_tool env --ignore-signal=CHLD "$tool" restore "$image"
verdict "restore where SIGCHLD is ignored ends as the tree does" "$([ "$status" = 7 ] || echo "exit status $status: $err")"
end "$pid"

# Background jobs of a shell ignore SIGINT and SIGQUIT, and what they start.
for signal in TERM HUP USR1 USR2 INT QUIT; do
	ending 3 0
	env --default-signal=INT,QUIT "$tool" restore "$image" >"$work/out" 2>"$work/err" </dev/null &
	restore=$!
	while ! exists "$pid" || [ "$(awk '/^TracerPid/ { print $2 }' "/proc/$pid/status" 2>&1)" != 0 ]; do sleep 0.01; done
	sleep 0.1
	kill -$signal "$restore"
	wait "$restore"
	status=$?
	verdict "a signal to restore goes to the tree ($signal)" "$(
		[ "$status" = $((128 + $(kill -l $signal))) ] || echo "exit status $status: $(<"$work/err")"
		! exists "$pid" || echo "pid $pid is there"
	)"
	end "$pid"
done
