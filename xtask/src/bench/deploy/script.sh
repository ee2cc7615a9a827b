#!/bin/sh
# What people write who deploy with the docker command line: one thing after
# the other, a container for each release command, the old version stopped
# once nginx sends its requests to the new one. Nothing here drains, recovers,
# or keeps a log.
set -eu

git -C "$WORK" fetch --quiet origin main
git -C "$WORK" checkout --quiet FETCH_HEAD
image=$APP:$(git -C "$WORK" rev-parse --short=12 HEAD)
docker build --quiet --label "$LABEL" --tag "$image" "$WORK" >/dev/null

while read -r command; do
    docker run --rm --label "$LABEL" "$image" sh -c "$command" </dev/null
done <"$WORK/release-commands"

old=$(docker ps --quiet --filter "label=$LABEL")
new=
for _ in $(seq "$INSTANCES"); do
    new="$new $(docker run --detach --label "$LABEL" "$image")"
done

servers=
for container in $new; do
    address=$(docker inspect --format '{{.NetworkSettings.IPAddress}}' "$container")
    tries=300
    until curl --fail --silent --max-time 1 --output /dev/null "http://$address:8000/"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || exit 1
        sleep 0.1
    done
    servers="$servers server $address:8000;"
done

echo "upstream app {$servers }" >"$NGINX/upstream.conf"
nginx -c "$NGINX/nginx.conf" -s reload
date +%s%N >"$SWITCHED"

if [ -n "$old" ]; then
    # shellcheck disable=SC2086 # a list of ids
    docker stop $old >/dev/null
    # shellcheck disable=SC2086
    docker rm $old >/dev/null
fi
