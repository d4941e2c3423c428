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

# cut_boot N: cut at the Nth call of restore --all that changes something; sets stops, ended
cut_boot() {
	rm -f "$images"/* "$work/started"
	rm -rf "$work/run"
	cp "$work/kept" "$images/alpha.tck"
	sync -f "$images"
	machine "$fault_build/killer" -x -n "$1" -- "$tool" restore --all
	ended=$(sed -n 's/.* ended=\([a-z]*\).*/\1/p' "$work/machine")
	stops=$(sed -n 's/^stops=\([0-9]*\).*/\1/p' "$work/machine")
}
# What must hold at the next boot: the service runs, once; its image was tried once and is kept whole.
next_boot() {
	local before
	before=$(shelves)
	rm -rf "$work/run" "$work/started"
	# shellcheck disable=SC2016
	machine sh -c '"$0" restore --all; echo "status $?"; pgrep -x alpha | wc -l; pgrep -x alpha' "$tool"
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
	seen[${#seen[@]}]=$before
}

seen=()
text=
cut_boot 1000000
all=$stops
[ "$ended" = exited ] || text="an undisturbed boot: $(<"$work/machine")"
step=1
[ "${SERVICES:-}" = full ] || step=$((all / 40 + 1))
for ((n = 1; n <= all; n += step)); do
	cut_boot $n
	found=$(next_boot)
	seen[${#seen[@]}]=$(sed -n 's/^seen //p' <<<"$found")
	[ -z "$found" ] || { text+="cut at call $n of $all: $found"$'\n'; break; }
done
verdict "power cut at calls of restore --all (every ${step}th of $all): the service runs, its image was tried once at most" "$text"

# Each state in which a cut can leave the names
for state in trying failed done; do
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
	ended=$(sed -n 's/.* ended=\([a-z]*\).*/\1/p' "$work/machine")
	stops=$(sed -n 's/^stops=\([0-9]*\).*/\1/p' "$work/machine")
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
verdict "power cut at calls of save --all (every ${step}th of $all): every image is whole" "$text"
clean
