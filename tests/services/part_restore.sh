# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# A boot. Sourced by run.

clean
# shut NAME...: started by hand, saved, and the machine is off; sets pids
shut() {
	local name
	pids=()
	for name; do
		begin "$name"
		pids[${#pids[@]}]=$pid
	done
	run_tool "$tool" save --all
	[ "$status" = 0 ] || echo "# save: $err"
	end "${pids[@]}"
	reboot
}

# boot NAME...: everything comes up, the order of things is that of names
service alpha
service beta
run_tool "$tool" restore --all
verdict "the first boot: all start" "$(
	says 0 2 "alpha: started afresh: there is no image.*beta: started afresh: there is no image"
	started alpha beta
)"
first=$(running alpha)
run_tool "$tool" restore --all
verdict "once more: all run already, none starts again" "$(
	says 0 2 "alpha: runs already, as process ${first% }"
	started alpha beta
	[ "$(running alpha)" = "$first" ] || running alpha
)"
run_tool "$tool" save --all
# shellcheck disable=SC2046
end $(running alpha) $(running beta) $first
reboot
run_tool "$tool" restore --all
verdict "the next boot: all come back, none starts" "$(
	says 0 2 "alpha: restored, as process ${first% }"
	not_started
	[ "$(running alpha)" = "$first" ] || running alpha
	well "${first% }"
	[ "$(shelves)" = "alpha.tck.done beta.tck.done " ] || shelves
)"
verdict "the pidfile is there again" "$([ "$(cat "$work/run/alpha.pid")" = "${first% }" ] || cat "$work/run/alpha.pid")"
verdict "the system's log says it" "$(logged syslog "^<29>tinyckpt: alpha: restored, as process ${first% }$")"
end "${first% }"
reboot
run_tool "$tool" restore --all
verdict "an image comes back once: after that they start" "$(
	says 0 2 "alpha: started afresh: there is no image.*beta: runs already|beta: started"
	once alpha
	# shellcheck disable=SC2046
	[ -e "$images/alpha.tck.done" ] || shelves
)"
# shellcheck disable=SC2046
end $(running alpha)
begin alpha
run_tool "$tool" save --service alpha
verdict "the next save removes what came back" "$([[ "$(shelves)" = "alpha.tck beta.tck.done " ]] || shelves; says 0 1 saved)"
end "$pid"

# Somebody else has started it before: an init script that was not renamed, a supervisor.
begin alpha
alpha=$pid
run_tool "$tool" restore --service alpha
verdict "it runs, and has an image: that stays where it is, and the line says so" "$(
	says 0 1 "alpha: runs already, as process $alpha, and is not restored from its image"
	[[ "$(shelves)" == "alpha.tck "* ]] || shelves
)"
end "$alpha"

# One by one
reboot
run_tool "$tool" restore --service alpha
verdict "--service: one alone" "$(says 0 1 "alpha: restored"; once alpha)"

# What is wrong with an image
clean
service alpha
service beta
for harm in "cut short" "damaged" "no image at all" "a folder" "empty"; do
	shut alpha beta
	case $harm in
	"cut short") truncate -s -1 "$images/alpha.tck" ;;
	"damaged") printf X | dd of="$images/alpha.tck" bs=1 seek=100 conv=notrunc 2>/dev/null ;;
	"no image at all") head -c 10000 /dev/urandom >"$images/alpha.tck" ;;
	"a folder") rm "$images/alpha.tck" && mkdir "$images/alpha.tck" ;;
	"empty") : >"$images/alpha.tck" ;;
	esac
	run_tool "$tool" restore --all
	verdict "an image that is $harm: started afresh, with the reason; the other comes back" "$(
		says 0 2 "alpha: started afresh: .*alpha.tck.*beta: restored"
		started alpha
		[ -e "$images/alpha.tck.failed" ] && [ ! -e "$images/alpha.tck" ] || ls "$images"
		once alpha
	)"
	# shellcheck disable=SC2046
	end $(running alpha) $(running beta)
	reboot
	run_tool "$tool" restore --all
	verdict "and at the boot after that it is not tried again ($harm)" "$(says 0 2 "alpha: started afresh: there is no image")"
	once alpha
	# shellcheck disable=SC2046
	end $(running alpha) $(running beta)
	rm -rf "$images"
done

# A world in which it cannot come back
shut alpha beta
mv "$work/bin/alpha" "$work/bin/away"
cp "$build/actor" "$work/bin/alpha"
service alpha "pidfile=$work/run/alpha.pid" "settle=0" "start=echo alpha >>$work/started"
mv "$work/bin/away" "$work/bin/alpha.old"
cp "$build/actor" "$work/bin/alpha"
run_tool "$tool" restore --all
verdict "its program is another one now: started afresh, with the reason" "$(
	says 0 2 "alpha: started afresh: .*bin/alpha"
	started alpha
	[ -e "$images/alpha.tck.failed" ] || shelves
)"
mv "$work/bin/alpha.old" "$work/bin/alpha"
# shellcheck disable=SC2046
end $(running beta)
clean

service alpha
shut alpha
act take "${pids[0]}"
run_tool "$tool" restore --all
verdict "its process ID is taken: started afresh, with the reason" "$(
	says 0 1 "alpha: started afresh: .*${pids[0]}"
	once alpha
	# shellcheck disable=SC2046
	well "$actor"
)"
end "$actor"
clean

# It dies soon after
cp "$build/ends" "$work/bin/brief"
# brief HOW CHILDREN: saved, and once back it ends at once
brief() {
	service brief "command=brief" "start=echo brief >>$work/started"
	rm -f "$work/go"
	# shellcheck disable=SC2016
	pid=$(setsid --fork sh -c 'echo $$; exec "$@" </dev/null >/dev/null 2>&1' sh "$work/bin/brief" "$2" "$work/go" "$1")
	while [ "$(wc -w <"/proc/$pid/task/$pid/children")" != "$2" ]; do sleep 0.01; done
	run_tool "$tool" save --all
	[ "$status" = 0 ] || echo "# save: $err"
	end "$pid"
	reboot
}
for how in 0 7 -11; do
	brief $how 2
	: >"$work/go"
	run_tool "$tool" restore --all
	verdict "it ends soon after ($how): started afresh, with the reason" "$(
		says 0 1 "restore: brief: started afresh: it was restored and ended within 2 seconds"
		started brief
		[ "$(shelves)" = "brief.tck.failed " ] || shelves
		running brief
	)"
done
# Its root ends, and children that would stand in the way of the new one do not.
cat >"$work/bin/tree" <<'END'
#!/bin/sh
sh -c 'while :; do sleep 0.1; done' tree-child &
while [ ! -e "$1" ]; do sleep 0.05; done
exit 3
END
chmod 755 "$work/bin/tree"
service tree "command=tree" "settle=2" "start=echo tree >>$work/started"
rm -f "$work/go" "$work/etc/brief.conf"
# shellcheck disable=SC2016
pid=$(setsid --fork sh -c 'echo $$; exec "$@" </dev/null >/dev/null 2>&1' sh "$work/bin/tree" "$work/go")
while [ "$(wc -w <"/proc/$pid/task/$pid/children")" -lt 2 ]; do sleep 0.01; done
run_tool "$tool" save --all
[ "$status" = 0 ] || echo "# save: $err"
end "$pid"
reboot
(sleep 1; : >"$work/go") &
run_tool "$tool" restore --all
verdict "its root ends within a second: the rest of it is ended, too" "$(
	says 0 1 "tree: started afresh: it was restored and ended within 2 seconds"
	started tree
	pgrep -f tree-child
)"
clean

# It takes too long: a dead process that keeps its number is waited for
service slow "command=slow" "settle=0" "timeout=1" "start=echo slow >>$work/started"
begin slow
run_tool "$tool" save --all
act take-dead "$pid"
run_tool "$tool" restore --all
verdict "it takes longer than timeout=: started afresh, nothing of it is left" "$(
	says 0 1 "slow: started afresh: it took too long"
	started slow
	running slow
	[ "$(shelves)" = "slow.tck.failed " ] || shelves
)"
end "$actor"
clean

# The time is up just when it is back, before its tool could say so: that was stopped, here, while the agent went on
service slow "command=slow" "settle=0" "timeout=3" "start=echo slow >>$work/started"
begin slow
run_tool "$tool" save --all
act take-dead "$pid"
timeout -s KILL 10 "$tool" restore --all >"$work/out" 2>"$work/err" </dev/null &
agent=
while [ -z "$agent" ] && [ -e /proc/$! ]; do
	one=$(pgrep -P "$(pgrep -P $!)") && agent=$(pgrep -P "$one")
done
kill -STOP "$one"
end "$actor"
wait $!
status=$?
take_output
verdict "its tool is killed when it is back: it is left alone" "$(
	says 0 1 "slow: restored, as process $pid"
	not_started
	[ "$(running slow)" = "$pid " ] || running slow
	[ "$(shelves)" = "slow.tck.done " ] || shelves
)"
clean

# Starting
service alpha "command=alpha" "settle=1" "start=exit 3"
run_tool "$tool" restore --all
verdict "a start that fails" "$(says 1 1 "alpha: does not run: its start= line ended with exit status 3; not restored: there is no image")"
verdict "the system's log says it as an error" "$(logged syslog "^<27>tinyckpt: alpha: does not run")"
service alpha "command=alpha" "settle=1" "start=kill -9 \$\$"
run_tool "$tool" restore --all
verdict "a start that is killed" "$(says 1 1 "alpha: does not run: its start= line was ended by signal 9")"
service alpha "command=alpha" "settle=1" "start=nowhere/at/all"
run_tool "$tool" restore --all
verdict "a start of what does not exist" "$(status_line=$(grep -v '^sh:' <<<"$err"); [[ $status = 1 && $status_line =~ "exit status 127" ]] || echo "$status: $err")"
service alpha "command=alpha"
run_tool "$tool" restore --all
verdict "no start= line" "$(says 1 1 "alpha: does not run: it has no start= line")"
service alpha "command=alpha" "settle=1" "start=exec $work/bin/alpha </dev/null >/dev/null 2>&1"
run_tool "$tool" restore --all
pid=$(running alpha)
verdict "a start that stays is left to run" "$(says 0 1 "alpha: started afresh"; well "${pid% }")"
run_tool "$tool" save --all
verdict "and can be saved" "$(says 0 1 "alpha: saved, as process ${pid% }")"
end "${pid% }"
service alpha "command=alpha" "settle=1" "start=for f in /proc/self/fd/*; do readlink \$f; done >$work/fds; readlink /proc/self/cwd >$work/cwd; grep -E '^Sig(Ign|Blk)' /proc/self/status >$work/signals; cat </dev/null"
rm "$images"/*
exec 8>"$work/place/leak"
timeout -s KILL 10 env --block-signal=TERM,USR1 "$tool" restore --all >"$work/out" 2>"$work/err" <"$work/place/leak"
status=$?
take_output
exec 8>&-
verdict "nothing comes down to what is started" "$(
	says 0 1 "alpha: started"
	! grep -q leak "$work/fds" || cat "$work/fds"
	[ "$(cat "$work/cwd")" = / ] || cat "$work/cwd"
	# No more than what came down to the tool.
	while read -r set signals; do
		own=$(awk -v set="$set" '$1 == set { print $2 }' /proc/self/status)
		[ "$set" != SigBlk: ] || own=0
		[ $((16#$signals & ~16#$own)) = 0 ] || echo "$set $signals, here $own"
	done <"$work/signals"
)"
clean

# The kernel's log is there when the daemon's is not yet.
mv /dev/log /dev/log.away
service alpha
run_tool "$tool" restore --all
verdict "without a syslog daemon the kernel's log says it" "$(logged kmsg "^<29>tinyckpt: alpha: started afresh: there is no image$")"
mv /dev/log.away /dev/log
mv /dev/kmsg /dev/kmsg.away
once alpha
# shellcheck disable=SC2046
end $(running alpha)
run_tool "$tool" restore --all
verdict "without either it works all the same" "$(says 0 1 "alpha: (started afresh|runs already)"; once alpha)"
mv /dev/kmsg.away /dev/kmsg
clean

# An init that ignores SIGCHLD hands that down; a child that leaves no status is no success, and nothing waits for ever.
service alpha
shut alpha
run_tool env --ignore-signal=CHLD "$tool" restore --all
verdict "SIGCHLD is ignored: it comes back" "$(says 0 1 "alpha: restored, as process ${pids[0]}"; not_started)"
end "${pids[0]}"
reboot
service alpha "command=alpha" "settle=1" "start=exit 3"
run_tool env --ignore-signal=CHLD "$tool" restore --all
verdict "SIGCHLD is ignored: a start that fails is told" "$(says 1 1 "alpha: does not run: its start= line ended with exit status 3")"
clean

# A console that is held, a log daemon that hangs: nobody reads what is said.
service alpha
service beta
mkfifo "$work/full"
exec 7<>"$work/full"
timeout 1 cat /dev/zero >&7
timeout -s KILL 10 "$tool" restore --all >"$work/out" 2>&7 </dev/null 7>&-
status=$?
verdict "nobody reads standard error: all start" "$([ $status = 0 ] || echo "exit status $status"; started alpha beta)"
verdict "and the system's log says so" "$(logged syslog "^<29>tinyckpt: beta: started afresh: there is no image$")"
exec 7>&-
# shellcheck disable=SC2046
end $(running alpha) $(running beta)
clean

# Names of one's own choosing in messages
service alpha "command=alpha" "settle=0" "start=true"
mkdir "$images"
echo x >"$images/alpha.tck"
mv "$images" "$work/with"$'\n'"newline"
TINYCKPT_DIR="$work/with"$'\n'"newline" run_tool "$tool" restore --all
verdict "a newline in a path makes no second line" "$(says 0 1 "newline/alpha.tck")"
verdict "in the system's log neither" "$(logged syslog 'with.x0anewline/alpha.tck')"
rm -rf "$work/with"$'\n'"newline"

# A medium that nothing can be written to: an attempt that cannot be marked is none.
service alpha
shut alpha
mount --bind "$images" "$images" && mount -o remount,ro,bind "$images"
run_tool "$tool" restore --all
verdict "an image whose attempt cannot be written down is not tried: started afresh" "$(
	says 0 1 "alpha: started afresh: .*Read-only"
	started alpha
	[ "$(shelves)" = "alpha.tck " ] || shelves
)"
umount "$images"
clean

# A medium that tells of an error only when it is asked whether all is there
service alpha
shut alpha
run_tool "$build/deny" fsync -- "$tool" restore --all
verdict "an image whose attempt is not on its medium is not tried: started afresh" "$(
	says 0 1 "alpha: started afresh: alpha.tck.trying: its name cannot be written to its medium"
	started alpha
	[ "$(shelves)" = "alpha.tck.trying " ] || shelves
)"
clean

# What is the matter with the folder is the reason, not that there was no image; and none is used up by it.
service alpha
shut alpha
mv "$images" "$work/elsewhere"
ln -s "$work/nowhere" "$images"
run_tool "$tool" restore --all
verdict "the folder is a link to what is not there" "$(says 0 1 "alpha: started afresh: .*var: No such file"; started alpha)"
verdict "the system's log says why" "$(logged syslog "^<29>tinyckpt: alpha: started afresh: .*var: No such file")"
# shellcheck disable=SC2046
end $(running alpha)
reboot
rm "$images"
: >"$images"
run_tool "$tool" restore --all
verdict "the folder is a file" "$(says 0 1 "alpha: started afresh: .*var: Not a directory"; started alpha)"
# shellcheck disable=SC2046
end $(running alpha)
reboot
rm "$images"
ln -s "$work/elsewhere" "$images"
# shellcheck disable=SC2016
run_tool unshare --mount --propagation private sh -c 'umount -l /proc; exec "$@"' sh "$tool" restore --all
verdict "no /proc: the image is not used up" "$(says 0 1 "alpha: started afresh: /proc is not mounted"; [ -e "$images/alpha.tck" ] || ls "$images/")"
# shellcheck disable=SC2046
end $(running alpha)
reboot
run_tool unshare --pid --fork "$tool" restore --all
verdict "/proc of another PID namespace: the image is not used up" "$(
	says 0 1 "alpha: started afresh: /proc .*shows another"
	[ -e "$images/alpha.tck" ] || ls "$images/"
)"
# shellcheck disable=SC2046
end $(running alpha)
reboot
run_tool "$tool" restore --all
verdict "the folder is a link: it comes back" "$(says 0 1 "alpha: restored, as process ${pids[0]}")"
clean
rm -rf "$work/elsewhere"

# Never twice: two files of one service, and a start= line that starts another service.
service alpha
begin alpha
run_tool "$tool" save --all
end "$pid"
reboot
service aaa "pidfile=$work/run/alpha.pid" "settle=0" "start=$work/bin/begin alpha"
run_tool "$tool" restore --all
verdict "two files of one service: it comes back, and is not started as well" "$(
	says 0 2 "aaa: runs already, as process $pid.*alpha: restored, as process $pid"
	not_started
)"
end "$pid"
clean
service alpha "command=alpha" "start=$work/bin/begin alpha; $work/bin/begin beta"
service beta "command=beta" "start=$work/bin/begin beta"
run_tool "$tool" restore --all
verdict "what another's start= line has started is not started once more" "$(says 0 2 "alpha: started afresh.*beta: runs already"; started alpha beta)"
# shellcheck disable=SC2046
end $(running alpha) $(running beta)
clean

# In a PID namespace of its own it has another number outside.
if [[ $("$tool" restore --pidns "$work/none" 2>&1) == *CONFIG_PIDNS* ]] || ! unshare --pid true 2>/dev/null; then
	skip "pidns=yes" "no CONFIG_PIDNS, or a kernel that has none"
else
	for how in "pidfile=$work/run/alpha.pid" "command=alpha"; do
		service alpha "$how" "settle=1" "pidns=yes" "start=$work/bin/begin alpha"
		begin alpha
		first=$pid
		for round in once twice; do
			run_tool "$tool" save --all
			[ "$status" = 0 ] || echo "# save: $err"
			gone alpha
			reboot
			act take "$first"
			run_tool "$tool" restore --all
			end "$actor"
			pid=$(running alpha)
			verdict "pidns=yes, ${how%%=*}=, $round: it comes back, though its number is taken, and is not started as well" "$(
				says 0 1 "alpha: restored, as process ${pid% }$"
				not_started
				[ "$(shelves)" = "alpha.tck.done " ] || shelves
				[[ $how != pid* ]] || [ "$(cat "$work/run/alpha.pid") " = "$pid" ] || cat "$work/run/alpha.pid"
			)"
		done
		# shellcheck disable=SC2046
		end $(running alpha)
		clean
	done
	service tree "command=tree" "settle=2" "pidns=yes" "start=echo tree >>$work/started"
	rm -f "$work/go"
	# shellcheck disable=SC2016
	pid=$(setsid --fork sh -c 'echo $$; exec "$@" </dev/null >/dev/null 2>&1' sh "$work/bin/tree" "$work/go")
	while [ "$(wc -w <"/proc/$pid/task/$pid/children")" -lt 2 ]; do sleep 0.01; done
	run_tool "$tool" save --all
	[ "$status" = 0 ] || echo "# save: $err"
	(sleep 1; : >"$work/go") &
	run_tool "$tool" restore --all
	verdict "pidns=yes, its root ends within a second: the rest of it is ended, too" "$(
		says 0 1 "tree: started afresh: it was restored and ended within 2 seconds"
		started tree
		pgrep -f tree-child
	)"
	refuses "pidns=yes and --foreground" 2 "foreground" restore --service tree --foreground
	rm "$work/etc/tree.conf"
fi
clean

# Two at a time
service alpha
mkdir "$images"
exec 8<"$images"
flock 8
timeout 5 "$tool" restore --all 2>"$work/err" 8<&- &
sleep 0.3
verdict "a second one waits for the first" "$([ ! -e "$work/started" ] || echo "it has started")"
exec 8<&-
wait $!
verdict "and goes on then" "$(started alpha)"
clean

service alpha "command=alpha" timeout=0 settle=0 "start=$work/bin/begin alpha"
shut alpha
exec 8<"$images"
flock 8
timeout 8 "$tool" restore --all >"$work/out" 2>"$work/err" </dev/null 8<&- &
sleep 3
exec 8<&-
wait $!
status=$?
take_output
verdict "where a restore has no bound, nobody is given up who restores just now" "$(says 0 1 "alpha: restored"; not_started)"
clean

# one for each service, as units of an init have it
names="one two three four five six"
for name in $names; do
	service $name "command=$name" "timeout=1" "settle=1" "start=echo $name >>$work/started"
done
# shellcheck disable=SC2086
shut $names
jobs=()
for name in $names; do
	timeout -s KILL 30 "$tool" restore --service $name 2>"$work/err.$name" &
	jobs+=($!)
done
wait "${jobs[@]}"
verdict "each service by a restore of its own, all at once: each comes back" "$(
	for name in $names; do
		grep -q "$name: restored" "$work/err.$name" || cat "$work/err.$name"
	done
	not_started
)"
clean

# but anybody who may read the folder can lock it
service alpha "command=alpha" timeout=1 settle=0 "start=$work/bin/begin alpha"
mkdir "$images"
exec 8<"$images"
flock 8
timeout 8 "$tool" restore --all >"$work/out" 2>"$work/err" 8<&-
verdict "who locks the folder for ever keeps no service from being started" "$(started alpha; grep -q locked "$work/err" || cat "$work/err")"
timeout 8 "$tool" save --all >"$work/out" 2>"$work/err" 8<&-
verdict "nor a shutdown from going on" "$([ $? = 1 ] && grep -q locked "$work/err" || cat "$work/err")"
exec 8<&-
clean

# In the foreground, for an init that supervises
cp "$build/ends" "$work/bin/ending"
# foreground HOW: a restored tree; sets tool_pid, and pid, the root
foreground() {
	service ending "command=ending" "settle=0" "start=echo ending >>$work/started; exit 5"
	rm -f "$work/go"
	# shellcheck disable=SC2016
	pid=$(setsid --fork sh -c 'echo $$; exec "$@" </dev/null >/dev/null 2>&1' sh "$work/bin/ending" 3 "$work/go" "$1")
	while [ "$(wc -w <"/proc/$pid/task/$pid/children")" != 3 ]; do sleep 0.01; done
	run_tool "$tool" save --all
	[ "$status" = 0 ] || echo "# save: $err"
	end "$pid"
	timeout -s KILL 10 env --default-signal=INT,QUIT "$tool" restore --service ending --foreground >"$work/out" 2>"$work/err" </dev/null &
	tool_pid=$!
	for ((waited = 0; waited < 300; waited++)); do
		[ ! -e "$images/ending.tck.done" ] || break
		sleep 0.01
	done
}
for how in 0 7 -11; do
	rm -rf "$images"
	foreground "$how"
	exists "$pid" || echo "# it is not there: $(<"$work/err")"
	: >"$work/go"
	wait $tool_pid
	status=$?
	take_output
	verdict "in the foreground it ends as the workload does ($how)" "$(
		says "$((how < 0 ? 128 - how : how))" 1 "ending: restored, as process $pid"
		! exists "$pid" || echo "it is there"
		not_started
	)"
done
for signal in TERM HUP USR1 USR2 INT QUIT; do
	rm -rf "$images"
	foreground 0
	kill -$signal "$(pgrep -x tinyckpt)"
	wait $tool_pid
	status=$?
	take_output
	verdict "a signal goes to the workload ($signal)" "$(says $((128 + $(kill -l $signal))) 1 "restored"; gone ending)"
done
# held WHEN: a signal comes while it is being restored, or is not yet taken to stay; sets tool_pid, and pid
held() {
	rm -rf "$images"
	service ending "command=ending" "settle=8" "start=echo ending >>$work/started; exit 5"
	rm -f "$work/go"
	# shellcheck disable=SC2016
	pid=$(setsid --fork sh -c 'echo $$; exec "$@" </dev/null >/dev/null 2>&1' sh "$work/bin/ending" 0 "$work/go" 0)
	while [ "$(readlink "/proc/$pid/exe")" != "$work/bin/ending" ]; do sleep 0.01; done
	run_tool "$tool" save --all
	[ "$status" = 0 ] || echo "# save: $err"
	[ "$1" = late ] || act take-dead "$pid"
	"$tool" restore --service ending --foreground >"$work/out" 2>"$work/err" </dev/null &
	tool_pid=$!
	if [ "$1" = late ]; then
		once ending
	else
		while [ ! -e "$images/ending.tck.trying" ]; do sleep 0.01; done
	fi
	sleep 0.2
	kill -TERM $tool_pid
	[ "$1" = late ] || end "$actor"
	wait $tool_pid
	status=$?
	take_output
}
for when in early late; do
	begun=$SECONDS
	held $when
	verdict "a signal that comes before settle= is over is handed on ($when)" "$(
		says 143 1 "ending: restored, as process $pid"
		gone ending
		not_started
		[ "$(shelves)" = "ending.tck.done " ] || shelves
		[ $((SECONDS - begun)) -lt 7 ] || echo "after $((SECONDS - begun)) seconds"
	)"
	# shellcheck disable=SC2046
	end $(running ending)
done
# What is orphaned comes to it, and ends before the root does.
cat >"$work/bin/orphans" <<'END'
#!/bin/sh
while [ ! -e "$1" ]; do sleep 0.05; done
sh -c 'sleep 0.1 &'
sleep 0.5
exit 4
END
chmod 755 "$work/bin/orphans"
rm -rf "$images"
service orphans "command=orphans" "settle=0"
rm -f "$work/go"
# shellcheck disable=SC2016
pid=$(setsid --fork sh -c 'echo $$; exec "$@" </dev/null >/dev/null 2>&1' sh "$work/bin/orphans" "$work/go")
while [ "$(wc -w <"/proc/$pid/task/$pid/children")" != 1 ]; do sleep 0.01; done
run_tool "$tool" save --service orphans
[ "$status" = 0 ] || echo "# save: $err"
end "$pid"
(while [ ! -e "$images/orphans.tck.done" ]; do sleep 0.1; done; : >"$work/go") &
run_tool "$tool" restore --service orphans --foreground
verdict "in the foreground it takes orphans" "$(says 4 1 "orphans: restored"; gone orphans)"
wait $!
rm -f "$work/etc/orphans.conf"

rm -rf "$images"
foreground 0
# at once: as long as that one runs nobody else waits for it
run_tool timeout -s KILL 5 "$tool" save --service ending
verdict "what runs under a tinyckpt can be saved" "$(says 0 1 "saved, as process $pid")"
wait $tool_pid
status=$?
verdict "and that one ends with it" "$([ $status = 137 ] || echo "exit status $status"; [ "$(shelves)" = "ending.tck " ] || shelves)"
rm -f "$images"/*
run_tool "$tool" restore --service ending --foreground
verdict "nothing to restore: its start= line takes tinyckpt's place" "$(says 5 1 "ending: started afresh: there is no image"; started ending)"
service ending "command=ending" "start=sh -c 'sleep 1 & echo \$! >$work/orphan'; \
sed -n 's/^PPid:.//p' /proc/\$(cat $work/orphan)/status >$work/above; echo \$\$ >>$work/above"
run_tool "$tool" restore --service ending --foreground
verdict "what takes its place takes no orphans" "$(says 0 1 "ending: started afresh"; [ "$(sort -u "$work/above" | wc -l)" = 2 ] || cat "$work/above")"
refuses "--foreground with --all" 2 "foreground" restore --all --foreground
refuses "--foreground with save" 2 "foreground" save --service ending --foreground
clean
