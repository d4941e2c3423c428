# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# The files of services, right and wrong. Sourced by run.

clean
run_tool "$tool" save --all
verdict "no file: nothing to save" "$(says 0 1 "no service is configured")"
run_tool "$tool" restore --all
verdict "no file: nothing to restore" "$(says 0 1 "no service is configured")"
run_tool "$tool" restore --all --config "$work/nowhere"
verdict "no folder: nothing to restore" "$(says 0 1 "no service is configured in .*nowhere")"
run_tool "$tool" save --service sensor --config "$work/nowhere"
verdict "--service without a folder" "$(says 1 1 "nowhere")"
run_tool "$tool" save --service sensor
verdict "--service that has no file" "$(says 2 1 "there is no .*/sensor.conf")"
run_tool "$tool" save --service=sensor
verdict "--service=, in one word" "$(says 2 1 "there is no .*/sensor.conf")"
TINYCKPT_CONFIG="" run_tool "$tool" save --service no-such-service
verdict "an empty TINYCKPT_CONFIG is none" "$([ "$lines" = 1 ] && [[ $err == *" /etc/tinyckpt"* ]] || echo "$status: $err")"
for words in "save --all 42" "save --all --service sensor" "save --all --leave-running" "save --all -o image" \
	"restore --all image" "restore --all -d" "restore --service" "save --service a 42"; do
	# shellcheck disable=SC2086
	run_tool "$tool" $words
	verdict "$words" "$(says 2 1 "--all|option|needs an argument")"
done

# wrong NAME PATTERN LINE...: the file is refused with its line, and the service is not touched
wrong() {
	printf '%b\n' "${@:3}" >"$work/etc/wrong.conf"
	run_tool "$tool" save --all
	verdict "refused: $1" "$(says 2 2 "tinyckpt: save: $2")"
	run_tool "$tool" restore --all
	verdict "refused at a boot: $1" "$(
		says 2 2 "tinyckpt: restore: wrong: neither restored nor started"
		[ ! -e "$work/started" ] || cat "$work/started"
	)"
}
start="start=echo wrong >>$work/started"
wrong "an unknown key" 'wrong.conf:3: there is no key "frobnicate"' "command=x" "$start" "frobnicate=1"
wrong "no key" "wrong.conf:2: .*key=value" "command=x" "command"
wrong "an empty value" "wrong.conf:1: pidfile= is empty" "pidfile=" "$start"
wrong "a comment and no value" "wrong.conf:1: pidfile= is empty" "pidfile= # none" "$start"
wrong "a key twice" "wrong.conf:3: command= stands here twice" "command=x" "$start" "command=y"
wrong "a time twice" "wrong.conf:4: settle= stands here twice" "command=x" "$start" "settle=1" "settle=2"
wrong "an option and its opposite" "wrong.conf:4: inherit-stdio= stands here twice" "command=x" "$start" "inherit-stdio=no" "inherit-stdio=yes"
wrong "an option twice" "wrong.conf:4: inherit-stdio= stands here twice" "command=x" "$start" "inherit-stdio=yes" "inherit-stdio=yes"
wrong "no process named" "wrong.conf: one of pidfile=" "$start"
wrong "two ways to a process" "wrong.conf: one of pidfile=" "command=x" "cgroup=/x" "$start"
wrong "a relative pidfile" "wrong.conf: .*slash" "pidfile=run/x" "$start"
for value in "" x 1x -1 1.5 99999999 4294967297 18446744073709551617; do
	wrong "settle=$value" "wrong.conf:2: settle=$value: a number" "command=x" "settle=$value" "$start"
done
wrong "a switch that is neither on nor off" "wrong.conf:2: inherit-stdio=1: yes or no" "command=x" "inherit-stdio=1" "$start"
for key in output name leave-running detach log verbose help all service config; do
	wrong "$key, which is not for a file to say" "wrong.conf:2: there is no key \"$key\"" "command=x" "$key=yes" "$start"
done
wrong "a control character" "wrong.conf:1: a control character" "command=x\033[2J" "$start"
wrong "a NUL" "wrong.conf: is no text" "command=x\0" "$start"
wrong "a carriage return" "wrong.conf:1: a control character" "command=x\r" "$start"
{ echo "command=x"; head -c 20000 /dev/zero | tr '\0' '#'; } >"$work/etc/wrong.conf"
run_tool "$tool" save --all
verdict "refused: a large file" "$(says 2 2 "wrong.conf: is larger")"
printf 'command=x\nstart=x' >"$work/etc/wrong.conf"
run_tool "$tool" save --all
verdict "a last line without an end" "$(says 1 1 "wrong: does not run")"
printf '  # a comment\n\n \t command  =\t x \nstart = true # =\nsettle=0\ninherit-stdio=yes' >"$work/etc/wrong.conf"
run_tool "$tool" restore --all
verdict "blanks and comments" "$(says 0 1 "wrong: started afresh: there is no image")"
rm -f "$work/etc/wrong.conf"
service alpha "pidfile=$work/run/alpha.pid	# as begin writes it" "settle=0 # at once" "inherit-stdio=yes#no" "start=true"
run_tool "$tool" save --all
verdict "what looks like a comment, without a blank before it" "$(says 2 2 "alpha.conf:3: inherit-stdio=yes#no: yes or no")"
service alpha "pidfile=$work/run/alpha.pid	# as begin writes it" "settle=0 # at once" "inherit-stdio=yes  #its own" \
	"start=$work/bin/begin alpha # by hand"
begin alpha
run_tool "$tool" save --all
verdict "comments behind values" "$(says 0 1 "alpha: saved")"
rm -f "$images"/*
run_tool "$tool" restore --all
verdict "a comment behind a line for the shell" "$(says 0 1 "alpha: started afresh"; started alpha)"
clean

printf 'command=x\nsettle=0\n%s\n' "$start" >"$work/etc/wrong.conf"
# unsafe NAME PATTERN: the file itself is not to be trusted
unsafe() {
	rm -f "$work/started"
	run_tool "$tool" restore --all
	verdict "refused: $1" "$(says "$3" "$4" "$2"; [ ! -e "$work/started" ] || echo "it was started")"
}
chmod 664 "$work/etc/wrong.conf"
unsafe "a file that its group may write" "wrong.conf: others may write it" 2 2
chmod 646 "$work/etc/wrong.conf"
unsafe "a file that everybody may write" "wrong.conf: others may write it" 2 2
chmod 644 "$work/etc/wrong.conf"
chown 65534 "$work/etc/wrong.conf"
unsafe "a file of somebody else" "wrong.conf: it belongs to user 65534" 2 2
chown 0 "$work/etc/wrong.conf"
chmod 777 "$work/etc"
unsafe "a folder that everybody may write" "etc: others may write it.*no service is restored or started: the configuration in" 2 2
verdict "the system's log says it" "$(logged syslog "^<27>tinyckpt: no service is restored or started: ")"
chmod 755 "$work/etc"
mv "$work/etc/wrong.conf" "$work/right"
ln -s "$work/right" "$work/etc/wrong.conf"
unsafe "a symbolic link" "wrong.conf: is a symbolic link" 2 2
rm "$work/etc/wrong.conf"
mkfifo "$work/etc/wrong.conf"
unsafe "a FIFO" "wrong.conf: is not a regular file" 2 2
rm "$work/etc/wrong.conf"
mkdir "$work/etc/wrong.conf"
unsafe "a folder" "wrong.conf: is not a regular file" 2 2
rmdir "$work/etc/wrong.conf"
for name in .hidden.conf -x.conf 'a b.conf' 'a;b.conf' .conf README "$(printf '%065d' 0).conf"; do
	echo "$start" >"$work/etc/$name"
done
run_tool "$tool" restore --all
verdict "other files in the folder are not looked at, and those that look like services are named" "$(
	says 0 5 "no service is configured"; for name in -x.conf 'a b.conf' 'a;b.conf' "$(printf '%065d' 0).conf"; do
		[[ $err == *"warning: $name: not looked at"* ]] || echo "$name is not named"; done)"

# One that is wrong does not stop the others.
clean
service alpha
service beta
echo nonsense >"$work/etc/aaa.conf"
run_tool "$tool" restore --all
verdict "one file that is wrong: the others start" "$(
	says 2 4 "aaa.conf:1: "
	started alpha beta
)"
clean
