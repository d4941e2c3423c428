# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT
# What the updaters' hooks call, and what they return: tinyckpt, mount and reboot are stand-ins that note how they were called.

hooks=$top/tools/boot
stand=$work/hooks
mkdir -p "$stand/bin" "$stand/images" "$stand/root" "$stand/third" "$stand/configuration"

# stand-in: notes its arguments; `verify` and `save` end as $SAVE, $VERIFY, $RESTORE say.
cat >"$stand/tinyckpt" <<'END'
#!/bin/sh
echo "tinyckpt $*" >>"$CALLS"
case $1 in
save) exit "${SAVE:-0}" ;;
restore) exit "${RESTORE:-0}" ;;
verify) for image; do :; done; case $image in *bad*) exit 4 ;; *taken*) exit 1 ;; *broken*) exit 2 ;; esac ;;
esac
END
for name in mount umount reboot sync; do
	printf '#!/bin/sh\necho "%s $*" >>"$CALLS"\nexit "${%s:-0}"\n' $name "$(tr a-z A-Z <<<$name)" >"$stand/bin/$name"
done
chmod +x "$stand/tinyckpt" "$stand"/bin/*

# hook STATUS CALLS SCRIPT ARGUMENT...: SCRIPT ends with STATUS, having made those CALLS (a line each; DIR stands for any folder)
hook() {
	local wanted=$1 calls=$2 status
	shift 2
	: >"$stand/calls"
	(cd / && PATH=$stand/bin:$PATH CALLS=$stand/calls TINYCKPT=$stand/tinyckpt TINYCKPT_DIR=$stand/images \
		TINYCKPT_CONFIG=$stand/configuration TINYCKPT_UPDATE=$hooks/update SYSTEMD=${SYSTEMD:-/nonexistent} "$hooks/$1" "${@:2}") 2>"$stand/stderr"
	status=$?
	sed -i 's|/tmp/tmp\.[A-Za-z0-9]*|DIR|g' "$stand/calls"
	cat "$stand/calls" "$stand/stderr"
	[ $status = "$wanted" ] || { echo "exit status $status, not $wanted"; return 1; }
	diff <(printf '%s' "${calls:+$calls$'\n'}") "$stand/calls"
}
images() { # NAME...
	rm -f "$stand"/images/*
	local name
	for name; do : >"$stand/images/$name"; done
}
asks() { echo "tinyckpt verify --root=$1 $stand/images/$2"; }
lines() { printf '%s\n' "$@"; }

images
check "update verify: without images it cannot be told" hook 2 "" update verify "$stand/root"
images a.tck b.tck.done c.tck.failed
check "update verify: all images that may come back, or did, are asked about" \
	hook 0 "$(lines "$(asks "$stand/root" a.tck)" "$(asks "$stand/root" b.tck.done)")" update verify "$stand/root"
images taken.tck
check "update verify: a process ID that is taken is no obstacle" hook 0 "$(asks "$stand/root" taken.tck)" update verify "$stand/root"
images a.tck bad.tck z.tck
check "update verify: one that will not come back decides" \
	hook 1 "$(lines "$(asks "$stand/root" a.tck)" "$(asks "$stand/root" bad.tck)" "$(asks "$stand/root" z.tck)")" update verify "$stand/root"
check "update verify: and is named" grep -q 'bad.tck will not come back' "$stand/stderr"
check "update verify: no such folder is no answer" hook 2 "" update verify "$stand/nowhere"
images broken.tck
check "update verify: what went wrong is no answer" hook 2 "$(asks "$stand/root" broken.tck)" update verify "$stand/root"
images a.tck b.tck.done
printf '%s\n' 'pidfile=/run/b.pid' ' key = /data/a key*  # of this device' '#rules=/none' 'rules=/etc/b' 'keyless=1' >"$stand/configuration/b.conf"
check "update verify: with the key and the rules of the workload's own file" \
	hook 0 "$(lines "$(asks "$stand/root" a.tck)" "tinyckpt verify --root=$stand/root --key=/data/a key* --rules=/etc/b $stand/images/b.tck.done")" \
	update verify "$stand/root"
rm "$stand/configuration/b.conf"
check "update: wrong usage" hook 2 "" update verify
images a.tck.done
check "update returned: all did" hook 0 "" update returned
images a.tck.failed
check "update returned: one did not" hook 1 "" update returned
images a.tck.trying
check "update returned: one was being tried" hook 1 "" update returned

# A block device that is there on any Linux; it is not touched, mount is a stand-in.
block=$(find /dev -type b 2>/dev/null | head -n 1)
images a.tck
if [ -z "$block" ]; then
	skip "update verify: a device is mounted read-only, and unmounted" "no block device in /dev"
else
	check "update verify: a device is mounted read-only, and unmounted" \
		hook 0 "$(lines "mount -o ro $block DIR" "$(asks DIR a.tck)" "umount DIR")" update verify "$block"
	MOUNT=32 check "update verify: one that cannot be mounted gives no answer" hook 2 "mount -o ro $block DIR" update verify "$block"
	check "SWUpdate's postinstall asks about the device in data=" \
		hook 0 "$(lines "mount -o ro $block DIR" "$(asks DIR a.tck)" "umount DIR")" swupdate/postinstall postinst "$block"
	images bad.tck
	seen=$(lines "mount -o ro $block DIR" "$(asks DIR bad.tck)" "umount DIR")
	check "SWUpdate's postinstall tells, and lets the update pass" hook 0 "$seen" swupdate/postinstall postinst "$block"
	TINYCKPT_STRICT=yes check "SWUpdate's postinstall refuses it when told to" hook 1 "$seen" swupdate/postinstall "$block"
fi
export TINYCKPT_STRICT SAVE RESTORE MOUNT
check "SWUpdate's postinstall without a device" hook 1 "" swupdate/postinstall postinst
check "SWUpdate's reboot saves, then has init reboot" hook 0 "$(lines "tinyckpt save --all" "sync " "reboot ")" swupdate/reboot
SAVE=3 check "SWUpdate's reboot reboots when not all are saved" hook 0 "$(lines "tinyckpt save --all" "sync " "reboot ")" swupdate/reboot
check "SWUpdate's reboot, told of a success" hook 0 "$(lines "tinyckpt save --all" "sync " "reboot ")" swupdate/reboot SUCCESS
check "SWUpdate's reboot stays where it is after a failure" hook 0 "" swupdate/reboot FAILURE
SYSTEMD=/ check "SWUpdate's reboot leaves the saving to systemd's unit" hook 0 "reboot " swupdate/reboot

# --- RAUC
images a.tck
rauc_handler() { # STATUS CALLS
	RAUC_TARGET_SLOTS="1 2 3" RAUC_SLOT_CLASS_1=rootfs RAUC_SLOT_DEVICE_1=$stand/root RAUC_SLOT_CLASS_2=appfs \
		RAUC_SLOT_DEVICE_2=/nowhere RAUC_SLOT_CLASS_3=rootfs RAUC_SLOT_DEVICE_3=$stand/third hook "$1" "$2" rauc/post-install
}
check "RAUC's handler asks about each root file system, no other slot" \
	rauc_handler 0 "$(lines "$(asks "$stand/root" a.tck)" "$(asks "$stand/third" a.tck)")"
images bad.tck
seen=$(lines "$(asks "$stand/root" bad.tck)" "$(asks "$stand/third" bad.tck)")
check "RAUC's handler tells when workloads will not come back, and lets the update pass" rauc_handler 0 "$seen"
TINYCKPT_STRICT=yes check "RAUC's handler fails then when told to" rauc_handler 1 "$seen"
rauc_hook() { # CLASS STATUS CALLS
	RAUC_SLOT_CLASS=$1 RAUC_SLOT_MOUNT_POINT=$stand/root hook "$2" "$3" rauc/post-install slot-post-install
}
check "RAUC's slot hook refuses such a bundle" rauc_hook rootfs 1 "$(asks "$stand/root" bad.tck)"
raw_hook() { RAUC_SLOT_CLASS=rootfs RAUC_SLOT_DEVICE=$stand/root hook "$@" rauc/post-install slot-post-install; }
check "RAUC's slot hook asks about the device of a raw slot, which is not mounted" raw_hook 1 "$(asks "$stand/root" bad.tck)"
check "RAUC's slot hook passes over other slots" rauc_hook appfs 0 ""
images
check "RAUC's slot hook does not refuse what it cannot tell" rauc_hook rootfs 0 ""
check "RAUC's mark-good: all came back" hook 0 "" rauc/mark-good
images a.tck.failed
check "RAUC's mark-good: one did not" hook 1 "" rauc/mark-good

# --- Mender
enter=mender/ArtifactReboot_Enter_50_tinyckpt
leave=mender/ArtifactReboot_Leave_50_tinyckpt
both=$(lines "tinyckpt save --all" "tinyckpt restore --all")
images
check "Mender, before the reboot: saved" hook 0 "tinyckpt save --all" $enter
SAVE=1 check "Mender, before the reboot: a save that fails does not stop the update" hook 0 "tinyckpt save --all" $enter
SAVE=1 TINYCKPT_STRICT=yes check "Mender, before the reboot: unless it shall, then what may pass is tried later, and the workloads go on" \
	hook 21 "$both" $enter
SAVE=3 check "Mender, before the reboot: what cannot be saved does not stop the update" hook 0 "tinyckpt save --all" $enter
SAVE=3 TINYCKPT_STRICT=yes check "Mender, before the reboot: unless it shall, and the workloads go on" hook 1 "$both" $enter
check "Mender, after the reboot: all came back" hook 0 "tinyckpt restore --all" $leave
RESTORE=1 check "Mender, after the reboot: one does not even start" hook 1 "tinyckpt restore --all" $leave
images a.tck.failed
check "Mender, after the reboot: started afresh will do" hook 0 "tinyckpt restore --all" $leave
TINYCKPT_STRICT=yes check "Mender, after the reboot: unless it shall not" hook 1 "tinyckpt restore --all" $leave

# --- Without a tinyckpt
mv "$stand/tinyckpt" "$stand/away"
check "update verify: without a tinyckpt it cannot be told" hook 2 "" update verify "$stand/root"
check "update verify: and that is said" grep -q "no $stand/tinyckpt" "$stand/stderr"
TINYCKPT_STRICT=yes check "Mender, before the reboot: no update fails for want of a tinyckpt" hook 0 "" $enter
mv "$stand/away" "$stand/tinyckpt"
