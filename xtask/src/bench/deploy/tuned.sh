#!/bin/sh
# The same by somebody who had time for it: one container for all release
# commands, instances started and asked at the same time, the old ones killed.
set -eu

git -C "$WORK" fetch --quiet origin main
git -C "$WORK" checkout --quiet FETCH_HEAD
image=$APP:$(git -C "$WORK" rev-parse --short=12 HEAD)
docker build --quiet --label "$LABEL" --tag "$image" "$WORK" >/dev/null

docker run --rm --label "$LABEL" "$image" sh -e release-commands

old=$(docker ps --quiet --filter "label=$LABEL")

start() {
    container=$(docker run --detach --label "$LABEL" "$image")
    address=$(docker inspect --format '{{.NetworkSettings.IPAddress}}' "$container")
    tries=600
    until curl --fail --silent --max-time 1 --output /dev/null "http://$address:8000/"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.05
    done
    echo " server $address:8000;" >"$SERVERS/$1"
}

SERVERS=$(mktemp -d)
trap 'rm -r "$SERVERS"' EXIT
for number in $(seq "$INSTANCES"); do
    start "$number" &
done
wait
[ "$(ls "$SERVERS" | wc -l)" -eq "$INSTANCES" ]

echo "upstream app {$(cat "$SERVERS"/*) }" >"$NGINX/upstream.conf"
nginx -c "$NGINX/nginx.conf" -s reload
date +%s%N >"$SWITCHED"

if [ -n "$old" ]; then
    # shellcheck disable=SC2086 # a list of ids
    docker rm --force $old >/dev/null
fi
