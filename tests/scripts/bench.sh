#!/bin/sh
# The benchmark programs build without a warning, and compute with filch what they compute serially.
set -eu
source=$1
library=$2
compiler=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
programs=$source/tools/bench/programs

compile() { # output source option...
    output=$1
    file=$2
    shift 2
    "$compiler" -std=gnu11 -O2 -Wall -Wextra -Werror -Wno-unknown-pragmas "$programs/$file" "$@" -o "$work/$output"
}
filch="-I$source/api/include -I$source/runtime/include $library -lpthread"
# shellcheck disable=SC2086
for name in recursion map shapes sums; do
    compile "$name-serial" "$name.c" -DSERIAL
    compile "$name-filch" "$name.c" $filch
done
# shellcheck disable=SC2086
compile tasks "tasks.c" $filch
# shellcheck disable=SC2086
compile talk "talk.c" $filch
# shellcheck disable=SC2086
compile crowd "crowd.c" $filch
# shellcheck disable=SC2086
compile loops "loops.c" $filch
# shellcheck disable=SC2086
compile waiting-loops "waiting_loops.c" $filch
# shellcheck disable=SC2086
compile never-slower "never_slower.c" $filch
# shellcheck disable=SC2086
compile startup "startup.c" $filch
# shellcheck disable=SC2086
for peer in serial filch std; do
    c++ -std=c++17 -O2 -Wall -Wextra -Werror "-DPEER=\"lambdas_$peer.hpp\"" "$programs/lambdas.cpp" \
        $filch -o "$work/lambdas-$peer"
done
compile primitives "primitives.c" -lpthread
# shellcheck disable=SC2086
for name in counters footprint; do # which look inside, but call nothing there
    compile "$name" "$name.c" -I"$source/runtime" -I"$source/api" $filch
done

checked=0
same() { # program row workers size: the second word of the output is the checksum
    serial=$("$work/$1-serial" "$2" 1 "$4" | cut -d' ' -f2)
    filch=$("$work/$1-filch" "$2" "$3" "$4" | cut -d' ' -f2)
    [ "$serial" = "$filch" ] || { echo "$1 $2 on $3: $filch instead of $serial"; exit 1; }
    checked=$((checked + 1))
}
for workers in 1 2 8; do
    same recursion fib $workers 20
    same recursion queens $workers 8
    same recursion small_tree $workers 50
    same recursion big_tree $workers 14
    same recursion uneven_tree $workers 20000
    same recursion knapsack $workers 14
    same map few $workers 100
    same map few_cold $workers 3
    same map seed $workers 100
    same map many $workers 100000
    same sums histogram $workers 100000
    same sums sum_of_f $workers 100000
    same sums two_passes $workers 100000
    same map heavy $workers 256
    same shapes tiny $workers 10
    same shapes tiny_cold $workers 2
    same shapes short $workers 10
    same shapes two_long $workers 2000
    same shapes wavefront $workers 128
    same shapes stencil $workers 40
    same shapes scan $workers 10000
    same shapes scan_few $workers 3
    same shapes scan_dear $workers 3
    for row in async_get each_task each_index sum; do
        same lambdas $row $workers 5000
    done
done
counted() { # program row size checksum [workers]
    check=$("$work/$1" "$2" "${5:-2}" "$3" | cut -d' ' -f2)
    [ "$check" = "$4" ] || { echo "$1 $2: $check instead of $4"; exit 1; }
    checked=$((checked + 1))
}
for workers in 1 2 8; do
    counted talk ping_pong 80 16200 $workers
    counted talk channel 800 1598000 $workers
    counted talk channel_4_4 800 398000 $workers
    counted talk fan_in 80 1800 $workers
    counted talk pipeline 800 1606000 $workers
    counted talk select_8 80 1800 $workers
    counted talk mutex_contended 800 4000 $workers
    counted talk mutex_free 800 4000 $workers
    counted talk mutex_held 80 400 $workers
    counted talk rwlock_read 800 40 $workers
    counted talk rwlock_tenth 800 400 $workers
    counted talk semaphore 800 4000 $workers
    counted talk semaphore_full 80 400 $workers
    counted crowd spawn_group 800 1598000 $workers
    counted crowd spawn_inside 800 1598000 $workers
    counted crowd spawn_futures 800 1598000 $workers
    counted crowd wait_group 800 4000 $workers
    counted crowd broadcast 800 4000 $workers
    counted crowd tcp_echo 40 200 $workers
done
counted crowd sleepers 800 4000
counted tasks futures 2000 999000
counted tasks round_trip 100 100
counted tasks round_trip_cold 5 5
counted tasks open_close 5 5
counted tasks open_close_unused 5 5
counted tasks block 500 500
counted tasks unblock 500 500
counted tasks switch 100 200
counted primitives futex 10 1
"$work/loops" uniform 2 1000000 >/dev/null # checks each element itself
for loop in mutex channel; do
    "$work/waiting-loops" $loop 3000 >/dev/null # fails if not all have run
done
for way in map reduce fork scan filter; do
    "$work/never-slower" $way 2 10000 >/dev/null # compares with the serial result itself
done
for row in async_get each_task each_index sum; do
    counted lambdas-std $row 500 "$("$work/lambdas-filch" $row 2 500 | cut -d' ' -f2)"
done
counted startup startup 3 48
"$work/counters" 2 >/dev/null
"$work/footprint" >/dev/null
echo "$checked passed, 0 failed"
