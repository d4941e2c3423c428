# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# Trees in PID namespaces of their own. Sourced by run.

if [[ $("$tool" restore --pidns "$work/none" 2>&1) == *CONFIG_PIDNS* ]]; then
	skip "trees in PID namespaces" "built without CONFIG_PIDNS"
	return
fi
if ! unshare --pid true 2>/dev/null; then
	skip "trees in PID namespaces" "this kernel has none"
	return
fi
if ! log=$(make -s -C "$here/../system" 2>&1); then
	fail "the test programs do not build" "$log"
	return
fi
programs=$root/build/system-tests/glibc

# Text when an init of a namespace, or a tree, is left
left() {
	local waited
	for ((waited = 0; waited < 200; waited++)); do
		pgrep -x tinyckpt >/dev/null || return
		sleep 0.01
	done
	echo "tinyckpt is left: $(pgrep -xa tinyckpt)"
}

image=$work/pidns.tck
still
"$tool" save -o "$image" "$pid" || fail "a save"
act take "$pid"
refuses "restore when the number is taken" 1 "pid $pid" restore -d "$image"
accepts "restore --pidns when the number is taken" restore -d --pidns -p "$work/pidfile" "$image"
outside=$(cat "$work/pidfile")
verdict "the PID file has the number outside, the tree its own" "$(
	well "$outside"
	grep -q "^NSpid:.*[[:space:]]$pid$" "/proc/$outside/status" || grep NSpid "/proc/$outside/status"
)"
accepts "check, from outside" check "$outside"
verdict "check leaves it alone" "$(well "$outside")"
accepts "save --leave-running, from outside" save --leave-running -o "$work/again.tck" "$outside"
verdict "save leaves it alone" "$(well "$outside")"
end "$outside"
verdict "nothing is left when the tree has ended" "$(left)"
end "$actor"
accepts "restore without --pidns what was saved in a namespace" restore -d "$work/again.tck"
verdict "the workload is well" "$(well "$pid")"
end "$pid"

# In the foreground: signals are passed on, and the exit status is the tree's.
for signal in TERM HUP USR1 USR2 INT QUIT; do
	rm -f "$work/pidfile"
	env --default-signal=INT,QUIT "$tool" restore --pidns -p "$work/pidfile" "$image" 2>"$work/err" &
	for ((waited = 0; waited < 500; waited++)); do
		[ ! -s "$work/pidfile" ] || ! well "$(cat "$work/pidfile")" >/dev/null || break
		sleep 0.01
	done
	sleep 0.2
	kill -$signal $!
	wait $!
	status=$?
	verdict "restore --pidns passes signals on ($signal)" "$(
		[ "$status" = $((128 + $(kill -l $signal))) ] || echo "exit status $status: $(cat "$work/err")"; left)"
done

# What checks itself, twice through save and restore.
for program in pids threads zombie session_dead_leader subreaper clocks; do
	mkdir "$work/$program"
	# shellcheck disable=SC2016
	pid=$(setsid --fork sh -c 'echo $$; cd "$2"; exec "$1" "$2" </dev/null >log 2>&1' sh "$programs/$program" "$work/$program")
	for ((waited = 0; waited < 1000; waited++)); do
		[ ! -e "$work/$program/ready" ] || break
		sleep 0.01
	done
	accepts "$program: save" save -o "$image" "$pid"
	accepts "$program: restore --pidns" restore -d --pidns -p "$work/pidfile" "$image"
	accepts "$program: save of what is in a namespace" save -o "$image" "$(cat "$work/pidfile")"
	(sleep 0.3 && touch "$work/$program/go") &
	accepts "$program: restore in the foreground" restore --pidns "$image"
	verdict "$program: it finds itself as it was" "$([ "$(cat "$work/$program/result")" = pass ] || cat "$work/$program/result"; left)"
done
