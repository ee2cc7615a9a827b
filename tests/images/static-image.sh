#!/bin/sh
# static-image.sh TAG CACHE_DIR: a 2 MB image with a shell and the usual small tools, from
# busybox-static. For tests that only need something to run: it has sh, httpd, nc, wget, sleep.
set -eu
. "$(dirname -- "$0")/lib.sh"
image_arguments "$@"
need_engine
lock_cache static
done_if_present
scratch

# A statically linked busybox of any origin will do; Debian has it as a package.
static_busybox() {
    for candidate in /bin/busybox /usr/bin/busybox /usr/lib/busybox/busybox-static; do
        [ -x "$candidate" ] || continue
        if LC_ALL=C ldd "$candidate" 2>&1 | grep -q 'not a dynamic\|statically linked\|Not a valid dynamic'; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

if ! busybox=$(static_busybox); then
    need_debian_root "no static busybox on this machine"
    apt_install busybox-static
    busybox=$(static_busybox) || die "busybox-static is installed, and yet no static busybox was found"
fi

root=$SCRATCH/root
mkdir -p "$root/bin" "$root/etc" "$root/root" "$root/srv" "$root/var"
mkdir -m 1777 "$root/tmp"
cp "$busybox" "$root/bin/busybox"
"$root/bin/busybox" --list | while read -r applet; do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
tar -C "$root" --owner=0 --group=0 -c . | docker import --change "LABEL $LABEL" --change 'ENV PATH=/bin' \
    --change 'CMD ["sh"]' - "$TAG" >/dev/null
say "made $TAG from $busybox"
