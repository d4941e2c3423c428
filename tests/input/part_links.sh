# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# Who may write where the files of a workload lie leads a restore, which is root's, to files of others. Sourced by run.

if ! command -v setpriv >/dev/null; then
	skip "links in a user's folder" "there is no setpriv"
	return
fi
user=1700
theirs=$work/theirs
root_own=$work/root-own
image=$work/links.tck
mkdir -m 755 "$root_own"

# user_opens REDIRECTION: starts the smallest process as a user, with that; sets pid
user_opens() {
	# shellcheck disable=SC2016
	pid=$(cd / && setpriv --reuid=$user --regid=$user --clear-groups setsid --fork \
		sh -c "echo \$\$; exec \"\$1\" </dev/null >/dev/null 2>&1 $1" sh "$build/still")
	while [ "$(readlink "/proc/$pid/exe")" != "$build/still" ]; do sleep 0.01; done
}

# fresh: a folder of the user's with a file in it, and a file of root's that is the larger
fresh() {
	rm -rf "$theirs" "${root_own:?}"/*
	mkdir -p "$theirs/inner"
	echo line >"$theirs/inner/log"
	chown -R $user:$user "$theirs"
	printf '%s\n' line more >"$root_own/log"
	chmod 600 "$root_own/log"
	printf 'file %s/** %s\n' "$work" "$1" >"$work/links-rules"
	chmod 600 "$work/links-rules"
}
# saved REDIRECTION
saved() {
	local words=()

	[ -z "$rules_known" ] || words=(--rules "$work/links-rules")
	user_opens "$1"
	accepts "save of $1" save "${words[@]}" -o "$image" "$pid"
	end "$pid"
	before=$(cd "$root_own" && stat -c '%n %s %u %Y' -- * && cat -- *)
}
# led_astray NAME PATTERN: restore refuses, with 4, and what is root's is as it was
led_astray() {
	refuses "restore: $1" 4 "$2" restore -d "$image"
	verdict "restore: $1: nobody is there, and root's files are as they were" \
		"$(! exists "$pid" || echo "pid $pid is there"; end "$pid"
		[ "$before" = "$(cd "$root_own" && stat -c '%n %s %u %Y' -- * && cat -- *)" ] || ls -ln "$root_own")"
	run_tool "$tool" verify "$image"
	verdict "verify: $1" "$([[ $status = 4 && $err =~ $2 ]] || echo "exit status $status: $out$err")"
}
rules_known=$("$tool" save --help | grep -e --rules)

fresh exact
saved "3<>$theirs/inner/log"
rm "$theirs/inner/log"
printf 'root\n' >"$root_own/secret"
touch -r "$root_own/secret" "$root_own/log"
before=$(cd "$root_own" && stat -c '%n %s %u %Y' -- * && cat -- *)
ln -s "$root_own/secret" "$theirs/inner/log"
led_astray "a file became a link" "inner/log"

# its size and time are for the user to choose
fresh exact
printf 'root\n' >"$root_own/secret"
touch -r "$root_own/secret" "$theirs/inner/log"
saved "3<>$theirs/inner/log"
rm "$theirs/inner/log"
ln -s "$root_own/secret" "$theirs/inner/log"
led_astray "a file became a link to one like it" "inner/log"
rm "$theirs/inner/log"
ln "$root_own/secret" "$theirs/inner/log"
before=$(cd "$root_own" && stat -c '%n %s %u %Y' -- * && cat -- *)
led_astray "a file became another name of one like it" "inner/log.*user"

fresh exact
saved "3>>$theirs/inner/log"
rm "$theirs/inner/log"
ln -s "$root_own/log" "$theirs/inner/log"
led_astray "a log became a link" "inner/log"
rm "$theirs/inner/log"
ln "$root_own/log" "$theirs/inner/log"
before=$(cd "$root_own" && stat -c '%n %s %u %Y' -- * && cat -- *)
led_astray "a log became another name" "inner/log.*user"
rm -r "$theirs/inner"
ln -s "$root_own" "$theirs/inner"
led_astray "a folder became a link" "inner/log"

# what root itself has moved goes on
fresh exact
saved "3>>$theirs/inner/log"
mv "$theirs" "$work/moved"
ln -s "$work/moved" "$theirs"
accepts "restore: root has moved the folder" restore -d "$image"
verdict "restore: root has moved the folder: it is back" "$(well "$pid")"
end "$pid"
rm "$theirs"
mv "$work/moved" "$theirs"

for action in append recreate snapshot; do
	if [ -z "$rules_known" ]; then
		skip "rule $action in a user's folder" "this tinyckpt was built without CONFIG_RULES"
		continue
	fi
	fresh "$action"
	saved "3>>$theirs/inner/log"
	rm -r "$theirs/inner" "$root_own/log"
	echo other >"$root_own/other"
	before=$(cd "$root_own" && stat -c '%n %s %u %Y' -- * && cat -- *)
	ln -s "$root_own" "$theirs/inner"
	led_astray "rule $action, and the folder became a link" "inner/log"
done

# Where restore itself writes.
fresh exact
saved "3>>$theirs/inner/log"
mkfifo "$work/pidfile"
refuses "restore: the pidfile is a FIFO" 1 "pidfile" restore -d --pidfile "$work/pidfile" "$image"
rm "$work/pidfile"
echo other >"$root_own/other"
ln "$root_own/other" "$work/pidfile"
refuses "restore: the pidfile has another name" 1 "pidfile" restore -d --pidfile "$work/pidfile" "$image"
verdict "restore: the pidfile has another name: it is as it was" "$([ "$(cat "$root_own/other")" = other ] || echo "it is not")"
rm "$work/pidfile"
ln -s "$root_own/other" "$work/pidfile"
refuses "restore: the pidfile is a link" 1 "pidfile" restore -d --pidfile "$work/pidfile" "$image"
rm "$work/pidfile"
accepts "restore: the pidfile is new" restore -d --pidfile "$work/pidfile" "$image"
verdict "restore: the pidfile is new: it tells" "$([ "$(cat "$work/pidfile")" = "$pid" ] || cat "$work/pidfile")"
end "$pid"
echo "a longer line than a number" >"$work/pidfile"
accepts "restore: the pidfile is there" restore -d --pidfile "$work/pidfile" "$image"
verdict "restore: the pidfile is there: it tells" "$([ "$(cat "$work/pidfile")" = "$pid" ] || cat "$work/pidfile")"
end "$pid"

# Whom images are trusted from.
for mode in 620 602; do
	chmod $mode "$image"
	refuses "restore of an image of mode $mode" 4 "not trusted" restore -d "$image"
done
chmod 600 "$image"
chown $user "$image"
refuses "restore of a user's image" 4 "not trusted" restore -d "$image"
chown 0 "$image"
mkdir -m 777 "$work/open-to-all"
mv "$image" "$work/open-to-all/"
refuses "restore of an image in a folder for all" 4 "not trusted" restore -d "$work/open-to-all/links.tck"
mv "$work/open-to-all/links.tck" "$image"
accepts "restore of an image in a folder of root's" restore -d "$image"
refuses "save into a folder for all" 1 "links.tck: not trusted: others than root may write to its directory" \
	save -o "$work/open-to-all/links.tck" "$pid"
verdict "save into a folder for all: nothing is there" "$(ls -A "$work/open-to-all")"
chmod 1777 "$work/open-to-all"
accepts "save into a folder as /tmp is one" save -o "$work/open-to-all/links.tck" "$pid"
accepts "restore from a folder as /tmp is one" restore -d "$work/open-to-all/links.tck"
end "$pid"

# A FIFO that has no name any more needs one for a moment, where it was.
fresh exact
mkfifo -m 666 "$theirs/inner/fifo"
user_opens "3<>$theirs/inner/fifo"
rm "$theirs/inner/fifo"
accepts "save of a FIFO without a name" save -o "$image" "$pid"
end "$pid"
before=$(cd "$root_own" && ls -la --time-style=full-iso)
mv "$theirs/inner" "$theirs/moved"
ln -s "$root_own" "$theirs/inner"
run_tool "$tool" restore -d "$image"
verdict "restore: the folder of a FIFO without a name became a link: nothing is made where it leads" "$(
	[ "$status" != 0 ] || echo "exit status 0"
	[ "$before" = "$(cd "$root_own" && ls -la --time-style=full-iso)" ] || ls -la "$root_own"
)"
rm "$theirs/inner"
mv "$theirs/moved" "$theirs/inner"
accepts "restore of a FIFO without a name" restore -d "$image"
verdict "it has left nothing there" "$(well "$pid"; find "$theirs" -type p)"
end "$pid"
