#!/bin/sh
# reference.sh SOURCE BUILD: the reference is made without a warning, so that all that is public is documented,
# and each function that the library exports has a manual page, which is installed with it.
set -eu
source=$1
build=$2
fail() {
    echo "$*"
    exit 1
}
cmake --build "$build" --target reference >"$build/reference.log" 2>&1 || fail "$(tail -5 "$build/reference.log")"
if grep -n "warning:\|error:" "$build/reference.log"; then
    fail "the reference is made with warnings"
fi
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
DESTDIR=$prefix cmake --install "$build" >/dev/null
pages=$(find "$prefix" -type d -name man3)
count=0
# What generated code calls has none.
for name in $(grep -v '^filch_fork_\|^filch_join_' "$source/tests/expected/symbols.txt") FILCH_FUNCTION FILCH_LOOP; do
    page=$pages/$name.3
    [ -f "$page" ] || fail "$name has no page"
    read -r so target <"$page"
    [ "$so" != .so ] || page=$(dirname "$pages")/$target
    grep -q "$name" "$page" || fail "$name is not on its page"
    count=$((count + 1))
done
[ "$count" -gt 150 ] || fail "only $count pages"
grep -q "Its result has 0 bytes" "$pages/filch_futures.h.3" || fail "a page has lost its text"
! ls "$pages" | grep -v -i '^filch_' || fail "a page is called like another's"
[ -s "$build/reference/html/index.html" ] || fail "no HTML"
echo "1 passed, 0 failed"
