#!/bin/sh
# Includes flow one way: demos, tests and tools -> api -> runtime, and in runtime
# policy -> mechanism -> base.
set -eu
cd "$1"
bad=0

# name of each header -> its rank; a file may include headers of its own rank or below
rank() {
    case $1 in
    base | exceptions | platform | status | party | memory | probe) echo 0 ;;
    os | os_poll | os_plain_poll | os_file | os_modes | os_ticks | context | sanitize | cpu | lane_layout) echo 1 ;;
    lock | work) echo 2 ;;
    tracer | recording) echo 3 ;;
    crowd | deque | expect | queue | park | places | site | timer | stack | slab) echo 3 ;;
    wait | process | line | log | closing | tell | stuck | stuck_search | dump) echo 4 ;;
    lane | scope | poller | lend) echo 5 ;;
    strand) echo 6 ;;
    thread) echo 7 ;;
    overflow) echo 8 ;;
    core | pool | wake | starve) echo 9 ;;
    block) echo 10 ;;
    region | unwound) echo 11 ;;
    *) echo "" ;;
    esac
}
own_rank() { # of a source file: its header's, or the policy's
    case $1 in
    os_posix_poll | os_linux_plain_poll) echo 2 ;;
    hub) echo 11 ;;
    os_* | switch_*) echo 1 ;;
    core | crowd | starve | tracer | recording | recording_names | dump | memory | lend | stuck | stuck_tell | party | poller | closing | expect | hold | watch | wake | post | tally | serve | offer | open | pool | strand | process) echo 10 ;;
    *) rank "$1" ;;
    esac
}

for file in runtime/*.[ch] runtime/include/filch/*.h; do
    name=$(basename "$file" | sed 's/\.[ch]$//')
    case $file in runtime/include/*) mine=2 ;; *) mine=$(own_rank "$name") ;; esac
    [ -n "$mine" ] || { echo "$file has no room in tests/scripts/includes.sh"; bad=1; continue; }
    for header in $(sed -nE 's/^#include "([a-z_]+)\.h".*/\1/p' "$file"); do
        [ -f "runtime/$header.h" ] || { echo "$file includes $header.h, which is not in runtime/"; bad=1; }
        theirs=$(rank "$header")
        if [ -z "$theirs" ] || [ "$theirs" -gt "$mine" ]; then
            echo "$file (rank $mine) includes $header.h (rank ${theirs:-none})"; bad=1
        fi
    done
    for header in $(sed -nE 's/^#include <filch\/([a-z_]+)\.h>.*/\1/p' "$file"); do
        [ -f "runtime/include/filch/$header.h" ] ||
            { echo "$file includes <filch/$header.h>, which belongs to api/"; bad=1; }
    done
done
for file in api/include/filch/*.h demos/*.c; do
    if grep -nE '^#include "' "$file"; then
        echo "$file includes a private header"; bad=1
    fi
done
for file in api/*.c api/*.h; do
    for header in $(sed -nE 's/^#include "([a-z_]+)\.h".*/\1/p' "$file"); do
        [ -f "runtime/$header.h" ] || [ -f "api/$header.h" ] ||
            { echo "$file includes $header.h from elsewhere"; bad=1; }
    done
done
[ "$bad" -eq 0 ] && echo "1 passed, 0 failed"
exit "$bad"
