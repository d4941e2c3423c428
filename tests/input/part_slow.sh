# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# An image that comes slowly, as from flash: what a restore waits for is tasks, each for a minute, and that begins anew when pages
# have come; and what holds up a restore for ever is told or mended. Sourced by run.

image=$work/slow.tck
still / "$build/locked"
slow=$pid
while ! grep -qs "VmLck:.* 9830. kB" "/proc/$slow/status"; do sleep 0.01; done
accepts "save of locked memory" save -o "$image" "$slow"
end "$slow"

# A cgroup whose tasks can be frozen; no more than its name where there is none such.
freezer=$(awk '$3 == "cgroup" && $4 ~ /(^|,)freezer(,|$)/ { print $2; exit }' /proc/mounts)
freezer=${freezer:-/none}/$(basename "$work")
mkdir "$freezer" "$freezer/slow" "$freezer/stopped" 2>/dev/null
# freeze PID CGROUP
freeze() {
	echo "$1" >"$freezer/$2/cgroup.procs"
	echo FROZEN >"$freezer/$2/freezer.state"
}
thaw() { echo THAWED >"$freezer/$1/freezer.state"; }

# comes_slowly NAME IMAGE BYTES PID: so many of them, and more than a minute later the rest, while the process is slow, too
comes_slowly() {
	local slow=$1

	{
		head -c "$3"
		sleep 62
		if [ -e "$freezer" ]; then
			freeze "$4" slow
			(sleep 1; thaw slow) >/dev/null &
		fi
		cat
	} <"$2" | "$tool" restore -d - 2>"$work/slow.$slow"
	echo "${PIPESTATUS[1]}" >"$work/slow.$slow.status"
}
# has_come NAME PID
has_come() {
	verdict "restore of an image that takes more than a minute to come: $1" "$(
		[ "$(<"$work/slow.$1.status")" = 0 ] || cat "$work/slow.$1.status" "$work/slow.$1"
		well "$2"
	)"
	end "$2"
}
act map
accepts "save of many mappings" save -o "$work/many.tck" "$actor"
mapped=$actor
end "$actor"
comes_slowly mappings "$work/many.tck" 200000 "$mapped" &
sleep 2
comes_slowly pages "$image" 500000 "$slow" &

# The process that brings the tree back is stopped, by somebody who does not know it.
still / "$build/locked"
stopped=$pid
accepts "save" save -o "$work/stopped.tck" "$stopped"
end "$stopped"
{
	head -c 200000
	sleep 3
	cat
} <"$work/stopped.tck" | timeout -s KILL 20 "$tool" restore -d - 2>"$work/err" &
restore=$!
while ! exists "$stopped"; do sleep 0.01; done
agent=$(awk '/^TracerPid/ { print $2 }' "/proc/$stopped/status")
kill -STOP "$agent"
wait "$restore"
status=$?
verdict "restore whose agent is stopped goes on, and says so" "$(
	[ "$status" = 0 ] || echo "exit status $status"
	grep -q "process $agent, .* was stopped" "$work/err" || cat "$work/err"
	well "$stopped"
)"
end "$stopped"

# What is killed ends when its cgroup is thawed: nobody waits for that.
if [ ! -e "$freezer" ]; then
	skip "restore of a tree that somebody freezes" "no freezer of cgroups, version 1"
else
	# No pipeline, which wait would wait for as a whole: what is frozen has the pipe still, and may do so before all was written.
	exec {image_in}< <(
		exec <"$work/stopped.tck"
		head -c 200000
		while [ ! -e "$work/frozen" ]; do sleep 0.1; done
		cat
	)
	timeout -s KILL 110 "$tool" restore -d - 2>"$work/err" <&"$image_in" &
	restore=$!
	exec {image_in}<&-
	while ! exists "$stopped"; do sleep 0.01; done
	freeze "$stopped" stopped
	touch "$work/frozen"
	wait "$restore"
	status=$?
	verdict "restore of a tree that somebody freezes ends, and says so" "$(
		[ "$status" = 1 ] || echo "exit status $status"
		grep -q "it is frozen\|frozen, perhaps" "$work/err" || cat "$work/err"
	)"
	thaw stopped
	for ((waited = 0; waited < 200; waited++)); do exists "$stopped" || break; sleep 0.01; done
	verdict "and of that nothing is left when it is thawed" "$(! exists "$stopped" || echo "pid $stopped is there")"
	# Of a main thread that is killed together with others no tracer is told before those are gone, too.
	act thread
	threads=$actor
	accepts "save of two threads" save -o "$work/threads.tck" "$threads"
	end "$threads"
	last=$(($(stat -c %s "$work/threads.tck") - 20000))
	{
		head -c $last
		for ((step = 0; step < 320; step++)); do
			[ ! -e "/proc/$threads/task/$number" ] || break
			dd bs=64 count=1 status=none
		done
		sleep 0.5
		freeze "$threads" stopped
		cat
	} <"$work/threads.tck" | timeout -s KILL 110 "$tool" restore -d - 2>"$work/err" &
	restore=$!
	while ! grep -qs FR "$freezer/stopped/freezer.state"; do sleep 0.1; done
	sleep 1
	kill -KILL "$threads"
	thaw stopped
	wait "$restore"
	status=$?
	verdict "restore of two threads that are killed meanwhile ends soon" "$([ "$status" = 1 ] || echo "exit status $status: $(<"$work/err")")"
	end "$threads"
fi

# No signal reaches who waits for a child of vfork(2): it is given up in time, also where no timer wakes the tool.
act vfork
for lacking in madvise timers; do
	timeout -s KILL 30 "$build/deny" $lacking -- "$tool" save -o "$work/vfork.tck" "$actor" >"$work/out" 2>"$work/err"
	status=$?
	take_output
	verdict "save of what waits for a child of vfork(2), on a kernel without $lacking" "$(
		complaint 1 save "does not stop.*vfork"
		grep -qs '^TracerPid:.0$' "/proc/$actor/status" || echo "pid $actor is traced or gone"
	)"
done
end "$number" "$actor"

wait
has_come mappings "$mapped"
has_come pages "$slow"
[ ! -e "$freezer" ] || rmdir "$freezer/slow" "$freezer/stopped" "$freezer" 2>/dev/null
