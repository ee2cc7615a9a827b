#!/bin/sh
# postgres-image.sh TAG CACHE_DIR: a PostgreSQL server that takes the official image's variables
# (POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB) and listens on port 5432 of all its addresses.
#
# Stands for the official postgres image where no registry answers: then it is a minimal Debian
# 12, kept as CACHE_DIR/postgres.tar.
set -eu
. "$(dirname -- "$0")/lib.sh"
image_arguments "$@"
need_engine
lock_cache postgres
inputs=$(inputs "$HERE/postgres-entrypoint.sh")
done_if_present "$inputs"
scratch
if pull_as postgres:15-alpine; then
    say "made $TAG from the official postgres:15-alpine"
    exit 0
fi
if [ -s "$CACHE/postgres.tar" ]; then
    say "no registry has postgres:15-alpine; making $TAG from the cached Debian system"
else
    say "no registry has postgres:15-alpine; making $TAG from Debian packages (some minutes, once)"
    debian_tar "$CACHE/postgres.tar" postgresql \
        'rm -rf /var/lib/postgresql/*/main /etc/postgresql/*/main'
fi
# The entrypoint goes on top of the cached system, so that a change of it is never stale.
docker import "$CACHE/postgres.tar" "$TAG-system" >/dev/null
DOOMED=$(docker create --stop-signal SIGINT "$TAG-system" true)
docker cp "$HERE/postgres-entrypoint.sh" "$DOOMED:/entrypoint.sh"
docker commit --change "LABEL $LABEL shipway.test-inputs=$inputs" \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8' \
    --change 'EXPOSE 5432' \
    --change 'ENTRYPOINT ["/entrypoint.sh"]' --change 'CMD []' "$DOOMED" "$TAG" >/dev/null
docker rm "$DOOMED" >/dev/null
DOOMED=
docker rmi "$TAG-system" >/dev/null
