#!/bin/sh
# no_assertions.sh LIBRARY...: what users link says nothing of assertions, and keeps no ranks of locks.
set -eu
for library; do
    if grep -aqE "assertion failed|filch_rank_holds_any" "$library"; then
        echo "$library has assertions"
        exit 1
    fi
done
echo "1 passed, 0 failed"
