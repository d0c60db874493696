#!/bin/sh
# cross.sh SOURCE NAME COMPILER SWITCH SUITES [RUNNER...]: builds for another processor or C library,
# which the compiler alone says; checks that the stack switch chosen is SWITCH (asm or ucontext); runs
# all demos, and SUITES, for which tests/shadow/check stands in for Check. RUNNER runs a program;
# without one, programs run as they are, and linked statically, too. CFLAGS are heeded.
#
# An emulator shows bugs of assembly, calling conventions and sizes, not of weak memory.
set -eu
source=$1
build=$source/build/$2
compiler=$3
switch=$4
suites=$5
shift 5
runner=$*
flags="-O1 ${CFLAGS:-}"
mkdir -p "$build"
: >"$build/failed"

quietly() { "$@" >"$build/build.log" 2>&1 || { cat "$build/build.log"; exit 1; }; }
tool() { sed -n "s/^CMAKE_$1:FILEPATH=//p" "$build/CMakeCache.txt"; }

# check NAME COMMAND...: note whether it fails, and what it says.
check() {
    name=$1
    shift
    "$@" >"$build/$name.log" 2>&1 || echo "$name" >>"$build/failed"
}

demo() {
    printf '#!/bin/sh\nexec %s "%s/demos/%s" "$@"\n' "$runner" "$build" "$1" >"$build/run-$1"
    chmod +x "$build/run-$1"
    # An emulator on a busy machine can be late by the tenths of a second that tell some lines apart.
    "$source/tests/scripts/demo.sh" "$build/run-$1" "$1" ||
        { [ -n "$runner" ] && "$source/tests/scripts/demo.sh" "$build/run-$1" "$1"; }
}

compile() {
    # shellcheck disable=SC2086
    "$compiler" -std=c11 -D_GNU_SOURCE= $flags $definitions -Wno-psabi -I "$source/tests/shadow/check" \
        -I "$source/tests" -I "$source/runtime" -I "$source/runtime/include" -I "$source/api" \
        -I "$source/api/include" "$@"
}

build_suite() {
    # shellcheck disable=SC2086
    compile "$source/tests/test_$1.c" "$build/fixture.o" "$build/libcounted.a" \
        -Wl,--wrap=filch_os_wake -pthread -lm $atomics -o "$build/test-$1"
}

quietly cmake -S "$source" -B "$build" -DFILCH_WERROR=ON -DFILCH_BUILD_TESTS=OFF \
    -DFILCH_BUILD_TOOLS=OFF -DFILCH_WHOLE=OFF -DCMAKE_BUILD_TYPE=None "-DCMAKE_C_FLAGS=$flags" \
    -DCMAKE_SYSTEM_NAME=Linux "-DCMAKE_C_COMPILER=$compiler"
quietly cmake --build "$build" --parallel 2
library=$build/libfilch.a
calls=$("$(tool NM)" "$library" | sed -n 's/^ *U //p' | sort -u)

chosen=asm
definitions=""
if echo "$calls" | grep -qx swapcontext; then
    chosen=ucontext
    definitions=-DFILCH_SWITCH_UCONTEXT
fi
atomics=""
if echo "$calls" | grep -q '^__atomic_'; then
    atomics=-latomic
fi
[ "$chosen" = "$switch" ] || { echo "the switch chosen is $chosen, not $switch"; exit 1; }

# Those that sleep for seconds do so together. What the others say depends on shorter times.
sleepers="asyncmap asyncmap-chunks groups poolapply poolapplyasync"
for name in $sleepers; do
    check "$name" demo "$name" &
done
for file in "$source"/demos/*.c; do
    name=$(basename "$file" .c)
    case " $sleepers " in
    *" $name "*) ;;
    *) check "$name" demo "$name" ;;
    esac
done

# The fixture counts what the library asks for (tests/shadow/memory.h), and lets some of it fail.
counted=""
for call in $(echo "$calls" | grep -xE 'malloc|calloc|aligned_alloc|free|mmap|mmap64|thrd_create'); do
    counted="$counted --redefine-sym $call=counted_${call%64}"
done
# shellcheck disable=SC2086
quietly "$(tool OBJCOPY)" $counted "$library" "$build/libcounted.a"
# Blocks are kept for reuse only where a suite says so.
quietly compile -c -include "$source/tests/shadow/memory.h" "$source/runtime/base/memory.c" \
    -o "$build/memory.c.o"
quietly "$(tool AR)" r "$build/libcounted.a" "$build/memory.c.o"
quietly compile -c "$source/tests/fixture.c" -o "$build/fixture.o"
for name in $suites; do
    check "$name-builds" build_suite "$name" &
done
wait

for name in $suites; do
    # shellcheck disable=SC2086
    check "suite-$name" $runner "$build/test-$name"
done
if [ -z "$runner" ]; then
    check static "$source/tests/scripts/static.sh" "$source" "$library" "$compiler"
fi
for name in $(cat "$build/failed"); do
    echo "$name failed:"
    cat "$build/$name.log"
done
[ -s "$build/failed" ] || echo "1 passed, 0 failed"
[ ! -s "$build/failed" ]
