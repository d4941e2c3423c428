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
