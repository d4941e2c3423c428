# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# A shutdown. Sourced by run.

clean
pids=()
for name in alpha beta gamma; do
	service $name
	begin $name
	pids[${#pids[@]}]=$pid
done
run_tool "$tool" save --all
verdict "several are saved, the last one first, a line each" "$(
	says 0 3 "gamma: saved, as process ${pids[2]}.*beta: saved.*alpha: saved, as process ${pids[0]}"
	[ "$(shelves)" = "alpha.tck beta.tck gamma.tck " ] || shelves
	[ "$(stat -c %a "$images")" = 700 ] || stat -c %a "$images"
	running alpha; running beta; running gamma
)"
verdict "and a line each in the system's log" "$(logged syslog '^<29>tinyckpt: alpha: saved'; logged syslog '^<29>tinyckpt: gamma: saved')"
run_tool "$tool" save --all
verdict "a second time they do not run, and their images stay" "$(
	says 0 3 "alpha: does not run, its image is ready"
	[ "$(shelves)" = "alpha.tck beta.tck gamma.tck " ] || shelves
)"
end "${pids[@]}"

# What became of those before is of no use any more.
clean
service alpha
begin alpha
mkdir "$images"
for state in trying "done" failed; do echo old >"$images/alpha.tck.$state"; done
run_tool "$tool" save --all
verdict "what is left of older images goes" "$(says 0 1 "alpha: saved"; [ "$(shelves)" = "alpha.tck " ] || shelves)"
end "$pid"

# One that is refused goes on, the others are saved, and the worst decides.
clean
service alpha
service middle "command=actor"
service zulu
begin alpha
alpha=$pid
begin zulu
exec 8> >(exec cat >/dev/null) 9> >(exec cat >/dev/null 8>&-)
act sleep 8>&8 9>&9
exec 8>&- 9>&-
run_tool "$tool" save --all
verdict "one is refused: it runs on, and the others are saved" "$(
	says 3 3 "middle: not saved, it runs on: pid $actor .actor.: fd [89]: .*and 1 more"
	[ "$(shelves)" = "alpha.tck zulu.tck " ] || shelves
	well "$actor"
	running alpha; running zulu
)"
verdict "the system's log says why" "$(logged syslog "^<27>tinyckpt: middle: not saved, it runs on: pid $actor .actor.: fd")"
run_tool env --ignore-signal=CHLD "$tool" save --service middle
verdict "the same where SIGCHLD is ignored" "$(says 3 1 "middle: not saved, it runs on: "; well "$actor")"
run_tool "$tool" save -v --service middle
verdict "with -v all reasons are told" "$([ "$(grep -c 'fd [89]: ' <<<"$err")" -ge 2 ] || echo "it said: $err")"
run_tool "$tool" save -q --service middle
verdict "with -q that it failed" "$(says 3 1 "middle: not saved")"
end "$actor" "$alpha" "$pid"

# Nothing is saved, nothing stays.
clean
service middle "command=actor"
service alpha
exec 8> >(exec cat >/dev/null)
act sleep 8>&8
exec 8>&-
run_tool "$tool" save --all
verdict "none is saved: no folder for images was made" "$(says 3 2 "middle: not saved"; [ ! -e "$images" ] || echo "it is there")"
end "$actor"

# An image of an earlier life does not come back when the next save fails.
service middle "command=actor" "settle=0" "start=true"
act sleep 8</dev/null
run_tool "$tool" save --service middle
cp "$images/middle.tck" "$work/old"
end "$actor"
exec 8> >(exec cat >/dev/null)
act sleep 8>&8
exec 8>&-
run_tool "$tool" save --service middle
verdict "refused, with an older image there: that one is set aside" "$(
	says 3 1 "middle: not saved"
	[ ! -e "$images/middle.tck" ] || shelves
	cmp "$work/old" "$images/middle.tck.done" 2>&1
)"
end "$actor"
run_tool "$tool" restore --service middle
verdict "and does not come back" "$(says 0 1 "middle: started afresh: there is no image"; running actor)"

# Whoever has it end, or the machine, loses patience in the midst: beta, the first, writes slowly.
clean
service alpha
service beta "pidfile=$work/run/beta.pid" "rate=10K"
children=
for sig in TERM KILL; do
	begin alpha
	run_tool "$tool" save --service alpha
	gone alpha
	begin alpha
	alpha=$pid
	begin beta
	"$tool" save --all >"$work/out" 2>"$work/err" </dev/null &
	while ! grep -qs '^TracerPid:.[1-9]' "/proc/$pid/status"; do sleep 0.01; done
	[ $sig = TERM ] || children=$(pgrep -P $!)
	# shellcheck disable=SC2086 # PIDs
	kill -$sig $! $children
	wait $! 2>/dev/null
	status=$?
	take_output
	verdict "told to end by SIG$sig: all run on, and no image of an earlier life is left for one that was yet to come" "$(
		[ $sig = KILL ] || says 1 2 "beta: not saved, it runs on: .*signal 15.*alpha: not saved, it runs on: tinyckpt was told to end .signal 15"
		[ "$(shelves)" = "alpha.tck.done " ] || shelves
		well "$alpha"
		well "$pid"
	)"
	end "$alpha" "$pid"
done

# The tool at work dies when its image is in its place: the tree goes on, or it ends, and there is one of both.
service alpha
begin alpha
run_tool "$build/deny" "life at the end of a save" -- "$tool" save --service alpha
verdict "killed when the image is complete, before the tree is to end: that runs on, and the image does not come back" "$(
	says 1 1 "alpha: not saved, it runs on: tinyckpt was ended by signal 31"
	[ "$(shelves)" = "alpha.tck.done " ] || shelves
	well "$pid"
)"
run_tool "$build/deny" "life at the first kill" -- "$tool" save --service alpha
verdict "killed when the tree is to end: it does, and is saved" "$(
	says 0 1 "alpha: saved, as process $pid"
	[ "$(shelves)" = "alpha.tck " ] || shelves
	gone alpha
)"
end "$pid"
clean

# Options of a file
exec 8> >(exec cat >/dev/null)
# shellcheck disable=SC2016
pid=$(setsid --fork sh -c 'echo $$; exec "$1" </dev/null >&8 2>&1 8>&-' sh "$work/bin/alpha")
exec 8>&-
while [ "$(readlink "/proc/$pid/exe")" != "$work/bin/alpha" ]; do sleep 0.01; done
service alpha "command=alpha" "inherit-stdio=no"
run_tool "$tool" save --service alpha
verdict "an option that is off" "$(says 3 1 "fd 1"; well "$pid")"
service alpha "command=alpha" "inherit-stdio=yes"
run_tool "$tool" save --service alpha
verdict "an option that is on" "$(says 0 1 "alpha: saved")"
end "$pid"

# Every option that a file may name, as far as it is built in; and what is wrong with its value keeps the workload from being saved.
clean
printf 'file /** exact\n' >"$work/place/rules"
help=$("$tool" save --help; "$tool" restore --help)
options=()
for option in level=0 max-size=10M rate=100M "rules=$work/place/rules" embed=changed-risk clock=advance pidns=no; do
	[[ $help != *"--${option%%=*}"* ]] || options+=("$option")
done
service alpha "pidfile=$work/run/alpha.pid" settle=0 timeout=60 inherit-stdio=yes "${options[@]}"
begin alpha
run_tool "$tool" save --all
verdict "every option at once (${options[*]%%=*}): saved" "$(says 0 1 "alpha: saved, as process $pid"; gone alpha)"
run_tool "$tool" restore --all
verdict "and restored" "$(says 0 1 "alpha: restored, as process $pid"; well "$pid")"
for option in level=11 max-size=x rate=x rules=/nowhere/at/all embed=some clock=some; do
	[[ $help == *"--${option%%=*}"* ]] || continue
	service alpha "pidfile=$work/run/alpha.pid" "$option"
	run_tool "$tool" save --all
	verdict "$option: it runs on" "$([[ $status != 0 && $err == *"alpha: not saved, it runs on: "* ]] || echo "$status: $err"; well "$pid")"
done
end "$pid"
clean

# Room: what the last one left is removed when there is none.
clean
service alpha
begin alpha
mkdir "$images"
mount -t tmpfs -o size=64k,mode=700 tmpfs "$images"
cat /dev/zero >"$images/alpha.tck.done" 2>/dev/null
run_tool "$tool" save --all
verdict "no room beside the last image: that is removed, as it came back" "$(
	says 0 1 "alpha: saved"
	[ "$(shelves)" = "alpha.tck " ] || shelves
)"
end "$pid"
begin alpha
rm "$images/alpha.tck"
cat /dev/zero >"$images/other" 2>/dev/null
run_tool "$tool" save --all
verdict "no room at all: it runs on" "$(says 1 1 "alpha: not saved, it runs on: .*(space|room)"; well "$pid"; [ "$(shelves)" = "other " ] || shelves)"
umount "$images"
clean
service alpha
begin alpha
mkdir "$images"
for state in "done" failed; do echo old >"$images/alpha.tck.$state"; done
run_tool "$build/deny" fsync -- "$tool" save --all
verdict "what fails for another reason than room: it is not done twice, and no older image is removed" "$(
	says 1 1 "alpha: not saved, it runs on: alpha.tck: cannot be written to its medium: I/O error"
	[ "$(shelves)" = "alpha.tck.done alpha.tck.failed " ] || shelves
	well "$pid"
)"
end "$pid"
clean

service alpha
begin alpha
: >"$images"
run_tool "$tool" save --all
verdict "no folder for images" "$(says 1 1 "alpha: not saved: .*var: Not a directory"; well "$pid")"
verdict "the system's log says why" "$(logged syslog "^<27>tinyckpt: alpha: not saved: .*var: Not a directory")"
rm "$images"
ln -s "$work/nowhere" "$images"
run_tool "$tool" save --all
verdict "the folder is a link to what is not mounted: nothing is saved beneath it" "$(
	says 1 1 "alpha: not saved: .*var: No such file"
	well "$pid"
	[ ! -e "$work/nowhere" ] || ls "$work/nowhere"
)"
rm "$images"
# shellcheck disable=SC2016
run_tool unshare --mount --propagation private sh -c 'umount -l /proc; exec "$@"' sh "$tool" save --all
verdict "no /proc" "$([ ! -e /proc/1/stat ] || says 1 1 "alpha: not saved: /proc is not mounted"; well "$pid")"
end "$pid"
clean
