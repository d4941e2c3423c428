# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154,SC2086 # variables are shared with the files that run sources; lists are words
# The same of a workload with locks and with a file whose content goes along (rule snapshot), in an image that is encrypted and
# has programs and libraries embedded: nothing is left behind, the image is intact, the next restore works, and the file is at
# all times what it was or what has been put in its place since, whole. Sourced by run.

has() { "$tool" "$1" --help | grep -q -e "$2"; }

if ! has save --rules; then
	skip "what travels with a workload" "this tinyckpt was built without CONFIG_RULES"
	return 0
fi
echo "file $work/*.carried snapshot" >"$work/rules"
chmod 600 "$work/rules"
save_options="--rules $work/rules"
restore_options=
if has save --key && "$tool" keygen -o "$work/key" >/dev/null; then
	export STRIKE_KEY="$work/key"
	save_options="$save_options --key $work/key"
	restore_options="--key $work/key"
fi
! has save --embed || save_options="$save_options --embed"

victim_options="--carry --children 1"
fresh $victim_options
strike_all save "save $save_options, undisturbed" "$never" -u 1
span=$micros
all=$(count_stops $stops_kind -- "$tool" save $save_options --leave-running -o "$image" "$pid")
strike_all save "save of what travels killed at its system calls (of $all)" \
	"$(every "$all" "$(size 16 16 6)" "$(size "$full_most" 20 8)")" $stops_kind
strike_all save "save of what travels killed at random times (within $span us)" "$(randoms "$(size 100 10 4)" "$span")" -u 1
strike_all save "save of what travels with a call that fails (errno 28)" "$(every "$all" "$(size 16 8 4)" "$(size "$full_most" 10 6)")" \
	-f -E 28
all=$(count_stops $stops_kind -- "$tool" save $save_options --leave-running -o "$image" "$pid")
strike_all end "save of what travels killed at its last system calls" "$(last 25 "$(size 1 3 8)" "$all")" $stops_kind

fresh $victim_options
rm -f "$image"
verdict "save of what travels" "$("$tool" save $save_options -o "$image" "$pid" 2>&1 || echo "save: exit status $?")"
strike_all restore "restore of what travels, undisturbed" "$never $never" -u 1
span=$micros
strike_all restore "restore of what travels under a tracer" "$never" $restore_kind
all=$stops
strike_all restore "restore of what travels killed at its system calls (of $all)" \
	"$(every "$all" "$(size 24 24 8)" "$(size "$full_most" 32 12)")" $restore_kind
strike_all restore "restore of what travels killed at its last system calls" "$(last 40 "$(size 1 2 6)" "$all")" $restore_kind
strike_all restore "restore of what travels killed at random times (within $span us)" "$(randoms "$(size 200 20 6)" "$span")" -u 1
strike_all restore "restore of what travels under a tracer that could make calls fail" "$never" -a -x -E 5
all=$stops
for error in 5 28; do
	strike_all restore "restore of what travels with a call that fails (errno $error, of $all)" \
		"$(every "$all" "$(size 12 12 6)" "$(size "$full_most" 16 8)")" -a -x -E $error
done
strike_all restore "and after all that, restore of what travels works" "$never" -u 1
save_options=
restore_options=
unset STRIKE_KEY
