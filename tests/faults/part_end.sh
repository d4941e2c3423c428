# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# save without --leave-running, struck: as long as there is no image, the victim lives; once it is dead, all of it is, and
# the image is whole. Sourced by run.

# Text: what is wrong after a strike. Leaves a victim that can be saved.
judge() {
	local seen fate harm

	seen=$(image_seen)
	fate=$("$build/observe" fate "$heartbeat")
	last_fate=$fate
	case $fate in
	alive)
		harm=$(harm_seen)
		[ -z "$harm" ] || printf 'alive, but harmed: %s\n' "$harm"
		lived=$((lived + 1))
		;;
	gone)
		[ -e "$image" ] || echo "the victim is gone, and there is no image"
		died=$((died + 1))
		;;
	*)
		# Some dead, some alive: only once the image was complete, and then the rest is the killer's doing.
		[ -e "$image" ] || echo "$fate, and there is no image"
		died=$((died + 1))
		put_down
		;;
	esac
	printf %s "$seen"
}

# The image that a killed save left behind brings the victim back.
comes_back() {
	local text

	put_down
	text=$("$tool" restore -d "$image" 2>&1) || printf 'the image does not restore: %s\n' "$text"
	harm_seen
}

strike_end() {
	local instant=$1 result text
	shift

	[ ${#pids[@]} != 0 ] || fresh "${victim_options[@]}"
	clear_images
	result=$("$build/killer" "$@" -- "$tool" save -o "$image" "${pids[0]}" 2>"$work/stderr")
	judge >"$work/judged"
	text=$(<"$work/judged")
	[ "$(field ended "$result")" != hangs ] || text="tinyckpt hangs"$'\n'$text
	instants=$((instants + 1))
	# Every victim that is gone is brought back, which proves the image and saves starting another one. One that lives on
	# beside its image has changed its files meanwhile, and restore says so; so has one that saw a part of itself end.
	if [ -z "$text" ] && [ -e "$image" ] && [ -s "$report" ]; then
		end_victim
	elif [ -z "$text" ] && [ -e "$image" ] && [ "$last_fate" = gone ]; then
		text=$(comes_back)
		returned=$((returned + 1))
	fi
	if [ -n "$text" ]; then
		bad=$((bad + 1))
		[ "$bad" -gt 4 ] || complaints+="at $instant ($result): $text"$'\n'"$(cat "$work/stderr")"$'\n'
		end_victim
	fi
}

end_series() {
	local label=$1 n
	shift

	instants=0 bad=0 lived=0 died=0 returned=0 complaints=
	for n in $2; do
		strike_end "$1 $n" "$1" "$n" "${@:3}"
	done
	[ "$bad" = 0 ] || complaints="$bad of $instants instants"$'\n'$complaints
	verdict "$label: $instants instants, $lived times it lived on, $died times it had ended, $returned times brought back" \
		"$complaints"
}

victim_options=(--children 1)
fresh "${victim_options[@]}"
span=$(field micros "$("$build/killer" -u 1000000 -- "$tool" save --leave-running -o "$image" "${pids[0]}")")
stops=$(count_stops "${stops_kind[@]}" -- "$tool" save -o "$image" "${pids[0]}")
limit=18 last=2
[ "${FAULTS:-}" != full ] || limit=100000 last=1
fresh "${victim_options[@]}"
end_series "save killed at its system calls (a run has $stops stops)" -n "$(every "$stops" 12 $limit)" "${stops_kind[@]}"
# What happens once the image is there happens in the last few calls: every other one, with FAULTS=full all.
end_series "save killed at its last system calls" -n "$(seq $((stops > 25 ? stops - 25 : 1)) "$last" "$stops")" "${stops_kind[@]}"
end_series "save killed at random times (a run takes $span us)" -u "$(randoms 15 "$span")"
end_series "save ended by SIGTERM at its system calls" -n "$(every "$stops" 6 8)" "${stops_kind[@]}" -s 15
