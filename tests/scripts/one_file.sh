#!/bin/sh
# one_file.sh SOURCE: the library is compiled as one file with gcc and clang and by a packager that names no
# build type, and a program leaves out what it does not use of it. And tools/amalgamate writes two
# files that are the library.
set -eu
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# dpkg-buildflags says the like of this.
package_flags="-g -O2 -fstack-protector-strong -Wformat -Werror=format-security -Wdate-time -D_FORTIFY_SOURCE=2"
bytes() { # PROGRAM
    size "$1" | awk 'END { print $1 }'
}
for compiler in gcc clang; do
    build=$work/$compiler
    cmake -S "$source" -B "$build" -DCMAKE_BUILD_TYPE=None -DCMAKE_C_COMPILER=$compiler \
        -DCMAKE_C_FLAGS="$package_flags" -DFILCH_WERROR=ON -DFILCH_PROBES=OFF \
        -DFILCH_BUILD_TESTS=OFF -DFILCH_BUILD_TOOLS=OFF -DFILCH_BUILD_DEMOS=OFF >"$work/log"
    grep -q "compiled as one file" "$work/log" || { cat "$work/log"; exit 1; }
    cmake --build "$build" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    "$source/tests/scripts/symbols.sh" "$build/libfilch.so" "$build/libfilch.a" WHOLE
    for link in "" -Wl,--gc-sections; do
        $compiler $link -O2 -I"$source/api/include" -I"$source/runtime/include" \
            "$source/tests/consumer/consumer.c" "$build/libfilch.a" -pthread -o "$work/consumer$link"
        [ "$("$work/consumer$link")" = 6765 ]
    done
    [ $((2 * $(bytes "$work/consumer-Wl,--gc-sections"))) -lt "$(bytes "$work/consumer")" ] ||
        { echo "$compiler: --gc-sections leaves most of the library in a program"; exit 1; }
done

"$source/tools/amalgamate" "$work/two"
sed 's|<filch/filch.h>|"filch.h"|' "$source/tests/consumer/consumer.c" >"$work/two/app.c"
cd "$work/two"
[ "$(echo *)" = "app.c filch.c filch.h" ]
for compiler in gcc clang; do
    for flags in "-O2 -fexceptions -D_GNU_SOURCE" "-O0 -DFILCH_OS_POSIX -DFILCH_SWITCH_UCONTEXT"; do
        # shellcheck disable=SC2086
        $compiler -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror $flags \
            app.c filch.c -pthread -o app
        [ "$(./app)" = 6765 ]
    done
done
# With a prefix it is a copy of its own: beside another in one program, each with its default pool.
for compiler in gcc clang; do
    $compiler -O2 -DFILCH_PREFIX=mylib_ -c filch.c -o copy.o
    nm -g --defined-only copy.o | awk 'NF == 3 && $3 !~ /^mylib_filch_|^DW\.ref/ { print $3 }' | { ! grep .; } ||
        { echo "a copy with a prefix shows names without it"; exit 1; }
    cat >copy_user.c <<'C'
#include "filch.h"
FILCH_FUNCTION(int, here, (int, x))
{
    return x + (filch_worker_id() > 0);
}
int mylib_asks(void)
{
    int x = 0;
    return here_apply(NULL, 41, &x) == FILCH_OK ? x : -1;
}
C
    sed 's/int main(void)/int consumed(void)/' app.c >other_user.c
    cat >both.c <<'C'
int mylib_asks(void);
int consumed(void);
int main(void)
{
    return mylib_asks() == 42 && consumed() == 0 && mylib_asks() == 42 ? 0 : 1;
}
C
    $compiler -O2 -DFILCH_PREFIX=mylib_ -c copy_user.c
    $compiler -O2 copy_user.o copy.o other_user.c both.c filch.c -pthread -o both
    [ "$(./both)" = 6765 ]
done
rm -f copy* other_user.c both*
echo '#include "filch.h"' >app.cpp
for compiler in g++ clang++; do
    $compiler -std=c++17 -Wall -Wextra -Werror -fsyntax-only app.cpp
done
# Two copies in one process do not use each other's: functions are protected, objects hidden.
gcc -c -O1 filch.c
nm --defined-only filch.o | awk '$2 ~ /[A-Z]/ { print $3 }' |
    grep -vE '^DW\.ref|^filch_context_(switch|start)$' >seen
readelf -sW filch.o | awk '$6 == "HIDDEN" { print $8 }' | sort >hidden
sort seen | comm -23 - hidden | diff - "$source/tests/expected/symbols.txt" ||
    { echo "filch.c shows more, or less, than is exported"; exit 1; }
echo "1 passed, 0 failed"
