"""plain.py LIBRARY: what plain.c does, by ctypes: a binding has the names and types of filch/core.h, and, for the
details of errors, filch_options."""
import ctypes
from ctypes import CFUNCTYPE, POINTER, byref, c_bool, c_char, c_char_p, c_double, c_int, c_size_t, c_ubyte, c_uint
from ctypes import c_ulonglong, c_void_p, cast, sizeof
import sys

EINVAL, ERAISED, NO_INDEX = 1, 14, 2 ** (8 * sizeof(c_size_t)) - 1


class Error(ctypes.Structure):
    _fields_ = [("status", c_uint), ("code", c_int), ("index", c_size_t), ("function", c_char_p),
                ("message", c_char * 120)]


class Options(ctypes.Structure):
    _fields_ = [("pool", c_void_p), ("clock", c_void_p), ("until", c_double), ("error", POINTER(Error)), ("chunk_size", ctypes.c_ssize_t),
                ("chunk_python", c_bool), ("policy", c_uint), ("items", c_void_p),
                ("progress", c_void_p), ("progress_context", c_void_p), ("done", c_void_p * 3), ("background", c_int)]


class Callable(ctypes.Structure):
    _fields_ = [("invoke", c_void_p), ("captures_bytes", c_size_t), ("result_bytes", c_size_t), ("info", c_void_p)]


class Closure(ctypes.Structure):
    """Its size is all that matters: the library aligns what it has copied."""
    _fields_ = [("words", c_ulonglong * 10)]


class Range(ctypes.Structure):
    _fields_ = [("next", c_ulonglong), ("stop", c_ulonglong)]


class Body(ctypes.Structure):
    _fields_ = [("block", c_void_p), ("environment_bytes", c_size_t), ("element_bytes", c_size_t), ("info", c_void_p)]


class Arrays(ctypes.Structure):
    _fields_ = [("in_", POINTER(c_double)), ("out", POINTER(c_double))]


TASK = CFUNCTYPE(c_int, c_void_p)
INVOKE = CFUNCTYPE(None, POINTER(c_int), POINTER(c_int))
ELEMENT = CFUNCTYPE(None, c_size_t, POINTER(c_double))
BLOCK = CFUNCTYPE(None, POINTER(Arrays), POINTER(Range))

filch = ctypes.CDLL(sys.argv[1])
filch.filch_closure_of.restype = Closure
for name, *types in (
        ("pool_open", c_void_p, POINTER(c_void_p)),
        ("pool_free", c_void_p),
        ("closure_of", TASK, c_void_p),
        ("closure_make", POINTER(Closure), POINTER(Callable), c_void_p, c_void_p),
        ("closure_release", POINTER(Closure)),
        ("raise_text", c_int, c_char_p),
        ("on", c_void_p, POINTER(Options)),
        ("apply", c_void_p, POINTER(Closure), c_void_p),
        ("apply_async", c_void_p, POINTER(Closure), POINTER(c_void_p)),
        ("future_wait", c_void_p),
        ("future_get", c_void_p, c_void_p, c_size_t),
        ("future_error", c_void_p, POINTER(Error)),
        ("future_free", c_void_p),
        ("parallel_for", c_void_p, c_size_t, ELEMENT, c_void_p),
        ("map", c_void_p, POINTER(Body), c_void_p, c_size_t)):
    getattr(filch, "filch_" + name).argtypes = types
filch.filch_future_ready.argtypes = [c_void_p]
filch.filch_future_ready.restype = c_bool
filch.filch_on.restype = c_void_p


def ok(status):
    assert status == 0, status


@TASK
def fail(_):
    return filch.filch_raise_text(7, b"100 % of it")


@INVOKE
def add_one(captures, result):
    result[0] = captures[0] + 1


@ELEMENT
def square(i, numbers):
    numbers[i] *= numbers[i]


@BLOCK
def halve(arrays, range_):
    while range_[0].next < range_[0].stop:
        i = range_[0].next
        range_[0].next = i + 1
        arrays[0].out[i] = arrays[0].in_[i] / 2


def check_errors(pool):
    error, future, value = Error(), c_void_p(), c_int()
    closure = filch.filch_closure_of(fail, None)
    options = Options(error=ctypes.pointer(error))
    assert filch.filch_apply(filch.filch_on(pool, byref(options)), byref(closure), byref(value)) == ERAISED
    assert (error.code, error.message, error.index) == (7, b"100 % of it", NO_INDEX)
    options = Options(error=ctypes.pointer(error), chunk_size=-1)
    assert filch.filch_parallel_for(filch.filch_on(pool, byref(options)), 1, square, None) == EINVAL
    assert error.status == EINVAL
    ok(filch.filch_apply_async(pool, byref(closure), byref(future)))
    assert filch.filch_future_get(future, byref(value), 4) == ERAISED
    ok(filch.filch_future_error(future, byref(error)))
    assert (error.status, error.code) == (ERAISED, 7)
    filch.filch_future_free(future)
    assert filch.filch_parallel_for(pool, 1, ELEMENT(), None) == EINVAL


def check_futures(pool):
    closure, future, value = Closure(), c_void_p(), c_int()
    callable_ = Callable(cast(add_one, c_void_p), 4, 4, None)
    ok(filch.filch_closure_make(byref(closure), byref(callable_), byref(c_int(41)), None))
    ok(filch.filch_apply_async(pool, byref(closure), byref(future)))
    filch.filch_closure_release(byref(closure))
    ok(filch.filch_future_wait(future))
    assert filch.filch_future_ready(future)
    ok(filch.filch_future_get(future, byref(value), 4))
    assert value.value == 42
    filch.filch_future_free(future)


def check_loops(pool):
    numbers, halves = (c_double * 100)(*range(100)), (c_double * 100)()
    ok(filch.filch_parallel_for(pool, 100, square, numbers))
    assert list(numbers) == [i * i for i in range(100)]
    body = Body(cast(halve, c_void_p), sizeof(Arrays), 0, None)
    arrays = Arrays(numbers, halves)
    ok(filch.filch_map(pool, byref(body), byref(arrays), 100))
    assert list(halves) == [i * i / 2 for i in range(100)]


pool = c_void_p()
ok(filch.filch_pool_open(None, byref(pool)))
assert filch.filch_pool_workers(pool) >= 1
check_errors(pool)
check_futures(pool)
check_loops(pool)
ok(filch.filch_pool_free(pool))
