# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that source it
# TAP of suites whose tests are commands.  Sourced by them; $work is their folder.

count=0
failed=0
# check NAME COMMAND...: one TAP line; the command's output is shown when it failed.
check() {
	local name=$1
	shift
	count=$((count + 1))
	if "$@" >"$work/log" 2>&1; then
		echo "ok $count - $name"
	else
		failed=1
		tail -n 30 "$work/log" | sed 's/^/# /'
		echo "not ok $count - $name"
	fi
}
skip() { # NAME REASON
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}
passed() { [ $failed = 0 ]; } # so far
finish() {
	echo "1..$count"
	exit $failed
}
