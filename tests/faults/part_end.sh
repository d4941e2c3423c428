# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154,SC2086 # variables are shared with the files that run sources; lists are words
# save without --leave-running, struck: as long as there is no image, the victim lives; once it is dead, all of it is, and the
# image is whole and brings it back. Sourced by run.

victim_options="--children 1"
fresh $victim_options
span=$(field micros "$("$build/killer" -u "$never" -- "$tool" save --leave-running -o "$image" "$pid")")
all=$(count_stops $stops_kind -- "$tool" save -o "$image" "$pid")
fresh $victim_options
strike_all end "save killed at its system calls (of $all)" "$(every "$all" "$(size 12 12 5)" "$(size "$full_most" 18 6)")" $stops_kind
# What happens once the image is there happens in the last few calls: every other one, with FAULTS=full all.
strike_all end "save killed at its last system calls" "$(last 25 "$(size 1 2 6)" "$all")" $stops_kind
strike_all end "save killed at random times (a run takes $span us)" "$(randoms "$(size 150 15 3)" "$span")" -u 1
! few || return 0
strike_all end "save ended by SIGTERM at its system calls" "$(every "$all" 6 8)" $stops_kind -s 15
# Signals that the tool ignores cut short what the kernel has to tell it, such as the queues of the workload's own signals.
strike_all end "save by a tool that is sent SIGWINCH at each of its calls" "$(repeated "$(size 20 4 0)" "$never")" -i 28
