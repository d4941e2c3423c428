# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# Images that lie, with every checksum right: absurd lengths, counts, addresses, numbers. Nothing may crash, hang, eat
# memory without bound or leave a process behind; what is structurally wrong must be refused. Sourced by run.

still
good=$work/forge.tck
run_tool "$tool" save -o "$good" "$pid"
verdict "an image to forge" "$err"
end "$pid"
"$build/falsify" list "$good" >"$work/frames"
frames=$(wc -l <"$work/frames")
footer=$((frames - 1))
forged=$work/forged.tck

# The forger itself must be right: what it takes apart and puts together is the same image.
"$build/falsify" "$good" "$forged" type 0 1
verdict "an image that was taken apart and put together is the same" "$(cmp "$good" "$forged" 2>&1)"

# not_believed NAME WHAT NUMBER...: verify and restore refuse with 4
not_believed() {
	local name=$1 text=
	shift

	if ! "$build/falsify" "$good" "$forged" "$@" 2>"$work/err"; then
		fail "forged: $name" "$(cat "$work/err")"
		return
	fi
	run_tool "$tool" verify "$forged"
	text=$(complaint 4 verify .)
	[ -z "$text" ] || text="verify: $text"$'\n'
	run_tool "$tool" restore -d "$forged"
	text+=$(complaint 4 restore .)
	! exists "$pid" || { text+=" pid $pid is there"; end "$pid"; }
	verdict "forged: $name" "$text"
}

for n in 65536 2147483647 4294967295; do
	not_believed "a message of $n bytes" length 1 $n
	not_believed "a body of $n bytes" body-length 1 $n
	not_believed "a footer with a message of $n bytes" length "$footer" $n
	not_believed "a footer with an index of $n bytes" body-length "$footer" $n
done
not_believed "a message one byte longer than it is" length 1 $(($(awk '$1 == 1 { print $4 }' "$work/frames") + 1))
for n in 0 15 16 17 1000000 9223372036854775807 18446744073709551615; do
	not_believed "a trailer that points to $n" trailer $n
done
not_believed "an unknown record that must be understood" type 1 9999
not_believed "unknown flags" flags 1 32768
not_believed "an index of half an entry" resize-body "$footer" 8
read -r j < <("$build/falsify" fields "$good" | awk '$1 == 1 && $4 == 3 { print $2; exit }')
not_believed "descriptors beyond all that there could be" field 1 "$j" $(((1 << 24) + 1))
read -r k j < <("$build/falsify" fields "$good" | awk '$3 == 40 && $4 == 1 && ++n == 2 { print $1, $2; exit }')
not_believed "an open file whose turn it is not" field "$k" "$j" 9
not_believed "a record that is missing, the footer's counts not" drop-stale 2

# An image belongs to its machine.  verify looks at all of it and gives its verdict on standard output; restore makes nothing.
# foreign NAME PATTERN WHAT NUMBER...
foreign() {
	local name=$1 pattern=$2 text=
	shift 2

	if ! "$build/falsify" "$good" "$forged" "$@" 2>"$work/err"; then
		fail "forged: $name" "$(cat "$work/err")"
		return
	fi
	run_tool "$tool" verify "$forged"
	out="" err=${err%%$'\n'*} lines=1
	text=$(complaint 4 verify "$pattern")
	[ -z "$text" ] || text="verify: $text"$'\n'
	run_tool "$tool" restore -d "$forged"
	text+=$(complaint 4 restore "$pattern")
	! exists "$pid" || { text+=" pid $pid is there"; end "$pid"; }
	verdict "forged: $name" "$text"
}
foreign "made on another architecture" "made on (mips|s390|unknown|a machine)" machine 22
foreign "pages of another size" "pages of 65536 bytes, this kernel's are $(getconf PAGESIZE)" field 0 0 65536
if [ "$(uname -m)" = x86_64 ]; then
	# words of arch/x86_64/features.c; no processor has all of them
	for feature in "6 0 sha512" "9 16 fma4" "9 11 xop"; do
		read -r word bit name <<<"$feature"
		grep -qw "$name" /proc/cpuinfo ||
			foreign "made on a processor with $name" "image needs $name, which" packed 0 5 "$word" $((1 << bit))
	done
	foreign "all features that there could be" "image needs .*bit 30 of XCR0, .*which" packed 0 5 0 $((-1))
	foreign "two features that this processor lacks" "image needs bit 61 of XCR0, bit 62 of XCR0, which" packed 0 5 0 $((3 << 61))
	"$build/falsify" "$good" "$forged" packed 0 5 2 1
	accepts "an image of a lesser processor restores" restore -d "$forged"
	end "$pid"
fi

# Records that are missing, doubled or in another order, with footers that agree. Verify may leave to restore what only a
# restore can tell; neither may crash, and restore must not bring back half a workload.
survives() {
	local text=

	run_tool "$tool" verify "$forged"
	# Its verdict on what is whole but of no use here stands on standard output, and is no error's text.
	[[ $out != *": whole; would not restore"* ]] || out=
	case $status in
	0) ;;
	1 | 4) text=$(complaint 1,4 verify .) ;;
	*) text="verify: exit status $status: $err" ;;
	esac
	printf %s "$text"
}
survives_restore() {
	local text=

	run_tool "$tool" restore -d "$forged"
	case $status in
	0) ;;
	1 | 4)
		text=$(complaint 1,4 restore .)
		! exists "$pid" || text+=" pid $pid is there"
		;;
	*) text="exit status $status: $err" ;;
	esac
	end "$pid"
	[ -z "$text" ] || printf 'restore: %s' "$text"
}

# both WHAT NUMBER...: verify and restore survive such an image; counts it in tried, and adds to text what is wrong
both() {
	local seen

	"$build/falsify" "$good" "$forged" "$@" || return 0
	tried=$((tried + 1))
	seen=$(survives)$(survives_restore)
	[ -z "$seen" ] || text+="$*: $seen"$'\n'
}

text=
tried=0
for what in drop double swap; do
	for ((k = 0; k < footer; k++)); do
		both $what $k
	done
done
verdict "records missing, doubled and out of order: nothing crashes, nothing is left behind" "$text"

text=
for ((k = 0; k < footer; k++)); do
	for n in 0 1 7; do
		both resize-message $k $n
	done
	for n in 0 100 4097; do
		both resize-body $k $n
	done
done
verdict "messages cut off, bodies of another size" "$text"

# Every number in every message, each with absurd values; each time one of them, another each time, unless it is to be all.
# Restore is tried for a sample.
values=(0 4294967295 1 9223372036854775808 2147483647 18446744073709551615 2147483648 4095)
text=
tried=0
restored=0
turn=0
place=0
while read -r k j type field value; do
	turn=$((turn + 2))
	for n in "${values[@]}"; do
		place=$(((place + 1) % 8))
		[ "${INPUT:-}" = full ] || [ $(((place + turn) % 8)) -lt 1 ] || continue
		[ "$n" != "$value" ] || continue
		"$build/falsify" "$good" "$forged" field "$k" "$j" "$n" || continue
		tried=$((tried + 1))
		seen=$(survives)
		if [ "${INPUT:-}" = full ] || [ $((tried % 5)) = 0 ]; then
			seen+=$(survives_restore)
			restored=$((restored + 1))
		fi
		[ -z "$seen" ] || text+="record $k (type $type) field $field ($j) $value -> $n: $seen"$'\n'
	done
done < <("$build/falsify" fields "$good")
verdict "$tried images with one absurd number each ($restored of them restored): nothing crashes, nothing is left behind" "$text"

# Of two processes the first is to be whole, too.
honest=$good honest_pid=$pid
# shellcheck disable=SC2016
pid=$(setsid --fork sh -c 'echo $$; exec "$@" </dev/null >/dev/null 2>&1' sh "$build/ends" 1 "$work/go" 0)
while [ "$(wc -w <"/proc/$pid/task/$pid/children")" != 1 ]; do sleep 0.01; done
good=$work/two.tck
run_tool "$tool" save -o "$good" "$pid"
verdict "an image of two processes, to forge" "$err"
end "$pid"
read -r k < <("$build/falsify" list "$good" | awk '$2 == 24 { print $1; exit }')
not_believed "the first process has no thread" drop "$k"
read -r k < <("$build/falsify" list "$good" | awk '$2 == 20 { print $1; exit }')
not_believed "the first process has no state" drop "$k"
good=$honest pid=$honest_pid

# A process of several threads, which are made all at once: none may be left over, and none be made twice.
act thread
pid=$actor
good=$work/threads.tck
run_tool "$tool" save -o "$good" "$pid"
verdict "an image of four threads, to forge" "$err"
end "$pid"
while read -r k; do
	not_believed "a thread is missing (record $k)" drop "$k"
	not_believed "a thread comes twice (record $k)" double "$k"
done < <("$build/falsify" list "$good" | awk '$2 == 24 { print $1 }')
text=
tried=0
while read -r k _; do
	for what in drop double swap; do
		both $what "$k"
	done
done < <("$build/falsify" list "$good")
verdict "$tried images of four threads with a record missing, doubled or out of order: nothing crashes, nothing is left" "$text"
accepts "restore of the honest one, of four threads" restore -d "$good"
verdict "and it has four threads" "$([ "$(ls "/proc/$pid/task" | wc -w)" = 4 ] || ls "/proc/$pid/task"; well "$pid")"
end "$pid"
good=$honest pid=$honest_pid

# The same of an image that carries its program, which is gone.
if "$tool" save --help | grep -q -- --embed; then
	cp "$build/still" "$work/carried"
	still / "$work/carried"
	good=$work/carrying.tck
	run_tool "$tool" save --embed -o "$good" "$pid"
	verdict "an image with its program, to forge" "$err"
	end "$pid"
	rm "$work/carried"
	text=
	tried=0
	while read -r k j type _ value; do
		case $type in 40 | 42 | 47) ;; *) continue ;; esac
		for n in "${values[@]}"; do
			[ "$n" = "$value" ] || both field "$k" "$j" "$n"
		done
	done < <("$build/falsify" fields "$good")
	while read -r k type _; do
		case $type in 42 | 47) ;; *) continue ;; esac
		for what in "drop $k" "double $k" "swap $k" "resize-message $k 3" "resize-body $k 0" "resize-body $k 100000"; do
			# shellcheck disable=SC2086
			both $what
		done
	done < <("$build/falsify" list "$good")
	verdict "$tried images with a program that is not what they say: nothing crashes, nothing is left behind" "$text"
	accepts "restore of the honest one, with its program" restore -d "$good"
	verdict "its workload is well" "$(well "$pid")"
	end "$pid"
fi
good=$honest

# And the honest one still works.
pid=$honest_pid
accepts "restore of the honest image" restore -d "$good"
verdict "and its workload is well" "$(well "$pid")"
end "$pid"
