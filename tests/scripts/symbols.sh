#!/bin/sh
# symbols.sh SHARED STATIC [WHOLE]: the shared library exports what expected/symbols.txt lists, and
# nothing else, and a library or program that contains the static one exports no more. Of one that is
# compiled as one file (WHOLE), of the private functions only the layer to the system is not static.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
nm -D --defined-only "$1" | awk '{ print $3 }' | sort | diff "$here/expected/symbols.txt" - ||
    { echo "the exported symbols have changed"; exit 1; }
if nm -D --undefined-only "$1" | awk '{ print $2 }' | grep -vE '@GLIBC|@GCC|^_ITM|^__gmon|^__cxa|^_Jv'; then
    echo "the library needs more than libc, and what libc needs to end a thread"
    exit 1
fi
# number value size type bind visibility section name
readelf -sW "$2" 2>/dev/null |
    awk '$5 ~ /GLOBAL|WEAK/ && $7 != "UND" && $6 != "HIDDEN" && $8 !~ /^_\.stapsdt/ { print $8 }' |
    sort | diff "$here/expected/symbols.txt" - ||
    { echo "the static library shows more, or less, than is exported"; exit 1; }
if [ $# -gt 2 ]; then
    nm --defined-only "$2" 2>/dev/null | awk 'NF == 3 && $2 == "T" { print $3 }' |
        grep -vE '^filch_(os|context)_|^filch_(malloc|calloc|realloc|free)$' | sort |
        comm -13 "$here/expected/symbols.txt" - | { ! grep .; } ||
        { echo "private functions of the static library are seen"; exit 1; }
fi
echo "1 passed, 0 failed"
