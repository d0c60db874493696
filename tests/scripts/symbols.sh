#!/bin/sh
# The shared library exports what expected/symbols.txt lists, and nothing else.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
nm -D --defined-only "$1" | awk '{ print $3 }' | sort | diff "$here/expected/symbols.txt" - ||
    { echo "the exported symbols have changed"; exit 1; }
if nm -D --undefined-only "$1" | awk '{ print $2 }' | grep -vE '@GLIBC|^_ITM|^__gmon|^__cxa|^_Jv'; then
    echo "the library needs more than libc"
    exit 1
fi
echo "1 passed, 0 failed"
