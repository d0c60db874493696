#!/bin/sh
# adapters.sh SOURCE: each adapter whose library is installed stands alone, in C11 and C++11, by gcc and clang, and the
# example in its first comment compiles.
set -eu
include="-I$1/api/include -I$1/runtime/include -Wall -Wextra -Wpedantic -Wconversion -Werror"
looked=0
for header in "$1"/api/include/filch/adapters/*; do
    name=filch/adapters/$(basename "$header")
    foreign=$(sed -n 's/^#include <\(.*\)>$/\1/p' "$header" | grep -v '^filch/')
    # shellcheck disable=SC2086
    printf '#include <%s>\n' $foreign | cc -E -x c - >/dev/null 2>&1 || {
        echo "$name: not looked at, these are not installed:" $foreign
        continue
    }
    looked=$((looked + 1))
    for compiler in "cc -std=c11 -x c" "c++ -std=c++11 -x c++" "clang -std=c11 -x c" "clang++ -std=c++11 -x c++"; do
        # shellcheck disable=SC2086
        printf '#include <%s>\n#include <%s>\nextern int unit;\n' "$name" "$name" |
            $compiler $include -fsyntax-only - || { echo "$name does not stand alone: $compiler"; exit 1; }
    done
    # shellcheck disable=SC2086
    awk '/\*\// { exit } /^ \*     cc / { next } sub(/^ \*     /, "") || sub(/^ \*$/, "")' "$header" |
        cc -std=c11 $include -fsyntax-only -x c - || { echo "the example of $name does not compile"; exit 1; }
done
echo "1 passed, 0 failed ($looked adapters)"
