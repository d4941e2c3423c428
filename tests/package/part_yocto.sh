# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT
# The Yocto layer: read by a small parser of BitBake's language, its tasks run by hand.

if ! command -v python3 >/dev/null; then
	skip "Yocto layer" "python3 is not installed"
	return
fi
check "make dist makes it" released
layer=$work/one/build/dist/meta-tinyckpt
[ -e "$layer" ] || return
recipe=$layer/recipes-support/tinyckpt/tinyckpt_$version.bb
sysroot=$top/.cache/sysroot/x86_64
cross=$(awk '$1 == "x86_64" { print $2 "-" }' tools/architectures)

# What BitBake and its base classes set.  DISTRO_FEATURES comes from $features.
bitbake() { # ARGUMENT...
	tests/package/bitbake PN=tinyckpt PV="$version" WORKDIR="$work/yocto" S="$work/yocto/$release" B="$work/yocto/$release" \
		D="$work/yocto/image" TARGET_ARCH=x86_64 CC="$sysroot/bin/musl-gcc" OBJCOPY="${cross}objcopy" STRIP="${cross}strip" prefix=/usr sbindir=/usr/sbin \
		mandir=/usr/share/man datadir=/usr/share sysconfdir=/etc systemd_system_unitdir=/usr/lib/systemd/system \
		LAYERDIR="$layer" THISDIR="$layer/recipes-kernel/linux" PACKAGES=tinyckpt BBPATH=x BBFILES=x BBFILE_COLLECTIONS=core \
		"DISTRO_FEATURES=${features:-sysvinit systemd}" "$@"
}
parses() { # FILE
	bitbake "$1" >"$work/variables" && [ -s "$work/variables" ]
}
while IFS= read -r file; do
	check "parses: ${file#"$layer"/}" parses "$file"
done < <(find "$layer" -name '*.bb' -o -name '*.bbappend' -o -name '*.conf' | sort)
rejects() {
	sed 's/^inherit/inherits/' "$recipe" >"$work/wrong.bb"
	! bitbake "$work/wrong.bb" || return
	sed 's/{sbindir}/{nobody}/' "$recipe" >"$work/wrong.bb"
	! bitbake "$work/wrong.bb"
}
check "the parser refuses a line that is none, and a variable that nobody sets" rejects

value() { bitbake "$recipe" | sed -n "s/^$1=//p"; }
unpack() {
	mkdir -p "$work/yocto" && tar -x -C "$work/yocto" -f "$layer/recipes-support/tinyckpt/files/$release.tar.xz" || return
	[ -e "$work/yocto/tinyckpt-$version/Makefile" ]
}
check "it unpacks to where BitBake looks: NAME-VERSION" unpack
there() {
	local uri
	for uri in $(value SRC_URI); do
		[ -e "$layer/recipes-support/tinyckpt/files/${uri#file://}" ] || { echo "no $uri"; return 1; }
	done
}
check "its files are there" there
licences() {
	local entry path n=0
	for entry in $(value LIC_FILES_CHKSUM); do
		path=${entry%%;*}
		[ "${entry##*md5=}" = "$(md5sum <"$work/yocto/$release/${path#file://}" | cut -d' ' -f1)" ] || { echo "$entry"; return 1; }
		n=$((n + 1))
	done
	[ $n = 2 ]
}
check "the licences' checksums hold" licences
check "the series that it says it is for have their LTS" grep -q 'LAYERSERIES_COMPAT_tinyckpt = .*scarthgap' "$layer/conf/layer.conf"

# Each library, and each recipe that is appended to, is of a layer that the layer depends on: else BitBake stops at once.
of_layers() {
	local depends name from
	depends=$(bitbake "$layer/conf/layer.conf" | sed -n 's/^LAYERDEPENDS_tinyckpt=//p')
	for name in $(value DEPENDS) $(cd "$layer" && find . -name '*_%.bbappend' -printf '%f\n' | sed 's/_%.*//'); do
		case $name in
		libcap-ng | lz4 | linux-yocto) from=core ;;
		libsodium) from=openembedded-layer ;;
		*) from=nobody ;;
		esac
		[[ " $depends " == *" $from "* ]] || { echo "$name is of $from"; return 1; }
	done
}
check "what it builds on is of the layers that it names" of_layers

# BitBake lets tasks see few of the building machine's programs: these, beside the toolchain.
hosttools="[ ar as awk basename bash bunzip2 bzip2 cat chgrp chmod chown chrpath cmp comm cp cpio cpp cut date dd diff diffstat
	dirname du echo egrep env expand expr false fgrep file find flock g++ gawk gcc getconf getopt git grep gunzip gzip head
	hostname iconv id install ld ldd ln ls lz4c make md5sum mkdir mkfifo mknod mktemp mv nm objcopy objdump od patch perl pr
	printf pwd python3 pzstd ranlib readelf readlink realpath rm rmdir rpcgen sed seq sh sha1sum sha224sum sha256sum sha384sum
	sha512sum sleep sort split stat strings strip tail tar tee test touch tr true uname uniq unzstd wc wget which xargs zstd yes
	pkg-config"
mkdir -p "$work/hosttools"
for name in $hosttools "${cross}gcc" "${cross}objcopy" "${cross}strip"; do
	path=$(type -P "$name") && ln -sf "$path" "$work/hosttools/$name"
done

# do_configure, do_compile, do_install, with cml1's part of them.
tasks() {
	local oemake
	oemake=$(bitbake "$recipe" | sed -n 's/^EXTRA_OEMAKE=//p')
	{
		echo "oe_runmake() { make -s -j2 $oemake \"\$@\"; }"
		echo "cml1_do_configure() { yes '' | oe_runmake oldconfig; }"
		bitbake SRC_URI="file://more.cfg" "$work/recipe.bb" do_configure do_compile do_install || return
		printf '%s\n' do_configure do_compile do_install
	} >"$work/tasks"
	cat "$work/tasks"
	# A shell of its own: in this one, what `check` calls ends at no error.
	(cd "$work/yocto/$release" && PATH=$work/hosttools PKG_CONFIG_LIBDIR=$sysroot/lib/pkgconfig CFLAGS=-O1 LDFLAGS=-Wl,-z,now \
		sh -e "$work/tasks")
}
# A fragment takes one more toggle away.
sed -e '/^SRC_URI = /,/"$/d' -e 's/^TINYCKPT_CONFIG ?= .*/TINYCKPT_CONFIG = "minimal"/' \
	-e 's/^TINYCKPT_HOOKS ?= .*/TINYCKPT_HOOKS = "rauc"/' "$recipe" >"$work/recipe.bb"
echo '# CONFIG_PIPE is not set' >"$work/yocto/more.cfg"
check "its tasks configure, build and install" tasks
configured() {
	ARCH=x86_64 tools/expand-config configs/Kconfig <(cat configs/minimal_defconfig "$work/yocto/more.cfg") | grep CONFIG_ | sort |
		diff - <(grep CONFIG_ "$work/yocto/$release/build/x86_64/yocto/.config" | sort)
}
check "the configuration and the fragment behind it hold" configured
# cml1 runs make in the folder of the configuration, of EXTRA_OEMAKE without a word.
menuconfig() {
	local rootdir command
	rootdir=$(bitbake "$recipe" | sed -n 's/^KCONFIG_CONFIG_ROOTDIR=//p')
	command=$(bitbake "$recipe" | sed -n 's/^KCONFIG_CONFIG_COMMAND=//p')
	# shellcheck disable=SC2016
	printf '#!/bin/sh\necho "$ARCH $KCONFIG_CONFIG $*" >%s\n' "$work/mconf" >"$work/hosttools/kconfig-mconf"
	chmod +x "$work/hosttools/kconfig-mconf"
	(cd "$rootdir" && PATH=$work/hosttools CC=$sysroot/bin/musl-gcc sh -c "make $command") || return
	diff - "$work/mconf" <<<"x86_64 build/x86_64/yocto/.config configs/Kconfig"
}
check "bitbake -c menuconfig changes that configuration" menuconfig
installed() {
	local file
	for file in usr/sbin/tinyckpt etc/init.d/tinyckpt etc/init.d/tinyckpt-boot usr/lib/systemd/system/tinyckpt.service \
		usr/lib/tinyckpt/update usr/lib/tinyckpt/rauc/post-install etc/tinyckpt; do
		[ -e "$work/yocto/image/$file" ] || { echo "no $file"; return 1; }
	done
	# What no package takes stops BitBake.
	(cd "$work/yocto/image" && find . -type f) |
		grep -vE '^\./(usr/sbin|usr/share/man|usr/share/bash-completion|etc/init\.d|usr/lib/systemd/system|usr/lib/tinyckpt)/' && return 1
	[ "$(value INITSCRIPT_NAME:tinyckpt-boot)" = tinyckpt-boot ] && [ "$(value INITSCRIPT_NAME:tinyckpt)" = tinyckpt ]
}
check "the files are those that its packages name" installed

fragment=$layer/recipes-kernel/linux/linux-yocto/tinyckpt.cfg
appended() {
	features=sysvinit bitbake SRC_URI= FILESEXTRAPATHS= "${fragment%/*}_%.bbappend" | grep 'tinyckpt\.cfg' && return 1
	features="systemd tinyckpt-kernel" bitbake SRC_URI= FILESEXTRAPATHS= "${fragment%/*}_%.bbappend" | grep 'SRC_URI:append=.*tinyckpt\.cfg'
}
check "the kernel's fragment is for those that ask for it" appended
known_options() {
	"$tool" check --kconfig | grep '^CONFIG_' >"$work/options"
	! grep '^CONFIG_' "$fragment" | grep -vxFf "$work/options"
}
tool=${TINYCKPT:-$top/build/x86_64/full/tinyckpt}
if [ -x "$tool" ] && "$tool" check --help 2>&1 | grep -q kconfig; then
	check "the kernel's fragment is of check --kconfig" known_options
else
	skip "the kernel's fragment is of check --kconfig" "no tinyckpt of this machine, with CONFIG_CHECK_KERNEL"
fi
ptest() {
	TINYCKPT=$tool setsid bash -c 'for f in /proc/self/fd/*; do f=${f##*/}; [ "$f" -le 2 ] || eval "exec $f>&-"; done; exec "$0"' \
		"$layer/recipes-support/tinyckpt/files/run-ptest" </dev/null
}
if [ "$(id -u)" != 0 ] || [ ! -x "$tool" ]; then
	skip "run-ptest passes" "needs root, and a tinyckpt of this machine"
else
	check "run-ptest passes" ptest
fi
