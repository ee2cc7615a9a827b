# Shared by the scripts beside it; sourced, never run.
#
# The rules all of them keep: do nothing when the result is there, bound every wait, say in one
# line which way was taken, leave no temporary file or container behind.

NAME=$(basename "$0" .sh)
HERE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
LABEL=shipway.test-image=1

# Debian 12, whatever this machine's own release: its Python 3.11 is the last that aldryn-addons
# runs on (it imports `imp` and `distutils`).
DEBIAN=bookworm

# How long a pull may take before the image is made from Debian packages instead.
PULL_SECONDS=${SHIPWAY_PULL_SECONDS:-45}
# How long apt, mmdebstrap or pip may take: generous, for slow mirrors.
MAKE_SECONDS=${SHIPWAY_MAKE_SECONDS:-900}

say() { printf '%s: %s\n' "$NAME" "$*"; }

die() {
    printf '%s: error: %s\n' "$NAME" "$*" >&2
    exit 1
}

# Makes $SCRATCH, a folder that goes when the script ends, however it ends. One that names
# containers in $DOOMED has them removed too.
DOOMED=
scratch() {
    SCRATCH=$(mktemp -d)
    trap cleanup EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

cleanup() {
    [ -z "$DOOMED" ] || docker rm -f "$DOOMED" >/dev/null 2>&1 || true
    rm -rf "$SCRATCH"
}

# Reads the two arguments every image script takes.
image_arguments() {
    [ $# -eq 2 ] || die "usage: $NAME.sh TAG CACHE_DIR"
    TAG=$1
    mkdir -p "$2"
    CACHE=$(CDPATH='' cd -- "$2" && pwd)
}

engine_answers() {
    timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

need_engine() {
    engine_answers || die "no Docker engine answers; run tests/images/engine.sh first"
}

# done_if_present [INPUTS]: ends the script when $TAG is there and was made from these inputs.
done_if_present() {
    made_from=$(docker image inspect --format '{{index .Config.Labels "shipway.test-inputs"}}' "$TAG" 2>/dev/null) || return 0
    if [ $# -eq 0 ] || [ "$made_from" = "$1" ]; then
        say "$TAG is there already"
        exit 0
    fi
    # Made from something older: out of the way, unless a container still stands on it.
    docker rmi "$TAG" >/dev/null 2>&1 || true
}

# inputs FILE...: a short name for what these files hold.
inputs() { cat "$@" | sha256sum | cut -c1-16; }

# One maker at a time per cache folder: the second finds the work done. The lock goes with the
# script; where there is no flock, the scripts are simply not protected from each other.
lock_cache() {
    if command -v flock >/dev/null 2>&1; then
        exec 9>"$CACHE/$1.lock"
        flock -w "$MAKE_SECONDS" 9 || die "another $NAME.sh has held $CACHE/$1.lock for $MAKE_SECONDS s"
    fi
}

# pull_as OFFICIAL: makes $TAG from an official image; fails, quietly, where no registry answers.
pull_as() {
    timeout "$PULL_SECONDS" docker pull -q "$1" >/dev/null 2>&1 || return 1
    container=$(docker create "$1" true)
    docker commit --change "LABEL $LABEL" "$container" "$TAG" >/dev/null
    docker rm "$container" >/dev/null
}

need_debian_root() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 ||
        die "$1; the other way needs root on Debian (apt)"
}

# apt_install PACKAGE...: only what is missing, and never an init script's surprise.
apt_install() {
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    log=$(mktemp)
    # shellcheck disable=SC2086 # a list of package names
    if ! { timeout "$MAKE_SECONDS" apt-get update &&
        DEBIAN_FRONTEND=noninteractive timeout "$MAKE_SECONDS" \
            apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        die "apt could not install:$missing"
    fi
    rm -f "$log"
    say "installed with apt:$missing"
}

# Prints one-line entries for Debian 12 on the mirrors of this machine's own apt sources, leaving
# third-party ones out.
debian_sources() {
    here=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    apt-get indextargets \
        --format '$(ORIGIN)|deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        sed -n 's/^Debian|//p' | sed "s/ $here/ $DEBIAN/" | sort -u
}

# debian_tar FILE PACKAGES [HOOK]: a minimal Debian 12 with these packages (comma separated), as a
# tar. HOOK is a shell line run in the new system. Documentation and translations are left out.
debian_tar() {
    need_debian_root "no registry answers"
    apt_install mmdebstrap
    debian_sources >"$SCRATCH/sources.list"
    if [ ! -s "$SCRATCH/sources.list" ]; then
        timeout "$MAKE_SECONDS" apt-get update >/dev/null 2>&1 || die "apt-get update failed"
        debian_sources >"$SCRATCH/sources.list"
    fi
    [ -s "$SCRATCH/sources.list" ] || die "this machine's apt sources name no Debian archive"
    # TMPDIR: mmdebstrap unpacks there, and it goes with $SCRATCH whatever happens.
    if ! TMPDIR=$SCRATCH timeout "$MAKE_SECONDS" mmdebstrap --variant=minbase --include="$2" \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/info/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/lib/postgresql/*/lib/bitcode/*' \
        --dpkgopt='path-exclude=/usr/lib/postgresql/*/lib/llvmjit*' \
        --dpkgopt='path-exclude=/usr/lib/*/libLLVM*' \
        --customize-hook="chroot \"\$1\" sh -c '${3:-true}'" \
        "$DEBIAN" "$SCRATCH/root.tar" "$SCRATCH/sources.list" \
        >"$SCRATCH/log" 2>&1 </dev/null; then
        tail -n 20 "$SCRATCH/log" >&2
        die "mmdebstrap could not make the base system"
    fi
    mv "$SCRATCH/root.tar" "$1.part"
    mv "$1.part" "$1"
}
