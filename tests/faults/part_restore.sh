# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154,SC2086 # variables are shared with the files that run sources; lists are words
# restore, struck: either it had completed and the victim goes on, or no process of it is left; the image is as it was,
# and the next restore works. Sourced by run.

# A tree: all of it must come to life, or none. It is an agent of the tool that makes it, so those calls are counted.
victim_options="--longjmp --children 2"
fresh $victim_options
rm -f "$image"
# Putting the files back is strike's work; a strike that comes too late is an undisturbed restore.
verdict "save" "$("$tool" save -o "$image" "$pid" 2>&1 || echo "save: exit status $?")"
if [ ! -e "$image" ]; then
	fail "restore killed" "there is no image to restore"
	return 0
fi
strike_all restore "restore -d, undisturbed" "$(repeated "$(size 3 3 1)" "$never")" -u 1
span=$micros
strike_all restore "restore -d under a tracer" "$never" $restore_kind
all=$stops
strike_all restore "restore killed at its system calls (of $all)" "$(every "$all" "$(size 24 24 4)" "$(size "$full_most" 32 5)")" \
	$restore_kind
strike_all restore "restore killed at its last system calls" "$(last 30 "$(size 1 2 10)" "$all")" $restore_kind
strike_all restore "restore killed at random times (within $span us)" "$(randoms "$(size 300 30 3)" "$span")" -u 1
if ! few; then
	strike_all restore "restore by a tool that is sent SIGWINCH at each of its calls" "$(repeated "$(size 20 4 0)" "$never")" -a -i 28
	strike_all restore "restore ended by SIGTERM" "$(every "$all" 10 12)" $restore_kind -s 15
	strike_all restore "restore -d under a tracer that could make calls fail" "$never" -a -x -E 5
	all=$stops
	for error in 5 12; do
		strike_all restore "restore with a call that fails (errno $error, of $all)" \
			"$(every "$all" 12 "$(size "$full_most" 16 16)")" -a -x -E $error
	done
fi
strike_all restore "and after all that, restore -d works" "$never" -u 1
