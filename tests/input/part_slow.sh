# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# An image that comes slowly, as from flash: what a restore waits for is tasks, each for a minute, and that begins anew when pages
# have come. Sourced by run, which calls slow_end when all other parts are through.

image=$work/slow.tck
still / "$build/locked"
slow=$pid
while ! grep -qs "VmLck:.* 9830. kB" "/proc/$slow/status"; do sleep 0.01; done
accepts "save of locked memory" save -o "$image" "$slow"
end "$slow"
(
	{
		head -c 500000
		sleep 62
		cat
	} <"$image" | "$tool" restore -d - 2>"$work/slow.err"
	echo "${PIPESTATUS[1]}" >"$work/slow.status"
) &
slow_job=$!

slow_end() {
	wait "$slow_job"
	verdict "restore of an image that takes more than a minute to come" "$(
		[ "$(<"$work/slow.status")" = 0 ] || echo "exit status $(<"$work/slow.status"): $(<"$work/slow.err")"
		well "$slow"
	)"
	end "$slow"
}
at_end+=(slow_end)
