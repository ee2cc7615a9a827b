#!/bin/sh
# The same with docker compose, which replaces the old containers in place:
# between the old and the new version nothing answers.
set -eu

git -C "$WORK" fetch --quiet origin main
git -C "$WORK" checkout --quiet FETCH_HEAD

compose() {
    # shellcheck disable=SC2086 # a program and its first argument
    (cd "$WORK" && $COMPOSE --project-name "$APP" "$@" </dev/null)
}

compose build --quiet web
while read -r command; do
    compose run --rm -T web sh -c "$command"
done <"$WORK/release-commands"
compose up --detach --no-build --scale "web=$INSTANCES" web

for container in $(docker ps --quiet --filter "label=com.docker.compose.project=$APP"); do
    address=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$container")
    tries=300
    until curl --fail --silent --max-time 1 --output /dev/null "http://$address:8000/"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || exit 1
        sleep 0.1
    done
done
date +%s%N >"$SWITCHED"
