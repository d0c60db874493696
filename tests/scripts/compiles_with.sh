#!/bin/sh
# The library, filch-trace and the demos compile without a warning: compiles_with.sh SOURCE BUILD COMPILER
# What the headers have in assembler is for either syntax.
set -eu
build=$2/$3
cmake -S "$1" -B "$build" -DCMAKE_C_COMPILER="$3" -DFILCH_WERROR=ON -DFILCH_BUILD_DEMOS=ON \
    -DFILCH_BUILD_TESTS=OFF >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" --parallel 2 >"$build.log" 2>&1 || { grep -v '%]' "$build.log"; exit 1; }
if [ "$(uname -m)" = x86_64 ]; then
    "$3" -std=gnu11 -masm=intel -O2 -Werror -I"$1/api/include" -I"$1/runtime/include" -c "$1/demos/fib.c" -o "$build/fib.o"
fi
