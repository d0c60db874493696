#!/bin/sh
# The page of filch-trace view: its template is what its sources build, and it does what it should in
# a browser: viewer.sh SOURCE BUILD FILCH-TRACE TRACE-WORK
set -eu
source=$1 build=$2/viewer tool=$3 work=$4
mkdir -p "$build/pages" "$build/shots"

# Built beside, so that the sources stay as they are.
rm -rf "$build/src" "$build/tests" "$build/scripts"
(cd "$source/tools/viewer" && cp -r src tests scripts index.html package.json tsconfig.json \
    vite.config.ts "$build")
cd "$build"
# package.json names every version that the template depends on: there is no lock file, which would
# hold the address of whatever registry it was made with.
if ! cmp -s package.json installed.json; then
    npm install --no-package-lock --no-audit --no-fund --ignore-scripts >npm.log 2>&1 ||
        { cat npm.log; exit 1; }
    cp package.json installed.json
fi
npx --no-install tsc --noEmit
npx --no-install vite build --logLevel warn
node scripts/finish.js page.html
cmp page.html "$source/tools/trace/page.html" ||
    { echo "tools/trace/page.html is not what its sources build: npm run build"; exit 1; }

# record NAME N: its page and its report
record() {
    rm -f "$1.ftrace"
    FILCH_TRACE="$1.ftrace:all" "$work" "$1" "$2"
    "$tool" view "$1.ftrace" -o "pages/$1.html"
    "$tool" "$1.ftrace" >"pages/$1.txt"
}

# record_showing NAME N TEXT: the same, until that is in the report, with "|" for ends of lines. On
# a busy machine no worker may get to steal, or others run alone for longer than they should.
record_showing() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        record "$1" "$2"
        tr '\n' '|' <"pages/$1.txt" | grep -q -- "$3" && return
    done
    echo "ten traces of $1, and none shows: $3"
    return 1
}
record_showing serial 100 'In plain words|  - While serial_part'
record_showing tree 13 '|  steals [1-9]'
record mixed 40
# a chunk in the middle is lost
dd if=/dev/zero of=tree.ftrace bs=1 seek=135168 count=64 conv=notrunc 2>dd.log
"$tool" view tree.ftrace -o pages/damaged.html
PAGES=$build/pages SHOTS=$build/shots node --test tests/viewer.test.js
