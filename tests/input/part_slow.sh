# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# An image that comes slowly, as from flash: what a restore waits for is tasks, each for a minute, and that begins anew when pages
# have come. Sourced by run.

image=$work/slow.tck
still / "$build/locked"
slow=$pid
while ! grep -qs "VmLck:.* 9830. kB" "/proc/$slow/status"; do sleep 0.01; done
accepts "save of locked memory" save -o "$image" "$slow"
end "$slow"
{
	head -c 500000
	sleep 62
	cat
} <"$image" | "$tool" restore -d - 2>"$work/err"
status=${PIPESTATUS[1]}
verdict "restore of an image that takes more than a minute to come" "$(
	[ "$status" = 0 ] || echo "exit status $status: $(<"$work/err")"
	well "$slow"
)"
end "$slow"
