#!/bin/sh
# SPDX-License-Identifier: MIT
# The shell of most small devices. At nearly every instant it waits for a child that sleeps.
# needs: busybox
# start: busybox sh SOURCE
pid=$$
n=0
while :; do
	n=$((n + 1))
	read -r self _ </proc/self/stat
	if [ "$self" != "$pid" ]; then
		echo "$n bad: PID is $self, was $pid"
	else
		echo "$n ok"
	fi
	busybox sleep 0.05
done
