# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT
# OpenRC, insserv, RAUC and SWUpdate themselves, as Debian has them, with our scripts and hooks in a root of their own.

packages="openrc insserv rauc swupdate dbus busybox squashfs-tools openssl cpio"
# shellcheck disable=SC2086 # a package each
updaters_root() {
	root=$(tools/unpack bookworm "$(dpkg --print-architecture)" $packages)
}
lacks() { # what is lacking here, if anything
	[ "$(id -u)" = 0 ] || { echo "needs root"; return; }
	command -v dpkg >/dev/null || { echo "dpkg is not installed"; return; }
	local filesystem
	for filesystem in overlay squashfs; do
		grep -qw $filesystem /proc/filesystems || { echo "no $filesystem here"; return; }
	done
	losetup -f >/dev/null 2>&1 || { echo "no loop devices here"; return; }
	unshare --mount --pid --fork true 2>/dev/null || echo "no namespaces here"
}
lacking=$(lacks)
if [ -n "$lacking" ]; then
	skip "OpenRC, insserv, RAUC, SWUpdate" "$lacking"
	return
fi
# What cannot be fetched is no reason to skip.
updaters_root || { check "the packages of OpenRC, insserv, RAUC and SWUpdate" false; return; }

runs() { # SCRIPT FILE: leaves /FILE, in that root, as $work/SCRIPT.FILE
	tests/package/root/enter "$root" "$work/$1" "$1" && cp "$work/$1/changes/$2" "$work/$1.$2"
}
says() { # SCRIPT.FILE LINE...
	diff <(printf '%s\n' "${@:2}") "$work/$1"
}

check "OpenRC boots and shuts down" runs openrc calls
check "OpenRC: process IDs are kept before all but the file systems, restored is last, saved first" eval \
	'says openrc.calls "start localmount" "tinyckpt boot" "start hostname" "start syslog" "start net" "start aa-app" \
		"start zz-app" "tinyckpt restore --all" "tinyckpt save --all" "$(sed -n "/^stop/p" "$work/openrc.calls")"'

check "insserv orders the scripts" runs insserv order
links() { sed -n "/rc$1\.d/,/^\$/s/^$2//p" "$work/insserv.order"; } # LEVEL S|K
# Of equal numbers one may be started before the other is done.
alone() { # LEVEL S|K NUMBER-AND-NAME
	links "$1" "$2"
	[ "$(links "$1" "$2" | cut -c1-2 | grep -c "^${3:0:2}$")" = 1 ] && links "$1" "$2" | grep -x "$3"
}
check "insserv: restored last" eval 'alone 2 S 03tinyckpt && [ "$(links 2 S | tail -n 1)" = 03tinyckpt ]'
check "insserv: saved first" eval 'alone 0 K 01tinyckpt && alone 6 K 01tinyckpt'
check "insserv: process IDs are kept once the file systems are there" eval \
	'links S S | grep -x 02mountall && links S S | grep -x 03tinyckpt-boot'

verified="tinyckpt verify --root=DIR /var/lib/tinyckpt/a.tck"
check "RAUC installs" runs rauc installed
check "RAUC: the handler tells, and fails where it shall; the slot's hook refuses the bundle" says rauc.installed \
	"handler good: installed, $verified" "handler bad: installed, $verified" "handler bad: refused, $verified" \
	"hook good: installed, $verified" "hook bad: refused, $verified"

check "SWUpdate installs" runs swupdate installed
check "SWUpdate: postinstall tells, and refuses where it shall; a success is saved and rebooted" says swupdate.installed \
	"good: SUCCESS, $verified;" "bad: SUCCESS, $verified;" "bad: FAILURE, $verified;" \
	"good: SUCCESS, $verified;tinyckpt save --all;sync;reboot;"
