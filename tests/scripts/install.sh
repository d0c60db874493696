#!/bin/sh
# Installs into an empty folder and builds a small consumer against that, once through the CMake
# package and once through pkg-config, with the static and the shared library.
set -eu
source=$1
build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >/dev/null

cmake -S "$source/tests/consumer" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/consumer" >/dev/null
[ "$("$work/consumer/consumer")" = 6765 ]
[ "$("$work/consumer/consumer-shared")" = 6765 ]

PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name filch.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
cc -std=c11 "$source/tests/consumer/consumer.c" -o "$work/with-pkg-config" \
    $(pkg-config --cflags --libs filch)
library=$(pkg-config --variable=libdir filch)
[ "$(LD_LIBRARY_PATH="$library" "$work/with-pkg-config")" = 6765 ]
# shellcheck disable=SC2046
cc -std=c11 "$source/tests/consumer/consumer.c" -o "$work/with-static" \
    $(pkg-config --cflags filch) "$library/libfilch.a" -pthread
[ "$("$work/with-static")" = 6765 ]
echo "1 passed, 0 failed"
