#!/bin/sh
# static.sh ROOT LIBRARY COMPILER: a program that is linked statically, all of it, gets no warning from
# the linker, and works.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$3" -std=gnu11 -static -Wl,--fatal-warnings -I"$1/api/include" -I"$1/runtime/include" \
    "$1/tests/consumer/consumer.c" "$2" -lm -lpthread -o "$folder/consumer"
"$folder/consumer" > /dev/null
echo "1 passed, 0 failed"
