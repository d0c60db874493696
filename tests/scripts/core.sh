#!/bin/sh
# core.sh SOURCE SHARED: filch/core.h is what a foreign-function interface needs: short, without anything generated,
# on its own in C and C++, and enough for a program in another language.
set -eu
source=$1
library=$2
core=$source/api/include/filch/core.h
include="-I$source/api/include -I$source/runtime/include"
[ "$(wc -l <"$core")" -le 250 ] || { echo "core.h is longer than 250 lines"; exit 1; }
if grep -nE '^#define +[A-Za-z_]+\(|##|__VA_ARGS__' "$core"; then
    echo "core.h has a macro with parameters"
    exit 1
fi
for header in "$source"/api/include/filch/*.h "$source"/runtime/include/filch/*.h; do
    name=filch/$(basename "$header")
    # shellcheck disable=SC2086
    printf '#include <%s>\n#include <%s>\nextern int unit;\n' "$name" "$name" |
        cc -std=c11 $include -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c - &&
        printf '#include <%s>\n' "$name" |
        c++ -std=c++17 $include -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ - ||
        { echo "$name does not stand alone"; exit 1; }
done
for header in "$source"/api/include/filch/*.hpp; do
    name=filch/$(basename "$header")
    for standard in c++17 c++20; do
        # shellcheck disable=SC2086
        printf '#include <%s>\n#include <%s>\n' "$name" "$name" |
            c++ -std=$standard $include -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ - ||
            { echo "$name does not stand alone in $standard"; exit 1; }
    done
done

# Enough for a program: in C without another header or a generator, and by its names and types alone.
plain=$source/tests/plain/plain.c
[ "$(grep -c '#include <filch/' "$plain")" -eq 1 ] || { echo "plain.c includes more than core.h"; exit 1; }
if grep -n 'FILCH_[A-Z_]*(' "$plain"; then
    echo "plain.c uses a macro"
    exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# shellcheck disable=SC2086
cc -std=c11 $include -Wall -Wextra -Wpedantic -Werror "$plain" -o "$folder/plain" "$library" \
    "-Wl,-rpath,$(dirname "$library")"
[ "$("$folder/plain")" = "1 1 1 1" ] || { echo "plain.c fails"; exit 1; }
FILCH_TRACE=$folder/plain.ftrace:all "$folder/plain" >"$folder/out" # whose functions have no names
[ -s "$folder/plain.ftrace" ] || { echo "plain.c leaves no trace"; exit 1; }
python3 "$source/tests/plain/plain.py" "$library"
echo "1 passed, 0 failed"
