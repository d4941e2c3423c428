# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# `check` without a PID: what the kernel allows. Sourced by run.

# features LINE-PATTERN: text when the last run's table is out of shape, or has no such line
features() {
	[ -z "$err" ] || echo "on standard error: $err"
	awk -v wanted="$1" '
		length($0) > 79 { print "more than 79 columns: " $0 }
		/^(yes |no  ) [^ ]/ { if (lacks && !fields) print "nothing is told about " name; lacks = /^no/; name = $0; fields = 0; rows++ }
		/^     (error|right|instead|lost|option|since) / && lacks { fields++ }
		!/^(yes |no  ) [^ ]|^     (error  |right  |instead|lost   |option |since  )  [^ ]|^              [^ ]|^Here / { print "odd: " $0 }
		/^Here / { verdicts++ }
		$0 ~ wanted { seen = 1 }
		END {
			if (rows < 30 || verdicts != 1 || !/^Here /) print rows + 0 " rows, " verdicts + 0 " verdicts"
			if (!seen) print "no line like /" wanted "/"
		}' "$work/out"
}

# has_status WANTED
has_status() { [ "$status" = "$1" ] || echo "exit status $status instead of $1"; }

deny() {
	run_tool "$build/deny" "$@"
}

before=(/proc/[0-9]*)
run_tool "$tool" check
after=(/proc/[0-9]*)
table=$out
may_set_mm=$([[ $out == *"yes  CAP_SYS_RESOURCE"* ]] && echo 0 || echo 1)
verdict "check: the table of features" "$(has_status 0; features "^Here trees can be saved and restored")"
verdict "check leaves no process behind" "$([ ${#after[@]} = ${#before[@]} ] || echo "${before[*]} became ${after[*]}")"
"$tool" check >/dev/full 2>"$work/err"
verdict "check to a full disk" "$(status=$?; has_status 1)"

# What is lacking but has a substitute does not stand in the way.
deny kcmp process_vm_readv PR_GET_TID_ADDRESS PAGEMAP_SCAN -- "$tool" check
verdict "check on a kernel with substitutes for what it lacks" "$(
	has_status 0
	features "^no   kcmp "
	for line in "no   process_vm_readv" "no   PR_GET_TID_ADDRESS" "no   PAGEMAP_SCAN" "CONFIG_KCMP" "pidfd_getfd" \
		"Here trees can be saved and restored"; do
		[[ $out == *"$line"* ]] || echo "no $line"
	done
)"
deny kcmp pidfd_getfd -- "$tool" check
verdict "check: a substitute that is lacking, too" "$(has_status 0; features "lacking, too")"
deny clone3 close_range -- "$tool" check
verdict "check on a kernel before Linux 5.5" "$(has_status 0; features "ID is made the next one: by ns_last_pid")"
deny PR_SET_MM -- "$tool" check
verdict "check on a kernel that can save only" "$(has_status 1; features "^Here no tree can be restored; one can be saved")"
deny PTRACE_SEIZE -- "$tool" check
verdict "check on a kernel that allows nothing" "$(has_status 1; features "^Here no tree can be saved or restored")"
deny PR_SET_MM_MAP -- "$tool" check
verdict "check: PR_SET_MM_MAP, or CAP_SYS_RESOURCE in its place" "$(has_status "$may_set_mm"; features "single calls of PR_SET_MM")"
run_tool setpriv --bounding-set -all --inh-caps -all "$tool" check
verdict "check without capabilities" "$(has_status 1; features "tinyckpt was started without it")"

# And a restore without them is as good.
act hold
run_tool "$tool" save -o "$work/kernel.tck" "$actor"
verdict "save of a process with some memory" "$(has_status 0)"
for lacking in userfaultfd pidfd_getfd UFFDIO_API UFFDIO_REGISTER PAGEMAP_SCAN "clone3 close_range"; do
	# shellcheck disable=SC2086 # two words
	deny $lacking -- "$tool" restore -d "$work/kernel.tck"
	verdict "restore on a kernel without $lacking" "$(has_status 0; [ -z "$err" ] || echo "it said: $err"; well "$actor")"
	kill -USR1 "$actor" # is all of it there?
	sleep 0.1
	verdict "memory restored on a kernel without $lacking" "$(well "$actor")"
	end "$actor"
done

# Where no ID can be asked for, it is made the next one: by the kernel's counter, or once around it.
last=/proc/sys/kernel/ns_last_pid
end=$(cat /proc/sys/kernel/pid_max)
echo 6000 2>/dev/null >/proc/sys/kernel/pid_max # so far it is around
echo 1000 2>/dev/null >$last
act thread
run_tool "$tool" save -o "$work/kernel.tck" "$actor"
verdict "save of a process with threads" "$(has_status 0)"
for hidden in "" /dev/null; do
	name="the threads' IDs on a kernel without clone3${hidden:+ and ns_last_pid}"
	if [ -n "$hidden" ] && ! mount --bind $hidden $last 2>/dev/null; then
		skip "$name" "it cannot be hidden here"
		continue
	fi
	deny clone3 close_range -- "$tool" restore -d "$work/kernel.tck"
	[ -z "$hidden" ] || umount $last
	verdict "$name" "$(
		has_status 0
		[ "$status" = 0 ] || echo "it said: $err"
		threads=("/proc/$actor/task"/*)
		[ -e "/proc/$actor/task/$number" ] || echo "no thread $number"
		[ ${#threads[@]} = 4 ] || echo "${threads[*]}"
		well "$actor"
	)"
	end "$actor"
done

name="an ID that no kernel before Linux 5.5 gives twice"
if echo 200 2>/dev/null >$last && act thread && [ "$actor" -lt 300 ]; then
	run_tool "$tool" save -o "$work/kernel.tck" "$actor"
	echo 1000 >$last
	mount --bind /dev/null $last
	deny clone3 close_range -- "$tool" restore -d "$work/kernel.tck"
	umount $last
	verdict "$name" "$(complaint 1 restore "pid $actor: .* only once.*--pidns")"
else
	skip "$name" "the kernel's counter cannot be set here"
fi
end "$actor"

echo "$end" 2>/dev/null >/proc/sys/kernel/pid_max

# What makers of boards turn off, or have forbidden, who do not know of tinyckpt.
for lacking in "forced write" timers users ioprio madvise; do
	act thread
	deny "$lacking" -- "$tool" save -o "$work/kernel.tck" "$actor"
	verdict "save on a kernel without $lacking" "$(has_status 0; [ -z "$err" ] || echo "$err")"
	deny "$lacking" -- "$tool" restore -d "$work/kernel.tck"
	verdict "restore on a kernel without $lacking" "$(has_status 0; [ -z "$err" ] || echo "$err"; well "$actor")"
	end "$actor"
done
act thread
run_tool "$tool" save -o "$work/kernel.tck" "$actor"
deny set_robust_list -- "$tool" restore -d "$work/kernel.tck"
verdict "an image that needs what this kernel lacks" "$(
	complaint 4 restore "this kernel has no set_robust_list.*CONFIG_FUTEX"
	exists "$actor" && echo "it is there"
)"

# What stands in the way is found while the next thread is being asked: that one, too, is to go home.
GLIBC_TUNABLES=glibc.pthread.rseq=0 act thread-rseq
deny PTRACE_GET_RSEQ_CONFIGURATION -- "$tool" save -o "$work/kernel.tck" "$actor"
verdict "save of threads with rseq(2) that nobody tells of" "$(complaint 3 save "rseq"; well "$actor")"
end "$actor"

# glibc tells where it has registered its threads, whatever the kernel tells.
act thread
area=$("$build/actor" rseq-of "$number")
if [ "$area" = 0 ]; then
	skip "rseq(2) of glibc's" "the C library has not registered for it"
else
	deny PTRACE_GET_RSEQ_CONFIGURATION -- "$tool" save -o "$work/kernel.tck" "$actor"
	verdict "save on a kernel that does not tell of glibc's rseq(2)" "$(has_status 0; [ -z "$err" ] || echo "it said: $err")"
	accepts "restore of what that kernel did not tell of" restore -d "$work/kernel.tck"
	verdict "rseq(2) of glibc's is registered again" "$(
		again=$("$build/actor" rseq-of "$number")
		[ "$again" = "$area" ] || echo "at $again, not at $area"
	)"
fi
end "$actor"

# json WANTED-STATUS TEXT-TABLE: what the last run printed says the same as that table, for programs
json() {
	has_status "$1"
	printf '%s\n' "$2" >"$work/table"
	python3 - "$work/out" "$work/table" <<-'END' 2>&1
		import json, sys
		got = json.load(open(sys.argv[1]))
		table = open(sys.argv[2]).read().splitlines()
		rows = [(line[5:35].strip(), line.startswith("yes")) for line in table if line[:4] in ("yes ", "no  ")]
		if [(f["name"], f["have"]) for f in got["features"]] != rows:
		    print("other features than in the table")
		if not isinstance(got["save"], bool) or not isinstance(got["restore"], bool):
		    print("no verdict")
		if (got["save"] and got["restore"]) != ("Here trees can be saved and restored." in table):
		    print("another verdict than below the table")
		for f in got["features"]:
		    if set(f) - {"name", "use", "have", "error", "lost", "instead", "option", "since"}:
		        print("odd keys:", f)
		    if f["have"] == ("error" in f) or not f["have"] and not {"lost", "instead"} & set(f):
		        print("not whole:", f)
	END
}
if [ "$("$tool" check --json 2>&1 | head -c 1)" = "{" ]; then
	run_tool "$tool" check --json
	verdict "check --json" "$(json 0 "$table")"
	options=$(sed -n 's/^ *"option": "\(CONFIG_[A-Z0-9_]*\)",*$/\1=y/p' "$work/out" | awk '!seen[$0]++')
	deny clone3 kcmp PR_SET_MM -- "$tool" check
	table=$out
	deny clone3 kcmp PR_SET_MM -- "$tool" check --json
	verdict "check --json on a kernel that lacks something" "$(json 1 "$table"; [[ $out == *'"lost": "nothing can be restored"'* ]] || echo "no loss")"
else
	skip "check --json" "built without CONFIG_JSON"
	options=
fi

run_tool "$tool" check --kconfig
verdict "check --kconfig: comments and options, each once" "$(
	has_status 0
	grep -vE '^#|^CONFIG_[A-Z0-9_]+=y$' "$work/out"
	grep '^CONFIG' "$work/out" | sort | uniq -d
	grep -qx CONFIG_CHECKPOINT_RESTORE=y "$work/out" || echo "no CONFIG_CHECKPOINT_RESTORE"
	grep '^#.*CONFIG_' "$work/out" # merge_config.sh would find it
	[ "$(wc -L <"$work/out")" -le 79 ] || echo "more than 79 columns"
)"
# What has nothing to do with this machine's processor is not in its table.
verdict "check --kconfig: in the order of the table" "$(
	diff <(printf '%s\n' "$options") <(grep '^CONFIG' "$work/out" | grep -xF "${options:-none}")
)"
refuses "check --kconfig of a workload" 2 "kconfig" check --kconfig 4000000
refuses "check --kconfig --json" 2 "kconfig" check --kconfig --json

# After another boot, whose time has just begun, on a kernel that takes no ticks.
mkdir "$work/told"
still "$work/told" "$build/ticking"
until grep -q '^ticks: [1-9]' "/proc/$pid/fdinfo/3" 2>/dev/null; do sleep 0.01; done
run_tool "$tool" save -o "$work/ticking.tck" "$pid"
if [[ $err == *CONFIG_TIMERFD* ]]; then
	skip "what has ended more often than this machine has time for" "built without CONFIG_TIMERFD"
else
	run_tool unshare --time --monotonic=$((5 - $(cut -d. -f1 /proc/uptime))) --fork \
		"$build/deny" TFD_IOC_SET_TICKS -- "$tool" restore -d "$work/ticking.tck"
	verdict "what has ended more often than this machine has time for comes back, and that is said" "$(
		[ "$status" = 0 ] || echo "exit status $status: $err"
		[[ $err == *"will tell of"* ]] || echo "said: $err"
		kill -USR1 "$pid"
		until [ -s "$work/told/ticks" ] || ! exists "$pid"; do sleep 0.01; done
		awk '$1 < 4000 || $1 > 30000 { print "it tells of " $1 }' "$work/told/ticks")"
fi
end "$pid"
