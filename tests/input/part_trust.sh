# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# Images with a key: every refusal. Images without one: who could have written them. Sourced by run.

if ! "$tool" --help | grep -q "^  keygen "; then
	skip "encrypted images" "built without CONFIG_TRUST"
	return
fi
vault=$work/vault
mkdir -m 700 "$vault"
key=$vault/key
image=$vault/a.tck

accepts "keygen" keygen -o "$key"
verdict "a key has 32 bytes, and mode 600" "$([ "$(stat -c %s:%a "$key")" = 32:600 ] || stat -c %s:%a "$key")"
sum=$(sha256sum "$key")
refuses "keygen where there is a key" 1 "there is a key" keygen -o "$key"
verdict "and it stays" "$([ "$sum" = "$(sha256sum "$key")" ] || echo "it has changed")"
accepts "keygen --force" keygen -o "$key" --force
verdict "makes another one" "$([ "$sum" != "$(sha256sum "$key")" ] || echo "it has not changed")"
accepts "another key" keygen -o "$vault/other"
refuses "keygen with an argument" 2 "option" keygen "$vault/x"
refuses "keygen in no folder" 1 "No such file" keygen -o "$vault/none/key"

still
accepts "save with a key" save --key "$key" -o "$image" "$pid"
end "$pid"
size=$(stat -c %s "$image")
echo "# it has $size bytes"
for command in show verify; do
	accepts "$command with the key" $command --key "$key" "$image"
	refuses "$command without a key" 4 "encrypted.*no key" $command "$image"
	refuses "$command with another key" 4 "another key" $command --key "$vault/other" "$image"
	refuses "$command with a key that is not there" 1,4 "No such file" $command --key "$vault/none" "$image"
done
run_tool "$tool" show --key "$key" --json "$image"
verdict "show --json with the key" "$([[ $status = 0 && $out == *'"totals"'* ]] || echo "exit status $status: $err")"
verdict "nothing of the image can be read" "$(! grep -aq "$build\|/still\|Linux" "$image" || echo "it is no cipher")"

# not_back NAME PATTERN FILE [--key FILE]: restore refuses, and nothing is there
not_back() {
	refuses "restore of $1" 4 "$2" restore -d "${@:4}" "$3"
	verdict "restore of $1 leaves no process" "$(! exists "$pid" || echo "pid $pid is there")"
	end "$pid"
}
not_back "an encrypted image without a key" "encrypted.*no key" "$image"
not_back "an image of another device" "another key" "$image" --key "$vault/other"

# Every byte, and every length. flip names no options.
# shellcheck disable=SC2016
printf '#!/bin/sh\nshift\nexec "%s" verify --key "%s" "$@"\n' "$tool" "$key" >"$work/with-key"
chmod 755 "$work/with-key"
for how in bits lengths; do
	text=$("$build/flip" "$work/with-key" "$image" "$vault/scratch" $how 1)
	status=$?
	verdict "verify finds $how of an encrypted image (${text##*$'\n'})" "$([ $status = 0 ] || echo "$text")"
done
text=
for ((n = 0; n < 20; n++)); do
	cp "$image" "$vault/damaged"
	at=$((n * size / 20))
	byte=$(od -An -tu1 -j "$at" -N 1 "$image")
	# shellcheck disable=SC2059
	printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$vault/damaged" bs=1 seek="$at" conv=notrunc status=none
	run_tool "$tool" restore --key "$key" -d "$vault/damaged"
	seen=$(complaint 4 restore .)
	! exists "$pid" || { seen+=" pid $pid is there"; end "$pid"; }
	[ -z "$seen" ] || text+="byte $at: $seen"$'\n'
done
verdict "restore of $n damaged encrypted images" "$text"
{ cat "$image"; echo; } >"$vault/longer"
not_back "an encrypted image with a byte more" . "$vault/longer" --key "$key"

# Restored once, and from there alone.
cp "$image" "$vault/copy"
mkdir -m 700 "$work/elsewhere"
cp "$image" "$work/elsewhere/a.tck"
not_back "an image away from its note" "no .a.tck.newest" "$work/elsewhere/a.tck" --key "$key"
accepts "restore with the key" restore --key "$key" -d "$image"
verdict "it is back" "$(well "$pid")"
text=$("$build/hunt" self "$key" "$image")
verdict "keys can be found in memory" "$([ "$(grep -c half <<<"$text")" -ge 8 ] || echo "only: $text")"
text=$("$build/hunt" "$pid" "$key" "$image")
status=$?
verdict "no key is in the memory of what was restored" "$([ $status = 0 ] || echo "exit status $status: $text")"
accepts "save once more, and let it run" save --key "$key" --leave-running -o "$vault/b.tck" "$pid"
end "$pid"
not_back "an image that was restored" "restored already" "$image" --key "$key"
not_back "a copy of it" "restored already" "$vault/copy" --key "$key"
first=$pid
still
accepts "save before a boot" save --key "$key" -o "$vault/early.tck" "$pid"
end "$pid"
run_tool "$build/deny" getrandom -- "$tool" restore --key "$key" -d "$vault/early.tck"
verdict "restore when there are no random numbers yet" "$([ "$status" = 0 ] || echo "exit status $status: $err"; well "$pid")"
end "$pid"
not_back "and it was restored then" "restored already" "$vault/early.tck" --key "$key"
pid=$first
refuses "verify of an image that was restored" 4 "restored already" verify --key "$key" "$image"
accepts "under another firmware the next one of it would come back" verify --root=/ --key "$key" "$image"
accepts "show of an image that was restored" show --key "$key" "$image"
# A tool that is killed leaves an image that can still be restored, or the tree, alive: its agent writes that it was restored when
# it no longer dies with the tool.
cp "$vault/.b.tck.newest" "$vault/kept"
read -r stops _ < <("$fault_build/killer" -a -x -n 100000 -- "$tool" restore --key "$key" -d "$vault/b.tck" 2>&1)
stops=${stops#stops=}
verdict "restore under a tracer" "$(well "$pid")"
text='' lived=0 died=0
for ((n = stops - 24; n <= stops; n++)); do
	end "$pid"
	cp "$vault/kept" "$vault/.b.tck.newest"
	"$fault_build/killer" -a -x -n $n -- "$tool" restore --key "$key" -d "$vault/b.tck" >"$work/out" 2>&1
	for ((nap = 0; nap < 100; nap++)); do
		! exists "$pid" || grep -qs '^TracerPid:.0$' "/proc/$pid/status" || sleep 0.01
	done
	if exists "$pid"; then
		lived=$((lived + 1)) status=0
	else
		died=$((died + 1))
		run_tool "$tool" restore --key "$key" -d "$vault/b.tck"
		[ $status = 0 ] || text+="killed at call $n of $stops: $err"$'\n'
	fi
	[ $status != 0 ] || text+=$(well "$pid")
done
verdict "restore killed at its last $((lived + died)) calls" "$text$([ $lived -gt 0 ] && [ $died -gt 0 ] || echo "$lived lived, $died died")"
end "$pid"
cp "$vault/kept" "$vault/.b.tck.newest"
"$tool" restore --key "$key" "$vault/b.tck" >/dev/null 2>"$work/err" &
tool_pid=$!
for ((n = 0; n < 200; n++)); do exists "$pid" && break; sleep 0.01; done
sleep 0.1
text=$("$build/hunt" "$pid" "$key" "$vault/b.tck"; "$build/hunt" $tool_pid "$key" "$vault/b.tck")
verdict "nor in that of the tool that stands for it" "$(exists "$pid" || cat "$work/err"; [ -z "$text" ] || echo "$text")"
end "$pid" $tool_pid
wait $tool_pid 2>/dev/null

still
accepts "save of one" save --key "$key" -o "$image" "$pid"
end "$pid"
cp "$image" "$vault/older"
cp "$vault/.a.tck.newest" "$vault/older-note"
still
accepts "save over it" save --key "$key" -o "$image" "$pid"
end "$pid"
cp "$image" "$vault/newer"
not_back "an older image" "newer image" "$vault/older" --key "$key"
cp "$vault/older" "$image"
not_back "an older image under its name" "newer image" "$image" --key "$key"
refuses "verify of an older image" 4 "newer image" verify --key "$key" "$image"
cp "$vault/newer" "$image"
mv "$vault/.a.tck.newest" "$vault/note"
not_back "an image without its note" "no .a.tck.newest" "$image" --key "$key"
head -c 89 "$vault/note" >"$vault/.a.tck.newest"
not_back "an image with half a note" "not authentic" "$image" --key "$key"
cp "$vault/.b.tck.newest" "$vault/.a.tck.newest"
not_back "an image with the note of another name" "not authentic" "$image" --key "$key"
text=
for ((at = 0; at < 90; at++)); do
	cp "$vault/note" "$vault/.a.tck.newest"
	byte=$(od -An -tu1 -j "$at" -N 1 "$vault/note")
	# shellcheck disable=SC2059
	printf "\\x$(printf %02x $((byte ^ 4)))" | dd of="$vault/.a.tck.newest" bs=1 seek="$at" conv=notrunc status=none
	run_tool "$tool" verify --key "$key" "$image"
	text+=$(complaint 4 verify "not authentic")
done
verdict "each byte of a note counts" "$text"
cp "$vault/note" "$vault/.a.tck.newest"
ln -s a.tck "$vault/link"
accepts "verify through a link" verify --key "$key" "$vault/link"
mv "$image" "$image.trying"
accepts "restore under another name" restore --key "$key" -d "$image.trying"
end "$pid"

# Standard output and input: no name, no note.
still
"$tool" save --key "$key" -o - "$pid" >"$vault/stream" 2>"$work/err"
verdict "save to standard output with a key" "$([ $? = 0 ] || cat "$work/err")"
end "$pid"
timeout 10 "$tool" restore --key "$key" -d - < <(cat "$vault/stream") >"$work/out" 2>"$work/err"
verdict "restore from standard input with a key" "$(well "$pid"; cat "$work/err")"
end "$pid"
timeout 10 "$tool" restore --key "$key" -d - < <(head -c 2000 "$vault/stream") >"$work/out" 2>"$work/err"
status=$?
take_output
verdict "restore from standard input, cut off" "$(complaint 4 restore "cut off"; ! exists "$pid" || echo "it is there")"
timeout 10 "$tool" restore --key "$key" -d - < <(cat "$vault/newer") >"$work/out" 2>"$work/err"
status=$?
take_output
verdict "restore from standard input of what was saved as a file" "$(complaint 4 restore "saved as a file"; ! exists "$pid" || echo "it is there")"

# A workload that is configured.
if "$tool" save --help | grep -q -- --all; then
	mkdir "$work/configured"
	export TINYCKPT_DIR=$vault TINYCKPT_CONFIG=$work/configured
	printf '%s\n' "pidfile=$vault/svc.pid" "key=$key" settle=0 >"$work/configured/svc.conf"
	still
	echo "$pid" >"$vault/svc.pid"
	accepts "save of a service with a key" save --service svc
	verdict "its image is encrypted" "$([ "$(head -c 4 "$vault/svc.tck")" = $'\x89TCS' ] || echo "it is not")"
	end "$pid"
	rm "$vault/svc.pid"
	accepts "restore of a service with a key" restore --service svc
	verdict "it is back, and its image done with" "$(well "$pid"; [ -e "$vault/svc.tck.done" ] || echo "no svc.tck.done")"
	end "$pid"
	mv "$vault/svc.tck.done" "$vault/svc.tck"
	run_tool "$tool" restore --service svc
	verdict "its image does not come back" "$([[ $err == *"restored already"* ]] || echo "it said: $err"; ! exists "$pid" || echo "it is there")"
	unset TINYCKPT_DIR TINYCKPT_CONFIG
else
	skip "services with a key" "built without CONFIG_SERVICES"
fi

# The process that reads goes on in another one, where it has a number of the tree's.
last=/proc/sys/kernel/ns_last_pid
if "$tool" --help | grep -q "^  boot " && echo 7000 2>/dev/null >$last; then
	still
	accepts "save for a restore in its own way" save --key "$key" -o "$vault/way.tck" "$pid"
	end "$pid"
	mkdir -m 700 "$vault/way"
	cp "$vault/way.tck" "$vault/way/"
	cp "$vault/.way.tck.newest" "$vault/way/"
	export TINYCKPT_DIR=$vault/way
	echo 300 >$last
	run_tool "$tool" boot --key "$key"
	verdict "boot with a key" "$([[ $out == "process IDs up to $pid are kept"* ]] || echo "it said: $out$err")"
	run_tool "$tool" boot
	verdict "boot without it" "$([[ $err == *"no key"* && $out == "no process"* ]] || echo "it said: $out$err")"
	unset TINYCKPT_DIR
	echo $((pid - 3)) >$last
	accepts "restore with a key when its child has the number" restore --key "$key" -d "$vault/way.tck"
	text=$("$build/hunt" "$pid" "$key" "$vault/way.tck")
	verdict "the workload is well, and has no key" "$(well "$pid"; [ -z "$text" ] || echo "$text")"
	end "$pid"
else
	skip "restore with a key when its child has the number" "this kernel has no ns_last_pid"
fi

# Chunks: a larger image, whose environment does not pack.
noise() { head -c 80000 /dev/urandom | base64 -w 0; }
# shellcheck disable=SC2016
pid=$(cd / && A=$(noise) B=$(noise) setsid --fork sh -c 'echo $$; exec "$1" </dev/null >/dev/null 2>&1' sh "$build/still")
sleep 0.2
accepts "save of several chunks" save --key "$key" -o "$vault/large.tck" "$pid"
end "$pid"
chunk=$((65536 + 17)) large=$(stat -c %s "$vault/large.tck") begin=$((44 + 9 + 4))
chunks=$(((large - begin + chunk - 1) / chunk))
verdict "it has at least 3" "$([ $chunks -ge 3 ] || echo "$large bytes, $chunks chunks")"
accepts "verify of several chunks" verify --key "$key" "$vault/large.tck"
# take N: chunk N of it
take() { tail -c +$((begin + $1 * chunk + 1)) "$vault/large.tck" | head -c $chunk; }
preamble() { head -c $begin "$vault/large.tck"; }
for ((n = 0; n < chunks; n++)); do
	{ preamble; for ((i = 0; i < n; i++)); do take $i; done; } >"$vault/large.cut"
	not_back "an image cut behind chunk $n of $chunks" "cut off" "$vault/large.cut" --key "$key"
done
{ preamble; take 1; take 0; for ((i = 2; i < chunks; i++)); do take $i; done; } >"$vault/large.cut"
not_back "an image with swapped chunks" "not authentic" "$vault/large.cut" --key "$key"
{ preamble; take 0; take 0; for ((i = 1; i < chunks; i++)); do take $i; done; } >"$vault/large.cut"
not_back "an image with a chunk twice" "not authentic" "$vault/large.cut" --key "$key"
{ preamble; take 0; for ((i = 2; i < chunks; i++)); do take $i; done; } >"$vault/large.cut"
not_back "an image that lacks a chunk" "not authentic" "$vault/large.cut" --key "$key"
accepts "restore of several chunks" restore --key "$key" -d "$vault/large.tck"
end "$pid"

# A shutdown: at any instant there is an image that can be restored, the older one or the new one.
still
text=$(
	"$tool" save --key "$key" --leave-running -o "$vault/cut.tck" "$pid" 2>&1
	read -r stops _ < <("$fault_build/killer" -x -n 100000 -- "$tool" save --key "$key" --leave-running -o "$vault/cut.tck" "$pid" 2>&1)
	stops=${stops#stops=}
	[ "$stops" -gt 30 ] || echo "$stops calls"
	for ((n = stops - 30; n <= stops; n++)); do
		"$fault_build/killer" -x -n $n -- "$tool" save --key "$key" --leave-running -o "$vault/cut.tck" "$pid" >"$work/out" 2>&1
		run_tool "$tool" verify --key "$key" "$vault/cut.tck"
		[ "$status" -le 1 ] || echo "killed at call $n of $stops: $err"
	done
)
verdict "save over an image, killed at its last calls: one of them can be restored" "$text"
size=$(stat -c %s "$vault/cut.tck")
refuses "save beyond --max-size with a key" 1 "--max-size" save --key "$key" --leave-running --max-size $((size - 40)) -o "$vault/cut.tck" "$pid"
accepts "save within --max-size with a key" save --key "$key" --leave-running --max-size $((size + 40)) -o "$vault/cut.tck" "$pid"
end "$pid"

# The file of the key.
still
for mode in 640 604 660 602 620; do
	chmod $mode "$key"
	refuses "save with a key of mode $mode" 1 "mode $mode" save --key "$key" -o "$vault/c.tck" "$pid"
done
verdict "and the workload is well" "$(well "$pid")"
chmod 600 "$key"
chown 65534 "$key"
refuses "save with a key of another user" 1 "user 65534" save --key "$key" -o "$vault/c.tck" "$pid"
chown 0 "$key"
head -c 31 "$key" >"$vault/short"
chmod 600 "$vault/short"
refuses "save with half a key" 1 "no key" save --key "$vault/short" -o "$vault/c.tck" "$pid"
refuses "save with a key that is a directory" 1 "no key" save --key "$vault" -o "$vault/c.tck" "$pid"
refuses "save with a key that is not there" 1 "No such" save --key "$vault/none" -o "$vault/c.tck" "$pid"
verdict "no image comes of it" "$([ ! -e "$vault/c.tck" ] || echo "there is one")"

# Without a key.
accepts "save without a key" save -o "$vault/c.tck" "$pid"
end "$pid"
not_back "an unsigned image where there is a key" "not encrypted" "$vault/c.tck" --key "$key"
refuses "verify of an unsigned image where there is a key" 4 "not encrypted" verify --key "$key" "$vault/c.tck"
# writable NAME: restore and verify refuse it
writable() {
	not_back "$1" "not trusted" "$vault/c.tck"
	refuses "verify of $1" 4 "not trusted" verify "$vault/c.tck"
}
for mode in 620 602 666 1666; do
	chmod $mode "$vault/c.tck"
	writable "an image of mode $mode"
done
chmod 600 "$vault/c.tck"
chown 65534 "$vault/c.tck"
writable "an image of another user"
chown 0 "$vault/c.tck"
for mode in 770 707; do
	chmod $mode "$vault"
	writable "an image in a directory of mode $mode"
done
chmod 1777 "$vault"
accepts "verify of an image in a directory as /tmp" verify "$vault/c.tck"
chmod 700 "$vault"
chown 65534 "$vault"
writable "an image in a directory of another user"
chown 0 "$vault"
accepts "restore without a key" restore -d "$vault/c.tck"

# A key that is installed counts without being asked for.
mkdir "$work/etc"
if mount -t tmpfs -o mode=755 tmpfs "$work/etc" && cp -a /etc/. "$work/etc/" && mount --bind "$work/etc" /etc; then
	rm -rf /etc/tinyckpt
	umask 0
	accepts "keygen installs a key" keygen
	umask 022
	verdict "which is there" "$([ "$(stat -c %s:%a /etc/tinyckpt/key /etc/tinyckpt)" = $'32:600\n'"$(stat -c %s /etc/tinyckpt):755" ] || ls -ld /etc/tinyckpt/*)"
	accepts "save where a key is installed" save -o "$vault/d.tck" "$pid"
	accepts "verify where a key is installed" verify "$vault/d.tck"
	not_back "an image without a signature where a key is installed" "not encrypted" "$vault/c.tck"
	TINYCKPT_DIR=$vault run_tool "$tool" list
	verdict "list tells of it" "$(grep -q "^d .*ready" <<<"$out" || echo "it said: $out")"
	accepts "restore where a key is installed" restore -d "$vault/d.tck"
	mv /etc/tinyckpt/key "$vault/moved"
	ln -s "$vault/moved" /etc/tinyckpt/key
	accepts "save where a link leads to the key" save --leave-running -o "$vault/e.tck" "$pid"
	verdict "its image is encrypted" "$([ "$(head -c 4 "$vault/e.tck")" = $'\x89TCS' ] || echo "it is not")"
	ln -sf "$vault/nowhere" /etc/tinyckpt/key
	refuses "save where the link leads nowhere, as to what is not mounted: nothing is saved without the key" 1 \
		"key /etc/tinyckpt/key: cannot be read: No such file" save -o "$vault/f.tck" "$pid"
	refuses "nor restored" 1 "key /etc/tinyckpt/key: cannot be read: No such file" restore -d "$vault/c.tck"
	end "$pid"
	umount -l /etc
else
	skip "a key that is installed" "/etc cannot be covered here"
fi
end "$pid"
umount -l "$work/etc" 2>/dev/null
