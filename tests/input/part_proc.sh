# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# A /proc that is not there, or that tells the numbers of another PID namespace. Sourced by run.

if ! unshare --mount --pid true 2>/dev/null; then
	skip "another namespace's /proc" "this kernel has no namespaces"
	return
fi
image=$work/proc.tck
pattern="/proc is not mounted, or shows another PID namespace"

# amiss NAME COMMAND...: by that, nothing is saved or restored
amiss() {
	local name=$1 args
	shift

	for args in "check $pid" "save -o $work/none.tck $pid" "restore -d $image"; do
		# shellcheck disable=SC2086
		run_tool "$@" "$tool" $args
		verdict "${args%% *}, $name" "$(complaint 1 "${args%% *}" "$pattern"; [ ! -e "$work/none.tck" ] || echo "an image is there")"
	done
}

still
"$tool" save --leave-running -o "$image" "$pid" || fail "a save"
# shellcheck disable=SC2016
amiss "no /proc" unshare --mount --propagation private sh -c 'umount -l /proc; exec "$@"' sh
amiss "/proc of the namespace outside" unshare --pid --fork
verdict "the workload is well" "$(well "$pid")"
end "$pid"
accepts "restore, when /proc is there" restore -d "$image"
verdict "it is back" "$(well "$pid")"
end "$pid"
