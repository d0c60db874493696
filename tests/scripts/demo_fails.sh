#!/bin/sh
# Runs a demo whose library is refused memory and threads, from the first request on, from the second,
# and so on (failing.c). It may do without and succeed; otherwise it says so in one line of its own
# and fails. It neither crashes nor hangs.
set -eu
program=$1
demo=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

bad() {
    echo "refused from request $from on, $demo $1:"
    cat "$work/errors"
    exit 1
}

for from in 1 2 3 4 5 6 8 10 13 17 22 29 38 50; do
    status=0
    FILCH_TEST_FAIL_FROM=$from timeout -s KILL 60 "$program" >"$work/output" 2>"$work/errors" ||
        status=$?
    own=$(grep -c "^$demo: ." "$work/errors" || :)
    case $status in
    0)
        # A fork function is a plain call: it has no status, and runs without a pool.
        [ "$from" -gt 1 ] || [ "$demo" = fib ] || bad "succeeds without a pool"
        [ "$own" -eq 0 ] || bad "succeeds with an error"
        ;;
    1) [ "$own" -eq 1 ] || bad "fails with $own lines of its own" ;;
    *) bad "ends with $status" ;;
    esac
    # What else there is comes from the library.
    ! grep -v "^$demo: \|^filch: \|^  " "$work/errors" >/dev/null || bad "says more"
done
echo "1 passed, 0 failed"
