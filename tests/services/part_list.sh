# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# tinyckpt list. Sourced by run.

if ! "$tool" --help | grep -q '^  list '; then
	skip "list" "this tinyckpt was built without CONFIG_CMD_LIST"
	return 0
fi
clean
run_tool "$tool" list
verdict "list without a folder" "$([ "$status$out$err" = 0 ] || echo "$status: $out$err")"

# The firmware's name is that of the os-release file.
release() { printf '%b' "$1" >"$work/os-release"; }
release 'NAME=Board\nPRETTY_NAME="Board OS 1.2 \\"A\\""\nVERSION=1\n'
firmware_file=$(realpath -m /etc/os-release)
if ! mount --bind "$work/os-release" "$firmware_file" 2>/dev/null; then
	skip "the firmware's name" "nothing can be mounted on $firmware_file"
	firmware_file=
fi
named() { # NAME CONTENT WANTED
	[ -n "$firmware_file" ] || return 0
	release "$2"
	run_tool "$tool" save --leave-running --name named "$pid"
	verdict "the firmware's name: $1" "$("$tool" list | grep '^named' | grep -qF -- "  $3, Linux $(uname -r)" || { "$tool" list; echo "wanted: $3"; })"
}
service alpha
begin alpha
named "PRETTY_NAME" 'NAME=Board\nPRETTY_NAME="Board OS 1.2 \\"A\\""\nVERSION=1\n' 'Board OS 1.2 "A"'
named "single quotes" "PRETTY_NAME='Board \$1'\n" "Board \$1"
named "no quotes, no last end of line" 'PRETTY_NAME=Board' "Board"
named "NAME and VERSION" 'VERSION="7 b"\nNAME=Board\nIDNAME=x\n' "Board 7 b"
named "what is no text" 'PRETTY_NAME="B\x1b[2J\xff"\n' 'B\x1b[2J\xff'
if [ -n "$firmware_file" ]; then
	release "PRETTY_NAME=\"$(printf '%0500d' 0)\"\n"
	run_tool "$tool" save --leave-running --name named "$pid"
	verdict "the firmware's name: a long one is cut" "$(says 0 0 ""; "$tool" list | grep -qE '  0{63}, Linux' || "$tool" list)"
	head -c 100000 /dev/urandom >"$work/os-release"
	run_tool "$tool" save --leave-running --name named "$pid"
	verdict "the firmware's name: a file of anything" "$(says 0 0 "")"
	release 'PRETTY_NAME="Board \\"1\\""\n'
fi
run_tool "$tool" save --leave-running --name named "$pid"
run_tool "$tool" show "$images/named.tck"
verdict "show tells the firmware" "$([ -z "$firmware_file" ] || grep -qF 'firmware Board "1"' <<<"$out" || echo "it said: $out")"

rm -f "$images"/*
for name in ready tried:.trying back:.done lost:.failed; do
	"$tool" save --leave-running -o "$images/${name%%:*}.tck$([[ $name != *:* ]] || echo "${name#*:}")" "$pid"
done
head -c -1 "$images/ready.tck" >"$images/cut.tck"
echo nothing >"$images/nothing.tck.done"
: >"$images/other"
: >"$images/.hidden.tck"
mkdir "$images/folder.tck"
# line NAME STATE: a complaint when the list has no such line
line() { grep -qE "^$1 +$2 +([0-9]+ (s|min|h|d)|\?) +[0-9]+ (KiB|MiB)( |$)" <<<"$out" || echo "no line $1 $2"; }
run_tool "$tool" list
verdict "list: names and states" "$(
	line ready ready; line tried trying; line back restored; line lost failed; line cut unusable; line nothing unusable
	[ "$status" = 0 ] || echo "exit status $status"
	! grep -qE 'other|hidden' <<<"$out" || echo "what is no image is listed"
	[ "$(wc -l <<<"$out")" = 8 ] || echo "not a heading and seven lines"
	head -n 1 <<<"$out" | grep -qE '^NAME +STATE +AGE +SIZE +FIRMWARE$' || echo "no heading"
)"
# told FILE AGE-AND-SIZE
told() {
	run_tool "$tool" list
	grep -qE "^$1 +[a-z]+ +$2( |\$)" <<<"$out" || echo "wanted: $2; told: $(grep "^$1" <<<"$out")"
}
verdict "list: sizes" "$(
	for size in "1 1.KiB" "1024 1.KiB" "1025 2.KiB" "10484736 10239.KiB" "10484737 10.MiB" "10485760 10.MiB" "20000000 19.MiB"; do
		truncate -s "${size% *}" "$images/sized.tck"
		told sized "\? +${size#* }"
	done
	rm "$images/sized.tck"
)"
verdict "list: ages" "$(
	read -r j < <("$build/falsify" fields "$images/ready.tck" | awk '$1 == 0 && $4 == 2 { print $2; exit }')
	for age in "30 3..s" "100 10..s" "125 2.min" "7100 11[89].min" "7210 2.h" "172000 47.h" "172900 2.d" "1000000 11.d" "-1000 \?" \
		"$(($(date +%s) - 100)) \?"; do
		"$build/falsify" "$images/ready.tck" "$images/aged.tck" field 0 "$j" $((($(date +%s) - ${age% *}) * 1000000000)) || echo "not forged"
		told aged "${age#* } +[0-9]+.KiB"
	done
	rm "$images/aged.tck"
)"
run_tool "$tool" list
verdict "list: why one is unusable goes to standard error" "$(grep -q "cut.tck: " <<<"$err" || echo "it said: $err")"
if "$tool" list --json >"$work/json" 2>/dev/null && command -v python3 >/dev/null; then
	verdict "list --json: the same for programs" "$(python3 - "$work/json" "$pid" "$(uname -r)" <<'END' 2>&1
import json, sys
images = json.load(open(sys.argv[1]))
states = [(i["name"], i["state"]) for i in images]
wanted = [("back", "restored"), ("cut", "unusable"), ("folder", "unusable"), ("lost", "failed"), ("nothing", "unusable"),
          ("ready", "ready"), ("tried", "trying")]
if states != wanted: print(states)
ready = images[5]
if ready["root"] != int(sys.argv[2]) or ready["processes"] != 1: print(ready)
if ready["kernel_release"] != sys.argv[3]: print(ready)
if not 0 <= ready["age_seconds"] < 600 or ready["bytes"] < 1000: print(ready)
if not ready["file"].endswith("/ready.tck"): print(ready)
END
)"
else
	skip "list --json" "no CONFIG_JSON, or no python3"
fi
if "$tool" --help | grep -q '^  keygen '; then
	"$tool" keygen -o "$work/key" >/dev/null
	"$tool" save --key "$work/key" --name spent "$pid"
	run_tool "$tool" list --key "$work/key"
	verdict "list: an encrypted image that may be restored" "$(line spent ready)"
	"$tool" restore -d --key "$work/key" "$images/spent.tck"
	run_tool "$tool" list --key "$work/key"
	verdict "list: one that was restored, and will not be again" "$(
		line spent unusable
		grep -q "spent.tck: it was restored already" <<<"$err" || echo "it said: $err"
	)"
else
	skip "list: encrypted images" "this tinyckpt was built without CONFIG_TRUST"
fi
run_tool "$tool" list nothing
verdict "list takes no argument" "$(complaint 2 list .)"
"$tool" list >/dev/full 2>"$work/err"
status=$?
verdict "list to a full disk" "$([ $status = 1 ] || echo "exit status $status")"
[ -z "$firmware_file" ] || umount "$firmware_file"
end "$pid"
clean
