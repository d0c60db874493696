#!/bin/sh
# The README's program is demos/hello.c, word for word, less the demo's own first comment.
set -eu
cd "$1"
listing=$(awk '/^```c$/ { on = 1; next } /^```$/ { if (on) exit } on' README.md)
demo=$(awk 'code; /\*\// { code = 1 }' demos/hello.c)
[ "$listing" = "$demo" ] || { echo "README.md and demos/hello.c differ"; exit 1; }
echo "1 passed, 0 failed"
