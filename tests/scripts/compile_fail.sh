#!/bin/sh
# What must not compile, does not: each file in compile_fail/ must be refused, and compile with
# -DRIGHT, so that it is refused for the reason it names. It may name several `Ways:`, macros each of
# which makes it wrong, and what the compiler then `Says:`.
set -eu
cd "$1"
bad=0
for file in tests/compile_fail/*.c; do
    compile="$2 -std=c11 -Wall -Wextra -Wconversion -Werror -DFILCH_LONG_ERRORS -fsyntax-only -I api/include -I runtime/include"
    says=$(sed -n 's/^ \* Says: \(.*\) \*\/$/\1/p' "$file")
    ways=$(sed -n 's/^ \* Ways: //p' "$file")
    $compile -DRIGHT "$file" || { echo "$file: the right form does not compile"; bad=1; }
    for way in ${ways:-WRONG}; do
        if said=$($compile "-D$way" "$file" 2>&1); then
            echo "$file: compiles ($way)"; bad=1
        fi
        case $said in
        *"$says"*) ;;
        *) echo "$file: refused for another reason ($way): $said"; bad=1 ;;
        esac
    done
done
[ "$bad" -eq 0 ] && echo "1 passed, 0 failed"
exit "$bad"
