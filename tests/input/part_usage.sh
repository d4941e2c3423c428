# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# The command line. Sourced by run.

# The order of these words is that of the design; a build may leave some out.
commands=
for command in save restore show verify check list core; do
	! "$tool" --help | grep -q "^  $command " || commands+=" $command"
done

usage() {
	refuses "$1" 2 "$2" "${@:3}"
}

# Without a command there is none to be named.
run_tool "$tool"
verdict "no command" "$(complaint 2 "" "command")"
run_tool "$tool" frobnicate
verdict "an unknown command" "$(complaint 2 "" "frobnicate")"
run_tool "$tool" --frobnicate
verdict "an unknown option before the command" "$(complaint 2 "" "frobnicate")"
run_tool "$tool" ""
verdict "an empty command" "$(complaint 2 "" "command")"

helped() {
	local text=

	run_tool "$tool" "$@"
	[ "$status" = 0 ] || text="exit status $status"
	[ -z "$err" ] || text+=" on standard error: $err"
	[ -n "$out" ] || text+=" nothing on standard output"
	[ "$(wc -L <"$work/out")" -le 79 ] || text+=" a line that a serial console would wrap"
	verdict "$*" "$text"
}
helped --help
helped -h
helped help
helped --version
for command in $commands; do
	helped "$command" --help
	helped "$command" -h
	usage "$command with an unknown option" "frobnicate" "$command" --frobnicate
	usage "$command with an unknown letter" "Y" "$command" -Y
	case $command in check | list) ;; *) usage "$command without its argument" "." "$command" ;; esac
	case $command in verify) ;; *) usage "$command with too many arguments" "." "$command" 4000000 4000001 ;; esac
	usage "$command --log without a file" "log" "$command" --log
	refuses "$command --log to where no file can be" 1,2 "nowhere" "$command" --log "$work/nowhere/log" 4000000
done
if grep -q -- --clock <<<"$("$tool" restore --help)" && ! grep -q CONFIG_CLOCKS <<<"$("$tool" restore --clock=freeze 2>&1)"; then
	usage "restore --clock without a word" "clock" restore --clock
	usage "restore --clock with another" "freeze, advance or tell" restore --clock=stop "$work/none"
fi
usage "save -o without a file" "o" save 4000000 -o
usage "save --name without a name" "name" save 4000000 --name
usage "restore --pidfile without a file" "pidfile" restore -d image --pidfile
usage "save -o with an empty name" "." save -o "" 4000000
usage "restore of an empty name" "." restore ""
# A full standard output must not pass for success.
for words in --help --version "save --help"; do
	# shellcheck disable=SC2086
	"$tool" $words >/dev/full 2>"$work/err"
	status=$?
	verdict "$words to a full disk" "$([ $status = 1 ] || echo "exit status $status")"
done
