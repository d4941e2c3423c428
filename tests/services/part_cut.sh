# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# The power is cut at an instant of a boot, or of a shutdown. Sourced by run.
# A machine is a PID namespace: it ends, all at once, with its first process.

clean
service alpha
begin alpha
saved=$pid
run_tool "$tool" save --leave-running -o "$work/kept" "$pid"
[ "$status" = 0 ] || echo "# save: $err"
end "$pid"
rm -rf "$work/run"
mkdir "$images"

# machine COMMAND...: its output in $work/machine
machine() { unshare --pid --fork --mount-proc "$@" >"$work/machine" 2>&1; }

# cut_boot OPTION...: cut as tests/faults/killer is told to; sets stops, micros, ended
cut_boot() {
	rm -f "$images"/* "$work/started"
	rm -rf "$work/run"
	cp "$work/kept" "$images/alpha.tck"
	sync -f "$images"
	machine "$fault_build/killer" "$@" -- "$tool" restore --all
	result
}
result() {
	ended=$(sed -n 's/.* ended=\([a-z]*\).*/\1/p' "$work/machine")
	stops=$(sed -n 's/^stops=\([0-9]*\).*/\1/p' "$work/machine")
	micros=$(sed -n 's/.* micros=\([0-9]*\).*/\1/p' "$work/machine")
}
# What must hold at the next boot: the service runs, once; its image was tried once and is kept whole.
next_boot() {
	local before
	before=$(shelves)
	rm -rf "$work/run" "$work/started"
	# shellcheck disable=SC2016
	machine sh -c '"$0" restore --all; echo "status $?"
		for i in 1 2 3 4 5 6 7 8 9 10; do pgrep -x alpha >/dev/null && break; sleep 0.1; done
		sleep 0.05; pgrep -x alpha | wc -l' "$tool"
	grep -q '^status 0$' "$work/machine" || cat "$work/machine"
	[ "$(sed -n '/^status/{n;p}' "$work/machine")" = 1 ] || { echo "it does not run once:"; cat "$work/machine"; }
	case $before in
	"alpha.tck ")
		grep -q "restored, as process $saved" "$work/machine" || { echo "not tried, and not restored now:"; cat "$work/machine"; }
		[ "$(shelves)" = "alpha.tck.done " ] || shelves
		;;
	"alpha.tck.trying ")
		grep -q "started afresh: the machine stopped while it was being restored" "$work/machine" || cat "$work/machine"
		[ "$(shelves)" = "alpha.tck.failed " ] || shelves
		;;
	"alpha.tck.done ")
		grep -q "started afresh: there is no image" "$work/machine" || cat "$work/machine"
		[ "$(shelves)" = "alpha.tck.done " ] || shelves
		;;
	*) echo "after the cut there were: $before" ;;
	esac
	cmp "$work/kept" "$images"/alpha.tck* 2>&1
	echo "$before" >>"$work/seen"
}

: >"$work/seen"
text=
cut_boot -x -n 1000000
all=$stops
[ "$ended" = exited ] || text="an undisturbed boot: $(<"$work/machine")"
step=1
[ "${SERVICES:-}" = full ] || step=$((all / 40 + 1))
for ((n = 1; n <= all; n += step)); do
	cut_boot -x -n $n
	found=$(next_boot)
	[ -z "$found" ] || { text+="cut at call $n of $all: $found"$'\n'; break; }
done
verdict "power cut at calls of restore --all ($all, each ${step}.): the service runs, its image was tried once at most" "$text"
verdict "among them were cuts before, in and after the attempt" "$(
	for state in tck tck.trying tck.done; do
		grep -q "^alpha.$state \$" "$work/seen" || echo "none with alpha.$state"
	done
)"
# What its children do is not counted above.
text=
cut_boot -u 10000000
span=$micros
cuts=25
[ "${SERVICES:-}" = full ] && cuts=300
for ((n = 1; n <= cuts; n++)); do
	cut_boot -u $((span * n / cuts))
	found=$(next_boot)
	[ -z "$found" ] || { text+="cut after $((span * n / cuts)) us of $span: $found"$'\n'; break; }
done
verdict "power cut at $cuts moments of restore --all (within $span us): the same" "$text"

# Each state in which a cut can leave the names
for state in trying failed "done"; do
	rm -f "$images"/*
	cp "$work/kept" "$images/alpha.tck.$state"
	case $state in
	trying) wanted="started afresh: the machine stopped" left="alpha.tck.failed " ;;
	*) wanted="started afresh: there is no image" left="alpha.tck.$state " ;;
	esac
	rm -rf "$work/run"
	machine "$tool" restore --all
	verdict "found at a boot: $state" "$(grep -q "$wanted" "$work/machine" || cat "$work/machine"; [ "$(shelves)" = "$left" ] || shelves)"
	cp "$work/kept" "$images/alpha.tck"
	rm -rf "$work/run"
	machine "$tool" restore --all
	verdict "found at a boot: $state, and a newer one that is ready" "$(
		grep -q "restored, as process $saved" "$work/machine" || cat "$work/machine"
		[ -e "$images/alpha.tck.done" ] && [ ! -e "$images/alpha.tck" ] && [ ! -e "$images/alpha.tck.trying" ] || shelves
	)"
done

# A shutdown that is cut: the old image was of an earlier life, so it may not come back; a new one may.
# cut_shutdown N
cut_shutdown() {
	rm -f "$images"/*
	rm -rf "$work/run"
	echo old >"$images/alpha.tck.done"
	cp "$work/kept" "$images/alpha.tck"
	# shellcheck disable=SC2016
	machine sh -c '"$1" restore --all >/dev/null 2>&1; cp "$2" "$3/alpha.tck"; rm -f "$3"/alpha.tck.*; touch -d @1 "$3/alpha.tck"
		"$4" -x -n "$5" -- "$1" save --all' sh "$tool" "$work/kept" "$images" "$fault_build/killer" "$1"
	result
}
text=
cut_shutdown 1000000
all=$stops
[ "$ended" = exited ] || text="an undisturbed shutdown: $(<"$work/machine")"
step=1
[ "${SERVICES:-}" = full ] || step=$((all / 30 + 1))
for ((n = 1; n <= all; n += step)); do
	cut_shutdown $n
	count=0
	for file in "$images"/alpha.tck*; do
		[ -e "$file" ] || continue
		"$tool" show "$file" >/dev/null 2>&1 || text+="cut at call $n of $all: $file is not whole"$'\n'
		count=$((count + 1))
	done
	[ $count -ge 1 ] || text+="cut at call $n of $all: no image is left: $(<"$work/machine")"$'\n'
done
verdict "power cut at calls of save --all ($all, each ${step}.): every image is whole" "$text"
clean
