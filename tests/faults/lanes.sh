# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# How a test run gets its own mounts and a parent that reaps what it orphans, and how several run side by side.

shopt -s extglob

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

# lanes SCRIPT "PART..."...: the script for each list of parts, side by side, each with PIDs of its own; exits.
lanes() {
	local script=$1 parts lane status=0
	local -a own beside jobs=()

	read -r -a own <<<"$2"
	shift 2
	lane=$(mktemp -d "${TMPDIR:-/tmp}/tinyckpt-lanes.XXXXXX") || exit 2
	# shellcheck disable=SC2064 # this one
	trap "rm -rf '$lane'" EXIT
	for parts; do
		read -r -a beside <<<"$parts"
		# what is begun with & ignores interrupts, and all that it starts
		env --default-signal=INT,QUIT "$script" "${beside[@]}" >"$lane/${#jobs[@]}" 2>&1 &
		jobs+=($!)
	done
	{
		"$script" "${own[@]}" 2>&1 || status=1
		for parts in "${!jobs[@]}"; do
			wait "${jobs[parts]}" || status=1
			cat "$lane/$parts"
		done
	} > >(renumber)
	wait $!
	exit $status
}
