# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the files that run sources
# What tools/boot has for each init. Sourced by run.

boot=$root/tools/boot
if command -v shellcheck >/dev/null; then
	for script in "$boot"/sysv/* "$boot"/openrc/* "$boot"/procd/*; do
		verdict "shellcheck: ${script#"$boot/"}" "$(shellcheck -s sh "$script" 2>&1)"
	done
else
	skip "shellcheck" "it is not installed"
fi
if command -v systemd-analyze >/dev/null; then
	mkdir "$work/units"
	for unit in "$boot"/systemd/*.service; do
		sed "s|/usr/sbin/tinyckpt|$tool|" "$unit" >"$work/units/$(basename "${unit/@/@app}")"
	done
	for unit in "$work"/units/*; do
		verdict "systemd-analyze verify: ${unit##*/}" "$(systemd-analyze verify --man=no "$unit" 2>&1)"
	done
	verdict "the units would all be looked at" "$(
		echo 'Frobnicate=1' >>"$work/units/tinyckpt@app.service"
		[ -n "$(systemd-analyze verify --man=no "$work/units/tinyckpt@app.service" 2>&1)" ] || echo "nothing is said of nonsense"
	)"
else
	skip "systemd-analyze verify" "it is not installed"
fi

# What /etc/default/tinyckpt says counts for all: hooks of updaters look for images where it says.
echo TINYCKPT_DIR=/from/default >"$work/default"
cat >"$work/bin/told" <<'END'
#!/bin/sh
echo "$1 $TINYCKPT_DIR"
END
chmod 755 "$work/bin/told"
for script in sysv/S01tinyckpt sysv/S99tinyckpt openrc/tinyckpt-boot openrc/tinyckpt procd/tinyckpt-boot procd/tinyckpt; do
	sed "s|/usr/sbin/tinyckpt|$work/bin/told|; s|/etc/default/tinyckpt|$work/default|g" "$boot/$script" >"$work/script"
	verdict "/etc/default/tinyckpt is heeded: $script" "$(
		text=$(env -u TINYCKPT sh -c 'ebegin() { :; }; eend() { :; }; kind=$1; set start; . "$0"
			case $kind in procd/*-boot) boot ;; openrc/* | procd/*) start ;; esac' "$work/script" "$script" 2>&1)
		[[ $text =~ (boot|restore)\ /from/default ]] || echo "it said: $text"
	)"
done
for unit in "$boot"/systemd/*.service; do
	verdict "/etc/default/tinyckpt is heeded: ${unit##*/}" "$(grep -x 'EnvironmentFile=-/etc/default/tinyckpt' "$unit" >/dev/null || echo "it is not")"
done

# The BusyBox way: S??* upwards with start, downwards with stop.
mkdir "$work/init.d"
cp "$boot"/sysv/S* "$work/init.d/"
cat >"$work/init.d/S50other" <<'END'
#!/bin/sh
echo "other $1" >>"$TINYCKPT_LOG"
END
cat >"$work/init.d/tool" <<'END'
#!/bin/sh
echo "tinyckpt $*" >>"$TINYCKPT_LOG"
END
chmod 755 "$work"/init.d/*
export TINYCKPT_LOG=$work/order
shell="sh"
[ -z "$(command -v busybox)" ] || shell="busybox sh"
up() { for script in "$work"/init.d/S??*; do TINYCKPT=$1 $shell "$script" start; done; }
down() {
	# shellcheck disable=SC2012,SC2045 # as rcK does
	for script in $(ls -r "$work"/init.d/S??*); do TINYCKPT=$1 $shell "$script" stop; done
}
{ up "$work/init.d/tool"; down "$work/init.d/tool"; } >/dev/null
verdict "S01 is first, S99 last at boot and first at shutdown" "$(
	printf '%s\n' "tinyckpt boot" "other start" "tinyckpt restore --all" "tinyckpt save --all" "other stop" | diff - "$work/order" 2>&1
)"
rm "$work/order"
TINYCKPT=$work/init.d/tool $shell "$work/init.d/S99tinyckpt" restart >/dev/null
verdict "restart saves, and restores" "$(printf '%s\n' "tinyckpt save --all" "tinyckpt restore --all" | diff - "$work/order" 2>&1)"
verdict "without a tinyckpt they do nothing" "$(up "$work/nowhere" 2>&1; down "$work/nowhere" 2>&1)"

clean
service alpha
up "$tool" >/dev/null 2>&1
verdict "a boot: the workload starts" "$(once alpha)"
first=$(running alpha)
down "$tool" >/dev/null 2>&1
verdict "a shutdown: it is saved" "$([ "$(shelves)" = "alpha.tck " ] || shelves; running alpha)"
# shellcheck disable=SC2086
end $first
reboot
up "$tool" >/dev/null 2>&1
verdict "the next boot: it is back" "$([ "$(running alpha)" = "$first" ] || echo "runs: $(running alpha)"; not_started)"
if "$tool" --help | grep -q '^  list '; then
	verdict "status lists the images" "$(TINYCKPT=$tool $shell "$work/init.d/S99tinyckpt" status | grep -q "^alpha *restored" || echo "it does not")"
fi
clean
