#!/bin/sh
# Builds the project another way, in a folder of its own that is kept, and runs the suites there.
# Arguments: source folder, name of the build, options for cmake.
set -eu
source=$1
name=$2
shift 2
build=$source/build/$name
extra=""
case $name in thread | address) extra="-DCMAKE_BUILD_TYPE=RelWithDebInfo" ;; esac
# filch-trace is slow there, and its loops are those of other suites.
case $name in thread) extra="$extra -DFILCH_BUILD_TOOLS=OFF" ;; esac
# shellcheck disable=SC2086
cmake -S "$source" -B "$build" -DFILCH_WERROR=ON -DFILCH_BUILD_DEMOS=OFF $extra "$@" >/dev/null
cmake --build "$build" --parallel 2 >"$build/build.log" 2>&1 || { cat "$build/build.log"; exit 1; }
export ASAN_OPTIONS=detect_stack_use_after_return=1
export TSAN_OPTIONS=halt_on_error=1
# Two at a time: much of a suite is waiting, and what it asserts does not depend on who else runs.
ctest --test-dir "$build" --output-on-failure --timeout 600 --parallel 2 -L '^suite$'
