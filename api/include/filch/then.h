/* filch/then.h: what is to be done with a result when it is there.
 *
 *     FILCH_FUNCTION(int, parse, (text, line)) { ... }
 *     FILCH_FUNCTION(int, scaled, (int, value), (int, factor)) { return value * factor; }
 *     FILCH_HANDLER(int, or_else, (int, fallback)) { return fallback; }
 *
 *     parse_apply_async(pool, line, &parsed);
 *     scaled_then(pool, parsed, 10, &tenfold);      // its first parameter is the result
 *     or_else_catch(pool, tenfold, -1, &answer);    // called if one of them raised an error
 *
 * An error passes through then, a value passes through catch. */
#ifndef FILCH_THEN_H
#define FILCH_THEN_H

#include <stddef.h>
#include <string.h>

#include <filch/future.h>
#include <filch/macros.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One of the two functions is not NULL; what has none passes through. Captures, value and result
 * are where types of their sizes may lie, aligned to up to 64 bytes. */
typedef struct filch_continuation {
    void (*on_value)(const void *captures, const void *value, void *result);
    void (*on_error)(const void *captures, const filch_error *error, void *result);
    size_t value_bytes;  /* of the value that on_value takes */
    size_t result_bytes; /* without on_value: the size of the value that passes */
    size_t captures_bytes;
    const filch_function_info *info;
} filch_continuation;

/* Effect: when `future` is ready, has the pool call what is to be done with it; the new future is
 * that call's. The pool counts it as accepted now: closing the pool lets it happen, and terminating
 * or cancelling it before fails it with FILCH_ECANCELED.
 * Args: captures: captures_bytes, copied; next: receives a reference, or NULL.
 * Errors: FILCH_EINVAL: a missing argument, or the sizes do not fit the future's; FILCH_ENOMEM,
 * FILCH_EOVERFLOW, FILCH_ECLOSED, FILCH_EFORKED, FILCH_EAGAIN as filch_apply_async().
 * Threads: any. Does not block. */
FILCH_MUST_CHECK filch_status filch_future_then(filch_pool *pool, filch_future *future,
                                                const filch_continuation *what,
                                                const void *captures, filch_future **next);

#ifdef __cplusplus
}
#endif

/* name_then() of a FILCH_FUNCTION with at least one parameter; generated with it. */
#define FILCH_THEN_OF(R, name, ...)                                                                \
    FILCH_CAT(FILCH_THEN_OF_, FILCH_COUNT_9(__VA_ARGS__))(R, name, __VA_ARGS__)
#define FILCH_THEN_OF_0(R, name, end)
#define FILCH_THEN_OF_1(R, name, first, ...)                                                       \
    FILCH_UNUSED static void name##_on_value(const void *filch_captures, const void *filch_value,  \
                                             void *filch_result)                                   \
    {                                                                                              \
        name##_args filch_bound;                                                                   \
        FILCH_UNUSED const name##_args *filch_args = &filch_bound;                                 \
        memcpy(&filch_bound, filch_captures, sizeof filch_bound);                                  \
        memcpy(&filch_bound.FILCH_NAME first, filch_value, sizeof filch_bound.FILCH_NAME first);   \
        FILCH_RESULT(FILCH_RESULT_STORE_, R)                                                       \
        name(FILCH_OF_ARGS first FILCH_MORE(FILCH_OF_ARGS, __VA_ARGS__));                          \
        (void)filch_result;                                                                        \
    }                                                                                              \
    FILCH_UNUSED static const filch_continuation name##_continuation = {                           \
        name##_on_value,                                                                           \
        NULL,                                                                                      \
        sizeof(((name##_args *)0)->FILCH_NAME first),                                              \
        FILCH_RESULT(FILCH_RESULT_BYTES_, R),                                                      \
        sizeof(name##_args),                                                                       \
        &name##_info};                                                                             \
    FILCH_CONTINUE(name, then, __VA_ARGS__)

/* name_then() and name_catch(). */
#define FILCH_CONTINUE(name, verb, ...)                                                            \
    FILCH_CHECKED filch_status name##_##verb(                                                      \
        filch_pool *filch_in, filch_future *filch_after FILCH_MORE(FILCH_DECLARE, __VA_ARGS__),    \
        filch_future **filch_out)                                                                  \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_future_then(filch_in, filch_after, &name##_continuation, filch_args,          \
                                 filch_out);                                                       \
    }

/* FILCH_HANDLER(R, name, (T, x), ...) { body }: defines what is done about an error, which the body
 * finds as `error`, a const filch_error *. It gives name_catch(pool, future, x, ..., &next), for
 * futures of results R. */
#define FILCH_HANDLER(R, ...) FILCH_HANDLER_I(R, __VA_ARGS__, ~)
#define FILCH_HANDLER_I(R, name, ...)                                                              \
    static R name(FILCH_UNUSED const filch_error *error FILCH_MORE(FILCH_DECLARE, __VA_ARGS__));   \
    FILCH_ARGS_TYPE(name, __VA_ARGS__)                                                             \
    FILCH_RESULT(FILCH_RESULT_ALIGNED_, R)                                                         \
    FILCH_INFO(name, "", sizeof(name##_args))                                                      \
    FILCH_UNUSED static void name##_on_error(const void *filch_captures,                           \
                                             const filch_error *filch_why, void *filch_result)     \
    {                                                                                              \
        name##_args filch_bound;                                                                   \
        FILCH_UNUSED const name##_args *filch_args = &filch_bound;                                 \
        memcpy(&filch_bound, filch_captures, sizeof filch_bound);                                  \
        FILCH_RESULT(FILCH_RESULT_STORE_, R)                                                       \
        name(filch_why FILCH_MORE(FILCH_OF_ARGS, __VA_ARGS__));                                    \
        (void)filch_result;                                                                        \
    }                                                                                              \
    FILCH_UNUSED static const filch_continuation                                                   \
        name##_continuation = {NULL,                                                               \
                               name##_on_error,                                                    \
                               0,                                                                  \
                               FILCH_RESULT(FILCH_RESULT_BYTES_, R),                               \
                               sizeof(name##_args),                                                \
                               &name##_info};                                                      \
    FILCH_CONTINUE(name, catch, __VA_ARGS__)                                                       \
    static R name(FILCH_UNUSED const filch_error *error FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))

#endif
