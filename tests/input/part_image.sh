# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# Things that are no image, or no whole one. Sourced by run.

still
good=$work/good.tck
run_tool "$tool" save -o "$good" "$pid"
verdict "a small image" "$err"
end "$pid"
size=$(stat -c %s "$good")
echo "# it has $size bytes"
accepts "verify of the whole image" verify "$good"

readers="verify show"
! "$tool" --help | grep -q "^  core " || readers+=" core"

# no_image NAME STATUSES PATTERN FILE: for all that read images; restore leaves nothing behind
no_image() {
	local command

	for command in $readers restore; do
		refuses "$command of $1" "$2" "$3" "$command" "$4"
	done
	verdict "restore of $1 leaves no process" "$(! exists "$pid" || echo "pid $pid is there")"
}

no_image "a missing file" 1,4 "nowhere" "$work/nowhere"
no_image "a directory" 1,4 "directory|regular" "$work"
mkfifo "$work/fifo"
no_image "a FIFO" 1,4 "regular|pipe|fifo|FIFO" "$work/fifo"
no_image "an endless device" 1,4 "regular|device" /dev/zero
no_image "an empty device" 1,4 "regular|device" /dev/null
: >"$work/empty"
no_image "an empty file" 4 "empty|not.*image" "$work/empty"
no_image "a program" 4 "not .*image" "$tool"
printf 'hello\n' >"$work/text"
no_image "a text" 4 "not .*image|short" "$work/text"
truncate -s 1T "$work/hole"
no_image "a hole of 1 TiB" 4 "not .*image" "$work/hole"
ln -s "$good" "$work/link"
accepts "verify through a symbolic link" verify "$work/link"
ln -s loop "$work/loop"
no_image "a symbolic link to itself" 1,4 "link" "$work/loop"
{ cat "$good"; echo; } >"$work/longer"
no_image "an image with a byte more" 4 "." "$work/longer"
{ cat "$good" "$good"; } >"$work/twice"
no_image "two images in one file" 4 "." "$work/twice"
head -c $((size - 1)) "$good" >"$work/shorter"
no_image "an image with a byte less" 4 "." "$work/shorter"
{ head -c $((size - 16)) "$good"; truncate -s 16 /dev/stdout; } >"$work/trailerless" 2>/dev/null
no_image "an image without its trailer" 4 "." "$work/trailerless"
tr '\n' '\r' <"$good" >"$work/text-mode"
no_image "an image that went through a text-mode transfer" 4 "not .*image" "$work/text-mode"
tail -c +2 "$good" >"$work/shifted"
no_image "an image without its first byte" 4 "not .*image" "$work/shifted"

"$build/falsify" "$good" "$work/newer" version 3
no_image "an image of the next version" 4 "format|version" "$work/newer"
"$build/falsify" "$good" "$work/older" version 1
no_image "an image of version 1" 4 "format|version" "$work/older"
"$build/falsify" "$good" "$work/far" version 65535
no_image "an image of version 65535" 4 "format|version" "$work/far"
for machine in 40:arm 183:aarch64 243:riscv 8:mips 3:i386 0:unknown 65535:65535; do
	[ "$(uname -m):${machine%%:*}" != "aarch64:183" ] || continue
	"$build/falsify" "$good" "$work/foreign" machine "${machine%%:*}"
	no_image "an image of machine ${machine%%:*}" 4 "made on .*${machine#*:}.*; this is" "$work/foreign"
done

# An image that may not be read by who asks
cp "$tool" "$work/tinyckpt-open"
chmod 755 "$work/tinyckpt-open"
run_tool setpriv --reuid 65534 --regid 65534 --clear-groups "$work/tinyckpt-open" verify "$good"
verdict "verify of an image that may not be read" "$(complaint 1,4 verify "denied")"

run_tool "$tool" verify "$work/no-such-image" "$work/older" "$good"
verdict "verify of several images: one line of each, and the worst decides" "$(
	[ "$status:$lines" = 4:2 ] && [[ $err == *no-such-image*$'\n'*older* ]] || echo "exit status $status: $err"
)"
every=1
text=$("$build/flip" "$tool" "$good" "$work/scratch" bits $every)
status=$?
verdict "verify finds a flipped bit in every byte (${text##*$'\n'})" "$([ $status = 0 ] || echo "$text")"
every=7
[ "${INPUT:-}" != full ] || every=1
text=$("$build/flip" "$tool" "$good" "$work/scratch" lengths $every)
status=$?
verdict "verify finds an image that is cut off (${text##*$'\n'})" "$([ $status = 0 ] || echo "$text")"

# restore of damaged images: a sample, from a file and as a stream
damaged() {
	local at=$1 byte

	cp "$good" "$work/damaged"
	byte=$(od -An -tu1 -j "$at" -N 1 "$good")
	# shellcheck disable=SC2059
	printf "\\x$(printf %02x $((byte ^ (1 << (at % 8)))))" | dd of="$work/damaged" bs=1 seek="$at" conv=notrunc status=none
}
text=
tried=0
count=30
[ "${INPUT:-}" != full ] || count=600
for ((n = 0; n < count; n++)); do
	at=$((n * size / count))
	damaged $at
	for source in file stream; do
		if [ $source = file ]; then
			run_tool "$tool" restore -d "$work/damaged"
		else
			timeout 10 "$tool" restore -d - <"$work/damaged" >"$work/out" 2>"$work/err"
			status=$?
			take_output
		fi
		seen=$(complaint 4 restore .)
		! exists "$pid" || { seen+=" pid $pid is there"; end "$pid"; }
		[ -z "$seen" ] || text+="byte $at, $source: $seen"$'\n'
		tried=$((tried + 1))
	done
done
verdict "restore of $tried damaged images" "$text"

# Of a large image some of the pages are read by another thread than the rest.
still / "$build/large"
sleep 0.2
run_tool "$tool" save -o "$good" "$pid"
verdict "a large image" "$err"
end "$pid"
size=$(stat -c %s "$good")
text=
for ((n = 0; n < 24; n++)); do
	at=$((size / 3 + n * size / 60))
	damaged $at
	run_tool "$tool" restore -d "$work/damaged"
	seen=$(complaint 4 restore "damaged")
	! exists "$pid" || { seen+=" pid $pid is there"; end "$pid"; }
	[ -z "$seen" ] || text+="byte $at: $seen"$'\n'
done
verdict "restore of a large image that is damaged" "$text"
run_tool "$tool" restore -d "$good"
verdict "restore of the whole one" "$err$(exists "$pid" || echo "pid $pid is not there")"
end "$pid"
