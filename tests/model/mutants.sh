#!/bin/sh
# Weakens the protocols one step at a time and expects a model to notice each. A mutant is a line:
# model | file | function | what to find in it | what to put there
set -u
compiler=${1:-g++}
only=${2:-} # the mutants of this model only
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
killed=0
failed=0

sources_of() {
    case $1 in
    deque) echo deque ;;
    park) echo park lock ;;
    wait) echo wait park lock ;;
    lane) echo lane wait park lock ;;
    wake) echo wake watch tally pool hold core queue timer deque lane wait park lock ;;
    esac
}

# Replace in one function: from its first line to the closing brace in column one.
mutate() { # file function find put
    awk -v function_name="$2" -v find="$3" -v put="$4" '
        index($0, function_name "(") && /^[a-z].*[^;]$/ { inside = 1 }
        inside && !done { at = index($0, find)
            if (at) { $0 = substr($0, 1, at - 1) put substr($0, at + length(find)); done = 1 } }
        /^}/ { inside = 0 }
        { print }
        END { exit !done }' "$1" >"$1.new" && mv "$1.new" "$1"
}

build_and_run() { # model
    objects=""
    for source in $(sources_of "$1"); do
        # shellcheck disable=SC2086
        $compiler $flags -x c++ -c "$work/runtime/$source.c" -o "$work/$source.o" || return 2
        objects="$objects $work/$source.o"
    done
    # shellcheck disable=SC2086
    $compiler $flags "$here/model_$1.cpp" "$here/model_os.cpp" $objects -o "$work/model" || return 2
    timeout 120 "$work/model" >"$work/output" 2>&1
}

while IFS='|' read -r model file function find put; do
    case $model in '' | '#'*) continue ;; esac
    [ -z "$only" ] || [ "$only" = "$model" ] || continue
    rm -rf "$work/runtime"
    cp -r "$here/../../runtime" "$work/runtime"
    flags="-std=c++17 -O1 -w -I $here/shadow -I $here -I $work/runtime -I $work/runtime/include \
        -include $here/model.h"
    if ! mutate "$work/runtime/$file.c" "$function" "$find" "$put"; then
        echo "no such place: $file.c $function: $find"
        failed=$((failed + 1))
        continue
    fi
    build_and_run "$model"
    case $? in
    0) echo "survived: $file.c $function: $find -> $put"; failed=$((failed + 1)) ;;
    2) echo "does not compile: $file.c $function: $find -> $put"; failed=$((failed + 1)) ;;
    *) killed=$((killed + 1)) ;;
    esac
done <<'MUTANTS'
deque|deque|filch_deque_push|bottom + 1, memory_order_release|bottom + 1, memory_order_relaxed
deque|deque|filch_deque_pop|bottom, memory_order_seq_cst|bottom, memory_order_release
deque|deque|filch_deque_pop|&deque->top, memory_order_seq_cst|&deque->top, memory_order_acquire
deque|deque|filch_deque_pop|if (bottom != top)|if (bottom + 1 != top)
deque|deque|filch_deque_steal|&deque->bottom, memory_order_seq_cst|&deque->bottom, memory_order_relaxed
deque|deque|grow|bigger, memory_order_release|bigger, memory_order_relaxed
deque|deque|filch_deque_push|bottom - top > ring->mask|bottom - top > ring->mask + 1
park|park|filch_park_announce|atomic_thread_fence(memory_order_seq_cst);|;
park|park|filch_park_wake_one|atomic_thread_fence(memory_order_seq_cst);|;
park|park|filch_parker_wait|while (!filch_parker_poll(parker))|while (0)
park|park|filch_parker_unpark|filch_os_wake(&parker->token, 1);|;
wait|wait|filch_latch_open|latch_open, memory_order_acq_rel|latch_open, memory_order_relaxed
wait|wait|filch_latch_add|memory_order_acq_rel, memory_order_acquire|memory_order_relaxed, memory_order_relaxed
wait|wait|filch_cell_complete|lock(cell);|;
wait|wait|filch_cell_complete|unlock(cell, DONE);|cell->word.store(DONE, rl::mo_relaxed, $);
wait|wait|unlock|memory_order_release|memory_order_relaxed
wait|wait|lock|memory_order_acquire|memory_order_relaxed
wait|wait|filch_cell_remove|lock(cell)|filch_cell_done(cell)
wait|wait|filch_waiter_arm|old == FILCH_CLAIMED_EARLY|false
wait|wait|filch_waiter_claim|FILCH_CLAIMED_EARLY, FILCH_CLAIMED|FILCH_SIGNALED, FILCH_SIGNALED
wait|wait|tell|SIGNALED, memory_order_acq_rel|SIGNALED, memory_order_relaxed
wait|wait|tell|old == FILCH_CLAIMED|old == FILCH_WAITING
lane|lane|filch_lane_publish|memory_order_release|memory_order_relaxed
lane|lane|exchange_state|memory_order_acquire|memory_order_relaxed
lane|lane|filch_slot_finish|done, memory_order_acq_rel|done, memory_order_relaxed
lane|lane|filch_slot_is_done|memory_order_acquire|memory_order_relaxed
lane|lane|filch_slot_await|memory_order_acq_rel, memory_order_acquire|memory_order_relaxed, memory_order_relaxed
lane|lane|filch_slot_take|!exchange_state(slot, state, taken)|(slot->state.store(taken, rl::mo_seq_cst, $), 0)
wake|watch|resign_watch|filch_core_answer_wake(pool);|;
wake|watch|sleep_once|filch_core_answer_wake(pool);|;
wake|wake|wake_somebody|(even_watchman && wake_watchman(pool))|false
wake|hold|filch_core_release_guest|filch_pool_pass_on(pool);|;
wake|wake|filch_pool_wake|atomic_thread_fence(memory_order_seq_cst);|;
wake|hold|count_out|filch_pool_core_freed(pool);|;
wake|tally|leave_outside|tell_joiners(pool);|;
MUTANTS

echo "$killed mutants killed, $failed not"
[ "$failed" -eq 0 ]
