# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# Starting, watching and ending the victim, and the instants at which tinyckpt is struck. Sourced by run.

serial=0
pids=()
victim=
heartbeat=
report=
before=
victim_program=$build/victim

# fresh [OPTION...]: a new victim, ready and described
fresh() {
	end_victim
	serial=$((serial + 1))
	victim=$work/victim.$serial
	heartbeat=$victim.heartbeat
	report=$victim.report
	before=$victim.before
	setsid --fork "$victim_program" "$@" "$heartbeat" "$report" </dev/null >/dev/null 2>&1
	read -r -a pids <<<"$(OBSERVE_MS=20000 "$build/observe" ready "$heartbeat")"
	if ! "$build/observe" snapshot "$heartbeat" "$before"; then
		echo "Bail out! the victim does not start"
		exit 2
	fi
}

# Kills what is there of the victim, and keeps its files: a restore needs them.
put_down() {
	[ ${#pids[@]} = 0 ] || "$build/observe" put-down "$heartbeat"
}

end_victim() {
	put_down
	pids=()
}

# Text: what is wrong with the victim; nothing when it goes on as if nothing had happened.
harm_seen() {
	local text

	text=$("$build/observe" intact "$heartbeat" "$before") && return
	printf '%s\n' "$text" | head -n 12
	cat "$report"
}

# Text: files beside the image, or an image that is not whole. With `none`, an image that should not be there.
image_seen() {
	local text name

	for name in "$work"/images/* "$work"/images/.[!.]*; do
		[ -e "$name" ] || continue
		[ "$name" = "$image" ] || echo "left behind: $(basename "$name"), $(stat -c %s "$name") bytes"
	done
	[ -e "$image" ] || return
	[ "${1:-}" != none ] || echo "an image is there"
	# With the victim alive, its PIDs are taken and its files have changed: it would not restore at this moment.
	text=$("$tool" verify "$image" 2>&1) || [[ $text == *": whole; would not"* ]] || echo "the image is not whole: $text"
}

clear_images() {
	find "$work/images" -mindepth 1 -delete
}

# every COUNT LEAST MOST: numbers from 1 to COUNT; all of them up to MOST, else evenly spread, at least LEAST
every() {
	local step=1

	while [ $(($1 / step)) -gt "$3" ] && [ $(($1 / (step + 1))) -ge "$2" ]; do
		step=$((step + 1))
	done
	seq $((1 + RANDOM % step)) "$step" "$1"
}

# field NAME LINE: from killer's answer
field() {
	local rest=${2#*"$1"=}

	echo "${rest%% *}"
}

# count_stops KILLER-OPTION... -- COMMAND...: how many stops an undisturbed run has
count_stops() {
	field stops "$("$build/killer" -c "$@" 2>/dev/null)"
}

# randoms COUNT MOST: that many numbers up to the most
randoms() {
	local count=$1

	[ "${FAULTS:-}" != full ] || count=$((count * 10))
	for ((; count > 0; count--)); do
		echo $((1 + (RANDOM * 32768 + RANDOM) % $2))
	done
}

# Calls that change something are what a run is made of; `full` strikes at every entry and exit of all calls. restore
# starts processes, which must not inherit the killer's filter.
stops_kind=(-f)
restore_kind=(-a -x)
[ "${FAULTS:-}" != full ] || stops_kind=() restore_kind=(-a)
most=120
[ "${FAULTS:-}" != full ] || most=1000000

# strike_all MODE LABEL INSTANTS KILLER-OPTION...: one line of TAP for all instants (see strike.c). A victim that was harmed
# is replaced, and the rest goes on. Sets stops and micros to those of the last run.
strike_all() {
	local mode=$1 label=$2 line text="" instants=0 strikes=0 bad=0 tried
	local -a rest program
	read -r -d '' -a rest <<<"$3"
	shift 3

	while [ ${#rest[@]} -gt 0 ]; do
		if [ "$mode" = restore ]; then
			program=("$tool" restore -d "$image")
		else
			program=("$tool" save --leave-running -o "$image" "${pids[0]}")
		fi
		printf '%s\n' "${rest[@]}" | "$build/strike" "$mode" "$victim" "$image" "$@" -- "${program[@]}" >"$work/strikes" 2>&1
		line=$(tail -n 1 "$work/strikes")
		tried=$(field instants "$line")
		stops=$(field stops "$line")
		micros=$(field micros "$line")
		if [ "${line%%=*}" != instants ]; then
			text+=$(cat "$work/strikes")
			break
		fi
		instants=$((instants + tried))
		strikes=$((strikes + $(field strikes "$line")))
		[ "$(field bad "$line")" != 0 ] || break
		bad=$((bad + $(field bad "$line")))
		[ ${#text} -gt 3000 ] || text+=$(sed '$d' "$work/strikes")$'\n'
		rest=("${rest[@]:tried}")
		[ "$mode" = restore ] || fresh "${victim_options[@]}"
	done
	[ -z "$text" ] || text="$bad of $instants instants:"$'\n'$text
	verdict "$label: $instants instants, $strikes struck" "$text"
}
