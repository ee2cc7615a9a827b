#!/bin/sh
# The start of the PostgreSQL test image, with the official image's variables: POSTGRES_PASSWORD
# (required), POSTGRES_USER (postgres), POSTGRES_DB (the user's name). Listens only when all of it
# exists, so that "it answers" means "it is ready". For tests: it does not wait for the disk.
set -eu
: "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD}"
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
data=${PGDATA:-/var/lib/postgresql/data}
bin=$(echo /usr/lib/postgresql/*/bin)
PATH=$bin:$PATH

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$data" /var/run/postgresql
    chown postgres:postgres "$data" /var/run/postgresql
    chmod 700 "$data"
    exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
fi

if [ ! -s "$data/PG_VERSION" ]; then
    secret=$(mktemp)
    printf '%s\n' "$POSTGRES_PASSWORD" >"$secret"
    initdb -D "$data" -U "$user" --pwfile="$secret" --auth-host=scram-sha-256 --auth-local=trust \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync >/dev/null
    rm -f "$secret"
    echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
    case $database in
    postgres | template0 | template1) ;;
    *)
        quoted=$(printf '%s' "$database" | sed 's/"/""/g')
        printf 'CREATE DATABASE "%s"\n' "$quoted" | postgres --single -j -D "$data" -F postgres >/dev/null
        ;;
    esac
fi
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql \
    -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c shared_buffers=32MB "$@"
