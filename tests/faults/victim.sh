# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# Starting, watching and ending the victim, and the instants at which tinyckpt is struck. Sourced by run.

serial=0
pids=()
heartbeat=
report=
before=
victim_program=$build/victim

# fresh [OPTION...]: a new victim, ready and described
fresh() {
	end_victim
	serial=$((serial + 1))
	heartbeat=$work/heartbeat.$serial
	report=$work/report.$serial
	before=$work/before.$serial
	setsid --fork "$victim_program" "$@" "$heartbeat" "$report" </dev/null >/dev/null 2>&1
	read -r -a pids <<<"$(OBSERVE_MS=20000 "$build/observe" ready "$heartbeat")"
	if ! "$build/observe" snapshot "$heartbeat" "$before"; then
		echo "Bail out! the victim does not start"
		exit 2
	fi
}

# Kills what is there of the victim, and keeps its files: a restore needs them. Only processes that see this run's own
# mounts, so that a number that went to somebody else is left alone. Stopped first: nobody is to complain of another's end.
put_down() {
	local pid
	local -a there=()

	for pid in "${pids[@]}"; do
		[ ! "/proc/$pid/ns/mnt" -ef /proc/self/ns/mnt ] || there+=("$pid")
	done
	[ ${#there[@]} = 0 ] || kill -STOP "${there[@]}" 2>/dev/null
	[ ${#there[@]} = 0 ] || kill -KILL "${there[@]}" 2>/dev/null
	[ ${#pids[@]} = 0 ] || "$build/observe" gone "$heartbeat"
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

# How many microseconds an undisturbed run takes.

micros() {
	local start=${EPOCHREALTIME/./}

	"$@" >/dev/null 2>&1
	echo $((${EPOCHREALTIME/./} - start))
}

# Calls that change something are what a run is made of; `full` strikes at every entry and exit of all calls.
stops_kind=(-x)
[ "${FAULTS:-}" != full ] || stops_kind=()
most=400
[ "${FAULTS:-}" != full ] || most=100000
randoms() {
	local count=$1 span=$2

	[ "${FAULTS:-}" != full ] || count=$((count * 10))
	for ((; count > 0; count--)); do
		echo $((1 + (RANDOM * 32768 + RANDOM) % span))
	done
}
