# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# The words of the command line are told in three places: --help, manual and completion. Sourced by run.

manual=$root/src/man/tinyckpt.8

# completed WORD...: what completion offers for the last one
completed() (
	# shellcheck source=src/completion/tinyckpt
	. "$root/src/completion/tinyckpt"
	compopt() { :; }
	COMP_WORDS=(tinyckpt "$@")
	COMP_CWORD=$#
	_tinyckpt
	[ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort
)
# Options of a command's help, which are in its first columns: "-o", "--output", "--clock=freeze" and so on.
options() { "$tool" "$1" --help | grep '^ ' | cut -c1-23 | grep -oE -- ' --?[a-z][a-z=-]*' | tr -d ' ' | sort; }
# Those with a FILE, a DIR or a NAME behind them, in a line of its own each.
with_argument() { "$tool" "$1" --help | sed -nE "s/^ +((-[a-z]), )?(--[a-z-]+) $2 .*/\\2 \\3/p" | tr ' ' '\n' | grep .; }
# SYNOPSIS of a command: all of its lines together.
synopsis() {
	sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "$manual" | awk -v command="$1" '
		$1 == ".Cm" { on = 0; for (i = 2; i <= NF; i++) on = on || $i == command }
		$1 == ".Nm" { on = 0 }
		on'
}

known=$("$tool" --help | sed -nE 's/^  ([a-z]+) .*/\1/p')
verdict "completion has the commands" "$(
	offered=$(completed "" | grep -v '^-')
	for command in $known; do grep -qx "$command" <<<"$offered" || echo "$command is not offered"; done
	[ "${CONFIG:-full}" != full ] || diff <(sort <<<"$known") <(sort <<<"$offered")
)"
folder=$work/words
mkdir -p "$folder/folder" "$folder/etc"
touch "$folder/file.tck" "$folder/etc/sensor.conf"
for command in $known; do
	verdict "completion has the options of $command" "$(
		# --embed=changed-risk is told in a line of words
		diff <(options "$command") <(completed "$command" - | grep -v =changed-risk) |
			if [ "${CONFIG:-full}" = full ]; then grep '^[<>]'; else grep '^<'; fi
	)"
	verdict "the manual has the options of $command" "$(
		told=$(synopsis "$command")
		for option in $(options "$command" | grep -e --); do
			name=${option#--}
			name=${name%%=*}
			letter=$("$tool" "$command" --help | sed -nE "s/^ +-([a-z]), --$name .*/\\1/p")
			grep -qE "^\.It .*Fl Fl $name( |$)" "$manual" || echo "$option is not described"
			case $name in verbose | quiet | log | help) continue ;; esac
			grep -qE "Fl Fl $name( |$)${letter:+|Fl [a-z]*$letter}" <<<"$told" || echo "$option is not in the synopsis of $command"
		done
	)"
	verdict "completion has what stands behind the options of $command" "$(
		cd "$folder" || exit
		export TINYCKPT_CONFIG=$folder/etc
		for option in $(with_argument "$command" FILE); do
			completed "$command" "$option" "" | grep -qx file.tck || echo "no file behind $option"
		done
		for option in $(with_argument "$command" DIR); do
			completed "$command" "$option" "" | grep -qx folder || echo "no folder behind $option"
		done
		for option in $(with_argument "$command" NAME | grep -x -e --service); do
			[ "$(completed "$command" "$option" "")" = sensor ] || echo "no service behind $option"
		done
		case $("$tool" "$command" --help | sed -n 's/^Usage: .* \[OPTION\]\.\.\. *//p') in
		IMAGE*) completed "$command" "" | grep -qx file.tck || echo "no image" ;;
		*PID*) completed "$command" "" | grep -qx "$$" || echo "no process" ;;
		"") [ -z "$(completed "$command" "")" ] || echo "something, where nothing is taken" ;;
		esac
	)"
done
