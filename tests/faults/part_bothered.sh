# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # variables are shared with the files that run sources
# Tests of tests/system with a tool that is sent a signal at each of its calls: signals cut short what the kernel has to tell,
# such as the queues of the workload's own. Sourced by run.

bothered="sigpending timer_overrun timer_pending pipe_data"
# shellcheck disable=SC2086 # a list
while IFS= read -r line; do
	name=${line#*- }
	case $line in
	*"# SKIP "*) skip "bothered: ${name%% \# SKIP *}" "${line#*# SKIP }" ;;
	ok*) pass "bothered: $name" ;;
	"not ok"* | "Bail out!"*) fail "bothered: $name" ;;
	[0-9]* | "# "*" passed, "*) ;;
	*) printf '%s\n' "$line" ;;
	esac
done < <(BOTHERED=$tool BOTHERED_BY=$build/killer TINYCKPT=$here/bothered MODES=once JOBS=1 "$root/tests/system/run" $bothered 2>&1)
