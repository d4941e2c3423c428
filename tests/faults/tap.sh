# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The Test Anything Protocol.

tap_count=0
tap_failed=0

pass() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

# fail NAME [TEXT]: the text is shown as diagnostics
fail() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	[ -z "${2:-}" ] || printf '%s\n' "$2" | head -n 40 | sed 's/^/# /'
}

skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# verdict NAME TEXT: no text, no complaint
verdict() {
	if [ -z "$2" ]; then pass "$1"; else fail "$1" "$2"; fi
}

finish() {
	echo "1..$tap_count"
	echo "# $((tap_count - tap_failed)) of $tap_count passed"
	[ "$tap_failed" = 0 ]
}

# helpers FOLDER OUT: builds the programs of FOLDER in OUT; suites that run side by side share them, so one at a time.
helpers() {
	mkdir -p "${2%/*}" && flock "$2.lock" make -s -C "$1" OUT="$2" 2>&1
}
