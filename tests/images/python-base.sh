# Sourced by python-image.sh and aldryn-image.sh, after lib.sh.

# python_base OFFICIAL: makes $TAG from the official image or, without a registry, from Debian.
python_base() {
    if pull_as "$1"; then
        say "made $TAG from the official $1"
        return 0
    fi
    (
        lock_cache python-base
        if [ -s "$CACHE/python-base.tar" ]; then
            say "no registry has $1; making $TAG from the cached Debian system"
        else
            say "no registry has $1; making $TAG from Debian packages (some minutes, once)"
            # As in the official image, pip may install into the system: it is the app's own.
            debian_tar "$CACHE/python-base.tar" \
                python3,python3-pip,python-is-python3,sqlite3,ca-certificates \
                'rm -f /usr/lib/python3*/EXTERNALLY-MANAGED'
        fi
    )
    docker import --change "LABEL $LABEL" --change 'CMD ["python3"]' \
        --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        --change 'ENV LANG=C.UTF-8' \
        "$CACHE/python-base.tar" "$TAG" >/dev/null
}
