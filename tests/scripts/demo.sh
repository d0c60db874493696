#!/bin/sh
# Runs a demo and checks its output. expected/<demo>.txt holds the lines: those before `---` in that
# order (a line `{` ... `}` holds lines in any order); W stands for any worker, N for any number.
# What a demo promises beyond its lines is checked below, by name.
set -eu
program=$1
demo=$2
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$program" >"$work/raw"
sed -E 's/([Ww])orker [0-9]+/\1orker W/; s/process [0-9]+/process W/; s/available equals [0-9]+/available equals N/' \
    "$work/raw" >"$work/lines"

# Sort the lines of each block in braces, in what was expected and in what came.
awk -v lines="$work/lines" '
    function take(n,   i) { for (i = 0; i < n; i++) { if ((getline line < lines) > 0) got[++count] = line } }
    function sorted(n, list,   i, j, t) {
        for (i = 2; i <= n; i++) for (j = i; j > 1 && list[j - 1] > list[j]; j--) {
            t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
    }
    function compare(n,   i) {
        count = 0; take(n); sorted(n, block); sorted(count, got)
        for (i = 1; i <= n; i++) if (block[i] != got[i]) {
            printf "expected: %s\n     got: %s\n", block[i], (i <= count ? got[i] : "(nothing)"); bad = 1 }
    }
    $0 == "{" { inside = 1; n = 0; next }
    $0 == "}" { inside = 0; compare(n); next }
    inside { block[++n] = $0; next }
    { block[1] = $0; compare(1) }
    END { while ((getline line < lines) > 0) { print "unexpected: " line; bad = 1 } exit bad }
' "$here/expected/$demo.txt"

# line number of the first line that matches
line() { grep -nE "$1" "$work/raw" | head -1 | cut -d: -f1; }
before() { [ "$(line "$1")" -lt "$(line "$2")" ] || { echo "'$1' must come before '$2'"; exit 1; }; }

case $demo in
philosophers)
    "$program" greedy >"$work/greedy" 2>"$work/story"
    grep -q "^0 courses were eaten" "$work/greedy" || { echo "the greedy philosophers ate"; exit 1; }
    [ "$(grep -c "dine (philosophers.c:.*held by .*: ends with FILCH_EDEADLK" "$work/story")" -eq 5 ] ||
        { echo "the story is not complete:"; cat "$work/story"; exit 1; }
    ;;
bottleneck)
    "$program" fixed | cmp - "$work/raw" || { echo "the fixed program prints something else"; exit 1; }
    ;;
echo)
    # The server alone, with two clients, one of which has said something: SIGTERM ends it well.
    : >"$work/port"
    "$program" 0 >"$work/end" 2>"$work/port" &
    server=$!
    until grep -q "^port [0-9]" "$work/port"; do
        kill -0 $server 2>/dev/null || { echo "the server did not start"; exit 1; }
        sleep 0.01
    done
    bash -c 'exec 3<>/dev/tcp/127.0.0.1/$1 4<>/dev/tcp/127.0.0.1/$1 && printf hello >&3 &&
        read -r -t 20 -N 5 word <&3 && [ "$word" = hello ] && kill -TERM "$2" || exit 1
        read -r -t 20 <&4; [ $? -eq 1 ]' clients "$(sed 's/port //' "$work/port")" $server ||
        { echo "the clients were not served, or their connections not closed"; kill -9 $server; exit 1; }
    wait $server || { echo "stopped by SIGTERM, it ends with $?"; exit 1; }
    ;;
pool_v2)
    # On a busy machine one may have done all before another came: in some run others take part.
    for run in 1 2 3 4 5 6 7 8 9 10; do
        workers=$(grep -oE '^Worker [0-9]+' "$work/raw" | sort -u | wc -l)
        [ "$workers" -gt 1 ] && break
        "$program" >"$work/raw"
    done
    [ "$workers" -gt 1 ] || { echo "only one worker took part, in $run runs"; exit 1; }
    ;;
asyncmap)
    # All sleep at the same time: the additions all begin before the first subtraction ends.
    [ "$(grep -n 'delayed_add' "$work/raw" | tail -1 | cut -d: -f1)" -lt "$(line delayed_subtract)" ] ||
        { echo "the additions did not overlap"; exit 1; }
    ;;
asyncmap-chunks)
    for operation in delayed_add delayed_subtract; do
        before "$operation\(1, 6\)" "$operation\(2, 7\)"
        before "$operation\(2, 7\)" "$operation\(3, 8\)"
        before "$operation\(4, 9\)" "$operation\(5, 10\)"
        before "$operation\(4, 9\)" "$operation\(3, 8\)"
    done
    ;;
esac
echo "1 passed, 0 failed"
