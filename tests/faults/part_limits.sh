# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# save when something runs out, or when others meddle with the victim meanwhile. Sourced by run.

# Text: files beside the image, or an image that is not whole. With `none`, an image that should not be there.
image_seen() {
	local text name

	for name in "$work"/images/* "$work"/images/.[!.]*; do
		[ -e "$name" ] || continue
		[ "$name" = "$image" ] || echo "left behind: $(basename "$name"), $(stat -c %s "$name") bytes"
	done
	[ -e "$image" ] || return
	[ "${1:-}" != none ] || echo "an image is there"
	# With the victim alive, its PIDs are taken and its files have changed: it would not restore at this moment.
	text=$("$tool" verify "$image" 2>&1) || [[ $text == *": whole; would not"* ]] || echo "the image is not whole: $text"
}

clear_images() {
	find "$work/images" -mindepth 1 -delete
}

# refused NAME COMMAND...: must end with 1 and one line, leave no file, and the victim as it was
refused() {
	local name=$1 status text lines
	shift

	clear_images
	"$@" >"$work/stdout" 2>"$work/stderr"
	status=$?
	text=$(harm_seen; image_seen none)
	[ $status = 1 ] || text="exit status $status"$'\n'$text
	lines=$(grep -c '^tinyckpt: save: ' "$work/stderr")
	[ "$lines" = 1 ] && [ "$(wc -l <"$work/stderr")" = 1 ] || text+="standard error: $(cat "$work/stderr")"
	verdict "$name" "$text"
	[ -z "$text" ] || fresh
}

# unharmed NAME COMMAND...: whatever becomes of the save
unharmed() {
	local name=$1 status text
	shift

	clear_images
	"$@" >"$work/stdout" 2>"$work/stderr"
	status=$?
	text=$(harm_seen; image_seen)
	case $status in
	0) [ -e "$image" ] || text+="exit status 0, but there is no image" ;;
	1 | 3) ;; # what it lacks itself, and what restore would lack
	*) text+="exit status $status: $(cat "$work/stderr")" ;;
	esac
	verdict "$name (exit status $status)" "$text"
	[ -z "$text" ] || fresh
}

fresh
keep=("$tool" save --leave-running -o)

mount -t tmpfs -o size=128k tmpfs "$work/images"
refused "save on a full disk" "${keep[@]}" "$image" "$pid"
umount "$work/images"

mount -t tmpfs -o nr_inodes=1 tmpfs "$work/images"
refused "save on a disk without a free inode" "${keep[@]}" "$image" "$pid"
umount "$work/images"

refused "save under RLIMIT_FSIZE" prlimit --fsize=100000 "${keep[@]}" "$image" "$pid"
# shellcheck disable=SC2016
refused "save to /dev/full" sh -c 'exec "$@" >/dev/full' sh "${keep[@]}" - "$pid"
# shellcheck disable=SC2016
refused "save into a pipe whose reader is gone" bash -c '"$@" > >(head -c 1000 >/dev/null)' bash "${keep[@]}" - "$pid"

for n in 3 4 5 6 7 8 10 12 16 24 48 100; do
	unharmed "save with $n descriptors" prlimit --nofile=$n "${keep[@]}" "$image" "$pid"
done
# Less than that, and the kernel cannot even start the program.
smallest=$(($(stat -c %s "$tool") / 1024 + 200))
for kib in "$smallest" $((smallest + 100)) $((smallest + 200)) $((smallest + 300)) $((smallest + 500)) 1500 4000; do
	unharmed "save with $kib KiB of address space" prlimit --as=$((kib * 1024)) "${keep[@]}" "$image" "$pid"
done

# Somebody stops and continues the victim while it is saved.
meddle() {
	local n

	for ((n = 0; n < 60; n++)); do
		kill -STOP "$pid"
		sleep 0.00$((RANDOM % 4))
		kill -CONT "$pid"
		sleep 0.00$((RANDOM % 8))
	done 2>/dev/null
}
clear_images
meddle &
meddler=$!
text=
saves=0
while kill -0 $meddler 2>/dev/null; do
	saved=$("${keep[@]}" "$image" "$pid" 2>&1) || text+="save: exit status $?: $saved"$'\n'
	saves=$((saves + 1))
done
wait $meddler
kill -CONT "$pid" 2>/dev/null
verdict "$saves saves of a victim that is stopped and continued meanwhile" "$text$(harm_seen; image_seen)"
