#!/bin/bash
# SPDX-License-Identifier: MIT
# A shell with a pipeline, arrays and a trap for a signal that arrives at every step.
# needs: bash
# start: bash SOURCE
declare -A seen
pid=$BASHPID
signals=0
trap 'signals=$((signals + 1))' USR1

for ((n = 1; ; n++)); do
	seen[$n]=$((n * n))
	kill -USR1 $$
	total=$(printf '%s\n' "${!seen[@]}" | wc -l)
	if [ "$pid" != "$BASHPID" ]; then
		echo "$n bad: PID is $BASHPID, was $pid"
	elif [ "$signals" != "$n" ]; then
		echo "$n bad: $signals signals came"
	elif [ "$total" != "$n" ] || [ "${seen[$n]}" != $((n * n)) ]; then
		echo "$n bad: the array holds $total entries"
	else
		echo "$n ok"
	fi
	sleep 0.05
done
