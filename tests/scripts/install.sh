#!/bin/sh
# Installs into an empty folder and builds a small consumer against that, once through the CMake
# package and once through pkg-config, with the static and the shared library. Then builds and
# installs an application that has filch's sources in it.
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

# Of an application with filch inside only its own is installed, and the shared library is built when
# it is linked.
inside() { # OPTION...: configures, builds, installs
    rm -rf "$work/inside" "$work/inside-prefix"
    cmake -S "$source/tests/consumer/inside" -B "$work/inside" -DFILCH_SOURCE="$source" "$@" >/dev/null
    cmake --build "$work/inside" --parallel 2 >/dev/null
    cmake --install "$work/inside" --prefix "$work/inside-prefix" >/dev/null
}
installed() {
    (cd "$work/inside-prefix" && find . -type f | sort | tr '\n' ' ')
}

inside -DFILCH_BUILD_TOOLS=ON
[ "$(installed)" = "./bin/application " ] || { echo "installed: $(installed)"; exit 1; }
[ "$("$work/inside-prefix/bin/application")" = 6765 ]
[ -z "$(find "$work/inside" -name 'libfilch.so*')" ] || { echo "a shared library that was not asked for"; exit 1; }

inside -DWITH_SHARED=ON
[ "$(installed)" = "./bin/application ./bin/application-shared " ] || { echo "installed: $(installed)"; exit 1; }
[ "$("$work/inside/application-shared")" = 6765 ]

inside -DFILCH_INSTALL=ON
[ -x "$work/inside-prefix/bin/application" ]
for file in 'libfilch.so*' libfilch.a filch.h filch.pc filchConfig.cmake filch.ctags; do
    [ -n "$(find "$work/inside-prefix" -name "$file")" ] || { echo "$file is not installed"; exit 1; }
done
echo "1 passed, 0 failed"
