# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT
# The release: the same bytes from anywhere, and a build from it with nothing but a compiler, libcap-ng and liblz4.

twice() {
	released && checkout "$work/two/further" 077 2020-01-01T00:00:00Z && make_dist "$work/two/further" || return
	(cd "$dist" && find . -type f -exec sha256sum {} + | sort) >"$work/first"
	(cd "$work/two/further/build/dist" && find . -type f -exec sha256sum {} + | sort) | diff "$work/first" -
}
# Commits have times of their own: both checkouts tell the same one.
export SOURCE_DATE_EPOCH=1577836800
check "two folders, two umasks: the same bytes" twice
passed || finish

contents() {
	local files=$work/contents
	tar -tvf "$dist/$release.tar.xz" >"$files" || return
	awk '{ print $2 }' "$files" | sort -u | diff - <(echo 0/0) || return
	awk '{ print substr($1, 1, 10) }' "$files" | sort -u | diff - <(printf '%s\n' -rw-r--r-- -rwxr-xr-x) || return
	awk '{ print $6 }' "$files" | diff - <(awk '{ print $6 }' "$files" | LC_ALL=C sort) || return
	for file in LICENSE Makefile gen/header.pb.c gen/header.pb.h gen/messages nanopb/pb.h nanopb/pb_decode.c nanopb/LICENSE.txt; do
		grep -q " $release/$file$" "$files" || { echo "no $file"; return 1; }
	done
	! grep -E "$release/(\.git|\.cache|build|tools/(buildroot|yocto))/" "$files"
}
check "nobody's files, sorted, with the generated code" contents
check "no path of the machine that made it" eval '! xz -dc "$dist/$release.tar.xz" | grep -aF -e "$work" -e "$top"'

# What a build may run: these, by name, and nothing of python, protoc, git or a downloader.
few_tools() {
	local tool path
	mkdir -p "$work/few"
	for tool in make sh awk sed grep cmp cat cp mv rm mkdir touch sort find install cut head env pkg-config \
		as ld objcopy strip $(awk '/^[a-z]/ { print $2 "-gcc" }' tools/architectures); do
		path=$(command -v "$tool") || continue
		ln -sf "$path" "$work/few/$tool"
	done
}
# Without privileges a namespace of one's own is not to be had everywhere.
offline=(unshare --net)
"${offline[@]}" true 2>/dev/null || offline=(unshare --map-root-user --net)
"${offline[@]}" true 2>/dev/null || offline=()

offline_build() { # ARCH
	local sysroot=$top/.cache/sysroot/$1
	rm -rf "$work/source/$1" && mkdir -p "$work/source/$1" && tar -x -C "$work/source/$1" -f "$dist/$release.tar.xz" || return
	"${offline[@]}" env -i PATH="$work/few" PKG_CONFIG_LIBDIR="$sysroot/lib/pkgconfig" \
		make -s -j2 -C "$work/source/$1/$release" install CC="$sysroot/bin/musl-gcc" DESTDIR="$work/installed/$1" \
		PKG_CONFIG=pkg-config || return
	[ "$(readelf -h "$work/installed/$1/usr/local/sbin/tinyckpt" | sed -n 's/^ *Machine: *//p')" = \
		"$(readelf -h "$sysroot/lib/crt1.o" | sed -n 's/^ *Machine: *//p')" ]
}
few_tools
for arch in $arches; do
	what="$arch: builds with CC, DESTDIR and PKG_CONFIG alone, the network cut off"
	if [ ! -e ".cache/sysroot/$arch/complete" ]; then
		skip "$what" "no sysroot yet (tools/sysroot $arch)"
	elif [ ${#offline[@]} = 0 ]; then
		skip "$what" "no network namespaces here"
	else
		check "$what" offline_build "$arch"
	fi
done
same_as_checkout() {
	make -s -j2 -C "$work/one" && cmp "$work/one/build/x86_64/full/tinyckpt" "$work/installed/x86_64/usr/local/sbin/tinyckpt"
}
check "x86_64: the same bytes as from the checkout" same_as_checkout
# The messages' code is that of these messages, or it is not used.
own_messages() (
	cd "$work/source/x86_64/$release" || exit
	commands() {
		env -i PATH="$work/few" make -n -s V=1 CC="$top/.cache/sysroot/x86_64/bin/musl-gcc" PKG_CONFIG=pkg-config >"$work/commands" 2>&1
	}
	touch Makefile proto/header.proto
	commands
	! grep -q -e --nanopb_out "$work/commands" || exit
	echo '// another comment' >>proto/header.proto
	commands
	grep -q -e --nanopb_out "$work/commands"
)
check "messages that were changed are not built from older code" own_messages
