# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# restore, struck: either it had completed and the victim goes on, or no process of it is left; the image is as it was,
# and the next restore works. Sourced by run.

# A tree: all of it must come to life, or none. It is an agent of the tool that makes it, so those calls are counted.
victim_options=(--longjmp --children 2)
fresh "${victim_options[@]}"
clear_images
text=$("$tool" save -o "$image" "${pids[0]}" 2>&1) || text="save: exit status $?"$'\n'$text
# Putting the files back is strike's work; a strike that comes too late is an undisturbed restore.
verdict "save" "$text"
if [ -e "$image" ]; then
	strike_all restore "restore -d, undisturbed" "$(printf '%s\n' 1000000 1000000 1000000)" -u 1
	span=$micros
	strike_all restore "restore -d under a tracer" 100000000 "${restore_kind[@]}"
	all=$stops
	limit=32 last=2
	[ "${FAULTS:-}" != full ] || limit=1000000 last=1
	strike_all restore "restore killed at its system calls (of $all)" "$(every "$all" 24 $limit)" "${restore_kind[@]}"
	strike_all restore "restore killed at its last system calls" "$(seq $((all > 30 ? all - 30 : 1)) "$last" "$all")" \
		"${restore_kind[@]}"
	strike_all restore "restore killed at random times (within $span us)" "$(randoms 30 "$span")" -u 1
	strike_all restore "restore ended by SIGTERM" "$(every "$all" 10 12)" "${restore_kind[@]}" -s 15
	for error in 5 12; do
		strike_all restore "restore with a call that fails (errno $error)" "$(every "$all" 12 16)" -a -x -E $error
	done
	strike_all restore "and after all that, restore -d works" 1000000 -u 1
else
	fail "restore killed" "there is no image to restore"
fi
