# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# A machine of its own for services: its folders, its system log, its boots. Sourced by run.

export TINYCKPT_CONFIG=$work/etc TINYCKPT_DIR=$work/var
images=$TINYCKPT_DIR
mkdir "$work/etc" "$work/place" "$work/bin"
cp "$build/still" "$work/bin/still"

# The test's own devices: what goes to the kernel's log and to the daemon's is to be seen here and nowhere else.
mkdir "$work/dev"
mount -t tmpfs tmpfs "$work/dev" || exit 2
mknod -m 666 "$work/dev/null" c 1 3
mknod -m 666 "$work/dev/zero" c 1 5
mknod -m 666 "$work/dev/full" c 1 7
mknod -m 666 "$work/dev/urandom" c 1 9
ln -s /proc/self/fd "$work/dev/fd"
mkfifo "$work/dev/kmsg"
mount --move "$work/dev" /dev || exit 2
: >"$work/kmsg"
(exec cat <>/dev/kmsg >>"$work/kmsg") &
"$log_build/syslogd" /dev/log >>"$work/syslog" &
while [ ! -e /dev/log ]; do sleep 0.01; done

# service NAME [LINE...]: its file; without lines, a process that starts by hand and by its file alike
# shellcheck disable=SC2120
service() {
	local name=$1
	shift
	[ -e "$work/bin/$name" ] || cp "$work/bin/still" "$work/bin/$name"
	[ $# -gt 0 ] || set -- "pidfile=$work/run/$name.pid" "settle=0" "start=$work/bin/begin $name"
	printf '%s\n' "$@" >"$work/etc/$name.conf"
}
# What a start script of a daemon does.
cat >"$work/bin/begin" <<END
#!/bin/sh
mkdir -p $work/run
$work/bin/\$1 </dev/null >/dev/null 2>&1 &
echo \$! >$work/run/\$1.pid
echo \$1 >>$work/started
END
chmod 755 "$work/bin/begin"

# begin NAME: starts it as its file would; sets pid
begin() {
	mkdir -p "$work/run"
	# shellcheck disable=SC2016
	pid=$(cd / && setsid --fork sh -c 'echo $$; exec "$1" </dev/null >/dev/null 2>&1' sh "$work/bin/$1")
	while [ "$(readlink "/proc/$pid/exe")" != "$work/bin/$1" ]; do sleep 0.01; done
	echo "$pid" >"$work/run/$1.pid"
}

# gone NAME: waits until none runs
gone() {
	local waited
	for ((waited = 0; waited < 200; waited++)); do
		[ -n "$(running "$1")" ] || return
		sleep 0.01
	done
	running "$1"
}
not_started() { [ ! -e "$work/started" ] || echo "started: $(tr '\n' ' ' <"$work/started")"; }
# started NAME...: a complaint when these were not, once each; those with settle=0 were not waited for
started() {
	local waited
	for ((waited = 0; waited < 200; waited++)); do
		[ "$(sort "$work/started" 2>/dev/null | tr '\n' ' ')" = "$* " ] && return
		sleep 0.01
	done
	echo "started: $(cat "$work/started" 2>&1)"
}
# once NAME: waits until it runs
once() {
	local waited
	for ((waited = 0; waited < 200; waited++)); do
		[ -z "$(running "$1")" ] || return
		sleep 0.01
	done
	echo "$1 does not run"
}

# running NAME...: PIDs
running() {
	local name
	for name; do
		pgrep -x "${name:0:15}" | tr '\n' ' '
	done
}
# what is in the folder; in words where that is nothing, so that it is a complaint, too
shelves() {
	local names
	names=$(cd "$images" 2>/dev/null && find . -type f -printf '%f\n' | sort | tr '\n' ' ')
	echo "${names:-no image at all}"
}

# What a boot takes away.
reboot() {
	rm -rf "$work/run" "$work/started"
}
# No service, no image, no process of either.
clean() {
	local p
	for p in "$work"/etc/[a-z]*.conf; do
		p=${p##*/}
		# shellcheck disable=SC2046
		[ "$p" = "[a-z]*.conf" ] || end $(running "${p%.conf}")
	done
	rm -rf "${work:?}/etc" "$images" "$work/started" "$work/run"
	mkdir "$work/etc"
}

# logged LOG PATTERN: waits for a line, prints a complaint when it does not come
logged() {
	local waited
	for ((waited = 0; waited < 100; waited++)); do
		! grep -qE -- "$2" "$work/$1" || return 0
		sleep 0.01
	done
	echo "the $1 has no line like /$2/, but: $(tail -n 3 "$work/$1")"
}

# says STATUS LINES PATTERN: a complaint when the last run did not end so, and with that many lines of which one matches
says() {
	[ "$status" = "$1" ] || echo "exit status $status instead of $1"
	[ "$lines" = "$2" ] || echo "$lines lines on standard error instead of $2"
	[[ $err =~ $3 ]] || echo "nothing matches /$3/"
	[ -z "$out" ] || echo "on standard output: $out"
	[[ $status = "$1" && $lines = "$2" && $err =~ $3 ]] || echo "it said: $err"
}
