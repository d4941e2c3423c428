# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables are shared with the files that source this
# Firmware, flash and emulated boards that run the one on the other.  Sourced, in the project's folder.

set -f # the patterns of the table stay patterns
out=build/emulated
mkdir -p $out
exec 9>$out/lock
flock -n 9 || { echo "Bail out! another run has build/emulated"; exit 2; }
PATH=$PATH:/usr/sbin:/sbin

give_up() {
	echo "Bail out! $*"
	exit 2
}
row() { awk -v name="$1" '$1 == name' tests/emulated/days; }
architecture() { awk -v arch="$1" -v field="$2" '$1 == arch { print $field }' tools/architectures; }
modules="virtio_mmio virtio_pci virtio_blk squashfs ext4 f2fs block2mtd jffs2 ubifs"
workloads="shell pipes glibc musl told python lua sqlite"
# What UBIFS must find before it loads, and the MTD of those kernels that are booted with one.
mtd_modules() { # ARCH
	case $1 in
	x86_64) echo lzo deflate zstd ;;
	armv7) echo lzo deflate zstd nandsim ;;
	esac
}
# shellcheck disable=SC2046,SC2086 # one word each
kernel_of() { tests/boards/fetch "$2" "$(architecture "$1" 4)" "$3" $(mtd_modules "$1") $modules; } # ARCH SUITE PATTERN
busybox_of() { tests/boards/fetch "$2" "$(architecture "$1" 4)" busybox-static; } # ARCH SUITE
root_of() { tools/unpack "$2" "$(architecture "$1" 4)" busybox libc6 python3 libpython3-stdlib sqlite3 lua5.4; } # ARCH SUITE

build() { # ARCH: the tool and the compiled workloads
	local cross="" into=$out/workloads/$1
	[ "$1" = x86_64 ] || cross=$(architecture "$1" 2)-
	tools/setup build "$1" && tools/setup emulated "$1" && tools/sysroot "$1" && make -s -j2 ARCH="$1" all || return
	mkdir -p "$into"
	"${cross}gcc" -O1 -Wall -Wextra -Werror -o "$into/glibc" tests/emulated/workloads/clocks.c -pthread &&
		"$PWD/.cache/sysroot/$1/bin/musl-gcc" -O1 -static -o "$into/musl" tests/emulated/workloads/clocks.c -pthread &&
		cp "$into/glibc" "$into/told"
}

# A firmware's root file system: the release's, the tool as `make install` puts it, the boot scripts, the workloads.
firmware() { # ARCH SUITE
	local arch=$1 suite=$2 into=$out/firmware/$1-$2 root workload

	root=$(root_of "$arch" "$suite") || return
	rm -rf "$into" "$into.squashfs"
	mkdir -p "$into"
	cp -al "$root/." "$into/"
	# Documentation, and what only installing needs
	(cd "$into" && set +f && rm -rf usr/share/{doc,man,info,locale,lintian,bug,bash-completion,perl5,dpkg,debconf,applications,pixmaps,menu} \
		var/lib/dpkg usr/lib/*/gconv usr/lib/*/perl* usr/bin/perl*)
	mkdir -p "$into"/{dev,proc,sys,run,tmp,data,root,usr/lib/day,etc/init.d,etc/tinyckpt}
	for applet in sh init mount umount sleep cat sed ls ln mkdir sync poweroff setsid grep awk stat date cut cp mv rm dmesg dd head tail md5sum; do
		[ -e "$into/usr/bin/$applet" ] || ln -s busybox "$into/usr/bin/$applet"
	done
	ln -s ../bin/busybox "$into/usr/sbin/init"
	cp --remove-destination "build/$arch/full/tinyckpt" "$into/usr/sbin/"
	cp -r tests/emulated/root/. "$into/"
	cp tools/boot/sysv/S{01,99}tinyckpt "$into/etc/init.d/"
	for workload in $workloads; do
		printf '%s\n' "pidfile=/run/$workload.pid" "start=/usr/lib/day/start $workload" embed=changed-risk >"$into/etc/tinyckpt/$workload.conf"
		chmod 644 "$into/etc/tinyckpt/$workload.conf"
	done
	echo clock=tell >>"$into/etc/tinyckpt/told.conf"
	cp "$out/workloads/$arch"/{glibc,musl,told} tests/emulated/workloads/{shell,pipes,python,lua,sqlite} "$into/usr/lib/day/"
	mksquashfs "$into" "$into.squashfs" -quiet -no-progress -noappend -all-root -comp gzip -Xcompression-level 1 >/dev/null &&
		rm -rf "$into"
}

initramfs() { # FIRMWARE ARCH SUITE PATTERN
	local into=$out/initramfs/$1 kernels busybox
	kernels=$(kernel_of "$2" "$3" "$4") && busybox=$(busybox_of "$2" "$3") || return

	rm -rf "$into"
	mkdir -p "$into"/{bin,dev,proc,sys,root}
	cp "$busybox/busybox" "$into/bin/"
	cp -r "$kernels/modules" "$into/"
	cp tests/emulated/initramfs "$into/init"
	cp "$kernels/kernel" "$into.kernel"
	(cd "$into" && find . -print0 | cpio --quiet -0 -o -H newc -R 0:0) >"$into.cpio"
}

blank() { # FILE TYPE MTD [MIB]: the flash partition, as it leaves the factory
	# Bytes that are written at once, and those of an erase block less two headers
	local unit=1 rest=130944 mib=${4:-64}

	[ "$3" != nandsim ] || unit=2048 rest=129024
	case $2 in
	ext4)
		truncate -s "${mib}M" "$1"
		mke2fs -q -F -t ext4 "$1"
		;;
	f2fs)
		truncate -s "${4:-128}M" "$1"
		mkfs.f2fs -q "$1" >/dev/null
		;;
	jffs2) head -c "${mib}M" /dev/zero | tr '\0' '\377' >"$1" ;;
	ubifs)
		mkdir -p "$1.root"
		mkfs.ubifs -m $unit -e $rest -c 480 -r "$1.root" -o "$1.ubifs" 2>/dev/null || return
		printf '[data]\nmode=ubi\nimage=%s\nvol_id=0\nvol_type=dynamic\nvol_name=data\nvol_flags=autoresize\n' "$1.ubifs" >"$1.ini"
		head -c 64M /dev/zero | tr '\0' '\377' >"$1"
		ubinize -m $unit -s $((unit < 512 ? unit : 512)) -p 128KiB -o "$1.ubi" "$1.ini" >&2 && dd if="$1.ubi" of="$1" conv=notrunc status=none
		;;
	esac
}

boot() { # DAY BOOT-FIRMWARE DATA-DISK [KERNEL-ARGUMENTS [QEMU-ARGUMENT...]]
	local day=$1 number=${2%-*} firmware=${2#*-} disk=$3 arch data mtd also suite_a suite_b machine cpu console threads suite
	local drive="if=none,id=data,format=raw,cache=unsafe,file=$disk"
	# What is written is recorded beside it, for tests/cuts/run.
	[ ! -e "$disk.log" ] || drive="if=none,id=data,driver=blklogwrites,file.driver=raw,file.file.driver=file,file.file.filename=$disk,log.driver=raw,log.file.driver=file,log.file.filename=$disk.log"
	read -r _ arch data mtd also suite_a _ suite_b _ machine cpu console threads < <(row "$day")
	suite=$suite_a
	[ "$firmware" = A ] || suite=$suite_b
	timeout --kill-after=5 "${BOOT_SECONDS:-900}" "qemu-system-${arch/armv7/arm}" -M "$machine" -cpu "$cpu" -accel "tcg,thread=$threads" \
		-smp 2 -m "${MEMORY:-512}" -nographic -no-reboot -net none -kernel "$out/initramfs/$arch-$suite.kernel" -initrd "$out/initramfs/$arch-$suite.cpio" \
		-append "console=$console quiet panic=-1 print-fatal-signals=1 data=$data mtd=$mtd also=$also boot=$number ${4:-}" \
		-drive "if=none,id=root,format=raw,readonly=on,file=$out/firmware/$arch-$suite.squashfs" \
		-device "virtio-blk-$(bus "$machine"),drive=root,serial=root" \
		-drive "$drive" -device "virtio-blk-$(bus "$machine"),drive=data,serial=data" \
		"${@:5}" </dev/null >"$out/$day/$2.log" 2>&1
}
bus() { [ "$1" = q35 ] && echo pci || echo device; }

# Everything that the days need, built.
prepare() { # DAY...
	local day arch suite pattern

	for day; do
		[ -n "$(row "$day")" ] || give_up "no such day: $day (see tests/emulated/days)"
	done
	for arch in $(for day; do row "$day"; done | awk '{ print $2 }' | sort -u); do
		build "$arch" >$out/build.log 2>&1 </dev/null ||
			{ sed 's/^/# /' $out/build.log; give_up "tool or workloads do not build for $arch"; }
	done
	while read -r arch suite pattern; do
		{ firmware "$arch" "$suite" && initramfs "$arch-$suite" "$arch" "$suite" "$pattern"; } || give_up "no firmware $suite for $arch"
	done < <(for day; do row "$day"; done | awk '{ print $2, $6, $7; print $2, $8, $9 }' | sort -u)
}
