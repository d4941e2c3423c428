# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# PIDs that are none, or that must not be touched. Sourced by run.

image=$work/pid.tck
not_there() {
	[ ! -e "$image" ] || { echo "an image is there"; rm -f "$image"; }
}

# no_pid NAME STATUSES PATTERN PID: save and check say the same
no_pid() {
	refuses "save of $1" "$2" "$3" save -o "$image" "$4"
	verdict "save of $1 leaves no image" "$(not_there)"
	refuses "check of $1" "$2" "$3" check "$4"
}

no_pid "PID 0" 2 "0" 0
no_pid "a word" 2 "abc" abc
no_pid "an empty word" 2 "." ""
no_pid "a number with a tail" 2 "1x" 1x
no_pid "a number with a blank" 2 "." " 1"
no_pid "a fraction" 2 "1.5" 1.5
no_pid "a number beyond all PIDs" 2 "4194305" 4194305
no_pid "a number beyond 32 bits" 2 "4294967297" 4294967297
no_pid "a number beyond 64 bits" 2 "18446744073709551617" 18446744073709551617
refuses "save of a negative PID" 2 "." save -o "$image" -5
refuses "save of a negative PID behind --" 2 "5" save -o "$image" -- -5
refuses "save with a newline in the PID" 2 "." save -o "$image" $'1\n2'
no_pid "a process that does not exist" 1 "4100000" 4100000

if [ "$INPUT_KERNEL_THREAD" = none ]; then
	skip "save of a kernel thread" "none is to be seen here"
else
	status=${INPUT_KERNEL_THREAD##* }
	printf %s "${INPUT_KERNEL_THREAD%exit status*}" >"$work/err"
	: >"$work/out"
	take_output
	verdict "save of a kernel thread" "$(complaint 1,3 save "kernel")"
fi

no_pid "PID 1, an ancestor" 1,3 "ancestor|above|itself|inside" 1
no_pid "the shell that called it" 1,3 "ancestor|above|itself|inside" $$
for command in "save -o $image" check; do
	# shellcheck disable=SC2016,SC2086
	run_tool sh -c 'exec "$@" $$' sh "$tool" $command
	verdict "${command%% *} of itself" "$(complaint 1,3 "${command%% *}" "itself"; not_there)"
done

# The tree's root is a descendant, but tinyckpt stands in the tree: an ancestor by another name.
# shellcheck disable=SC2016
run_tool sh -c '"$@" $$; exit $?' sh "$tool" save -o "$image"
verdict "save of its parent" "$(complaint 1,3 save "ancestor|above|itself|inside"; not_there)"

act zombie
no_pid "a zombie" 1,3 "zombie|ended" "$number"
end "$actor"

# pause(2), as 32-bit programs call it
printf '%s\n' '.globl _start' _start: 'mov $29, %eax' 'int $0x80' 'jmp _start' >"$work/narrow.s"
if [ "$(uname -m)" = x86_64 ] && gcc -m32 -nostdlib -static -Wl,--build-id=none -o "$work/narrow" "$work/narrow.s" 2>/dev/null; then
	# shellcheck disable=SC2016
	pid=$(cd / && setsid --fork sh -c 'echo $$; exec "$1" </dev/null >/dev/null 2>&1' sh "$work/narrow")
	sleep 0.2
	if [ "$(readlink "/proc/$pid/exe")" = "$work/narrow" ]; then
		refuses "save of a 32-bit program" 3 "32-bit program" save -o "$image" "$pid"
		verdict "save of a 32-bit program leaves no image" "$(not_there; well "$pid")"
	else
		skip "save of a 32-bit program" "this kernel runs none"
	fi
	end "$pid"
else
	skip "save of a 32-bit program" "there is none here"
fi

act thread
no_pid "a thread that is no process" 1,2,3 "thread" "$number"
verdict "the process of that thread is well" "$(well "$actor")"
end "$actor"

still
act trace "$pid"
refuses "save of a process that is traced already" 3 "trace" save -o "$image" "$pid"
verdict "save of a process that is traced already leaves no image" "$(not_there)"
run_tool "$tool" check "$pid"
verdict "check of a process that is traced already" "$([[ $out == *"fd 0"* ]] || echo "no table"; out= && complaint 3 check "trace")"
verdict "it is still traced by the other" "$(
	grep -q "^TracerPid:.$actor\$" "/proc/$pid/status" || grep ^TracerPid "/proc/$pid/status"
	grep -q '^State:.[SR]' "/proc/$pid/status" || grep ^State "/proc/$pid/status"
)"
end "$actor"
sleep 0.05
verdict "it is well when the other has gone" "$(well "$pid")"

# As somebody else. The program has to lie where that one may run it.
cp "$tool" "$work/tinyckpt"
chmod 755 "$work/tinyckpt"
mkdir -m 777 "$work/open"
image=$work/open/pid.tck
as_nobody() {
	run_tool setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --inh-caps -all "$work/tinyckpt" "$@"
}
as_nobody save -o "$image" "$pid"
verdict "save of somebody else's process" "$(complaint 1,3 save "permitted|not yours|user|denied|root"; not_there)"
as_nobody check "$pid"
verdict "check of somebody else's process" "$(complaint 1,3 check "permitted|not yours|user|denied|root")"
verdict "it is well" "$(well "$pid")"
end "$pid"

# What ends while it is looked at, or was made by vfork and has no program of its own yet, is in nobody's way.
# shellcheck disable=SC2016
pid=$(cd / && setsid --fork sh -c 'echo $$; exec </dev/null >/dev/null 2>&1; while :; do /bin/true; (:) | /bin/true; done')
sleep 0.1
why=() # on a busy machine a child of vfork may take longer to its own program than check looks
for ((i = 0; i < 100; i++)); do
	run_tool "$tool" check "$pid"
	[ "$status" = 0 ] || why+=("exit status $status: $err")
done
verdict "check, 100 times, of a tree that changes all the time" "$([ ${#why[@]} -lt 25 ] || printf '%s\n' "${why[@]}")"
kill -KILL -- "-$pid"
