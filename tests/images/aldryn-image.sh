#!/bin/sh
# aldryn-image.sh TAG CACHE_DIR: a base image with Python 3.11 and everything that
# examples/apps/aldryn-site names in its requirements.txt, so that its own `pip install` finds
# all of it there and asks no one.
#
# Kept as CACHE_DIR/aldryn-INPUTS.tar, where INPUTS changes with the requirements. Needs PyPI, or
# a mirror that pip is configured for, the first time.
set -eu
. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/python-base.sh"
image_arguments "$@"
need_engine
lock_cache aldryn

requirements=$HERE/../../examples/apps/aldryn-site/v1/requirements.txt
inputs=$(inputs "$requirements")
done_if_present "$inputs"

saved=$CACHE/aldryn-$inputs.tar
if [ -s "$saved" ]; then
    docker import --change "LABEL $LABEL shipway.test-inputs=$inputs" --change 'CMD ["python3"]' \
        --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8' \
        "$saved" "$TAG" >/dev/null
    say "made $TAG from the cache"
    exit 0
fi

# The machine's own way to PyPI goes into the container that installs, and not into the image.
ca_bundle() {
    for bundle in "${PIP_CERT:-}" "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt; do
        if [ -n "$bundle" ] && [ -s "$bundle" ]; then
            printf '%s\n' "$bundle"
            return 0
        fi
    done
    return 1
}

scratch
wanted=$TAG
TAG=$wanted-python
python_base python:3.11-slim
cp "$requirements" "$SCRATCH/requirements.txt"
# Host networking: this machine's name servers and routes are known to work.
set -- --network host --env PIP_INDEX_URL --env PIP_EXTRA_INDEX_URL --env http_proxy --env https_proxy \
    --env no_proxy --env PIP_ROOT_USER_ACTION=ignore --env PIP_DISABLE_PIP_VERSION_CHECK=1
if bundle=$(ca_bundle); then
    cp -L "$bundle" "$SCRATCH/ca.crt"
    set -- "$@" --env PIP_CERT=/tmp/install/ca.crt
fi
DOOMED=$(docker create "$@" "$TAG" sh -c 'cd /tmp/install &&
    pip install --no-cache-dir --no-deps -r requirements.txt && rm -rf /tmp/install /root/.cache')
docker cp "$SCRATCH/." "$DOOMED:/tmp/install" >/dev/null
if ! timeout "$MAKE_SECONDS" docker start -a "$DOOMED" >"$SCRATCH/log" 2>&1 </dev/null; then
    tail -n 20 "$SCRATCH/log" >&2
    die "pip could not install $requirements"
fi
rm -f "$CACHE"/aldryn-*.tar
# One flat system without the installer's environment: what the cache gives on the next machine.
docker export -o "$saved.part" "$DOOMED"
mv "$saved.part" "$saved"
docker rm "$DOOMED" >/dev/null
DOOMED=
docker rmi "$TAG" >/dev/null
TAG=$wanted
docker import --change "LABEL $LABEL shipway.test-inputs=$inputs" --change 'CMD ["python3"]' \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8' \
    "$saved" "$TAG" >/dev/null
say "made $TAG with pip"
