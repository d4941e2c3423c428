# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# Which process a file means. Sourced by run.

clean
service sensor "pidfile=$work/run/sensor.pid"
begin sensor

# finds NAME PATTERN STATUS: what a save says; it is refused or finds nothing, so that the process stays
ended_of() { ! exists "$1" || echo "pid $1 is there"; }
finds_none() {
	run_tool "$tool" save --all
	verdict "$1" "$(says "$2" 1 "$3"; well "$pid")"
}
rm "$work/run/sensor.pid"
finds_none "no pidfile" 1 "sensor: does not run: there is nothing to save"
: >"$work/run/sensor.pid"
finds_none "an empty pidfile" 1 "sensor: does not run"
echo 4194000 >"$work/run/sensor.pid"
finds_none "a pidfile of nobody" 1 "sensor: does not run"
for text in x 0 1 -5 "12 x" 12x 99999999999 "$(printf '%0100d' 5)"; do
	echo "$text" >"$work/run/sensor.pid"
	[ "$text" = "12 x" ] || finds_none "a pidfile with ${text:0:20}" 2 "sensor.pid: holds no process ID"
done
printf '%20d\n' "$pid" >"$work/run/sensor.pid"
run_tool "$tool" restore --service sensor
verdict "a pidfile with blanks before the number, as some daemons write it" "$(says 0 1 "sensor: runs already, as process $pid")"
echo "$pid" >"$work/run/sensor.pid"
chmod 666 "$work/run/sensor.pid"
finds_none "a pidfile that everybody may write" 2 "sensor.pid: is not a regular file of one name, or others may write it"
chmod 644 "$work/run/sensor.pid"
chown 65534 "$work/run/sensor.pid"
finds_none "a pidfile of somebody who does not own the process" 2 "belongs to user 65534, process $pid does not"
chown 0:65534 "$work/run/sensor.pid"
chmod 664 "$work/run/sensor.pid"
finds_none "a pidfile that a group may write" 2 "sensor.pid: is not a regular file of one name, or others may write it"
chown 0:0 "$work/run/sensor.pid"
ln "$work/run/sensor.pid" "$work/run/other-name"
finds_none "a pidfile of two names" 2 "sensor.pid: is not a regular file of one name"
rm "$work/run/other-name"
echo "1 x" >"$work/run/sensor.pid"
finds_none "a pidfile that root's group may write" 2 "holds no process ID"
echo "$pid" >"$work/run/sensor.pid"
chmod 644 "$work/run/sensor.pid"
mv "$work/run/sensor.pid" "$work/run/real"
ln -s real "$work/run/sensor.pid"
finds_none "a pidfile that is a symbolic link" 1 "sensor.pid: (Symbolic link loop|Too many levels)"
rm "$work/run/sensor.pid"
mkfifo "$work/run/sensor.pid"
finds_none "a pidfile that is a FIFO" 2 "sensor.pid: is not a regular file"
rm "$work/run/sensor.pid"

# A pidfile on a disk outlives a boot; so it takes the name along.
disk=$(mktemp "$root/build/services-tests/pid.XXXXXX")
if [[ $(stat -f -c %T "$disk") =~ tmpfs|ramfs ]]; then
	skip "a pidfile on a disk" "build/ is on a tmpfs"
else
	echo "$pid" >"$disk"
	service sensor "pidfile=$disk"
	finds_none "a pidfile on a disk" 2 "may be of an earlier boot: command= is needed as well"
	service sensor "pidfile=$disk" "command=other"
	finds_none "a pidfile on a disk whose number is another process's now" 1 "does not run"
	service sensor "pidfile=$disk" "command=sensor"
	run_tool "$tool" save --all
	verdict "a pidfile on a disk, with the command's name" "$(says 0 1 "sensor: saved, as process $pid"; ended_of "$pid")"
fi
rm -f "$disk"
end "$pid"

# A board is not to stay without it; who has two of them then can read why.
service sensor
mkdir -p "$work/run"
echo x >"$work/run/sensor.pid"
run_tool "$tool" restore --all
verdict "restore with a pidfile that tells nothing: it is brought back all the same, with a warning" "$(
	says 0 2 "warning: sensor: whether it runs already cannot be told: .*holds no process ID.*sensor: (restored|started)"
	once sensor
)"
# shellcheck disable=SC2046
end $(running sensor)

# By name
service longer-than-15-bytes "command=longer-than-15-bytes"
begin longer-than-15-bytes
first=$pid
begin longer-than-15-bytes
run_tool "$tool" save --service longer-than-15-bytes
verdict "by name: of two, the older" "$(says 0 1 "saved, as process $first"; ended_of "$first"; well "$pid")"
run_tool "$tool" save --service longer-than-15-bytes
verdict "by name: then the other" "$(says 0 1 "saved, as process $pid")"
run_tool "$tool" save --service longer-than-15-bytes
verdict "by name: then none" "$(says 0 1 "does not run, its image is ready")"
end "$first" "$pid"

# tinyckpt is nobody's workload, whatever the name of one.
service tinyckpt "command=tinyckpt"
run_tool "$tool" save --service tinyckpt
verdict "by name: not tinyckpt itself" "$(says 1 1 "tinyckpt: does not run: there is nothing to save")"
rm "$work/etc/tinyckpt.conf"

# A tree whose processes all have the name: its root, though its children may be older than a clock tick.
cp "$build/ends" "$work/bin/family"
service family "command=family"
# shellcheck disable=SC2016
pid=$(cd / && setsid --fork sh -c 'echo $$; exec "$1" 3 "$2" 0 </dev/null >/dev/null 2>&1' sh "$work/bin/family" "$work/go")
while [ "$(wc -w <"/proc/$pid/task/$pid/children")" != 3 ]; do sleep 0.01; done
run_tool "$tool" save --service family
verdict "by name: a tree's root" "$(says 0 1 "saved, as process $pid"; running family)"
rm -f "$work/etc/family.conf"

# By cgroup: that of this test's own processes is as good as any.
group=$(awk -F: '$1 == 0 || $2 ~ /systemd|memory|pids/ { print $3; exit }' /proc/self/cgroup)
if [ -z "$group" ]; then
	skip "by cgroup" "there are no cgroups"
else
	service here "cgroup=$group"
	run_tool "$tool" save --service here
	verdict "by cgroup: tinyckpt's own and its parents are not saved" "$(says 1 1 "here: not saved")"
	service here "cgroup=$group/nothing"
	run_tool "$tool" save --service here
	verdict "by cgroup: nothing in it" "$(says 1 1 "does not run")"
fi
hierarchy=$(mktemp -d "$work/cgroup.XXXXXX")
if mount -t cgroup2 none "$hierarchy" 2>/dev/null && mkdir -p "$hierarchy/tinyckpt-test.slice/daemon.service/part" 2>/dev/null; then
	cp "$build/still" "$work/bin/daemon"
	begin daemon
	if echo "$pid" >"$hierarchy/tinyckpt-test.slice/daemon.service/part/cgroup.procs" 2>/dev/null; then
		path=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
		first=$pid
		begin daemon
		echo "$pid" >"$hierarchy/tinyckpt-test.slice/daemon.service/part/cgroup.procs"
		service daemon "unit=daemon.service"
		run_tool "$tool" save --service daemon
		verdict "by unit: two trees in it are refused" "$(
			says 3 1 "holds processes that are no descendants of each other: ($first and $pid|$pid and $first)"
			well "$first"
			well "$pid"
		)"
		echo old >"$images/daemon.tck"
		run_tool "$tool" save --service daemon
		verdict "by unit: two trees in it, and an image of an earlier life: that is set aside" "$(
			says 3 1 "holds processes that are no descendants"
			[[ "$(shelves)" == "daemon.tck.done "* ]] || shelves
		)"
		service daemon "unit=daemon.service" "settle=0" "start=echo daemon >>$work/started"
		run_tool "$tool" restore --service daemon
		verdict "by unit: two trees in it run already, nothing is started beside them" "$(
			says 0 1 "daemon: runs already: its cgroup holds processes that are no descendants"
			not_started
		)"
		end "$first"
		service daemon "unit=emon.service"
		run_tool "$tool" save --service daemon
		verdict "by unit: a part of a name is no name" "$(says 1 1 "does not run"; well "$pid")"
		service daemon "unit=daemon.service"
		run_tool "$tool" save --service daemon
		verdict "by unit: its process, wherever its cgroup lies" "$(says 0 1 "saved, as process $pid"; ended_of "$pid")"
		begin daemon
		echo "$pid" >"$hierarchy/tinyckpt-test.slice/daemon.service/part/cgroup.procs"
		service daemon "cgroup=$path"
		run_tool "$tool" save --service daemon
		verdict "by cgroup: its process" "$(says 0 1 "saved, as process $pid"; ended_of "$pid")"
		# A cgroup is the restore's: from then on it is another one.
		for how in "cgroup=$path" "unit=daemon.service"; do
			service daemon "$how" "settle=0" "start=echo daemon >>$work/started"
			run_tool "$tool" restore --service daemon
			verdict "${how%%=*}=: it comes back" "$(says 0 1 "daemon: restored, as process $pid"; well "$pid")"
			run_tool "$tool" restore --service daemon
			verdict "${how%%=*}=: and is found in the cgroup that it has now, and not started as well" "$(
				says 0 1 "daemon: runs already, as process $pid"
				not_started
			)"
			cp "$images/.daemon.root" "$work/root"
			for change in 's/-/+/' "s/^$pid /$$ /" 's/$/x/' 's/^.*//'; do
				sed "$change" "$work/root" >"$images/.daemon.root"
				run_tool "$tool" save --service daemon
				verdict "${how%%=*}=: not by what is of another boot, or process ($change)" "$(says 1 1 "does not run"; well "$pid")"
			done
			cp "$work/root" "$images/.daemon.root"
			chmod 666 "$images/.daemon.root"
			run_tool "$tool" save --service daemon
			verdict "${how%%=*}=: nor by what others may have written" "$(says 1 1 "does not run"; well "$pid")"
			chmod 600 "$images/.daemon.root"
			run_tool "$tool" save --service daemon
			verdict "${how%%=*}=: it is saved the next time, too" "$(says 0 1 "daemon: saved, as process $pid"; gone daemon)"
		done
	else
		skip "by unit" "no process may move to another cgroup"
	fi
	end "$pid"
	rmdir "$hierarchy/tinyckpt-test.slice/daemon.service/part" "$hierarchy/tinyckpt-test.slice/daemon.service" \
		"$hierarchy/tinyckpt-test.slice"
else
	skip "by unit" "no cgroup can be made"
fi
umount "$hierarchy" 2>/dev/null
clean
