# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154 # variables are shared with the files that run sources
# Threads that end by themselves while they are being seized: before PTRACE_SEIZE (0x4206), or between that and
# PTRACE_INTERRUPT (0x4207). Sourced by run.

for who in leader thread; do
	for request in 0x4206 0x4207; do
		for how in end leave; do
			rm -f "$image"
			verdict "save ($how): the $who ends before ptrace request $request" \
				"$({ "$build/leaver" $who $request $how "$image" "$tool" 2>&1 || echo "exit status $?"; } |
					grep -v 'warning: this kernel has no time namespaces')"
		done
	done
done
