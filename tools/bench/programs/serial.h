/* serial: filch's fork macros as plain calls. "Serial" in the tables is the same source with these:
 * the recursion is a real call (noinline), as it must be for anything that could be stolen. */
#ifndef SERIAL_H
#define SERIAL_H

#define FILCH_FORK_FUNCTION(R, name, ...) SERIAL_FUNCTION(R, name, __VA_ARGS__)
#define SERIAL_FUNCTION(R, name, ...)                                                              \
    __attribute__((noinline)) static R name(SERIAL_LIST(__VA_ARGS__, 4, 3, 2, 1)(__VA_ARGS__))
#define SERIAL_LIST(a, b, c, d, n, ...) SERIAL_LIST_I(n)
#define SERIAL_LIST_I(n) SERIAL_LIST_##n
#define SERIAL_LIST_1(a) SERIAL_PARAMETER a
#define SERIAL_LIST_2(a, b) SERIAL_PARAMETER a, SERIAL_PARAMETER b
#define SERIAL_LIST_3(a, b, c) SERIAL_PARAMETER a, SERIAL_PARAMETER b, SERIAL_PARAMETER c
#define SERIAL_LIST_4(a, b, c, d)                                                                  \
    SERIAL_PARAMETER a, SERIAL_PARAMETER b, SERIAL_PARAMETER c, SERIAL_PARAMETER d
#define SERIAL_PARAMETER(T, x) T x

#define FILCH_FORK(handle, function, ...) __auto_type handle = function(__VA_ARGS__)
#define FILCH_FORK_AT(handle, function, ...) ((handle) = function(__VA_ARGS__))
#define FILCH_CALL(function, ...) function(__VA_ARGS__)
#define FILCH_JOIN(handle) (handle)
#define FILCH_JOIN_AT(handle) (handle)

#endif
