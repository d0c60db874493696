#!/bin/sh
# versions.sh SOURCE STATIC: what is compiled with the headers of one version does not link with the library of another.
set -eu
source=$1
library=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "$*"
    exit 1
}
version=$(sed -n 's/^project(filch VERSION \([0-9]*\)\.\([0-9]*\).*/\1_\2/p' "$source/CMakeLists.txt")
grep -q "^#define FILCH_ABI filch_abi_$version\$" "$source/api/include/filch/version.h" ||
    fail "version.h does not say filch_abi_$version"
cp -r "$source/api/include" "$source/runtime/include/filch" "$work"
cp -r "$work/filch" "$work/include"
cat >"$work/app.c" <<'C'
#include <filch/filch.h>
FILCH_FUNCTION(int, twice, (int, x))
{
    return 2 * x;
}
int main(void)
{
    int x = 0;
    return twice_apply(NULL, 21, &x) != FILCH_OK || x != 42;
}
C
link() {
    cc -std=c11 -I"$work/include" "$work/app.c" "$library" -o "$work/app" -pthread -lm 2>"$work/errors"
}
link || fail "the same version does not link: $(cat "$work/errors")"
"$work/app" || fail "the program fails"
sed -i "s/filch_abi_$version/filch_abi_99_9/" "$work/include/filch/version.h"
! link || fail "headers of another version link"
grep -q "filch_abi_99_9" "$work/errors" || fail "it is not told why: $(cat "$work/errors")"
echo "1 passed, 0 failed"
