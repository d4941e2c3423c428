# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# Where images and a workload's files lie, and what has become of that place: a verification says what a restore does. Sourced by run.

image=$work/places.tck
place=$work/place-of-files
knows_verify=$("$tool" --help | grep '^  verify ')

# opened PROGRAM REDIRECTION: sets pid
opened() {
	# shellcheck disable=SC2016
	pid=$(cd / && setsid --fork sh -c 'echo $$; exec "$1" </dev/null >/dev/null 2>&1 '"$2" sh "$1")
	while [ "$(readlink "/proc/$pid/exe")" != "$(realpath "$1")" ]; do sleep 0.01; done
}
# saved PROGRAM REDIRECTION: opened, saved and gone
saved() {
	opened "$@"
	run_tool "$tool" save -o "$image" "$pid"
	[ "$status" = 0 ] || fail "save" "$err"
	end "$pid"
}
# agree NAME STATUS PATTERN: restore refuses with that, and so does verify
agree() {
	refuses "restore: $1" "$2" "$3" restore -d "$image"
	verdict "restore: $1: nobody is there" "$(! exists "$pid" || echo "pid $pid is there")"
	end "$pid"
	[ -n "$knows_verify" ] || return
	run_tool "$tool" verify "$image"
	verdict "verify: $1" "$([[ $status = "$2" && $out == *"would not restore"* && $err =~ $3 && $lines = 1 ]] || echo "exit status $status: $out$err")"
}

# Without descriptors 0 to 2, as init or cron may start it, nothing that is opened is taken for a standard stream.
mkfifo "$work/stream"
exec 9<>"$work/stream"
opened "$build/still" "0<>$work/stream 1>$work/stream 2>&1"
if "$tool" save --inherit-stdio -o "$image" "$pid" 2>/dev/null; then
	"$tool" restore -d "$image" <&- >&- 2>&-
	verdict "restore without standard streams: they are /dev/null" "$(
		for fd in 0 1 2; do [ "$(readlink "/proc/$pid/fd/$fd")" = /dev/null ] || ls -l "/proc/$pid/fd/$fd"; done)"
else
	skip "restore without standard streams" "this tinyckpt was built without CONFIG_INHERIT_STDIO"
fi
end "$pid"
exec 9>&-
rm "$work/stream"

# What restore could not find its directory of, deeper than PATH_MAX, no save is to end a workload for.
still
verdict "save deeper than paths reach" "$(
	deep=$(printf 'd%.0s' {1..250})
	for ((i = 0; i < 17; i++)); do mkdir "$deep" && cd "$deep" || exit; done 2>/dev/null
	run_tool "$tool" save -o deep.tck "$pid"
	complaint 1 save "deep.tck: where it lies"
	[ ! -e deep.tck ] || echo "an image is there"
	well "$pid")"
rm -r "$work"/dd*
end "$pid"

# Files
mkdir -m 755 "$place"
mount -t tmpfs -o mode=755 tmpfs "$place"
echo line >"$place/file"
saved "$build/still" "3<>$place/file"
mount -o remount,ro "$place"
agree "the mount is read-only" 1 "file: Read-only"
mount -o remount,rw "$place"
mv "$place/file" "$place/other"
if command -v python3 >/dev/null; then
	(cd "$place" && python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("file")')
	agree "a socket has the name" 4 "another kind of file"
else
	skip "a socket has the name" "there is no python3"
fi
rm -f "$place/file"
mknod "$place/null" c 1 3
saved "$build/still" "3<>$place/null"
mv "$place/null" "$place/other"
agree "a device is missing" 4 "null: it is missing"
mv "$place/other" "$place/null"
mkdir "$place/folder"
# shellcheck disable=SC2016
pid=$(cd / && setsid --fork sh -c 'echo $$; exec "$1" </dev/null >/dev/null 2>&1 3<>"$2"' sh "$build/still" "$place/folder/unlinked")
sleep 0.1
rm "$place/folder/unlinked"
run_tool "$tool" save -o "$image" "$pid"
if [ "$status" = 0 ]; then
	rmdir "$place/folder"
	[ -z "$knows_verify" ] || run_tool "$tool" verify "$image"
	verdict "verify: the folder of an unlinked file is missing" "$([[ $status = 0 ]] || echo "exit status $status: $out$err")"
	accepts "restore: the folder of an unlinked file is missing" restore -d "$image"
	verdict "restore: the folder of an unlinked file is missing: a warning tells" "$([[ $(cat "$work/err") == *warning*memory* ]] || cat "$work/err")"
fi
end "$pid"
if "$tool" save --help | grep -q -e --rules; then
	printf 'file %s/** append\n' "$place" >"$work/places-rules"
	echo line >"$place/log"
	opened "$build/still" "3>>$place/log"
	run_tool "$tool" save --rules "$work/places-rules" -o "$image" "$pid"
	end "$pid"
	rm "$place/log"
	mount -o remount,ro "$place"
	agree "a log is missing, and its mount is read-only" 4 "log: it is missing, and cannot be made anew"
	mount -o remount,rw "$place"
fi

# Files that have lost their names, and have the same number on two file systems
mkdir "$place/one" "$place/two"
for name in one two; do
	mount -t tmpfs -o mode=755 tmpfs "$place/$name"
	echo "content $name" >"$place/$name/file"
done
opened "$build/still" "3<$place/one/file 4<$place/two/file"
same=$(stat -c %i "$place"/*/file | sort -u | wc -l)
rm "$place"/*/file
run_tool "$tool" save -o "$image" "$pid"
if [ "$same" != 1 ]; then
	skip "two files of one number" "they have two"
elif [[ $err == *CONFIG_UNLINKED* ]]; then
	skip "two files of one number" "this tinyckpt was built without CONFIG_UNLINKED"
else
	end "$pid"
	accepts "restore: two files of one number" restore -d "$image"
	verdict "restore: two files of one number: they are two" "$(
		[ "$(cat "/proc/$pid/fd/3" "/proc/$pid/fd/4")" = $'content one\ncontent two' ] || cat "/proc/$pid/fd/3" "/proc/$pid/fd/4")"
fi
end "$pid"
umount "$place/one" "$place/two"

# Programs
cp "$build/still" "$place/program"
saved "$place/program" ""
mount -o remount,noexec "$place"
agree "the program's mount is noexec" 4 "place-of-files/program: .*noexec"
mount -o remount,exec "$place"
chmod 644 "$place/program"
agree "nobody may execute the program" 4 "place-of-files/program.* mode"
chmod 755 "$place/program"
accepts "restore: all is as it was" restore -d "$image"
verdict "restore: all is as it was: it is back" "$(well "$pid")"
end "$pid"

# On an overlay who has mapped a library keeps it when it is overwritten; a restore would map the new one.
mkdir "$place"/{lower,upper,work,merged}
if ! mount -t overlay -o "lowerdir=$place/lower,upperdir=$place/upper,workdir=$place/work" overlay "$place/merged" 2>/dev/null; then
	skip "a file that was overwritten on an overlay" "this kernel has no overlay"
elif ! command -v python3 >/dev/null; then
	skip "a file that was overwritten on an overlay" "there is no python3"
else
	head -c 50000 /dev/urandom >"$place/lower/library"
	cat >"$work/maps.py" <<-'END'
		import mmap, os, signal, sys, time
		file = os.open(sys.argv[1], os.O_RDONLY)
		mapped = mmap.mmap(file, 0, mmap.MAP_PRIVATE, mmap.PROT_READ)
		os.close(file)
		# no page of it is there any more, as when memory is short
		signal.signal(signal.SIGUSR1, lambda number, frame: mapped.madvise(mmap.MADV_DONTNEED))
		print(os.getpid(), flush=True)
		os.dup2(os.open("/dev/null", os.O_RDWR), 1)
		time.sleep(60)
	END
	maps() { # sets pid
		pid=$(cd / && setsid --fork python3 "$work/maps.py" "$place/merged/library" </dev/null 2>/dev/null)
		while [ "$(readlink "/proc/$pid/fd/1")" != /dev/null ]; do sleep 0.01; done
	}
	maps
	touch "$place/merged/library"
	accepts "check: a file that is mapped has come to the upper layer, as it was" check "$pid"
	accepts "save of it" save -o "$image" "$pid"
	accepts "restore of it" restore -d "$image"
	end "$pid"
	umount "$place/merged"
	rm -rf "$place"/{upper,work}
	mkdir "$place"/{upper,work}
	mount -t overlay -o "lowerdir=$place/lower,upperdir=$place/upper,workdir=$place/work" overlay "$place/merged"
	head -c 50000 /dev/urandom >"$work/library"
	maps
	cat "$work/library" >"$place/merged/library"
	run_tool "$tool" check "$pid"
	verdict "check: a file that is mapped was overwritten on an overlay" \
		"$([[ $status = 3 && $err == *"merged/library: the file was overwritten"* ]] || echo "exit status $status: $out$err")"
	refuses "save: a file that is mapped was overwritten on an overlay" 3 "merged/library: the file was overwritten" save -o "$image" "$pid"
	for size in 20000 49000 49999 50001 60000; do
		head -c $size /dev/urandom >"$work/other"
		dd if="$place/lower/library" of="$work/other" conv=notrunc bs=$((size < 50000 ? size : 50000)) count=1 2>/dev/null
		cat "$work/other" >"$place/merged/library"
		kill -USR1 "$pid"
		sleep 0.1
		refuses "save: it has $size bytes now, and began the same" 3 "merged/library: the file was overwritten" save -o "$image" "$pid"
	done
	verdict "it is well" "$(well "$pid")"
	end "$pid"
	umount "$place/merged"

	# as packages are updated
	rm -rf "$place"/{upper,work}
	mkdir "$place"/{upper,work}
	mount -t overlay -o "lowerdir=$place/lower,upperdir=$place/upper,workdir=$place/work" overlay "$place/merged"
	then=$(cksum <"$place/lower/library")
	opened "$build/still" "3<$place/merged/library"
	cp "$work/library" "$place/merged/new"
	mv "$place/merged/new" "$place/merged/library"
	run_tool "$tool" save -o "$image" "$pid"
	if [[ $err == *CONFIG_UNLINKED* ]]; then
		skip "a file was replaced on an overlay" "this tinyckpt was built without CONFIG_UNLINKED"
	else
		verdict "save: a file was replaced on an overlay" "$([ "$status" = 0 ] || echo "exit status $status: $err")"
		accepts "restore of it" restore -d "$image"
		verdict "it has the file that it had" "$([ "$(cksum <"/proc/$pid/fd/3")" = "$then" ] || ls -l "/proc/$pid/fd")"
	fi
	end "$pid"
	umount "$place/merged"
fi
umount "$place"

# Numbers that this kernel does not give any more
if [ -w /proc/sys/kernel/pid_max ] && end=$(cat /proc/sys/kernel/pid_max) && [ -w /proc/sys/kernel/ns_last_pid ] &&
	echo 7000 >/proc/sys/kernel/ns_last_pid && echo 6000 2>/dev/null >/proc/sys/kernel/pid_max; then
	echo "$end" >/proc/sys/kernel/pid_max
	echo 7000 >/proc/sys/kernel/ns_last_pid
	saved "$build/still" ""
	echo 6000 >/proc/sys/kernel/pid_max
	agree "the kernel gives no such numbers" 1 "pid $pid: this kernel gives none from 6000 on"
	echo "$end" >/proc/sys/kernel/pid_max
else
	skip "the kernel gives no such numbers" "pid_max cannot be set here"
fi
