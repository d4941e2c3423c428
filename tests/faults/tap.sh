# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The Test Anything Protocol, and how a test run gets its own mounts and a parent that reaps what it orphans.

shopt -s extglob
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

# One plan and one count for several runs that come one after the other.
renumber() {
	local line n=0 good=0

	while IFS= read -r line; do
		case $line in
		1..[0-9]* | "# "*" of "*" passed") continue ;;
		ok*) n=$((n + 1)) good=$((good + 1)) line="ok $n${line##ok +([0-9])}" ;;
		"not ok"*) n=$((n + 1)) line="not ok $n${line##not ok +([0-9])}" ;;
		esac
		printf '%s\n' "$line"
	done
	echo "1..$n"
	echo "# $good of $n passed"
}

# enter UNSHARE-OPTIONS SUBREAPER SCRIPT [ARGUMENT...]: runs the script again with private mounts (for small file
# systems) and under a subreaper.
enter() {
	local -a options

	if [ "$(id -u)" != 0 ]; then
		echo "ok 1 - all of it # SKIP needs root: it traces, mounts and restores PIDs"
		echo "1..1"
		exit 0
	fi
	[ -z "${TAP_INSIDE:-}" ] || return 0
	read -r -a options <<<"$1"
	shift
	TAP_INSIDE=1 exec unshare --mount --propagation private "${options[@]}" "$@"
}

# lanes SCRIPT "PART..." "PART...": the script for either list of parts, side by side, each with PIDs of its own; exits.
lanes() {
	local second lane status=0
	local -a here beside

	read -r -a here <<<"$2"
	read -r -a beside <<<"$3"
	second=$(mktemp) || exit 2
	"$1" "${beside[@]}" >"$second" 2>&1 &
	lane=$!
	{
		"$1" "${here[@]}" 2>&1 || status=1
		wait $lane || status=1
		cat "$second"
	} > >(renumber)
	wait $!
	rm -f "$second"
	exit $status
}
