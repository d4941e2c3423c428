# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# Another firmware: files that have changed, ones that travel along, and a root directory that is only mounted. Sourced by run.

if ! "$tool" save --help | grep -q -- --embed; then
	skip "another firmware" "this tinyckpt was built without CONFIG_EMBED"
	return
fi

# What is mounted read-only is an update's to replace; what lies elsewhere under $work is not.
system=$work/system
mkdir "$system" "$system/etc" "$work/data"
cp "$build/still" "$system/program"
cp "$build/still" "$work/data/program"
echo conf >"$system/etc/conf"
mount --bind "$system" "$system" && mount -o remount,bind,ro "$system" || return
image=$work/firmware.tck

# saved PROGRAM [OPTION...]: a workload in etc/, with a file of the system and one of its own open
saved() {
	local program=$1
	shift

	# shellcheck disable=SC2016
	pid=$(cd "$system/etc" && setsid --fork sh -c 'echo $$; exec "$1" </dev/null >>"$2/data/log" 2>&1 7<conf' sh "$program" "$work")
	while [ "$(readlink "/proc/$pid/exe")" != "$program" ]; do sleep 0.01; done
	run_tool "$tool" save "$@" -o "$image" "$pid"
	[ "$status" = 0 ] || echo "# save: $err"
	end "$pid"
}
embedded() { "$tool" show "$image" | grep -c '^  embedded '; }

refuses "--embed of something unknown" 2 "embed" save --embed=all -o "$image" 1
saved "$system/program" --embed=changed-risk
verdict "--embed=changed-risk: what an update replaces" "$([ "$(embedded)" = 1 ] || echo "embedded: $(embedded)")"
saved "$work/data/program" --embed=changed-risk
verdict "--embed=changed-risk: not what it leaves" "$([ "$(embedded)" = 0 ] || echo "embedded: $(embedded)")"
saved "$work/data/program" --embed
verdict "--embed: programs wherever they are" "$([ "$(embedded)" = 1 ] || echo "embedded: $(embedded)")"

# Its first file is that of the root directory to be.
slot=$work/slot
fresh_slot() {
	rm -rf "$slot"
	mkdir -p "$slot$system/etc"
	cp "$system/program" "$slot$system/program"
	touch "$slot$system/program"
	cp -p "$system/etc/conf" "$slot$system/etc/conf"
}

# under NAME STATUS PATTERN: the verdict on $image under $slot, and what is said on standard error
under() {
	local text=

	run_tool "$tool" verify -v --root="$slot" "$image"
	[ "$status" = "$2" ] || text="exit status $status instead of $2"$'\n'
	[[ $out == "$image: whole; would "*"restore under $slot: "* ]] || text+="it said $out"$'\n'
	[[ $err == *"cannot be known"* ]] || text+="it does not say what cannot be known"$'\n'
	[[ $err =~ $3 ]] || text+="does not match /$3/: $err"
	verdict "verify --root: $1" "$text"
}

saved "$system/program"
fresh_slot
under "the same files, of another inode and time" 0 "data/log: looked at here"
printf x | dd of="$slot$system/program" bs=1 seek=64 conv=notrunc status=none
under "a program with another byte" 4 "$slot: $system/program: changed since the save: its content; .save --embed"
echo >>"$slot$system/program"
under "a program of another size" 4 "system/program: changed since the save: [0-9]+ bytes then"
rm "$slot$system/program"
under "no program" 4 "system/program: it is missing, and the workload has it mapped; .save --embed"
mkfifo "$slot$system/program"
under "a FIFO in the program's place" 4 "system/program: another kind"
fresh_slot
touch -d @1 "$slot$system/etc/conf"
under "an open file with another time" 4 "etc/conf: changed since the save"
rm "$slot$system/etc/conf"
under "an open file that is missing" 4 "etc/conf: it is missing, and the workload has it open"
rm -r "${slot:?}$system/etc"
under "a working directory that is missing" 4 "system/etc: it is missing"

# Links stay inside, whichever way they try.
fresh_slot
mkdir "$slot/usr"
mv "$slot$system" "$slot/usr/system"
ln -s /usr/system "$slot$system"
under "an absolute symbolic link inside" 0 "looked at here"
rm "$slot/usr/system/program"
mkdir "$work/outside"
cp "$build/still" "$work/outside/program"
ln -s "$work/outside/program" "$slot/usr/system/program"
under "a symbolic link to a file outside" 4 "system/program: it is missing"
ln -sf "../../../../../../../../../../..$work/outside/program" "$slot/usr/system/program"
under "a symbolic link that climbs out" 4 "system/program: it is missing"
ln -sf program "$slot/usr/system/program"
under "a symbolic link to itself" 4 "system/program"

refuses "verify --root of nothing" 1 "nowhere" verify --root="$work/nowhere" "$image"
refuses "verify --root of a file" 1 "program" verify --root="$work/data/program" "$image"
refuses "verify --root without a folder" 2 "root" verify "$image" --root

saved "$system/program" --embed
under "what travels along needs not be there" 0 "from the image"

# Back on a system where the program is another one.
umount "$system"
mv "$system/program" "$work/program.old"
cp "$build/actor" "$system/program"
accepts "restore with the program from the image" restore -d "$image"
verdict "it has its program" "$(cmp "/proc/$pid/exe" "$work/program.old" 2>&1)$(well "$pid")"
verdict "nobody can write to it" "$({ : >>"/proc/$pid/exe"; } 2>/dev/null && echo "the shell can")"
if command -v python3 >/dev/null && [[ $(readlink "/proc/$pid/exe") == /memfd:* ]]; then
	verdict "nor when it has ended, as long as it is held (fcntl(2), F_GET_SEALS)" "$(
		python3 -c "import fcntl, os; print(fcntl.fcntl(os.open('/proc/$pid/exe', os.O_RDONLY), 1034) & 15)" 2>&1 | grep -vx 15)"
else
	skip "nor when it has ended, as long as it is held" "it is in no memory, or there is no python3"
fi
end "$pid"

# Where no memory may be executed (vm.memfd_noexec, of a PID namespace alone), a file beside the image stands in for a program.
again=$work/again.tck
cat >"$work/confined" <<'SCRIPT'
echo 2 >/proc/sys/vm/memfd_noexec || exit 9
"$1" restore -d "$2" || exit
readlink "/proc/$4/exe"
"$1" save -o "$3" "$4"
SCRIPT
confined() { # IMAGE
	run_tool unshare --pid --fork --mount-proc sh "$work/confined" "$tool" "$1" "$again" "$pid"
}
beside=${system//\//\\}
if [ -e /proc/sys/vm/memfd_noexec ]; then
	confined "$image"
	verdict "vm.memfd_noexec: a file beside the image" "$(
		[ "$status" = 0 ] || echo "exit status $status: $err"
		[ "$out" = "$work/.tinyckpt:$beside\program (deleted)" ] || echo "its program is $out"
		find "$work" -maxdepth 1 -name '.tinyckpt*'
	)"
	run_tool "$tool" show "$again"
	verdict "it is saved as what it stands for" "$([[ $out == *"embedded "*": $system/program, "* ]] || echo "$out $err")"
	mkdir "$work/noexec"
	mount -t tmpfs -o noexec tmpfs "$work/noexec"
	cp "$image" "$work/noexec/image.tck"
	confined "$work/noexec/image.tck"
	verdict "the image on a file system without execution: a clear line" "$(complaint 1,4 restore "program .*may not be executed")"
	umount "$work/noexec"
else
	skip "vm.memfd_noexec" "this kernel has none"
fi
run_tool "$build/deny" memfd_create -- "$tool" restore -d "$image"
verdict "no memory by name (CONFIG_TMPFS): a file beside the image" "$(
	[ "$status" = 0 ] || echo "exit status $status: $err"
	[ "$(readlink "/proc/$pid/exe")" = "$work/.tinyckpt:$beside\program (deleted)" ] || readlink "/proc/$pid/exe"
	cmp "/proc/$pid/exe" "$work/program.old" 2>&1
)"
end "$pid"
mv "$work/program.old" "$system/program"
accepts "restore when the program is back" restore -d "$image"
verdict "it is mapped from disk" "$([ "$(readlink "/proc/$pid/exe")" = "$system/program" ] || readlink "/proc/$pid/exe")$(well "$pid")"
end "$pid"
