# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT
# A build with uClibc-ng, as Buildroot has it: by hand, as the library itself takes minutes.  Debian's is of 2020, and has no
# getauxval(3) yet, which is added to it.

if [ "$(id -u)" != 0 ] || ! command -v dpkg >/dev/null; then
	skip "a build with uClibc-ng" "needs root, and Debian's packages"
	return
fi
source=$(tools/unpack bookworm amd64 uclibc-source) || { check "uClibc-ng's source" false; return; }
uclibc=$work/uclibc
musl=$top/.cache/sysroot/x86_64

makes_library() (
	set -e
	mkdir -p "$uclibc/source" "$uclibc/headers"
	tar -x --strip-components=1 -C "$uclibc/source" -f "$source"/usr/src/uClibc-ng-*.tar.xz
	for folder in linux asm asm-generic mtd; do
		ln -s "$(readlink -f "$musl/include/$folder")" "$uclibc/headers/$folder"
	done
	cd "$uclibc/source"
	make ARCH=x86_64 defconfig
	sed -i -e "s|^KERNEL_HEADERS=.*|KERNEL_HEADERS=\"$uclibc/headers\"|" -e 's|^RUNTIME_PREFIX=.*|RUNTIME_PREFIX="/"|' \
		-e 's|^DEVEL_PREFIX=.*|DEVEL_PREFIX="/usr/"|' \
		-e 's/^# \(UCLIBC_LINUX_SPECIFIC\|UCLIBC_HAS_WCHAR\|UCLIBC_HAS_[A-Z_]*THREADS[A-Z_]*\) is not set/\1=y/' .config
	yes '' | make ARCH=x86_64 oldconfig
	make -j2
	make PREFIX="$uclibc/sysroot" install
	for folder in linux asm asm-generic mtd; do
		ln -s "$(readlink -f "$musl/include/$folder")" "$uclibc/sysroot/usr/include/$folder"
	done
	sed "s|$(readlink -f "$musl")|$uclibc/sysroot/usr|g" "$musl/lib/musl-gcc.specs" >"$uclibc/specs"
	printf '#!/bin/sh\nexec gcc -specs %s -static "$@"\n' "$uclibc/specs" >"$uclibc/cc"
	chmod +x "$uclibc/cc"
	cd "$uclibc"
	printf '#include <elf.h>\n#include <link.h>\nunsigned long getauxval(unsigned long);\n' >sysroot/usr/include/sys/auxv.h
	# What unwinds belongs to the gcc of another C library, and is never called.
	cat >added.c <<-END
		#include <fcntl.h>
		#include <unistd.h>
		unsigned long getauxval(unsigned long type)
		{
			unsigned long entry[2], value = 0;
			int fd = open("/proc/self/auxv", O_RDONLY);

			while (read(fd, entry, sizeof(entry)) == sizeof(entry))
				value = entry[0] == type ? entry[1] : value;
			close(fd);
			return value;
		}
		int _dl_find_object(void *address, void *result) { return (void)address, (void)result, -1; }
	END
	./cc -Os -c added.c
	ar rs sysroot/usr/lib/libc.a added.o
)
makes_libraries() (
	set -e
	export PREFIX=$uclibc/sysroot/usr
	cp -a "$top/.cache/source/libcap-ng" "$top/.cache/source/lz4" "$uclibc/"
	cd "$uclibc/libcap-ng"
	find . -name aclocal.m4 -exec touch {} +
	find . \( -name Makefile.in -o -name configure -o -name config.h.in \) -exec touch {} +
	./configure --host=x86_64-linux-gnu --enable-static --disable-shared --without-python --without-python3 CC="$uclibc/cc" \
		--prefix="$PREFIX"
	make -C src clean install
	make install-pkgconfigDATA
	cd "$uclibc/lz4/lib"
	"$uclibc/cc" -O2 -c lz4.c lz4hc.c
	ar rcs "$PREFIX/lib/liblz4.a" lz4.o lz4hc.o
	cp lz4.h lz4hc.h "$PREFIX/include/"
)
makes_tool() {
	released && mkdir -p "$work/uclibc/tool" && tar -x -C "$work/uclibc/tool" -f "$dist/$release.tar.xz" || return
	{ cat configs/full_defconfig; echo '# CONFIG_TRUST is not set'; } >"$uclibc/defconfig"
	PKG_CONFIG_LIBDIR=$uclibc/sysroot/usr/lib/pkgconfig make -s -j2 -C "$uclibc/tool/$release" CC="$uclibc/cc" PKG_CONFIG=pkg-config \
		DEFCONFIG="$uclibc/defconfig"
}
restores() {
	TINYCKPT=$uclibc/tool/$release/build/x86_64/full/tinyckpt MODES=once \
		tests/system/run mem_anon mem_shared_anon file_flags fifo threads file_locks clocks timer_posix rule_file
}
check "uClibc-ng itself" makes_library
check "uClibc-ng: the libraries" makes_libraries
check "uClibc-ng: builds" makes_tool
check "uClibc-ng: saves and restores" restores
