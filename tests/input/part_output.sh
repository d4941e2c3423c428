# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# Where an image goes, and what is there already. Sourced by run.

mkdir "$work/output"
still

# no_save NAME PATTERN TARGET [OPTION...]: fails with 1, and the workload runs on
no_save() {
	refuses "save $1" 1 "$2" save --leave-running -o "$3" "${@:4}" "$pid"
	verdict "save $1: the workload is well" "$(well "$pid")"
}

no_save "into a directory that does not exist" "nowhere" "$work/nowhere/image"
no_save "onto a directory" "directory|regular" "$work/output"
no_save "to a name that ends in /" "." "$work/output/image/"
no_save "to a name that is too long" "long" "$work/output/$(printf '%0300d' 0)"
mkfifo "$work/output/fifo"
no_save "onto a FIFO" "regular|pipe|fifo" "$work/output/fifo"
no_save "onto a device" "regular|device" /dev/null
verdict "/dev/null is still a device" "$([ -c /dev/null ] || ls -l /dev/null)"

echo target >"$work/output/target"
ln -s target "$work/output/link"
no_save "onto a symbolic link" "link" "$work/output/link"
verdict "the link and its target are untouched" "$(
	[ "$(readlink "$work/output/link")" = target ] || echo "the link is gone"
	[ "$(cat "$work/output/target")" = target ] || echo "the target was written to"
)"
ln -s nowhere "$work/output/dangling"
no_save "onto a dangling link" "link" "$work/output/dangling"
verdict "nothing was made where it points" "$([ ! -e "$work/output/nowhere" ] || echo "a file is there")"

mkdir "$work/readonly" "$work/full"
mount -t tmpfs -o ro tmpfs "$work/readonly"
no_save "into a read-only file system" "[Rr]ead-only" "$work/readonly/image"
umount "$work/readonly"

# A full disk: with an old image there, and without
mount -t tmpfs -o size=4k,mode=755 tmpfs "$work/full"
echo >"$work/full/other"
no_save "on a full disk" "needs about [0-9]* KiB, and 0 KiB are free" "$work/full/image"
verdict "nothing is left on the full disk" "$(find "$work/full" -mindepth 1 ! -name other)"
mv "$work/full/other" "$work/full/image"
echo old >"$work/full/image"
no_save "on a full disk, over an old image" "needs about [0-9]* KiB, and 0 KiB are free" "$work/full/image"
verdict "the old image is kept, and nothing beside it" "$(
	[ "$(cat "$work/full/image")" = old ] || echo "it was changed"
	[ "$(ls -A "$work/full")" = image ] || ls -A "$work/full"
)"
umount "$work/full"

# A save that is refused for what the workload holds keeps an old image, too.
echo old >"$work/output/old"
exec 8> >(exec cat >/dev/null)
act sleep 8>&8
exec 8>&-
refuses "save of a workload with a pipe to outside" 3 "fd 8" save -o "$work/output/old" "$actor"
verdict "it is well, and the old image is kept" "$(
	well "$actor"
	[ "$(cat "$work/output/old")" = old ] || echo "it was changed"
)"
end "$actor"

accepts "save over an old image" save --leave-running -o "$work/output/old" "$pid"
verdict "the image has mode 0600 and is whole" "$(
	[ "$(stat -c %a "$work/output/old")" = 600 ] || stat -c %a "$work/output/old"
	whole "$work/output/old"
)"
chmod 644 "$work/output/old"
accepts "save over an old image that others may read" save --leave-running -o "$work/output/old" "$pid"
verdict "others may not read the new one" "$([ "$(stat -c %a "$work/output/old")" = 600 ] || stat -c %a "$work/output/old")"

# A relative name, and names that look like options
accepts "save -o to a relative name" save --leave-running -o output/relative "$pid"
accepts "save -o to a name with a newline" save --leave-running -o "$work/output/with"$'\n'"newline" "$pid"
refuses "a newline in a name makes no second line" 1 "no" save --leave-running -o "$work/no"$'\n'"where/image" "$pid"

# TINYCKPT_DIR and --name
mkdir "$work/dir"
export TINYCKPT_DIR=$work/dir
accepts "save without -o" save --leave-running "$pid"
verdict "the image has the root's name" "$([ -e "$work/dir/still.tck" ] || ls "$work/dir")"
accepts "save --name" save --leave-running --name sensor "$pid"
verdict "the image has that name" "$([ -e "$work/dir/sensor.tck" ] || ls "$work/dir")"
# shellcheck disable=SC2016
slash=$(cd / && setsid --fork sh -c 'echo $$; exec </dev/null >/dev/null 2>&1; printf a/b >/proc/$$/comm; sleep 60; :')
while [ "$(cat "/proc/$slash/comm")" != a/b ]; do sleep 0.01; done
accepts "save without -o of what has a slash in its name" save "$slash"
verdict "that leads nowhere else" "$([ -e "$work/dir/a_b.tck" ] || ls -lR "$work/dir")"
rm -f "$work/dir/a_b.tck"
for name in "" a/b .. ../x .hidden "$(printf '%0300d' 0)"; do
	refuses "save --name \"${name:0:20}\"" 1,2 "." save --leave-running --name "$name" "$pid"
done
verdict "no other image was made" "$(find "$work/dir" -mindepth 1 ! -name still.tck ! -name sensor.tck)"
TINYCKPT_DIR=$work/made
exec 8> >(exec cat >/dev/null)
act sleep 8>&8
exec 8>&-
refuses "save of a workload with a pipe to outside, where no folder for images is" 3 "fd 8" save "$actor"
refuses "save with no rules, where no folder for images is" 1,2 "nowhere" save --rules "$work/nowhere" "$actor"
verdict "no folder was made for them" "$([ ! -e "$work/made" ] || echo "it is there")"
end "$actor"
accepts "save where no folder for images is" save --leave-running "$pid"
verdict "it was made, for root alone" "$([ "$(stat -c %a "$work/made")" = 700 ] && [ -e "$work/made/still.tck" ] || ls -la "$work/made")"
TINYCKPT_DIR=$work/output/target
refuses "save with TINYCKPT_DIR a file" 1 "directory" save --leave-running "$pid"
unset TINYCKPT_DIR

# Streams
"$tool" save --leave-running -o - "$pid" 2>"$work/err" | cat >"$work/streamed"
verdict "save -o - into a pipe" "$(cat "$work/err"; whole "$work/streamed")"
"$tool" save -o - "$pid" >"$work/streamed" 2>"$work/err"
verdict "save -o - into a file" "$(cat "$work/err"; whole "$work/streamed")"
verdict "the workload has ended" "$(! exists "$pid" || echo "pid $pid is there")"
end "$pid"
# shellcheck disable=SC2002
text=$(cat "$work/streamed" | "$tool" restore -d - 2>&1)
verdict "restore - from a pipe" "$text$(well "$pid")"
end "$pid"
text=$("$tool" restore -d - <"$work/streamed" 2>&1)
verdict "restore - from a file" "$text$(well "$pid")"
end "$pid"
head -c 3000 "$work/streamed" | timeout 10 "$tool" restore -d - >"$work/out" 2>"$work/err"
status=${PIPESTATUS[1]}
take_output
verdict "restore - from a pipe that ends early" "$(complaint 4 restore .; ! exists "$pid" || echo "pid $pid is there")"
run_tool "$tool" restore -d -
verdict "restore - from /dev/null" "$(complaint 1,4 restore .)"
timeout 10 "$tool" restore -d - <&- >"$work/out" 2>"$work/err"
status=$?
take_output
verdict "restore - with standard input closed" "$(complaint 1,4 restore .)"

# Loudness and the log
run_tool "$tool" restore -d -q "$work/streamed"
verdict "restore -q says nothing" "$out$err$(well "$pid")"
run_tool "$tool" save -q --leave-running -o "$work/output/quiet" "$pid"
verdict "save -q says nothing" "$out$err"
run_tool "$tool" save -v --leave-running -o "$work/output/loud" "$pid"
verdict "save -v says something on standard error alone" "$([ -n "$err" ] || echo "nothing is said")$out"
verbose=$(wc -l <"$work/err")
run_tool "$tool" save -vv --leave-running -o "$work/output/loud" "$pid"
verdict "save -vv says more" "$([ "$(wc -l <"$work/err")" -gt "$verbose" ] || echo "no more than -v")"
run_tool "$tool" save -v --log "$work/log" --leave-running -o "$work/output/loud" "$pid"
verdict "--log takes all messages" "$out$err$([ -s "$work/log" ] || echo "the log is empty")"
run_tool "$tool" save -v --log "$work/log" --leave-running -o "$work/output/loud" "$pid"
verdict "and keeps those of before; for root alone" "$(
	[ "$(grep -c "stand still" "$work/log")" = 2 ] || cat "$work/log"
	[ "$(stat -c %a "$work/log")" = 600 ] || stat -c %a "$work/log"
)"
ln -s "$work/output/target" "$work/loglink"
refuses "--log follows no symbolic link" 1 "loglink" save --log "$work/loglink" --leave-running -o "$work/output/loud" "$pid"
verdict "and nothing is written there" "$([ "$(cat "$work/output/target")" = target ] || cat "$work/output/target")"
run_tool "$tool" save -q --leave-running -o "$work/nowhere/image" "$pid"
verdict "-q does not silence an error" "$(complaint 1 save nowhere)"

# --pidfile
end "$pid"
umask 0
run_tool "$tool" restore -d --pidfile "$work/pidfile" "$work/streamed"
umask 022
verdict "--pidfile is for root to write" "$([ "$(stat -c %a "$work/pidfile")" = 644 ] || stat -c %a "$work/pidfile")"
end "$pid"
echo 4194304000 >"$work/pidfile"
run_tool "$tool" restore -d --pidfile "$work/pidfile" "$work/streamed"
verdict "--pidfile holds the PID" "$err$([ "$(cat "$work/pidfile")" = "$pid" ] || echo "it holds $(cat "$work/pidfile")")"
end "$pid"
refuses "--pidfile where no file can be" 1 "nowhere" restore -d --pidfile "$work/nowhere/pidfile" "$work/streamed"
verdict "then nothing was restored" "$(! exists "$pid" || echo "pid $pid is there")"
end "$pid"
ln -s "$work/output/target" "$work/pidlink"
run_tool "$tool" restore -d --pidfile "$work/pidlink" "$work/streamed"
verdict "--pidfile follows no symbolic link" "$([ "$(cat "$work/output/target")" = target ] || echo "its target was written to")"
end "$pid"

# What it may do is told by name.
still
"$tool" save --leave-running -o "$work/output/shown" "$pid"
verdict "show names capabilities" "$(
	text=$("$tool" show "$work/output/shown")
	effective=$((16#$(awk '/^CapEff:/ { print $2 }' "/proc/$pid/status")))
	for name in 5:kill 12:net_admin 24:sys_resource; do
		has=$((effective >> ${name%:*} & 1))
		told=$(grep -E '^  may +' <<<"$text" || echo nothing)
		named=$(grep -cw "${name#*:}" <<<"$told")
		[[ $told == *" all"* ]] && named=$((1 - named))
		[ "$named" = "$has" ] || echo "${name#*:}: $has, and it is told: $told"
	done
)"

# What is open, and how: by names for people, by numbers for programs.
end "$pid"
# shellcheck disable=SC2016
pid=$(cd / && setsid --fork sh -c 'echo $$; exec "$1" </dev/null >/dev/null 2>>"$2/log" 3<>"$2/both" 4</' sh "$build/still" "$work/output")
while [ "$(readlink "/proc/$pid/exe")" != "$(realpath "$build/still")" ]; do sleep 0.01; done
"$tool" save --leave-running -o "$work/output/flags" "$pid"
verdict "show names flags, and --json has their number" "$(
	text=$("$tool" show "$work/output/flags")
	for line in "/dev/null, O_RDONLY" "/dev/null, O_WRONLY" "output/log, O_WRONLY|O_APPEND, at 0 of 0" "output/both, O_RDWR, at 0 of 0" \
		"/, O_PATH|O_DIRECTORY, at 0 of"; do
		grep -qF "$line" <<<"$text" || echo "no $line in: $text"
	done
	grep -q 'file [0-9]*: /, O_RDONLY' <<<"$text" || echo "no / in: $text"
	numbers=$("$tool" show --json "$work/output/flags" | sed -n 's/^ *"flags": \([0-9]*\),*$/\1/p' | sort -n | uniq | tr '\n' ' ')
	[ "$numbers" = "0 1 2 1025 2162688 " ] || echo "numbers: $numbers"
)"
end "$pid"
still

# What the tool cannot write is an error, and no signal's death
run_tool prlimit --fsize=1024:1024 "$tool" save -o "$work/output/limited" "$pid"
verdict "save beyond RLIMIT_FSIZE" "$(complaint 1 save "limited: .*large"; well "$pid"; [ ! -e "$work/output/limited" ] || echo "an image is there")"
{ sleep 0.1; "$tool" save -o - "$pid" 2>"$work/err"; echo $? >"$work/status"; } | true
status=$(<"$work/status") out=
IFS= read -r -d '' err <"$work/err"
verdict "save into a pipe that nobody reads" "$([ "$status" = 1 ] && [[ $err == *"Broken pipe"* ]] || echo "exit status $status: $err"; well "$pid")"
"$tool" save --leave-running -o "$work/output/shown" "$pid"
"$tool" show "$work/output/shown" >/dev/full 2>"$work/err"
status=$?
take_output
verdict "show to a full disk" "$(out=; complaint 1 show "standard output")"

no_save "beyond --max-size" "--max-size" "$work/output/bounded" --max-size 1K
no_save "far beyond --max-size" "--max-size" "$work/output/bounded" --max-size 1 --level 0
verdict "nothing is left of it" "$([ ! -e "$work/output/bounded" ] || echo "it is there")"
accepts "save --level 0 --rate 4K" save --leave-running --level 0 --rate 4K -o "$work/output/plain" "$pid"
accepts "save --max-size 1M" save --leave-running --max-size 1M -o "$work/output/packed" "$pid"
accepts "save --max-size 1G --rate 1G" save --leave-running --max-size 1G --rate 1G -o "$work/output/packed" "$pid"
verdict "a packed image is the smaller one" "$(
	[ "$(stat -c %s "$work/output/packed")" -lt "$(stat -c %s "$work/output/plain")" ] || ls -l "$work/output"
)"
for words in "--level 10" "--level x" "--level -1" "--max-size 1T" "--max-size x" "--max-size -1" "--rate 1x" "--rate 99999999999999999999" \
	"--rate 18446744073709551615" "--max-size 18014398509481984K"; do
	# shellcheck disable=SC2086 # two words
	refuses "save $words" 2 "level|bytes" save $words "$pid"
done
