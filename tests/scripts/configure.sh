#!/bin/sh
# Every combination of what can be left out configures: configure.sh SOURCE BUILD
set -eu
source=$1 build=$2/configure
for tools in ON OFF; do
    for demos in ON OFF; do
        for sanitize in "" thread; do
            rm -rf "$build"
            cmake -S "$source" -B "$build" -DFILCH_BUILD_TESTS=ON -DFILCH_BUILD_TOOLS=$tools \
                -DFILCH_BUILD_DEMOS=$demos -DFILCH_SANITIZE=$sanitize >"$build.log" 2>&1 ||
                { cat "$build.log"; echo "tools $tools, demos $demos, sanitize '$sanitize'"; exit 1; }
        done
    done
done
