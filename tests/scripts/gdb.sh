#!/bin/sh
# tools/gdb/filch.py walks the stack of a suspended task: the philosophers are stopped while one eats.
# In a build for debugging, and in an optimized one, where the library is one file; filch_mutex_lock()
# jumps there, and has no frame.
set -eu
root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for type in Debug RelWithDebInfo; do
    build=$work/$type
    cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=$type -DFILCH_BUILD_TESTS=OFF -DFILCH_SWITCH=auto \
        >"$work/log" 2>&1
    cmake --build "$build" --target demo-philosophers --parallel 2 >>"$work/log" 2>&1
    FILCH_WORKERS=1 gdb -batch -ex 'set debuginfod enabled off' -ex 'set breakpoint pending on' \
        -ex 'break filch_dump_pools' -ex 'break filch_deadlock_look' -ex run \
        -ex "source $root/tools/gdb/filch.py" -ex filch-tasks -ex 'filch-bt all 12' -ex bt -ex kill \
        --args "$build/demos/philosophers" greedy >"$work/out" 2>&1 || true
    grep -q "task 0x.* dine (philosophers.c:.*waits for a mutex" "$work/out" &&
        grep -q " lock_until (.*mutex=" "$work/out" && grep -q " dine (.*table=" "$work/out" &&
        grep -q "filch_deadlock_look (own=" "$work/out" || { cat "$work/out"; exit 1; }
done

# `step` goes over what generators make.
gcc -g -O0 -std=c11 -I "$root/api/include" -I "$root/runtime/include" "$root/tests/stepping.c" \
    "$work/Debug/libfilch.a" -pthread -o "$work/stepping"
gdb -batch -ex 'set debuginfod enabled off' -ex "source $root/tools/gdb/filch.py" -ex 'break main' -ex run \
    -ex next -ex step -ex kill "$work/stepping" >"$work/out" 2>&1 || true
grep -A 1 "from here" "$work/out" | grep -q "to there" || { cat "$work/out"; exit 1; }
echo "1 passed, 0 failed"
