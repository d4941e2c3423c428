# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# What others do to a tree while it stands still, or is being brought back. Sourced by run.

image=$work/outsiders.tck

# took NUMBER...: text when the actor did not take just these signals, in whatever order
took() {
	local waited told

	for ((waited = 0; waited < 100; waited++)); do
		told=$(sort -n "$work/signals" 2>/dev/null | tr '\n' ' ')
		[ "$told" = "$* " ] && return
		sleep 0.01
	done
	echo "it took $told, not $*"
}

# traced PID: waits until it is
traced() {
	local waited

	for ((waited = 0; waited < 400; waited++)); do
		grep -qs '^TracerPid:.[1-9]' "/proc/$1/status" && return
		sleep 0.01
	done
}

# Signals to what is being made, long before its states come.
signals="01 10 12 15 18 34 34 34"
act signals "$work/signals"
accepts "save of one that takes signals" save -o "$image" "$actor"
end "$actor"
half=$(($(stat -c %s "$image") / 2))
{
	head -c $half
	traced "$actor"
	sleep 0.2
	for number in $signals; do kill -"${number#0}" "$actor"; done
	cat
} <"$image" | "$tool" restore -d - 2>"$work/err"
status=${PIPESTATUS[1]}
# shellcheck disable=SC2086 # a list
verdict "signals from outside while it is brought back are all there when it is" "$(
	[ "$status" = 0 ] || cat "$work/err"
	took $signals
	well "$actor"
)"
end "$actor"

# What it has open changes while it is being saved: an image that would not be restored is none to end it for.
act signals "$work/signals"
accepts "save of one that has a file open" save --leave-running -o "$image" "$actor"
cp "$image" "$work/before"
# changed NAME COMMAND...: done in the midst
changed() {
	rm -f "$work/moved"
	"$tool" save --rate=5K -o "$image" "$actor" >"$work/out" 2>"$work/err" </dev/null &
	traced "$actor"
	sleep 0.2
	"${@:2}"
	wait $!
	status=$?
	take_output
	verdict "a file is $1 meanwhile: not saved, the old image stays" "$(
		complaint 1 save "$work/signals: somebody has changed or removed it"
		cmp "$image" "$work/before" 2>&1
		well "$actor"
	)"
}
cut() { : >"$work/signals"; }
changed "cut short" cut
changed "given another name" mv "$work/signals" "$work/moved"
mv "$work/moved" "$work/signals"
changed "removed" rm "$work/signals"
end "$actor"

# One is killed meanwhile.
still
rm "$image"
"$tool" save --rate=5K -o "$image" "$pid" >"$work/out" 2>"$work/err" </dev/null &
traced "$pid"
sleep 0.2
kill -KILL "$pid"
wait $! 2>/dev/null
status=$?
take_output
verdict "killed meanwhile: it is told, and there is no image" "$(
	complaint 1 save "pid $pid .*: It was killed, or ended"
	[ ! -e "$image" ] || echo "there is one"
)"

# It is stopped meanwhile, and the save ends it.
still
"$tool" save --rate=5K -o "$image" "$pid" >"$work/out" 2>"$work/err" </dev/null &
traced "$pid"
sleep 0.2
kill -STOP "$pid"
wait $!
status=$?
take_output
verdict "save of one that is stopped meanwhile" "$([ "$status$err" = 0 ] || echo "exit status $status: $err")"
end "$pid"
accepts "and its restore" restore -d "$image"
verdict "it is stopped, and goes on by SIGCONT" "$(
	sleep 0.05
	grep -qs '^State:.T' "/proc/$pid/status" || grep -s ^State "/proc/$pid/status" || echo "it is gone"
	kill -CONT "$pid"
	sleep 0.05
	well "$pid"
)"
end "$pid"
rm -f "$image"

# It is frozen meanwhile, and the tool waits its time.
freezer=$(awk '$3 == "cgroup" && $4 ~ /(^|,)freezer(,|$)/ { print $2; exit }' /proc/mounts)
freezer=${freezer:-/none}/$(basename "$work")
if mkdir "$freezer" 2>/dev/null; then
	still
	for when in before meanwhile; do
		[ $when = meanwhile ] || { echo "$pid" >"$freezer/cgroup.procs"; echo FROZEN >"$freezer/freezer.state"; }
		"$tool" save --rate=5K -o "$image" "$pid" >"$work/out" 2>"$work/err" </dev/null &
		traced "$pid"
		[ $when = before ] || { sleep 0.2; echo FROZEN >"$freezer/freezer.state"; }
		wait $!
		status=$?
		take_output
		echo THAWED >"$freezer/freezer.state"
		sleep 0.1
		verdict "frozen $when: it is told, and goes on when it is thawed" "$(
			[ "$status" = 1 ] || echo "exit status $status"
			[[ $err =~ "frozen" ]] || echo "it said: $err"
			[ ! -e "$image" ] || echo "there is an image"
			well "$pid"
		)"
	done
	end "$pid"
	rmdir "$freezer"
else
	skip "frozen meanwhile" "no cgroup freezer (version 1) here"
fi
