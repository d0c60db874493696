#!/bin/sh
# The library, filch-trace and the demos compile without a warning: compiles_with.sh SOURCE BUILD COMPILER
set -eu
build=$2/$3
cmake -S "$1" -B "$build" -DCMAKE_C_COMPILER="$3" -DFILCH_WERROR=ON -DFILCH_BUILD_DEMOS=ON \
    -DFILCH_BUILD_TESTS=OFF >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" --parallel 2 >"$build.log" 2>&1 || { grep -v '%]' "$build.log"; exit 1; }
