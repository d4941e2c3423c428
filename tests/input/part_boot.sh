# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# Process IDs after a boot: `boot` keeps those of images free, and restore is not in its own way. Sourced by run.

last=/proc/sys/kernel/ns_last_pid
if ! "$tool" --help | grep -q "^  boot "; then
	skip "process IDs after a boot" "built without CONFIG_PIDS"
	return
fi
mkdir "$work/images"
export TINYCKPT_DIR=$work/nowhere

# says PATTERN: about the last run
says() {
	[ "$status" = 0 ] || echo "exit status $status: $err"
	[[ $out =~ $1 ]] || echo "does not match /$1/: $out"
}
# next_above NUMBER: text when new processes get numbers up to that
next_above() {
	sh -c 'echo $$' >"$work/number"
	[ "$(cat "$work/number")" -gt "$1" ] || echo "a process got $(cat "$work/number"), which should be above $1"
}

refuses "boot with an argument" 2 "argument" boot "$work/images"
run_tool "$tool" boot
verdict "boot without a folder" "$(says "^no process IDs")"
TINYCKPT_DIR=$work/images
run_tool "$tool" boot
verdict "boot without images" "$(says "^no process IDs")"

if echo 300 2>/dev/null >$last; then
	run_tool "$tool" boot
	verdict "boot leaves low numbers to other boots" "$(says "^no process IDs to keep; those up to 1000 "; next_above 1000)"
fi
if ! echo 7000 2>/dev/null >$last; then
	skip "boot with images" "this kernel has no ns_last_pid, which plays the reboot here"
	return
fi
still
"$tool" save -o "$work/images/a.tck" "$pid" || fail "a save"
run_tool "$tool" boot
verdict "boot when the numbers were given before" "$(says "were given before")"

# The counter stands low, as after a boot.
echo 300 >$last
run_tool "$tool" boot
verdict "boot lifts the counter" "$(says "^process IDs up to $pid are kept for 1 image;"; next_above "$pid")"
echo 300 >$last
echo nothing >"$work/images/b.tck"
head -c 3000 "$work/images/a.tck" >"$work/images/c.tck"
touch "$work/images/d.txt" "$work/images/.e.tck"
run_tool "$tool" boot
verdict "boot names what cannot be read, and goes on" "$(
	says "^process IDs up to $pid are kept for 1 image;"
	next_above "$pid"
	[ "$lines" = 2 ] || echo "not two lines on standard error"
	for name in b c; do [[ $err == *"tinyckpt: boot: $work/images/$name.tck: "* ]] || echo "$name.tck is not named: $err"; done
)"
rm "$work"/images/[bcd].*

# The highest of all counts, in whatever order they are found.
highest=$pid
for name in x y; do
	echo 6500 >$last
	still
	"$tool" save -o "$work/images/$name.tck" "$pid" || fail "a save"
	end "$pid"
	[ $name = y ] || mv "$work/images/a.tck" "$work/a.tck"
	[ $name = y ] || cp -p "$work/a.tck" "$work/images/a.tck"
done
pid=$highest
echo 300 >$last
run_tool "$tool" boot
verdict "boot keeps the numbers of several" "$(says "^process IDs up to $pid are kept for 3 images;"; next_above "$pid")"
rm "$work/images"/[xy].tck
read -r frame < <("$build/falsify" list "$work/images/a.tck" | awk '$2 == 17 { print $1; exit }')
"$build/falsify" "$work/images/a.tck" "$work/images/b.tck" drop "$frame"
echo 300 >$last
run_tool "$tool" boot
verdict "boot names an image that does not tell its numbers" "$(says "^process IDs up to $pid are kept for 1 image;"
	[[ $lines = 1 && $err == *"b.tck: it does not tell its process IDs"* ]] || echo "it said: $err")"
rm "$work/images/b.tck"

# Where the counter cannot be set, numbers are used up.
echo 300 >$last
if mount --bind /dev/null $last 2>/dev/null; then
	run_tool "$tool" boot
	umount $last
	verdict "boot without ns_last_pid" "$(says "^process IDs up to $pid are kept"; next_above "$pid")"
else
	skip "boot without ns_last_pid" "it cannot be hidden here"
fi
if [ -w /proc/sys/kernel/pid_max ] && end=$(cat /proc/sys/kernel/pid_max) && echo 6000 2>/dev/null >/proc/sys/kernel/pid_max; then
	echo 300 >$last
	run_tool "$tool" boot
	echo $((pid + 500)) >/proc/sys/kernel/pid_max
	verdict "boot where the kernel gives no such numbers" "$(complaint 1 boot "pid $pid.*pid_max")"
	run_tool "$tool" boot
	echo "$end" >/proc/sys/kernel/pid_max
	verdict "boot warns of the end of numbers" "$(says "^process IDs up to $pid are kept"
		[[ $lines = 1 && $err == *"warning: pid $pid of an image is near the end"* ]] || echo "it said: $err")"
else
	skip "boot where the kernel gives no such numbers" "pid_max cannot be set here"
fi

# run_tool's timeout gets the first number, the tool the second, its child the third.
image=$work/images/a.tck
echo $((pid - 3)) >$last
accepts "restore when its child has the number" restore -d "$image"
verdict "the workload is well" "$(well "$pid")"
end "$pid"
echo $((pid - 2)) >$last
refuses "restore when it has the number itself" 1 "pid $pid is tinyckpt's own" restore -d "$image"
# In the process that it goes on in it still ends with the tool.
mkfifo "$work/feed"
{
	exec 9>"$work/feed"
	head -c 1000 "$image" >&9
	sleep 2
	tail -c +1001 "$image" >&9 2>/dev/null
} 2>/dev/null &
exec 8<"$work/feed"
sleep 0.5 # what feeds it takes numbers, too
echo $((pid - 2)) >$last
"$tool" restore -d - <&8 >"$work/out" 2>"$work/err" &
exec 8<&-
agent=$((pid + 1))
for ((SECONDS = 0; SECONDS < 5;)); do # by nothing that takes a number
	[ ! -e "/proc/$agent" ] || break
done
moved=$(sed -n 's/^PPid:.//p' "/proc/$agent/status" 2>/dev/null)
tool_pid=$!
disown $tool_pid
kill -KILL $tool_pid
sleep 0.2
verdict "restore killed when its child had the number: that ends, too" "$(
	[ "$moved" = $tool_pid ] || echo "$agent is a child of $moved, and was to be one of $tool_pid"
	[ -z "$(pgrep -x tinyckpt)" ] || pgrep -xa tinyckpt)"
rm "$work/feed"
accepts "restore started again" restore -d "$image"
verdict "the workload is well again" "$(well "$pid")"
echo $((pid + 100)) >$last
run_tool "$tool" verify "$image"
verdict "verify names who has the number" "$([[ $err == *"pid $pid is taken, by process $pid (still)"* ]] || echo "it said: $err")"
end "$pid"
echo $((pid - 2)) >$last
run_tool "$tool" verify "$image"
verdict "verify is not in its own way" "$(says "whole; would restore here")"
act take-tid "$pid"
if [ "$number" = "$pid" ]; then
	refuses "restore names the thread that has the number" 1 "pid $pid is taken, by a thread of process $actor" restore -d "$image"
else
	skip "restore names the thread that has the number" "no thread would get it"
fi
end "$actor"
unset TINYCKPT_DIR
