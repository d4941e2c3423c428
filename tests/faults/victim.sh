# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154,SC2086,SC3043,SC3028 # variables are shared with the files that run sources; lists are words
# Starting, watching and ending the victim, and the instants at which tinyckpt is struck. Sourced by run and, on boards, by
# play: busybox's shell is enough.

serial=0
pid= # of its root process
victim=
heartbeat=
report=
before=
victim_program=$build/victim
save_options=
restore_options=

# fresh [OPTION...]: a new victim, ready and described
fresh() {
	end_victim
	serial=$((serial + 1))
	victim=$work/victim.$serial
	heartbeat=$victim.heartbeat
	report=$victim.report
	before=$victim.before
	(setsid "$victim_program" "$@" --slow "${VICTIM_SLOW:-1}" "$heartbeat" "$report" </dev/null >/dev/null 2>&1 &)
	pid=$(OBSERVE_MS=20000 "$build/observe" ready "$heartbeat")
	pid=${pid%% *}
	if ! "$build/observe" snapshot "$heartbeat" "$before"; then
		echo "Bail out! the victim does not start: $pid $(cat "$report")"
		exit 2
	fi
}

# Kills what is there of it, and keeps its files: a restore needs them.
end_victim() {
	[ -z "$pid" ] || "$build/observe" put-down "$heartbeat"
	pid=
}

# Text: what is wrong with the victim; nothing when it goes on as if nothing had happened.
harm_seen() {
	local text

	text=$("$build/observe" intact "$heartbeat" "$before") && return
	printf '%s\n' "$text" | head -n 12
	cat "$report"
}

# every COUNT LEAST MOST: numbers from 1 to COUNT; all of them up to MOST, else evenly spread, at least LEAST
every() {
	local step=1

	while [ $(($1 / step)) -gt "$3" ] && [ $(($1 / (step + 1))) -ge "$2" ]; do
		step=$((step + 1))
	done
	seq $((1 + RANDOM % step)) "$step" "$1"
}

# last COUNT STEP N: each STEPth of the last COUNT of the numbers up to N
last() {
	seq $(($3 > $1 ? $3 - $1 : 1)) "$2" "$3"
}

# field NAME LINE: from killer's answer
field() {
	local rest=${2#*"$1"=}

	echo "${rest%% *}"
}

# count_stops KILLER-OPTION... -- COMMAND...: how many stops an undisturbed run has
count_stops() {
	field stops "$("$build/killer" -c -t "$killer_ms" "$@" 2>/dev/null)"
}

# randoms COUNT MOST: that many numbers up to the most
randoms() {
	local count=$1

	while [ $((count -= 1)) -ge 0 ]; do
		echo $((1 + (RANDOM * 32768 + RANDOM) % $2))
	done
}

# repeated COUNT WORD: that many times the word
repeated() {
	local count=$1

	while [ $((count -= 1)) -ge 0 ]; do
		echo "$2"
	done
}

# size FULL USUAL FEW: the one that FAULTS asks for
size() {
	case ${FAULTS:-} in
	full) echo "$1" ;;
	few) echo "$3" ;;
	*) echo "$2" ;;
	esac
}
few() { [ "${FAULTS:-}" = few ]; }

# Calls that change something are what a run is made of; `full` strikes at every entry and exit of all calls. restore
# starts processes, which must not inherit the killer's filter.
stops_kind=$(size "" -f -f)
restore_kind=$(size -a "-a -x" "-a -x")
full_most=${FAULTS_MOST:-1000000}
never=100000000 # microseconds, or stops
killer_ms=${KILLER_MS:-10000}

# behind N WORD...: the words but for the first N
behind() {
	shift "$(($1 + 1))"
	echo "$@"
}

# strike_all MODE LABEL INSTANTS KILLER-OPTION...: one line of TAP for all instants (see strike.c). A victim that is of no more use
# is replaced, and the rest goes on. Sets stops and micros to those of the last run.
strike_all() {
	local mode=$1 label=$2 rest=$3 text="" instants=0 strikes=0 returned=0 bad=0 line tried harmed program
	shift 3

	while [ -n "$rest" ]; do
		case $mode in
		restore) program="restore $restore_options -d $image" ;;
		end) program="save $save_options -o $image $pid" ;;
		*) program="save $save_options --leave-running -o $image $pid" ;;
		esac
		printf '%s\n' $rest |
			"$build/strike" "$mode" "$victim" "$image" -t "$killer_ms" "$@" -- "$tool" $program >"$work/strikes" 2>&1
		line=$(tail -n 1 "$work/strikes")
		tried=$(field instants "$line")
		stops=$(field stops "$line")
		micros=$(field micros "$line")
		harmed=$(field bad "$line")
		if [ "${line%%=*}" != instants ]; then
			text="$text$(cat "$work/strikes")"
			break
		fi
		instants=$((instants + tried))
		strikes=$((strikes + $(field strikes "$line")))
		returned=$((returned + $(field returned "$line")))
		bad=$((bad + harmed))
		[ "$harmed" = 0 ] || [ ${#text} -gt 3000 ] || text="$text$(sed '$d' "$work/strikes")
"
		rest=$(behind "$tried" $rest)
		[ "$(field spent "$line")" = 0 ] || fresh $victim_options
	done
	[ -z "$text" ] || text="$bad of $instants instants:
$text"
	[ "$mode" != end ] || label="$label, $returned times brought back"
	verdict "$label: $instants instants, $strikes struck" "$text"
}
