#!/bin/sh
# Compiles a plugin to a core module: build.sh PROJECT ROLES BINDINGS OUTPUT COMPILER
# With WASI_SDK_PATH set by that SDK's clang, else by the zig in COMPILER.
set -eu
project=$1 roles=$2 bindings=$3 output=$4 compiler=$5
sdk=$(dirname "$0")

# The glue of a role asks for the plugin's function of that role, so only the
# roles of the project are compiled.
set -- "$sdk"/src/*.c "$sdk"/component/*.c
for role in $(echo "$roles" | tr , ' '); do
    set -- "$@" "$sdk/component/roles/$role.c"
done
for file in "$project"/*.c "$project"/src/*.c; do
    if [ -f "$file" ]; then set -- "$@" "$file"; fi
done

# The stack lies before the data, so that one that overflows traps; zig puts it
# there by itself.
if [ -n "${WASI_SDK_PATH:-}" ]; then
    compile() { "$WASI_SDK_PATH/bin/clang" --target=wasm32-wasip1 -Wl,--stack-first "$@"; }
else
    export ZIG_GLOBAL_CACHE_DIR="$compiler/cache" ZIG_LOCAL_CACHE_DIR="$compiler/cache"
    compile() { "$compiler/bin/python" -m ziglang cc -target wasm32-wasi "$@"; }
fi

# SHIPWAY_CFLAGS is the author's: flags, separated by spaces.
# shellcheck disable=SC2086
compile -mexec-model=reactor -std=c11 -Os -s -Wall -Wextra \
    -I"$sdk/include" -I"$sdk/src" -I"$sdk/component" -I"$bindings" \
    -Wl,-z,stack-size=65536 -o "$output" ${SHIPWAY_CFLAGS:-} "$@"
