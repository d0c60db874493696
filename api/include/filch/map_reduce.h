/* filch/map_reduce.h: reductions of values that are computed on the way: one pass and no array.
 *
 *     FILCH_REDUCER(double, add, (double, a), (double, b)) { return a + b; }
 *     FILCH_MAP_REDUCE(double, sum_of_f, f, add, (double, x));
 *
 *     status = sum_of_f(pool, xs, n, 0, &sum);            sum = 0 + f(xs[0]) + f(xs[1]) + ... */
#ifndef FILCH_MAP_REDUCE_H
#define FILCH_MAP_REDUCE_H

#include <stdbool.h>
#include <stddef.h>

#include <filch/block.h>
#include <filch/loop.h>
#include <filch/macros.h>
#include <filch/pool.h>
#include <filch/reduce.h>
#include <filch/shape.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

/* How a value is made of each element, and how they combine; static, made by FILCH_MAP_REDUCE. */
typedef struct filch_map_reducer {
    /* *total = value of the range's first element (+) that of its second (+) ... */
    void (*block)(const void *environment, filch_range *range, void *total);
    const filch_reducer *reducer;
    const filch_function_info *info;
} filch_map_reducer;

/* Effect: result = initial (+) f(0) (+) f(1) (+) ... of n values, to the same bits as an array of
 * them and filch_reduce(), without the array. (An explicit chunksize groups them otherwise.)
 * Args: environment: handed on, not copied.
 * Errors: as filch_reduce(), FILCH_EINVAL: also Python's chunk size. *result is untouched on error.
 * Threads: any. Blocks; may migrate when called from a task. */
FILCH_MUST_CHECK filch_status filch_map_reduce(filch_pool *pool, const filch_map_reducer *mapping,
                                               const void *environment, size_t n,
                                               const void *initial, void *result);

/* How generated code goes through elements (block.h): *total = value_of(environment, i) of the
 * range's first (+) that of the next (+) ..., until it is told to stop. value: room for one. */
FILCH_INLINE void filch_block_map_reduce(
    filch_range *range, void (*value_of)(const void *environment, size_t i, void *value),
    filch_block_combine *combine, const void *environment, void *total, void *value)
{
    const size_t one = filch_block_one();
    size_t i = (size_t)range->next;
    range->next = i + one;
    value_of(environment, i, total);
    for (i++; i < range->stop; i++) {
        range->next = i + one;
        value_of(environment, i, value);
        combine(total, value);
    }
}

#ifdef __cplusplus
}
#endif

/* clang-format off */
/* FILCH_MAP_REDUCE(R, name, f, reducer, (T, x), ...): defines
 *     name(pool, xs, ..., n, initial, &result)        initial (+) f(xs[0], ...) (+) f(xs[1], ...)
 * Each parameter is an array of n elements; where they share something, FILCH_FOLD (fold.h).
 * f: any function of these parameters; (+): a FILCH_REDUCER of R, which f returns. */
#define FILCH_MAP_REDUCE(R, name, f, reducer, ...)                                                 \
    FILCH_MAP_REDUCE_I(R, name, f, reducer, __VA_ARGS__, ~)
#define FILCH_MAP_REDUCE_I(R, name, f, reducer, ...)                                               \
    FILCH_SHAPED_0(FILCH_MAP_REDUCE, FILCH_MAP_REDUCE, (R, f, reducer), name, __VA_ARGS__)
#define FILCH_MAP_REDUCE_TAKES FILCH_TAKES_1_TO_8
#define FILCH_MAP_REDUCE_RULE                                                                      \
    type, name, function, reducer, then one to eight arrays, each (type, name)
#define FILCH_MAP_REDUCE_STUBS(parts, name, ...)                                                   \
    FILCH_STUB(filch_status, name)
#define FILCH_MAP_REDUCE_GENERATE(parts, name, doc, ...)                                           \
    FILCH_MAP_REDUCE_OF(name, FILCH_UNGROUP parts, __VA_ARGS__)
#define FILCH_MAP_REDUCE_OF(...) FILCH_MAP_REDUCE_MADE(__VA_ARGS__)
#define FILCH_MAP_REDUCE_MADE(name, R, f, reducer, ...)                                            \
    typedef struct filch_of_arrays_##name {                                                        \
        FILCH_EACH(FILCH_ARRAY_FIELD, __VA_ARGS__)                                                 \
    } filch_of_arrays_##name;                                                                      \
    FILCH_INFO(name, "", sizeof(filch_of_arrays_##name))                                           \
    FILCH_UNUSED static void filch_of_value_##name(const void *filch_environment, size_t filch_i,  \
                                          void *filch_value)                                       \
    {                                                                                              \
        const filch_of_arrays_##name *filch_arrays =                                               \
            (const filch_of_arrays_##name *)filch_environment;                                     \
        *(R *)filch_value = f(FILCH_LIST(FILCH_OF_ARRAYS, , __VA_ARGS__));                         \
    }                                                                                              \
    FILCH_UNUSED static void filch_of_map_reduce_block_##name(const void *filch_environment,       \
                                                     filch_range *filch_on, void *filch_into)      \
    {                                                                                              \
        const filch_of_arrays_##name filch_copy =                                                  \
            *(const filch_of_arrays_##name *)filch_environment;                                    \
        R filch_total;                                                                             \
        R filch_value;                                                                             \
        filch_block_map_reduce(filch_on, filch_of_value_##name, filch_of_combine_##reducer,        \
                               &filch_copy, &filch_total, &filch_value);                           \
        *(R *)filch_into = filch_total;                                                            \
    }                                                                                              \
    FILCH_UNUSED static const filch_map_reducer filch_of_mapping_##name = {                        \
        filch_of_map_reduce_block_##name, &reducer##_reducer, &name##_info};                       \
    FILCH_CHECKED filch_status name(                                                               \
        filch_pool *filch_to, FILCH_THEN(FILCH_ARRAY, __VA_ARGS__) size_t filch_n,                 \
        R filch_initial, R *filch_result)                                                          \
    {                                                                                              \
        filch_of_arrays_##name filch_arrays = {FILCH_LIST(FILCH_NAME, , __VA_ARGS__)};             \
        filch_status (*const filch_typed)(filch_pool *, R const *, size_t, R, R *) =               \
            reducer##_reduce; /* it is a reducer of R */                                           \
        (void)filch_typed;                                                                         \
        const bool filch_missing =                                                                 \
            filch_n != 0 && (false FILCH_EACH(FILCH_ARRAY_MISSING, __VA_ARGS__));                  \
        return filch_map_reduce(filch_to, filch_missing ? NULL : &filch_of_mapping_##name,         \
                                &filch_arrays, filch_n, &filch_initial, filch_result);             \
    }                                                                                              \
    FILCH_MENTION(reducer)                                                                         \
    FILCH_ASSERT_STATIC(sizeof(&name) > 0, "")
/* clang-format on */

#endif
