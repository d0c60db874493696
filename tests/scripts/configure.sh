#!/bin/sh
# Every combination of what can be left out configures: configure.sh SOURCE BUILD
set -eu
source=$1 build=$2/configure

configure() { # OPTION...
    rm -rf "$build"
    cmake -S "$source" -B "$build" -DFILCH_BUILD_TESTS=ON "$@" >"$build.log" 2>&1 ||
        { cat "$build.log"; echo "with $*"; exit 1; }
}

for tools in ON OFF; do
    for demos in ON OFF; do
        for sanitize in "" thread; do
            configure -DFILCH_BUILD_TOOLS=$tools -DFILCH_BUILD_DEMOS=$demos -DFILCH_SANITIZE=$sanitize
        done
    done
done
configure -DFILCH_WHOLE=OFF
configure -DFILCH_INSTALL=OFF
configure -DCMAKE_BUILD_TYPE=Debug
