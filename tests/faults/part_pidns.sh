# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154,SC2086,SC3043 # variables are shared with the files that run sources; lists are words
# restore --pidns, struck: as part_restore.sh, but for who is looked at having other numbers outside. Sourced by run.

case $("$tool" restore --pidns "$work/none" 2>&1) in
*CONFIG_PIDNS*)
	skip "restore --pidns, struck" "built without CONFIG_PIDNS"
	return 0
	;;
*CONFIG_PID_NS*)
	skip "restore --pidns, struck" "this kernel has no PID namespaces"
	return 0
	;;
esac
if ! command -v nsenter >/dev/null; then
	skip "restore --pidns, struck" "there is no nsenter"
	return 0
fi

# named COMM...: who is called that, by the numbers outside, the lowest first
named() {
	local at comm

	for at in /proc/[0-9]*; do
		{ read -r comm <"$at/comm"; } 2>/dev/null || continue
		case " $* " in *" $comm "*) echo "${at#/proc/}" ;; esac
	done | sort -n
}

# Of the namespace's processes and of its init.
members() { named victim tinyckpt; }
root_outside() { named victim | head -n 1; }

# inside COMMAND...: in the PID namespace of the tree, with its /proc
inside() {
	local one

	one=$(root_outside)
	[ -n "$one" ] && nsenter -t "$one" -p unshare --mount-proc "$@" 2>/dev/null
}

# Text: what is wrong with a tree that should live
tree_harm() { inside "$build/observe" intact "$heartbeat" "$before" || echo "it is not well: $(cat "$report")"; }

# Sets fate: alive, gone, or what else after a while
find_fate() {
	local tries=$((OBSERVE_MS / 50))

	while [ $((tries -= 1)) -ge 0 ]; do
		fate=gone
		[ -n "$(members)" ] || return
		fate=alive
		OBSERVE_MS=$((OBSERVE_MS / 6)) tree_harm | grep -q . || return
		sleep 0.05
	done
	fate="half: $(members | wc -l) processes; $(tree_harm | head -n 4)"
}

# What ran has written to its files, and restore rightly refuses files that have changed.
put_back() {
	local tries=400

	while [ $((tries -= 1)) -ge 0 ] && [ -n "$(members)" ]; do
		members | xargs -r kill -KILL 2>/dev/null
		sleep 0.01
	done
	cp "$work/heartbeat" "$heartbeat"
	touch -r "$work/heartbeat" "$heartbeat"
	: >"$report"
	touch -r "$work/report" "$report"
}

# strike_pidns LABEL INSTANTS KILLER-OPTION...
strike_pidns() {
	local label=$1 instants=$2 at text="" n=0 bad=0 lived=0 option ran wrong
	shift 2

	option=-n
	[ "$1" != -u ] || { option=-u; shift; }
	for at in $instants; do
		n=$((n + 1))
		ran=$("$build/killer" "$@" $option "$at" -t "$killer_ms" -- "$tool" restore --pidns -d "$image" 2>"$work/said")
		find_fate
		wrong=
		case $fate in
		alive) lived=$((lived + 1)) ;;
		gone) cmp -s "$heartbeat" "$work/heartbeat" || wrong="the tree had begun to run, and is gone" ;;
		*) wrong=$fate ;;
		esac
		[ "$(field ended "$ran")" != hangs ] || wrong="tinyckpt hangs"
		cmp -s "$image" "$work/image" || wrong="the image has changed"
		put_back
		if [ -z "$wrong" ] && [ $((n % 8)) = 0 ]; then
			"$tool" restore --pidns -d "$image" 2>"$work/said" || wrong="the next restore fails: $(cat "$work/said")"
			[ -n "$wrong" ] || wrong=$(tree_harm)
			put_back
		fi
		[ -n "$wrong" ] || continue
		bad=$((bad + 1))
		text="$text$wrong
^ at $at: $ran
"
	done
	[ -z "$text" ] || text="$bad of $n instants:
$text"
	verdict "$label: $n instants, $lived times it lives" "$text"
}

# save_inside LABEL INSTANTS KILLER-OPTION...: of the tree in there, by its number outside; the tool's child does it
save_inside() {
	local label=$1 instants=$2 at text="" n=0 ran wrong other=$work/images/inside.tck
	shift 2

	for at in $instants; do
		n=$((n + 1))
		rm -f "$other"
		ran=$("$build/killer" "$@" "$at" -t "$killer_ms" -- "$tool" save --leave-running -o "$other" "$(root_outside)" 2>"$work/said")
		wrong=$(tree_harm)
		[ "$(field ended "$ran")" != hangs ] || wrong="$wrong tinyckpt hangs"
		[ ! -e "$other" ] || "$tool" verify "$other" >"$work/said" 2>&1 || grep -q ": whole; would not" "$work/said" ||
			wrong="$wrong $(cat "$work/said")"
		[ -z "$wrong" ] && continue
		text="$wrong
^ at $at: $ran"
		break
	done
	rm -f "$other"
	verdict "$label: $n instants" "$text"
}

fresh --children 1
rm -f "$image"
verdict "save" "$("$tool" save -o "$image" "$pid" 2>&1 || echo "save: exit status $?")"
for name in heartbeat report; do
	cp "$victim.$name" "$work/$name"
	touch -r "$victim.$name" "$work/$name"
done
cp "$image" "$work/image"
strike_pidns "restore --pidns, undisturbed" "$never $never" -u
ran=$("$build/killer" -c -a -a -x -- "$tool" restore --pidns -d "$image")
all=$(field stops "$ran")
put_back
span=$(field micros "$("$build/killer" -u "$never" -- "$tool" restore --pidns -d "$image")")
put_back
# Its init, which makes the namespace, and the agent in there, which makes the tree
strike_pidns "restore --pidns killed at the system calls of its init" "$(seq 1 "$(size 1 2 4)" 30)" -a -x
strike_pidns "restore --pidns killed at its agent's system calls (of $all)" \
	"$(every "$all" "$(size 24 24 8)" "$(size "$full_most" 20 8)")" -a -a -x
strike_pidns "restore --pidns killed at its agent's last system calls" "$(last 60 "$(size 1 3 6)" "$all")" -a -a -x
strike_pidns "restore --pidns killed at random times (within $span us)" "$(randoms "$(size 200 15 6)" "$span")" -u
strike_pidns "and after all that, restore --pidns works" "$never" -u
ran=$("$tool" restore --pidns -d "$image" 2>&1) || fail "restore --pidns" "$ran"
save_inside "save of what is in a namespace, undisturbed" "$never" -n
ran=$("$build/killer" -c -a -x -- "$tool" save --leave-running -o "$work/images/inside.tck" "$(root_outside)")
all=$(field stops "$ran")
save_inside "save of what is in a namespace killed at its system calls (of $all)" \
	"$(every "$all" "$(size 24 16 8)" "$(size "$full_most" 20 8)")" -a -x -n
save_inside "save of what is in a namespace killed at random times" "$(randoms "$(size 100 10 4)" "$span")" -u
put_back
rm -f "$work/heartbeat" "$work/report" "$work/image"
pid=
