#!/bin/sh
# What must not compile, does not: each file in compile_fail/ must be refused, and compile with
# -DRIGHT, so that it is refused for the reason it names.
set -eu
cd "$1"
bad=0
for file in tests/compile_fail/*.c; do
    compile="$2 -std=c11 -Wall -Wextra -Wconversion -Werror -fsyntax-only -I api/include -I runtime/include"
    $compile -DRIGHT "$file" || { echo "$file: the right form does not compile"; bad=1; }
    if $compile "$file" 2>/dev/null; then
        echo "$file: compiles"; bad=1
    fi
done
[ "$bad" -eq 0 ] && echo "1 passed, 0 failed"
exit "$bad"
