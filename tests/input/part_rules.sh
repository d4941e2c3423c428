# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# Rules: what is wrong with them, what check tells of them, and what restore makes of its own. Sourced by run.

if ! "$tool" save --help | grep -q -- --rules; then
	skip "rules" "this tinyckpt was built without CONFIG_RULES"
	return
fi
rules=$work/rules-file
image=$work/rules.tck
mkdir "$work/ruled"
mknod "$work/ruled/device" c 1 11

# opens [REDIRECTION]: starts the smallest process with that; sets pid
opens() {
	# shellcheck disable=SC2016
	pid=$(cd / && setsid --fork sh -c "echo \$\$; exec \"\$1\" </dev/null >/dev/null 2>&1 $1" sh "$build/still")
	while [ "$(readlink "/proc/$pid/exe")" != "$build/still" ]; do sleep 0.01; done
}
says() {
	printf '%s\n' "$@" >"$rules"
	chmod 600 "$rules"
}

echo log >"$work/ruled/log"
echo data >"$work/ruled/data"
opens "3>>$work/ruled/log 4<>$work/ruled/data"

# wrong NAME PATTERN: of all that read rules
wrong() {
	refuses "save, rules: $1" 2 "$2" save --rules "$rules" -o "$image" "$pid"
	verdict "save, rules: $1: no image, and the workload is well" "$([ ! -e "$image" ] || echo "an image"; well "$pid")"
	refuses "check, rules: $1" 2 "$2" check --rules "$rules" "$pid"
}
says "file /a exact" "" "# comment" "socket /a close"
wrong "an unknown kind" "rules-file:4: .*socket"
refuses "restore, rules: an unknown kind" 2 "rules-file:4: .*socket" restore --rules "$rules" "$image"
refuses "verify, rules: an unknown kind" 2 "rules-file:4: .*socket" verify --rules "$rules" "$image"
says "file /a perhaps"
wrong "an unknown action" "rules-file:1: .*perhaps.*exact.*snapshot"
says "file /a reopen"
wrong "an action of another kind" "rules-file:1: .*reopen"
says "tcp * keep"
wrong "a kind that has no object yet" "rules-file:1: .*tcp"
says "file /a"
wrong "no action" "rules-file:1: "
says "file /[a exact"
wrong "no pattern" "rules-file:1: .*\\["
says "file a/b exact"
wrong "a path that begins nowhere" "rules-file:1: .*a/b"
says "file /$(printf '%02000d' 0) exact"
wrong "a pattern that is too long" "rules-file:1: .*1023"
says "# $(printf '%02100d' 0)"
wrong "a line that is too long" "rules-file:1: .*2047"
printf 'file /a\0b exact\n' >"$rules"
wrong "a NUL" "rules-file:1: .*NUL"
printf 'file /\033[2Ja perhaps\n' >"$rules"
wrong "control characters" "rules-file:1: "
says ""
chmod 620 "$rules"
wrong "its group may write it" "rules-file: .*change"
chmod 602 "$rules"
wrong "others may write it" "rules-file: .*change"
chmod 600 "$rules"
chown 1700 "$rules"
wrong "it is somebody else's" "rules-file: .*1700"
chown 0 "$rules"
refuses "rules that are not there" 1 "nowhere" check --rules "$work/nowhere" "$pid"
refuses "rules that are a directory" 2 "regular" check --rules "$work" "$pid"
refuses "rules without a PID" 2 "process ID" check --rules "$rules"

# What becomes of what, and why
told() { # NAME ARGUMENT... -- PATTERN...
	local name=$1 text=
	shift
	local words=()
	while [ "$1" != -- ]; do words+=("$1"); shift; done
	shift
	run_tool "$tool" check "${words[@]}" "$pid"
	[ "$status" = 0 ] || text="exit status $status: $err"
	for pattern; do
		grep -qE "$pattern" <<<"$out" || text+="not told: $pattern"$'\n'
	done
	[ -z "$text" ] || text+=$out
	verdict "$name" "$text"
}
told "check without rules" -- "^pid $pid .*can be saved$" "fd 0 +reopen +default +device /dev/null" \
	"fd 3 +grow +default +file $work/ruled/log \\(a tmpfs" "fd 4 +exact +default +file $work/ruled/data \\(a tmpfs"
says "file $work/ruled/l* append" "file $work/**/data exact" "file ** recreate"
told "check, by rules: the first decides" --rules "$rules" -- "fd 3 +append +$rules:1 .*/log$" "fd 4 +exact +$rules:2 .*/data \\(a tmpfs"
if "$tool" check --help | grep -q -- --json; then
	told "check, by rules, for programs" --json --rules "$rules" -- '"savable": true' '"action": "append"' "\"rule\": \"$rules:1\"" \
		'"rule": "default"' '"lost_by_reboot": true' "\"path\": \"$work/ruled/data\""
fi

# The machine's own, in an /etc for this alone. The workload is in another mount namespace then, and refused for that.
by_machine() {
	says "$1"
	# shellcheck disable=SC2016
	run_tool unshare -m sh -c 'mount -t tmpfs tmpfs /etc && mkdir /etc/tinyckpt && cp "$1" /etc/tinyckpt/rules && shift && exec "$@"' \
		sh "$rules" "$tool" "${@:2}" "$pid"
}
by_machine "file $work/ruled/* recreate" check
verdict "check by the machine's rules" "$([[ $status = 3 && $out == *"recreate /etc/tinyckpt/rules:1 "* ]] || echo "$status: $err $out")"
by_machine "fife $work/ruled/* recreate" save -o "$image"
verdict "save by the machine's rules, which are wrong" "$(complaint 2 save "^tinyckpt: save: /etc/tinyckpt/rules:1: .*fife")"
cp "$rules" "$work/rules-else"
by_machine "file ** exact" check --rules "$work/rules-else"
verdict "with --rules, the machine's are not read" "$(complaint 2 check "rules-else:1: .*fife")"

# Restore's own rules come before the image's
accepts "save without rules" save -o "$image" "$pid"
end "$pid"
cp "$image" "$work/kept"
echo more >>"$work/ruled/data"
stays() {
	refuses "$1" "$2" "$3" restore -d "${@:4}" "$image"
	verdict "$1: no process, and the image as it was" "$(! exists "$pid" || echo "pid $pid is there"; cmp "$image" "$work/kept" 2>&1)"
}
stays "restore of a file that has changed" 4 "ruled/data"
says "file $work/ruled/data snapshot"
stays "restore with a snapshot that was not taken" 4 "rules-file:1" --rules "$rules"
says "file $work/ruled/data grow"
accepts "verify with rules that allow it" verify --rules "$rules" "$image"
accepts "restore with rules that allow it" restore -d --rules "$rules" "$image"
verdict "the workload is well" "$(well "$pid")"
end "$pid"
says "file $work/ruled/log exact" "file $work/ruled/data recreate"
rm "$work/ruled/log"
stays "restore with rules that are stricter than the default" 4 "ruled/log.*missing" --rules "$rules"
echo log >"$work/ruled/log"

# Of names as long as these the names that contents are made under have a part
long=$work/ruled/$(printf '%0220d' 0)
echo one >"$long-1"
echo two >"$long-2"
says "file $work/ruled/** snapshot"
opens "3<>$long-1 4<>$long-2"
accepts "save with two snapshots whose names are long and begin alike" save --rules "$rules" -o "$image" "$pid"
end "$pid"
echo other | tee "$long-1" >"$long-2"
accepts "restore of these" restore -d "$image"
verdict "each file has its own content" "$(grep -qx one "$long-1" || cat "$long-1"; grep -qx two "$long-2" || cat "$long-2")"
end "$pid"
rm "$long"-?

# A snapshot needs room, and what cannot be carried is not
mkdir "$work/small"
mount -t tmpfs -o size=256k tmpfs "$work/small"
head -c 150000 /dev/urandom >"$work/small/data"
cp "$work/small/data" "$work/data-then"
says "file $work/small/data snapshot" "device $work/ruled/device reopen"
opens "3<>$work/small/data"
accepts "save with a snapshot" save --rules "$rules" -o "$image" "$pid"
end "$pid"
cp "$image" "$work/kept"
head -c 200000 /dev/urandom >"$work/small/data"
cp "$work/small/data" "$work/data-now"
refuses_verify() { # NAME STATUS PATTERN
	run_tool "$tool" verify "$image"
	verdict "verify: $1" "$([ "$status" = "$2" ] && [[ $err =~ $3 ]] || echo "exit status $status: $err")"
}
refuses_verify "no room for a snapshot" 1 "small/data.*space"
stays "restore without room for a snapshot" 1 "No space"
verdict "the file is as it was, and alone" "$(cmp "$work/small/data" "$work/data-now" 2>&1; find "$work/small" -mindepth 1 ! -name data)"
: >"$work/small/.data.tinyckpt"
echo short >"$work/small/data"
accepts "restore with room for it, where another restore was killed" restore -d "$image"
verdict "the file is what it was at the save, and alone" "$(cmp "$work/small/data" "$work/data-then" 2>&1; find "$work/small" -mindepth 1 ! -name data)"
end "$pid"
mount -o remount,ro "$work/small"
accepts "verify of a snapshot of what has not changed, where nothing can be written" verify "$image"
mount -o remount,rw "$work/small"
echo other >"$work/small/data"
says "file ** exact"
stays "restore that wants a carried file as it was" 4 "small/data" --rules "$rules"
says "file ** append"
accepts "restore that takes a carried file as it is" restore -d --rules "$rules" "$image"
verdict "that file is as it is, its descriptor at the end" "$(
	[ "$(cat "$work/small/data")" = other ] || echo "changed"
	grep -q '^pos:.6$' "/proc/$pid/fdinfo/3" || grep pos "/proc/$pid/fdinfo/3"
)"
says "file $work/small/data snapshot"
no_snapshot() {
	run_tool "$tool" save --rules "$rules" -o "$work/no.tck" "$pid"
	verdict "save: snapshot of $1" "$([ "$status" = 3 ] && [[ $err =~ $2 ]] || echo "exit status $status: $err"; well "$pid")"
	run_tool "$tool" check --rules "$rules" "$pid"
	verdict "check: snapshot of $1" "$([ "$status" = 3 ] && [[ $err =~ $2 && $out =~ refuse\ +$rules:1 ]] || echo "exit status $status: $err $out")"
}
ln "$work/small/data" "$work/small/link"
no_snapshot "a file with two names" "hard links"
rm "$work/small/link"
if python3 -c "import os; os.setxattr('$work/small/data', 'trusted.test', b'x')" 2>/dev/null; then
	no_snapshot "a file with attributes" "attributes"
	python3 -c "import os; os.removexattr('$work/small/data', 'trusted.test')"
else
	skip "snapshot of a file with attributes" "none can be set here"
fi
mount -o remount,size=80m "$work/small"
head -c $((65 << 20)) /dev/zero >"$work/small/data"
no_snapshot "a file that is too large" "at most 67108864"
end "$pid"
umount "$work/small"

# A device with a state
if (: 3>"$work/ruled/device") 2>/dev/null; then
	opens "3>$work/ruled/device"
	says "file /a exact"
	run_tool "$tool" check --rules "$rules" "$pid"
	verdict "a device without a rule" "$([ "$status" = 3 ] && [[ $err =~ ruled/device && $out =~ fd\ 3\ +refuse\ +default ]] || echo "$status: $err $out"
		[ "$(grep -c "fd 3 " <<<"$out"), $(grep -c "fd 0 " <<<"$out"), $lines" = "1, 1, 1" ] || echo "told more than once: $err $out")"
	if "$tool" check --help | grep -q -- --json; then
		run_tool "$tool" check --json --rules "$rules" "$pid"
		verdict "a device without a rule, for programs" "$([ "$status" = 3 ] && [[ $out == *'"savable": false'*'"obstacles": ['*ruled/device* ]] || echo "$status: $err $out")"
	fi
	says "file /** exact" "device $work/ruled/d* reopen"
	told "a device with a rule" --rules "$rules" -- "fd 3 +reopen +$rules:2 +device $work/ruled/device"
	accepts "save with that device" save --rules "$rules" -o "$image" "$pid"
	end "$pid"
	accepts "restore with that device" restore -d "$image"
	verdict "the device is open" "$([ "$(readlink "/proc/$pid/fd/3")" = "$work/ruled/device" ] || ls -l "/proc/$pid/fd/")"
	end "$pid"
	cp "$image" "$work/kept"
	verdict "verify does not open it, which may start a watchdog" "$("$build/opened" "$work/ruled/device" "$tool" verify "$image" 2>&1 |
		grep -v ": whole; would restore here: ")"
	mv "$work/ruled/device" "$work/ruled/away"
	echo file >"$work/ruled/device"
	stays "restore when the device is a file now" 4 "ruled/device"
	rm "$work/ruled/device"
	stays "restore when the device is missing" 1,4 "ruled/device"
else
	skip "a device with a state" "none can be opened here"
fi
