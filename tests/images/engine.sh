#!/bin/sh
# engine.sh [CACHE_DIR]: makes sure that a Docker engine answers.
#
# Does nothing where one does. Otherwise, as root on Debian, installs docker.io and iptables with
# apt and starts dockerd detached, with its log at CACHE_DIR/dockerd.log. It stays running; its
# process id is in /var/run/docker.pid.
set -eu
. "$(dirname -- "$0")/lib.sh"

WAIT_SECONDS=40

engine_version() { timeout 10 docker version --format '{{.Server.Version}}' 2>/dev/null; }

# start_engine FLAGS...: 0 when the engine answers in time, 1 when it ended or is silent.
start_engine() {
    if command -v setsid >/dev/null 2>&1; then detach=setsid; else detach=nohup; fi
    $detach dockerd "$@" >>"$CACHE/dockerd.log" 2>&1 </dev/null 9>&- &
    engine=$!
    tries=0
    while [ $tries -lt $((WAIT_SECONDS * 4)) ]; do
        ! engine_answers || return 0
        kill -0 "$engine" 2>/dev/null || return 1
        tries=$((tries + 1))
        sleep 0.25
    done
    kill "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
    return 1
}

CACHE=${1:-$HERE/../../.cache/images}
mkdir -p "$CACHE"
CACHE=$(CDPATH='' cd -- "$CACHE" && pwd)
lock_cache engine

if command -v docker >/dev/null 2>&1 && engine_answers; then
    say "engine $(engine_version) answers already"
    exit 0
fi
[ -z "${DOCKER_HOST:-}" ] || die "the engine at DOCKER_HOST=$DOCKER_HOST does not answer; unset DOCKER_HOST to have one started here"
need_debian_root "no Docker engine answers; start one, or let this script"
apt_install docker.io iptables
# The package's own init script may have started it.
if engine_answers; then
    say "engine $(engine_version) came up with its package"
    exit 0
fi

: >"$CACHE/dockerd.log"
# The last tries are for kernels without NAT tables or without overlay file systems.
for flags in "" "--iptables=false --ip6tables=false" \
    "--iptables=false --ip6tables=false --storage-driver=vfs"; do
    # shellcheck disable=SC2086 # flags are words
    if start_engine $flags; then
        say "started dockerd $(engine_version)${flags:+ with $flags}, log in $CACHE/dockerd.log"
        exit 0
    fi
done
tail -n 20 "$CACHE/dockerd.log" >&2
die "dockerd does not come up; its log is $CACHE/dockerd.log"
