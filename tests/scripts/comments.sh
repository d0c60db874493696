#!/bin/sh
# Lists and examples in comments are as they were written: a tool that fills paragraphs moves the
# lines of some to the margin, and leaves the end of a comment on a line of its own.
set -eu
cd "$1"
# shellcheck disable=SC2046
garbled=$(awk '
    function is_apart(line) { return line ~ /^ *\*     / }
    FNR == 1 { before = last = "" }
    /^ *\* \*\/$/ { print FILENAME ":" FNR ": the end of the comment stands alone" }
    # at the margin between two that are not; a heading, with a colon, may be
    last ~ /^ *\* [^ ]/ && last !~ /:$/ && is_apart(before) && is_apart($0) {
        print FILENAME ":" FNR - 1 ": " last
    }
    # a call at the margin, before others that are not
    last ~ /^ *\* [a-z_]+\(.*\);/ && before ~ /^ *\*$/ && is_apart($0) {
        print FILENAME ":" FNR - 1 ": " last
    }
    { before = last; last = $0 }
' $(find api runtime tools/trace demos tests -name '*.h' -o -name '*.hpp' -o -name '*.c' -o -name '*.cpp'))
if [ -n "$garbled" ]; then
    echo "garbled comments:"
    echo "$garbled"
    exit 1
fi
echo "1 passed, 0 failed"
