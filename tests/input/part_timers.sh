# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# What cannot be told of a timer is said, and nothing else. Sourced by run.

image=$work/timers.tck

# said ROLE NUMBER PATTERN: that is what a save says of such a workload, which comes back
said() {
	act "$1" "$2"
	run_tool "$tool" save -o "$image" "$actor"
	[[ $status = 0 && $err =~ $3 ]] || echo "save: exit status $status, does not match /$3/: $err"
	run_tool "$tool" restore -d "$image"
	[ "$status" = 0 ] || echo "restore: exit status $status: $err"
	end "$actor"
}

for role in timers thread-timers; do
	verdict "$role: how often one ended is known" "$(said "$role" 1 '^$')"
	verdict "$role: that it is not known of two with one signal is said" \
		"$(said "$role" 2 "^tinyckpt: save: .*how often its timers have ended meanwhile cannot be told")"
done
