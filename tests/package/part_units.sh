# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT
# The units for systemd, as systemd itself reads them: by the machine's systemd-analyze, or by one that is unpacked for it.

units=$work/units
systemd=
analyze=(systemd-analyze)
if ! command -v systemd-analyze >/dev/null && systemd=$(tools/unpack bookworm "$(dpkg --print-architecture)" systemd); then
	libraries=$(find "$systemd/usr/lib" -name '*.so*' -printf '%h\n' | sort -u | tr '\n' :)
	analyze=("$(find "$systemd/usr/lib64/" -name 'ld-linux*.so.*' | head -n 1)" --library-path "$libraries" "$systemd/usr/bin/systemd-analyze")
fi

# Where they are installed to; what they run must be there, which on this machine it is not.
install_units() {
	make -s install-boot INIT=systemd PREFIX=/usr DESTDIR="$units" &&
		install -D -m 755 /bin/true "$units/usr/sbin/tinyckpt" &&
		sed -i "s|=\(-\{0,1\}\)/usr/sbin/tinyckpt|=\1$units/usr/sbin/tinyckpt|" "$units"/usr/lib/systemd/system/*.service
}
# That it ignores a line, or an order, it tells without failing.
verify() { # UNIT...
	(cd "$units/usr/lib/systemd/system" && SYSTEMD_UNIT_PATH="$PWD:${systemd:+$systemd/usr/lib/systemd/system}:" \
		"${analyze[@]}" verify --man=no "$@") >"$work/verdict" 2>&1 || echo "exit status $?" >>"$work/verdict"
	cat "$work/verdict"
	[ ! -s "$work/verdict" ]
}
notices() { # FROM TO
	sed "s|$1|$2|" "$units/usr/lib/systemd/system/tinyckpt.service" >"$units/usr/lib/systemd/system/wrong.service"
	! verify ./wrong.service
}
check "systemd's units are installed" install_units
if ! "${analyze[@]}" --version >"$work/log" 2>&1; then
	skip "systemd's units, as it reads them" "no systemd-analyze, and none could be fetched"
else
	for unit in tinyckpt-boot.service tinyckpt.service tinyckpt@sensor.service; do
		check "$unit: systemd understands all of it" verify "./$unit"
	done
	check "it would tell of an unknown key" notices ExecStop ExecStpo
	check "it would tell of an unknown value" notices oneshot onshot
	check "it would tell of a program that is not there" notices "ExecStart=-.*/tinyckpt" ExecStart=/nowhere/tinyckpt
fi
