#!/bin/sh
# tools/filch.ctags: ctags finds what generators make, where they make it, in C and C++.
set -eu
root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
for suffix in c cpp; do
    cp "$root/tests/editor.c" "$work/editor.$suffix"
    ctags --options="$root/tools/filch.ctags" -x "$work/editor.$suffix" 2>"$work/log" |
        awk '$2 == "filch" { print $1, $3 }' >"$work/tags"
    [ ! -s "$work/log" ] || { cat "$work/log"; bad=1; }
    for name in $(grep -o '\b[a-z]*_of\b' "$root/tests/editor.c" | sort -u) half_of_map sum_of_apply_async fib_of_apply \
        row_of_for tile_of_for_tiled less_of_sort even_of_filter total_of_scan some_of_pipeline next_of_serial \
        instead_of_catch ints_of_receive fold_of_fold; do
        line=$(grep -n "\b${name%%_of*}_of\b" "$root/tests/editor.c" | head -1 | cut -d : -f 1)
        grep -q "^$name $line\$" "$work/tags" || { echo "$suffix: no tag for $name in line $line"; bad=1; }
    done
done
[ "$bad" -eq 0 ] && echo "1 passed, 0 failed"
exit "$bad"
