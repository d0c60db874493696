#!/bin/sh
# core.sh SOURCE SHARED: filch/core.h is what a foreign-function interface needs: short, without anything generated,
# on its own in C and C++, and enough for a program in another language.
set -eu
source=$1
library=$2
core=$source/api/include/filch/core.h
include="-I$source/api/include -I$source/runtime/include"
[ "$(wc -l <"$core")" -le 250 ] || { echo "core.h is longer than 250 lines"; exit 1; }
if grep -nE '^#define +[A-Za-z_]+\(|##|__VA_ARGS__' "$core"; then
    echo "core.h has a macro with parameters"
    exit 1
fi
for header in "$source"/api/include/filch/*.h "$source"/runtime/include/filch/*.h; do
    name=filch/$(basename "$header")
    # shellcheck disable=SC2086
    printf '#include <%s>\n#include <%s>\nextern int unit;\n' "$name" "$name" |
        cc -std=c11 $include -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c - &&
        printf '#include <%s>\n' "$name" |
        c++ -std=c++17 $include -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ - ||
        { echo "$name does not stand alone"; exit 1; }
done
for header in "$source"/api/include/filch/*.hpp; do
    name=filch/$(basename "$header")
    for standard in c++17 c++20; do
        # shellcheck disable=SC2086
        printf '#include <%s>\n#include <%s>\n' "$name" "$name" |
            c++ -std=$standard $include -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ - ||
            { echo "$name does not stand alone in $standard"; exit 1; }
    done
done

# What a binding has to know: the functions of core.h, by their names and types.
python3 - "$library" <<'PYTHON'
import ctypes
import sys

filch = ctypes.CDLL(sys.argv[1])
pool, future, value = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_int()


class Closure(ctypes.Structure):
    """filch_closure: aligned to 16 by its captures."""
    _fields_ = [("callable", ctypes.c_void_p), ("pad", ctypes.c_void_p),
                ("captures", ctypes.c_ubyte * 48), ("boxed", ctypes.c_bool), ("end", ctypes.c_ubyte * 15)]


TASK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
BODY = ctypes.CFUNCTYPE(None, ctypes.c_size_t, ctypes.POINTER(ctypes.c_long))
filch.filch_closure_of.restype = Closure
filch.filch_closure_of.argtypes = [TASK, ctypes.c_void_p]


def ok(status):
    assert status == 0, status


@TASK
def answer(_):
    return 42


@BODY
def square(i, numbers):
    numbers[i] *= numbers[i]


ok(filch.filch_pool_open(None, ctypes.byref(pool)))
assert filch.filch_pool_workers(pool) >= 1
closure = filch.filch_closure_of(answer, None)
ok(filch.filch_apply(pool, ctypes.byref(closure), ctypes.byref(value), None))
assert value.value == 42
value.value = 0
ok(filch.filch_apply_async(pool, ctypes.byref(closure), ctypes.byref(future)))
ok(filch.filch_future_get(future, ctypes.byref(value), ctypes.c_size_t(4)))
assert value.value == 42
filch.filch_future_free(future)
numbers = (ctypes.c_long * 100)(*range(100))
ok(filch.filch_parallel_for(pool, ctypes.c_size_t(100), square, numbers, None))
assert list(numbers) == [i * i for i in range(100)]
assert filch.filch_parallel_for(pool, ctypes.c_size_t(1), None, None, None) == 1  # FILCH_EINVAL
ok(filch.filch_pool_free(pool))
PYTHON
echo "1 passed, 0 failed"
