#!/bin/sh
# lint.sh ROOT: clang-format, clang-tidy (.clang-tidy) and cppcheck, as Debian 12 has them, find nothing.
set -eu
cd "$1"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bad=0
for tool in clang-format clang-tidy cppcheck; do
    command -v $tool >/dev/null || { echo "$tool is not installed"; exit 1; }
done

# tests/model has C++ in the manner of Relacy.
# shellcheck disable=SC2046
clang-format --dry-run -Werror $(find runtime api tests demos tools/trace tools/bench/programs \
    -path tests/model -prune -o \( -name '*.[ch]' -o -name '*.hpp' -o -name test_hpp.cpp \) -print) || bad=1

# The library is looked at as one file, with its assertions: they say what the tools cannot know. What
# is not in that file, and what other systems get in its place, comes one by one.
library="api/filch_all.c $(echo runtime/os/os_unix*.c runtime/os/os_linux.c runtime/os/os_linux_poll.c \
    runtime/os/os_linux_spawn.c runtime/os/os_linux_watch.c runtime/os/os_posix.c runtime/os/os_posix_spawn.c \
    runtime/os/os_posix_watch.c)"
others=$(echo tools/trace/*.c demos/*.c)
flags="-std=c11 -D_GNU_SOURCE -DFILCH_ASSERTIONS -DFILCH_SWITCH_UCONTEXT
    -Iruntime -Iapi -Iruntime/include -Iapi/include"

# cppcheck does not read all of C11 and of the public macros: it gets what the preprocessor makes of them,
# with the comments, for suppressions (none is there). Across functions it takes an object that gets its
# values field by field for one that has none, and any zero for a null pointer (ctu...); and
# the handle of a fork is returned before it has a result.
lines='
    /^#pragma/ { next }
    /^# [0-9]/ { line = "#line " $2 " " $3; next }
    line && !NF { next }
    line { print line; line = "" }
    { print }'
for file in $library $others; do
    # shellcheck disable=SC2086
    gcc -E -C -w $flags '-D_Alignas(n)=' "$file" | awk "$lines" >"$folder/$(echo "$file" | tr / _)"
done
cppcheck -q --std=c11 --enable=warning,performance,portability --suppress=ctuuninitvar \
    --suppress=ctunullpointer --suppress=uninitvar:demos/fib.c --inline-suppr --error-exitcode=1 \
    "$folder"/*.c >"$folder/cppcheck" 2>&1 &
cppcheck=$!

# max-nodes: the analyzer gives a function up sooner, which takes a sixth of the time, and none of what
# it found was behind that.
# shellcheck disable=SC2016
printf '%s\n' $library $others |
    FLAGS="$flags" xargs -P "$(nproc)" -n 1 sh -c 'clang-tidy --quiet "$0" -- $FLAGS \
        -Xclang -analyzer-opt-analyze-headers -Xclang -analyzer-config -Xclang max-nodes=20000 \
        2>/dev/null' >"$folder/tidy" || { cat "$folder/tidy"; bad=1; }
wait $cppcheck || { cat "$folder/cppcheck"; bad=1; }
[ "$bad" -eq 0 ] && echo "1 passed, 0 failed"
exit "$bad"
