# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# Clocks after another boot, which a boot ID of its own plays here, and what an image may claim of them. Sourced by run.

if [[ $("$tool" restore --clock=freeze "$work/none" 2>&1) == *CONFIG_CLOCKS* ]]; then
	skip "clocks" "built without CONFIG_CLOCKS"
	return
fi
if [ ! -e /proc/self/ns/time ]; then
	skip "clocks" "this kernel has no time namespaces"
	return
fi
image=$work/clock.tck forged=$work/clock-forged.tck
still
"$tool" save -o "$image" "$pid" || fail "a save"
end "$pid"
sleep 1.2

# offset LEAST MOST: text when that of CLOCK_MONOTONIC (in ms) is not in between, then ends the workload
offset() {
	local text=
	text=$(awk -v least="$1" -v most="$2" '$1 == "monotonic" { ms = $2 * 1000 + $3 / 1000000 }
		END { if (ms < least || ms > most) print "an offset of " ms " ms, not of " least " to " most }' "/proc/$pid/timens_offsets")
	[ -z "$text" ] || echo "$text"
	end "$pid"
}
# comes PATTERN LEAST MOST ARGUMENT...: the last restore says that, and has that offset
comes() {
	run_tool "$tool" restore -d "${@:4}"
	[ "$status" = 0 ] || echo "exit status $status: $err"
	[[ $err =~ $1 ]] || echo "does not match /$1/: $err"
	offset "$2" "$3"
}
own() { [ "$(readlink "/proc/$pid/ns/time")" != "$(readlink /proc/self/ns/time)" ]; }

verdict "clocks freeze by default" "$(comes "^$" -60000 -1100 "$image")"
verdict "clocks freeze when asked to" "$(comes "^$" -60000 -1100 --clock=freeze "$image")"
run_tool "$tool" restore -d --clock=advance "$image"
verdict "no namespace where the machine has counted" "$(own && echo "it has one"; offset 0 0)"

# frame TYPE: its number
frame() { "$build/falsify" list "$image" | awk -v type="$1" '$2 == type { print $1; exit }'; }
# field NAME-NUMBER VALUE: in the frame of the clocks
field() {
	local j
	j=$("$build/falsify" fields "$image" | awk -v k="$(frame 16)" -v field="$1" '$1 == k && $4 == field { print $2; exit }')
	"$build/falsify" "$image" "$forged" field "$(frame 16)" "$j" "$2" || echo "cannot be forged"
}
for number in 1 2; do
	field $number 9223372036854775807
	refuses "an image with an absurd clock ($number)" 4 "clocks are absurd" restore -d "$forged"
	refuses "verify of an image with an absurd clock ($number)" 4 "clocks are absurd" verify "$forged"
done

# Of a machine that was suspended for an hour CLOCK_BOOTTIME has counted more than CLOCK_MONOTONIC.
suspended=$work/suspended.tck
setsid unshare --time --boottime=3600 --fork sh -c 'echo $$ >"$2"; exec "$1"' sh "$build/still" "$work/pid" </dev/null >/dev/null 2>&1 &
until other=$(cat "$work/pid" 2>/dev/null) && [ "$(readlink "/proc/$other/exe")" = "$(realpath "$build/still")" ]; do sleep 0.01; done
"$tool" save -o "$suspended" "$other" || fail "a save of what is in a time namespace"
wait $!
verdict "what the machine was suspended for stays the difference of its clocks" "$(
	run_tool "$tool" restore -d "$suspended"
	[ "$status" = 0 ] || echo "exit status $status: $err"
	awk '{ s[$1] = $2 + $3 / 1e9 } END { d = s["boottime"] - s["monotonic"]; if (d < 3599.9 || d > 3600.1) print d " seconds" }' \
		"/proc/$other/timens_offsets")"
end "$other"

cat /proc/sys/kernel/random/uuid >"$work/boot_id"
if ! mount --bind "$work/boot_id" /proc/sys/kernel/random/boot_id 2>/dev/null; then
	skip "clocks after another boot" "the boot ID cannot be another"
	return
fi
# The offset is what is lost from CLOCK_REALTIME to CLOCK_MONOTONIC: the time that restore takes.
verdict "clocks advance by CLOCK_REALTIME" "$(comes "^$" -1000 1000 --clock=advance "$image")"
verdict "clocks freeze after another boot" "$(comes "^$" -60000 -1100 "$image")"
field 3 1000000000000000
verdict "clocks freeze when the real one was not set then" "$(comes "was not set when" -60000 -1100 --clock=advance "$forged")"
field 3 9000000000000000000
verdict "clocks freeze when the real one is not set now" "$(comes "was not set yet" -60000 -1100 --clock=advance "$forged")"
umount /proc/sys/kernel/random/boot_id
