# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# restore, struck: either it had completed and the victim goes on, or no process of it is left; the image is as it was,
# and the next restore works. Sourced by run.

# A workload that came back and went on has written to its files, and restore rightly refuses files that changed since
# the save: they are put back as they were.
put_back() {
	put_down
	cp -p "$work/heartbeat.then" "$heartbeat"
	cp -p "$work/report.then" "$report"
}

# Text: what is wrong after a strike
judge_restore() {
	local fate

	fate=$("$build/observe" fate "$heartbeat")
	case $fate in
	alive)
		harm_seen
		;;
	gone)
		# Once it has run, it has done things that cannot be taken back: from then on it must live.
		cmp -s "$heartbeat" "$work/heartbeat.then" || echo "the victim had begun to run, and is gone"
		;;
	*)
		echo "$fate"
		ps -o pid=,ppid=,stat=,wchan=,args= -p "$(IFS=,; echo "${pids[*]}")"
		;;
	esac
	put_back
	cmp "$image" "$work/kept.tck" 2>&1
	image_seen
}

# Text: what is wrong with a restore that nobody disturbs
good_restore() {
	local text

	text=$("$tool" restore -d "$image" 2>&1) || printf 'the next restore fails: %s\n' "$text"
	harm_seen
	put_back
}

strike_restore() {
	local instant=$1 result text
	shift

	result=$("$build/killer" "$@" -- "$tool" restore -d "$image" 2>"$work/stderr")
	text=$(judge_restore)
	[ "$(field ended "$result")" != hangs ] || text="tinyckpt hangs"$'\n'$text
	[ "$(field ended "$result")" != killed ] || strikes=$((strikes + 1))
	instants=$((instants + 1))
	[ $((instants % 8)) != 0 ] || text+=$(good_restore)
	if [ -n "$text" ]; then
		bad=$((bad + 1))
		[ "$bad" -gt 4 ] || complaints+="at $instant ($result): $text"$'\n'"$(cat "$work/stderr")"$'\n'
	fi
}

restore_series() {
	local label=$1 n
	shift

	instants=0 strikes=0 bad=0 complaints=
	for n in $2; do
		strike_restore "$1 $n" "$1" "$n" "${@:3}"
	done
	[ "$bad" = 0 ] || complaints="$bad of $instants instants"$'\n'$complaints
	verdict "$label: $instants instants, $strikes struck" "$complaints"
}

fresh --longjmp --children 1
clear_images
text=$("$tool" save -o "$image" "${pids[0]}" 2>&1) || text="save: exit status $?"$'\n'$text
cp "$image" "$work/kept.tck" 2>/dev/null
cp -p "$heartbeat" "$work/heartbeat.then"
cp -p "$report" "$work/report.then"
verdict "restore -d, undisturbed" "$text$(good_restore)"

if [ -e "$image" ]; then
	stops=$(count_stops "${stops_kind[@]}" -- "$tool" restore -d "$image")
	put_back
	span=$(micros "$tool" restore -d "$image")
	put_back
	limit=120
	[ "${FAULTS:-}" != full ] || limit=100000
	restore_series "restore killed at its system calls (a run has $stops stops)" -n "$(every "$stops" 80 $limit)" \
		"${stops_kind[@]}"
	restore_series "restore killed at its last system calls" -n "$(seq $((stops > 30 ? stops - 30 : 1)) "$stops")" \
		"${stops_kind[@]}"
	restore_series "restore killed at random times (a run takes $span us)" -u "$(randoms 50 "$span")"
	restore_series "restore ended by SIGTERM" -n "$(every "$stops" 20 30)" "${stops_kind[@]}" -s 15
	for error in 5 12; do
		restore_series "restore with a call that fails (errno $error)" -n "$(every "$stops" 40 50)" -x -E $error
	done
	verdict "and after all that, restore -d works" "$(good_restore)"
else
	fail "restore killed" "there is no image to restore"
fi
