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
# Of C++ each class has one, with all that is public: Doxygen warns of what is not documented.
classes=$(sed -n 's/^\(template <.*> \)\?class \([a-z_]*\).*/\2/p' "$source"/api/include/filch/[!l]*.hpp)
for name in $classes; do
    grep -q "^filch::$name" "$pages/filch::$name.3" || fail "filch::$name has no page"
done
[ "$(echo "$classes" | wc -w)" -eq 5 ] || fail "classes: $classes"
for word in async after for_each_index parallel_for map reduce close terminate workers native shared; do
    grep -q "fB$word.fP" "$pages/filch::pool.3" || fail "$word() is not on the page of filch::pool"
done
grep -q "so man3/filch_blocking.hpp" "$pages/filch::blocking.3" || fail "filch::blocking has no page"
grep -q "Its result has 0 bytes" "$pages/filch_futures.h.3" || fail "a page has lost its text"
! ls "$pages" | grep -v -i '^filch[_:]' || fail "a page is called like another's"
[ -s "$build/reference/html/index.html" ] && [ -s "$build/reference/html/cpp/index.html" ] || fail "no HTML"
echo "1 passed, 0 failed"
