# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# A good image that meets a world in which it cannot come back. Sourced by run.

image=$work/world.tck
mkdir "$work/place"
cp "$build/still" "$work/place/program"

# saved [FILE [<>]]: a workload with its own copy of the program, in its own directory, with FILE open for reading, and for appending
saved() {
	pid=$(cd "$work/place" && setsid --fork sh -c "echo \$\$; exec \"\$1\" ${2:-<}\"\$2\" >>\"\$2\" 2>&1" sh ./program "${1:-/dev/null}")
	while [ "$(readlink "/proc/$pid/exe")" != "$work/place/program" ]; do sleep 0.01; done
	run_tool "$tool" save -o "$image" "$pid"
	[ "$status" = 0 ] || echo "# save: $err"
	end "$pid"
}

# stays_away NAME STATUSES PATTERN: restore refuses, nothing is left, the image is whole
stays_away() {
	refuses "restore $1" "$2" "$3" restore -d "$image"
	verdict "restore $1 leaves no process and the image as it was" "$(
		[ "${4:-}" = taken ] || ! exists "$pid" || echo "pid $pid is there"
		cmp "$image" "$work/kept" 2>&1
	)"
}
comes_back() {
	accepts "restore when that is mended ($1)" restore -d "$image"
	verdict "the workload is well ($1)" "$(well "$pid")"
	end "$pid"
}

saved
cp "$image" "$work/kept"

act take "$pid"
stays_away "when its PID is another process" 1 "$pid" taken
verdict "the other process is well" "$(well "$pid")"
end "$actor" "$pid"
comes_back "the other process has ended"

for try in 1 2 3 4 5; do
	act take-tid "$pid"
	[ "$number" != "$pid" ] || break
	end "$actor"
done
if [ "$number" = "$pid" ]; then
	stays_away "when its PID is a thread of another process" 1 "$pid" taken
	verdict "that process is well" "$(well "$actor")"
else
	skip "restore when its PID is a thread of another process" "no thread would get that number"
fi
end "$actor"

# Threads are made all at once; one of them, in the middle, cannot get its number.
one=$image
image=$work/threads.tck
act thread
pid=$actor
third=$(ls "/proc/$pid/task" | sort -n | sed -n 3p)
run_tool "$tool" save -o "$image" "$pid"
[ "$status" = 0 ] || echo "# save: $err"
cp "$image" "$work/kept"
end "$pid"
act take "$third"
stays_away "when the PID of one of its threads is another process" 1 "pid $third is taken, by process $third .actor"
verdict "the process that has the thread's PID is well" "$(well "$third")"
end "$actor" "$third"
comes_back "it has ended, of four threads"
image=$one
saved
cp "$image" "$work/kept"

act zombie
zombie=$number
end "$actor"
accepts "restore" restore -d "$image"
refuses "restore while the same workload runs" 1 "$pid" restore -d "$image"
verdict "the one that runs is well" "$(well "$pid")"
end "$pid"

mv "$work/place" "$work/elsewhere"
stays_away "when its directory and program are missing" 1,4 "place"
mv "$work/elsewhere" "$work/place"
comes_back "they are back"

mv "$work/place/program" "$work/program"
stays_away "when its program is missing" 1,4 "program"
cp "$build/actor" "$work/place/program"
stays_away "when its program is another one" 1,4 "program"
mkdir "$work/empty-directory"
rm "$work/place/program"
mkdir "$work/place/program"
stays_away "when its program is a directory" 1,4 "program"
rmdir "$work/place/program"
mkfifo "$work/place/program"
stays_away "when its program is a FIFO" 1,4 "program"
rm "$work/place/program"
mv "$work/program" "$work/place/program"
comes_back "the program is back"

chmod 000 "$work/place/program"
run_tool "$tool" restore -d "$image"
verdict "restore with a program that may not be executed: as root, or a clear line" "$(
	[ "$status" = 0 ] || complaint 1,4 restore "program"
)"
end "$pid"
chmod 755 "$work/place/program"

# What decides is the content.
touch "$work/place/program"
comes_back "its program has another time"
cp "$work/place/program" "$work/program"
printf x | dd of="$work/place/program" bs=1 seek=9 conv=notrunc status=none
touch -r "$work/program" "$work/place/program"
stays_away "when its program has another byte" 4 "place/program: changed since the save: its content"
mv "$work/program" "$work/place/program"
comes_back "its program is another inode"

# A log
echo one >"$work/log-file"
saved "$work/log-file"
cp "$image" "$work/kept"
mv "$work/log-file" "$work/log-file.away"
stays_away "when an open file is missing" 1,4 "log-file"
: >"$work/log-file"
stays_away "when an open file has shrunk" 1,4 "log-file"
rm "$work/log-file"
mkdir "$work/log-file"
stays_away "when an open file is a directory" 1,4 "log-file"
rmdir "$work/log-file"
mkfifo "$work/log-file"
stays_away "when an open file is a FIFO" 1,4 "log-file"
rm "$work/log-file"
ln -s nowhere "$work/log-file"
stays_away "when an open file is a dangling link" 1,4 "log-file"
rm "$work/log-file"
mv "$work/log-file.away" "$work/log-file"
comes_back "the log is back"
echo two >>"$work/log-file"
run_tool "$tool" restore -d "$image"
verdict "restore with a log that has grown: comes back, or a clear line" "$([ "$status" = 0 ] || complaint 1,4 restore log-file)"
end "$pid"
saved "$work/log-file" '<>'
cp "$image" "$work/kept"
mv "$work/log-file" "$work/log-file.away"
mkfifo "$work/log-file"
stays_away "when a file that is open to be read and written is a FIFO" 1,4 "log-file: another kind of file"
rm "$work/log-file"
mv "$work/log-file.away" "$work/log-file"

mknod -m 600 "$work/device" c 1 3
saved "$work/device"
cp "$image" "$work/kept"
rm "$work/device"
mknod -m 600 "$work/device" c 1 5
stays_away "when a device is another one" 4 "device: another device has this name now"
run_tool "$tool" verify "$image"
verdict "verify says so, too" "$([ "$status" = 4 ] && [[ $err == *"device: another device has this name now"* ]] || echo "exit status $status: $err")"
rm "$work/device"
mknod -m 600 "$work/device" c 1 3
comes_back "the device is the same again"

: >"$work/locked"
act lock "$work/locked"
pid=$actor
accepts "save of what holds a lock" save -o "$image" "$pid"
cp "$image" "$work/kept"
act lock "$work/locked"
stays_away "when somebody else has its lock" 1 "fd 3: process $actor holds the lock that it held"
end "$actor"
comes_back "its lock is free"

# A file that a dying process has a mutex in would be told of its death.
act mutex "$work/mutex"
pid=$actor
cp "$work/mutex" "$work/mutex.held"
accepts "save of what holds a robust mutex" save -o "$image" "$pid"
refuses "restore that fails at its very end" 1 "pidfile" restore -d --pidfile "$work/none/pidfile" "$image"
verdict "the mutex is held, as before" "$(cmp "$work/mutex" "$work/mutex.held" 2>&1)"
accepts "restore of what holds a robust mutex" restore -d "$image"
end "$pid"

# What the kernel makes up as it is read has the time of the first look at it since the machine was booted.
kernels=(/proc/stat /sys/kernel/uevent_seqnum)
# shellcheck disable=SC2016
pid=$(cd "$work/place" && setsid --fork sh -c 'echo $$; exec ./program <"$1" 3<"$2" >/dev/null 2>&1' sh "${kernels[@]}")
while [ "$(readlink "/proc/$pid/exe")" != "$work/place/program" ]; do sleep 0.01; done
accepts "save of what has files of /proc and /sys open" save -o "$image" "$pid"
touch -d @1 "${kernels[@]}"
verdict "they have another time" "$([ "$(stat -c %Y "${kernels[@]}")" = $'1\n1' ] || stat "${kernels[@]}")"
comes_back "files of /proc and /sys have another time"

# So many descriptors as restore takes must be there to be had.
# shellcheck disable=SC2016
pid=$(cd "$work/place" && setsid --fork prlimit --nofile=130:130 bash -c \
	'echo $$; for fd in {20..60}; do eval "exec $fd</dev/null"; done; exec ./program </dev/null >/dev/null 2>&1')
while [ "$(readlink "/proc/$pid/exe")" != "$work/place/program" ]; do sleep 0.01; done
limited() { run_tool prlimit --nofile="$1:$1" setpriv --bounding-set -sys_resource --inh-caps -sys_resource "$tool" "${@:2}"; }
limited 90 save -o "$work/limited.tck" "$pid"
verdict "save where restore could not have the descriptors it takes" "$(complaint 3 save RLIMIT_NOFILE; well "$pid")"
limited 130 save -o "$work/limited.tck" "$pid"
verdict "save where it could" "$([ "$status" = 0 ] || echo "exit status $status: $err")"
limited 90 verify "$work/limited.tck"
verdict "verify where restore could not" "$([ "$status" = 1 ] && [[ $err == *RLIMIT_NOFILE* ]] || echo "exit status $status: $err")"
limited 130 restore -d "$work/limited.tck"
verdict "restore where it can" "$([ "$status" = 0 ] || echo "exit status $status: $err"; well "$pid")"
end "$pid"
run_tool prlimit --nofile=90:130 setpriv --bounding-set -sys_resource --inh-caps -sys_resource "$tool" restore -d "$work/limited.tck"
verdict "restore where it can, once it has asked" "$([ "$status" = 0 ] || echo "exit status $status: $err"; well "$pid")"
end "$pid"
if prlimit --nofile=90:90 prlimit --nofile=91:91 true 2>/dev/null; then
	run_tool prlimit --nofile=90:90 "$tool" restore -d "$work/limited.tck"
	verdict "restore where it may have more" "$([ "$status" = 0 ] || echo "exit status $status: $err"; well "$pid")"
	end "$pid"
else
	skip "restore where it may have more" "CAP_SYS_RESOURCE is lacking"
fi

# A cgroup that may have the tool and one process more, which makes the tree, but not the tree.
pids=$(awk '$3 == "cgroup" && $4 ~ /(^|,)pids(,|$)/ { print $2; exit }' /proc/mounts)/tinyckpt-restore.$$
if mkdir "$pids" 2>/dev/null; then
	echo 2 >"$pids/pids.max"
	# shellcheck disable=SC2016
	run_tool sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$pids" "$tool" restore -d "$work/limited.tck"
	verdict "restore where a cgroup has no room" "$(complaint 1 restore "cannot be made: .*a limit .*pids.max"; cat "$pids/cgroup.procs")"
	rmdir "$pids"
else
	skip "restore where a cgroup has no room" "no pids cgroup (version 1) here"
fi

# The lack of a right
cp "$tool" "$work/tinyckpt-nobody"
chmod 755 "$work/tinyckpt-nobody"
chmod 644 "$image"
run_tool setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --inh-caps -all "$work/tinyckpt-nobody" \
	restore -d "$image"
verdict "restore as somebody else" "$(complaint 1,4 restore .; ! exists "$pid" || echo "pid $pid is there")"
end "$pid"

# Somebody stops and continues a process that is on its way back.
act hold
pid=$actor
accepts "save of what is to be sent signals" save -o "$image" "$pid"
end "$pid"
act volley "$pid"
for try in 1 2 3 4 5 6; do
	run_tool "$tool" restore -d "$image"
	[ "$status" = 0 ] || break
	[ $try = 6 ] || end "$pid"
done
verdict "restore of what is stopped and continued meanwhile" "$([ "$status" = 0 ] || echo "exit status $status in try $try: $err")"
run_tool "$tool" save -o "$image" "$pid"
verdict "and a save of it" "$([ "$status" = 0 ] || echo "exit status $status: $err")"
end "$pid"
end "$actor" "$number"
run_tool "$tool" restore -d "$image"
kill -CONT "$pid"
kill -USR1 "$pid"
sleep 0.2
verdict "and it is well" "$(well "$pid")"
end "$pid"

# Whose parent restore is, and who is to get a signal when that ends, lives on.
(cd / && exec setsid setpriv --pdeathsig USR1 "$build/still" </dev/null >/dev/null 2>&1) &
pid=$!
while [ "$(readlink "/proc/$pid/exe")" != "$(realpath "$build/still")" ]; do sleep 0.01; done
accepts "save of what gets a signal when its parent ends" save -o "$image" "$pid"
run_tool "$tool" restore -d "$image"
sleep 0.1
verdict "restore -d of what gets a signal when its parent ends" "$(
	[[ $err == *"warning: "*"signal 10 at its parent's end"* ]] || echo "it said: $err"
	well "$pid"
)"
end "$pid"
