# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154,SC3043 # variables are shared with the files that run sources
# Before anything else: the victim and those who watch it do notice harm. Sourced by run.

for victim_program in "$build/victim.static" "$build/victim"; do
	fresh --longjmp --children 2
	sleep 0.3
	verdict "an undisturbed victim is well ($(basename "$victim_program"))" "$(harm_seen)"
done

# A stop may find the thread at an instant at which this harm does no harm (the wait just over): some more tries, then.
control() {
	local what=$1 try

	for try in $(seq 1 20); do
		"$build/harm" "$what" "$pid" 2>"$work/harm"
		case $? in
		3) skip "harm is noticed: $what" "this architecture has none" && return ;;
		esac
		if ! OBSERVE_MS=$((OBSERVE_MS / 4)) "$build/observe" intact "$heartbeat" "$before" >"$work/seen"; then
			pass "harm is noticed: $what"
			echo "# $(cat "$report" "$work/seen" | head -n 1)"
			return
		fi
	done
	fail "harm is noticed: $what" "not noticed in $try tries; $(cat "$work/harm")"
}

for what in register flag vector redzone mask mapping descriptor eintr early swallow memory stop kill; do
	fresh
	control "$what"
done
