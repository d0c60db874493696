#!/bin/sh
# Users' code compiles without a warning of gcc or clang, optimised or not: quiet.sh SOURCE
set -eu
cd "$1"
bad=0
for compiler in gcc clang; do
    for level in -O0 -O1 -O2 -O3 -Os; do
        for file in tests/quiet.c tests/consumer/consumer.c; do
            $compiler -std=c11 -D_POSIX_C_SOURCE=200809L $level -Wall -Wextra -Wpedantic -Wshadow \
                -Wconversion -Werror -I api/include -I runtime/include -c "$file" -o /dev/null || bad=1
        done
    done
done
[ "$bad" -eq 0 ] && echo "1 passed, 0 failed"
exit "$bad"
