#!/bin/sh
# House style that can be counted: files, functions, demos, columns.
set -eu
cd "$1"
bad=0
too_long() { # limit files...
    limit=$1
    shift
    for file; do
        lines=$(wc -l <"$file")
        [ "$lines" -le "$limit" ] || { echo "$file has $lines lines, at most $limit"; bad=1; }
    done
}
too_long 400 runtime/*/*.c api/*/*.c tools/trace/*.c
too_long 250 runtime/*/*.h runtime/include/filch/*.h api/*/*.h api/include/filch/*.h* \
    api/include/filch/adapters/* tools/trace/*.h
too_long 100 demos/*.c*
long=$(awk 'FNR == 1 { start = 0 }
    /^{/ { start = FNR }
    /^}/ { if (start && FNR - start > 60) print FILENAME ":" start ": " FNR - start " lines"; start = 0 }' \
    runtime/*/*.c api/*/*.c demos/*.c tools/trace/*.c)
[ -z "$long" ] || { echo "functions over 60 lines:"; echo "$long"; bad=1; }
wide=$(awk 'length($0) > 100 { print FILENAME ":" FNR }' runtime/*/*.[ch] runtime/include/filch/*.h \
    api/*/*.[ch] api/include/filch/*.h* api/include/filch/adapters/* demos/*.c* tests/*.[ch]* tests/adapters/*.[ch] \
    tools/trace/*.[ch])
wide="$wide$(find . -path './build*' -prune -o \( -name CMakeLists.txt -o -name '*.cmake' \) -print |
    xargs awk 'length($0) > 120 { print FILENAME ":" FNR ": over 120" }')"
[ -z "$wide" ] || { echo "lines over 100 columns:"; echo "$wide"; bad=1; }
[ "$bad" -eq 0 ] && echo "1 passed, 0 failed"
exit "$bad"
