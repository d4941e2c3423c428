# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT
# The BR2_EXTERNAL tree, with stand-ins for Buildroot's options and its package infrastructure.

if ! command -v kconfig-conf >/dev/null; then
	skip "Buildroot package" "kconfig-frontends is not installed"
	return
fi
check "make dist makes it" released
[ -e "$work/one/build/dist/buildroot" ] || return
# Buildroot's Kconfig puts no CONFIG_ before its names.
export CONFIG_=
export BR2_EXTERNAL_TINYCKPT_PATH=$work/one/build/dist/buildroot
package=$BR2_EXTERNAL_TINYCKPT_PATH/package/tinyckpt

# configure NAME LINE...: $work/NAME/.config of a defconfig with those lines.  Kconfig warns of what it cannot do.
configure() {
	local base=$work/$1
	shift
	mkdir -p "$base"
	printf '%s\n' "$@" >"$base/defconfig"
	KCONFIG_CONFIG=$base/.config kconfig-conf --defconfig="$base/defconfig" tests/package/buildroot.in >"$base/kconfig.log" 2>&1
	cat "$base/kconfig.log"
	! grep -iE 'warning|error|unmet' "$base/kconfig.log"
}
chosen() { grep -q "^$2$" "$work/$1/.config" || { echo "no $2"; return 1; }; }

# --- Options
for line in "BR2_x86_64=y" "BR2_aarch64=y" "BR2_arm=y BR2_ARM_CPU_ARMV7A=y BR2_ARM_EABIHF=y" "BR2_riscv=y BR2_RISCV_64=y"; do
	offered() {
		# shellcheck disable=SC2086 # one option a word
		configure offered $line BR2_STATIC_LIBS=y BR2_PACKAGE_TINYCKPT=y && chosen offered BR2_PACKAGE_TINYCKPT=y
	}
	check "offered: $line" offered
done
refused() { # REASON LINE...
	configure refused "${@:2}" BR2_PACKAGE_TINYCKPT=y >/dev/null
	! chosen refused BR2_PACKAGE_TINYCKPT=y
}
check "not offered for another architecture" refused - BR2_mips=y BR2_STATIC_LIBS=y
check "not offered for soft float" refused - BR2_arm=y BR2_ARM_CPU_ARMV7A=y BR2_STATIC_LIBS=y
check "not offered without static libraries" refused - BR2_x86_64=y BR2_SHARED_LIBS=y
check "not offered without threads" refused - BR2_x86_64=y BR2_STATIC_LIBS=y "# BR2_TOOLCHAIN_HAS_THREADS is not set"
selects() {
	configure selects BR2_x86_64=y BR2_SHARED_STATIC_LIBS=y BR2_PACKAGE_TINYCKPT=y || return
	chosen selects BR2_PACKAGE_LIBCAP_NG=y && chosen selects BR2_PACKAGE_LZ4=y && chosen selects BR2_PACKAGE_LIBSODIUM=y || return
	configure selects BR2_x86_64=y BR2_SHARED_STATIC_LIBS=y BR2_PACKAGE_TINYCKPT=y "# BR2_PACKAGE_TINYCKPT_CONFIG_LZ4 is not set" \
		"# BR2_PACKAGE_TINYCKPT_CONFIG_TRUST is not set" &&
		! grep -qE 'BR2_PACKAGE_(LZ4|LIBSODIUM)=y' "$work/selects/.config"
}
check "selects libcap-ng, and lz4 and libsodium where they are used" selects

# Its toggles, chosen as CONFIG says, are configs/Kconfig's.
agrees() { # CONFIG
	local base=$work/agrees
	configure agrees BR2_x86_64=y BR2_STATIC_LIBS=y BR2_PACKAGE_TINYCKPT=y || return
	sed 's/CONFIG_/BR2_PACKAGE_TINYCKPT_&/' "configs/$1_defconfig" >>"$base/defconfig"
	KCONFIG_CONFIG=$base/.config kconfig-conf --defconfig="$base/defconfig" tests/package/buildroot.in || return
	sed -n 's/^BR2_PACKAGE_TINYCKPT_\(CONFIG_.*=y\)$/\1/p' "$base/.config" | sort >"$base/toggles"
	ARCH=x86_64 tools/expand-config configs/Kconfig "configs/$1_defconfig" | grep '=y$' | sort | diff - "$base/toggles"
}
for config in full iot minimal; do
	check "$config: the toggles agree with configs/Kconfig" agrees "$config"
done

# What aarch64 alone has is asked of aarch64 alone.
own_toggles() {
	local own
	own=$(sed -n 's/^config //p' arch/aarch64/Kconfig)
	configure own BR2_aarch64=y BR2_STATIC_LIBS=y BR2_PACKAGE_TINYCKPT=y || return
	for toggle in $own; do
		chosen own "BR2_PACKAGE_TINYCKPT_CONFIG_$toggle=y" && ! grep -q "CONFIG_$toggle=" "$work/agrees/.config" || return
	done
}
check "an architecture's own toggles are offered for it alone" own_toggles

# --- The package
buildroot() { # NAME [VARIABLE=VALUE...]
	mkdir -p "$work/$1/host/bin"
	make -s -f tests/package/buildroot.mk BASE_DIR="$work/$1" BR2_CONFIG="$work/$1/.config" TARGET_CROSS="$cross" \
		TARGET_CC="$top/.cache/sysroot/x86_64/bin/musl-gcc" PKG_CONFIG_HOST_BINARY=pkg-config "${@:2}"
}
cross=$(awk '$1 == "x86_64" { print $2 "-" }' tools/architectures)
export PKG_CONFIG_LIBDIR=$top/.cache/sysroot/x86_64/lib/pkgconfig
named() { # ARCH LINE...
	configure named "${@:2}" BR2_STATIC_LIBS=y BR2_PACKAGE_TINYCKPT=y &&
		buildroot named arch | diff - <(echo "$1")
}
check "x86_64, as the Makefile calls it" named x86_64 BR2_x86_64=y
check "aarch64, as the Makefile calls it" named aarch64 BR2_aarch64=y
check "arm, as the Makefile calls it" named armv7 BR2_arm=y BR2_ARM_CPU_ARMV7A=y BR2_ARM_EABIHF=y
check "riscv, as the Makefile calls it" named riscv64 BR2_riscv=y BR2_RISCV_64=y
builds() { # NAME INIT
	configure "$1" BR2_x86_64=y BR2_STATIC_LIBS=y "$2=y" BR2_PACKAGE_TINYCKPT=y BR2_PACKAGE_RAUC=y BR2_PACKAGE_MENDER=y \
		"$(sed -n 's/^# CONFIG_/# BR2_PACKAGE_TINYCKPT_CONFIG_/p' configs/minimal_defconfig)" || return
	buildroot "$1"
}
has() { # NAME FILE...
	local file
	for file in "${@:2}"; do
		[ -e "$work/$1/target/$file" ] || { echo "no $file"; (cd "$work/$1/target" && find . -type f); return 1; }
	done
}
check "builds as a generic-package, with the smallest set of toggles" builds small BR2_INIT_BUSYBOX
check "it is what minimal is" cmp <(sort "$work/small/build/$release/build/x86_64/buildroot/.config" | grep CONFIG_) \
	<(ARCH=x86_64 tools/expand-config configs/Kconfig configs/minimal_defconfig | sort)
check "BusyBox' init: S01 and S99" has small usr/sbin/tinyckpt etc/init.d/S01tinyckpt etc/init.d/S99tinyckpt etc/tinyckpt
check "the hooks of those updaters that are there, no others" eval \
	'has small usr/lib/tinyckpt/update usr/lib/tinyckpt/rauc/post-install usr/lib/tinyckpt/mender/ArtifactReboot_Enter_50_tinyckpt &&
	! has small usr/lib/tinyckpt/swupdate/reboot'
# The tree that was built stands for the other init systems.
other_init() { # NAME INIT FILE...
	rm -rf "${work:?}/small/target" "$work/small/build/$release/.stamp_target_installed"
	sed -i '/BR2_INIT_/d' "$work/small/.config" && echo "$2=y" >>"$work/small/.config"
	buildroot small && has small "${@:3}"
}
check "systemd: its units" other_init small BR2_INIT_SYSTEMD usr/lib/systemd/system/tinyckpt.service \
	usr/lib/systemd/system/tinyckpt-boot.service usr/lib/systemd/system/tinyckpt@.service \
	usr/lib/systemd/system/rauc-mark-good.service.d/tinyckpt.conf
check "OpenRC: its scripts" other_init small BR2_INIT_OPENRC etc/init.d/tinyckpt etc/init.d/tinyckpt-boot
altered() {
	rm -rf "$work/small/dl" "$work/small/build"
	cp "$package/tinyckpt.hash" "$work/hash"
	sed -i '/tar\.xz/{ s/  0/  1/; t; s/  [1-9a-f]/  0/ }' "$package/tinyckpt.hash"
	! buildroot small
	local status=$?
	cp "$work/hash" "$package/tinyckpt.hash"
	return $status
}
check "a tarball of another hash is refused" altered
