#!/bin/sh
# Traces of programs of known shape have the known answers:
# trace.sh SOURCE FILCH-TRACE TRACE-WORK DEMOS LIBRARY
set -eu
source=$1 tool=$2 work=$3 demos=$4 library=$5
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
checks=0

fail() { echo "FAILED: $*"; [ ! -f "$dir/out" ] || cat "$dir/out"; exit 1; }

# record LEVEL PROGRAM N [WORKERS]: its trace is then in $dir/PROGRAM
record() {
    rm -f "$dir/$2"
    FILCH_TRACE="$dir/$2:$1" "$work" "$2" "$3" ${4:-} || fail "$2 did not run"
}

# says NAME REGEX: the report of that trace does
says() {
    "$tool" "$dir/$1" >"$dir/out" 2>&1 || fail "no report of $1"
    grep -qE -- "$2" "$dir/out" || fail "the report of $1 does not say: $2"
    checks=$((checks + 1))
}

# tasks NAME FUNCTION COUNT: so many tasks of that function ran, and all ended
tasks() {
    "$tool" export --csv "$dir/$1" -o "$dir/out"
    count=$(grep -c "^[0-9]*,\"$2\"," "$dir/out" || true)
    [ "$count" = "$3" ] || fail "$1 has $count tasks of $2, not $3"
    ! grep -qE '^[0-9]*,"[^"]*","[^"]*",[0-9]*,[0-9]*,[0-9]+,[0-9]+,,' "$dir/out" || fail "one did not end"
    checks=$((checks + 1))
}

# times_as_fast NAME CORES OPERATOR NUMBER [OPTION ...]: what is predicted
times_as_fast() {
    name=$1 cores=$2 operator=$3 number=$4
    shift 4
    "$tool" predict "$dir/$name" "$@" >"$dir/out" || fail "no prediction of $name"
    speed=$(awk -v cores="$cores" '$1 == cores && /\(/ { sub(/.*\)/, ""); print $1 }' "$dir/out")
    awk "BEGIN { exit !($speed $operator $number) }" ||
        fail "$name on $cores cores is not $operator $number times as fast"
    checks=$((checks + 1))
}

for workers in 1 2 5; do
    record all tree 8 $workers
    tasks tree tree 256
    record tasks fan 100 $workers
    tasks fan work 100
    record tasks loop 20000 $workers
    says loop '^ +20000 '
done

# A thread that is interrupted has a long segment: the tree is large enough for that not to matter.
record all tree 15
times_as_fast tree 8 '>' 3
times_as_fast tree 1024 '<' 2000
# The tool uses filch itself: predictions do not depend on its workers, and the trace that is read is
# not recorded over.
cp "$dir/tree" "$dir/kept"
for workers in 1 2 5; do
    FILCH_WORKERS=$workers FILCH_TRACE="$dir/tree:all" "$tool" predict "$dir/tree" >"$dir/by$workers"
    cmp "$dir/by1" "$dir/by$workers" || fail "$workers workers predict something else"
done
cmp "$dir/tree" "$dir/kept" || fail "the trace was recorded over"
checks=$((checks + 4))
record all chain 20
says chain 'parallelism +1\.[0-9] '
times_as_fast chain 1024 '<' 1.5
record tasks graph 40 1
says graph 'parallelism +1\.[0-2] '
says graph ' 156 +78   serial_part \(trace_work\.c:[0-9]+\), serial_part '
says graph ' 4 +2   serial_part \(trace_work\.c:[0-9]+\), work '
record tasks naps 50
says naps 'time to pass +50 '
tasks naps nap 50
record tasks lock 50
says lock '  a mutex +[0-9]+ '
record tasks serial 200
says serial 'While serial_part \(trace_work\.c:[0-9]+\) ran alone'
times_as_fast serial 64 '<' 4
unsplit=$speed
times_as_fast serial 64 '>' "1.2 * $unsplit" --split serial_part=64
record sched fan 20
says fan 'record with FILCH_TRACE=file:tasks'

# Exports, of a trace with hostile names too.
record all mixed 40
for name in mixed tree serial; do
    "$tool" export --perfetto "$dir/$name" -o "$dir/pb"
    "$tool" export --chrome "$dir/$name" -o "$dir/json"
    "$tool" export --csv "$dir/$name" -o "$dir/csv"
    python3 "$source/tests/trace/check_exports.py" "$dir/pb" "$dir/json" "$dir/csv" ||
        fail "the exports of $name"
    checks=$((checks + 1))
done

# Every demo can be recorded, also when it is several processes, and its trace opens.
for demo in "$demos"/*; do
    [ -f "$demo" ] && [ -x "$demo" ] || continue
    rm -f "$dir"/demo*
    FILCH_TRACE="$dir/demo:tasks" "$demo" >"$dir/out" 2>&1 || fail "$demo, recorded"
    for trace in "$dir"/demo*; do
        "$tool" "$trace" >"$dir/out" || fail "the report of $demo"
        grep -q '^  work ' "$dir/out" || fail "the report of $demo says nothing"
        "$tool" view "$trace" -o "$dir/page.html" || fail "the page of $demo"
    done
    checks=$((checks + 1))
done

# A page is one file that refers to nothing else; names of the program are not markup in it.
"$tool" view "$dir/mixed" -o "$dir/page.html"
! grep -q '<script>alert' "$dir/page.html" || fail "a name became markup"
grep -q 'FILCH_NUMBERS\|FILCH_COLUMNS' "$dir/page.html" && fail "a mark was left in the page"
"$tool" diff "$dir/mixed" "$dir/tree" >"$dir/out" || fail "diff"
grep -q '^  work ' "$dir/out" || fail "diff does not tell of work"

# Misuse ends with 2, what cannot be read with 1, and neither writes anything to the standard output.
for arguments in "" "view $dir/mixed" "export $dir/mixed -o x" "--nonsense" "diff $dir/mixed" \
    "predict $dir/mixed --scale x" "$dir/mixed $dir/mixed"; do
    # shellcheck disable=SC2086
    status=0; "$tool" $arguments >"$dir/out" 2>/dev/null || status=$?
    [ "$status" = 2 ] && [ ! -s "$dir/out" ] || fail "'$arguments' ended with $status"
done
# Neither the trace itself is written over, by whatever name, nor is a pipe waited for.
cp "$dir/mixed" "$dir/kept"
ln -s mixed "$dir/symbolic"
ln "$dir/mixed" "$dir/hard"
for out in mixed symbolic hard; do
    for command in view "export --csv" "export --chrome" "export --perfetto"; do
        # shellcheck disable=SC2086
        status=0; "$tool" $command "$dir/mixed" -o "$dir/$out" 2>"$dir/out" || status=$?
        [ "$status" = 1 ] && grep -q 'the trace itself' "$dir/out" || fail "$command over $out"
        cmp "$dir/mixed" "$dir/kept" || fail "$command wrote over the trace by way of $out"
    done
done
status=0; "$tool" export --csv - -o "$dir/mixed" <"$dir/mixed" 2>/dev/null || status=$?
[ "$status" = 1 ] && cmp "$dir/mixed" "$dir/kept" || fail "the standard input was written over"
status=0; "$tool" export --csv "$dir/mixed" -o - 1<>"$dir/mixed" 2>/dev/null || status=$?
[ "$status" = 1 ] && cmp "$dir/mixed" "$dir/kept" || fail "the standard output was the trace"
mkfifo "$dir/pipe"
for command in "" view "export --csv" predict; do
    # shellcheck disable=SC2086
    status=0; timeout 60 "$tool" $command "$dir/pipe" -o "$dir/out" >/dev/null 2>&1 || status=$?
    [ "$status" = 1 ] || fail "'$command' of a pipe ended with $status"
done

# The standard input is as good as a file, also when it is a pipe.
"$tool" "$dir/mixed" >"$dir/by-name"
"$tool" - <"$dir/mixed" | cmp "$dir/by-name" - || fail "a file as the standard input"
# shellcheck disable=SC2002
cat "$dir/mixed" | "$tool" - | cmp "$dir/by-name" - || fail "a pipe as the standard input"
"$tool" diff "$dir/mixed" - <"$dir/tree" >"$dir/out" || fail "diff with the standard input"
for hostile in /dev/zero /dev/null; do
    status=0; timeout 60 "$tool" - <"$hostile" >"$dir/out" 2>/dev/null || status=$?
    [ "$status" = 1 ] && [ ! -s "$dir/out" ] || fail "$hostile as the standard input: $status"
done
checks=$((checks + 10))

status=0; "$tool" /dev/null >"$dir/out" 2>/dev/null || status=$?
[ "$status" = 1 ] && [ ! -s "$dir/out" ] || fail "/dev/null ended with $status"
status=0; "$tool" predict "$dir/mixed" --scale missing=2 >"$dir/out" 2>/dev/null || status=$?
[ "$status" = 1 ] || fail "an unknown name ended with $status"
"$tool" --help | grep -q predict

# The points of the recorder are probes, where the header for them was there.
if echo '#include <sys/sdt.h>' | cc -E - >/dev/null 2>&1; then
    readelf -n "$library" >"$dir/out"
    grep -A1 'Provider: filch' "$dir/out" | grep -q 'Name: event' || fail "there are no probes"
fi
echo "$((checks + 15)) passed, 0 failed"
