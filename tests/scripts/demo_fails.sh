#!/bin/sh
# Runs a demo whose library is refused memory and threads, from the first request on, from the second,
# and so on (failing.c). It may do without and succeed; otherwise it says so in one line of its own
# and fails. It neither crashes nor hangs.
set -eu
program=$1
demo=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run() { # all at once: most of what they do is sleep
    status=0
    FILCH_TEST_FAIL_FROM=$1 timeout -s KILL 100 "$program" >/dev/null 2>"$work/errors-$1" ||
        status=$?
    echo "$status" >"$work/status-$1"
}

bad() {
    echo "refused from request $from on, $demo $1:"
    cat "$work/errors-$from"
    exit 1
}

counts="1 2 3 4 5 6 8 10 13 17 22 29 38 50"
for from in $counts; do
    run "$from" &
done
wait
for from in $counts; do
    own=$(grep -c "^$demo: ." "$work/errors-$from" || :)
    case $(cat "$work/status-$from") in
    0)
        # A fork function is a plain call: it has no status, and runs without a pool.
        [ "$from" -gt 1 ] || [ "$demo" = fib ] || bad "succeeds without a pool"
        [ "$own" -eq 0 ] || bad "succeeds with an error"
        ;;
    1) [ "$own" -eq 1 ] || bad "fails with $own lines of its own" ;;
    *) bad "ends with $(cat "$work/status-$from")" ;;
    esac
    # What else there is comes from the library.
    ! grep -v "^$demo: \|^filch: \|^  " "$work/errors-$from" >/dev/null || bad "says more"
done
echo "1 passed, 0 failed"
