/* filch/reduce.h: reductions and scans.
 *
 *     FILCH_REDUCER(long, add, (long, a), (long, b)) { return a + b; }
 *
 *     add_reduce(pool, xs, n, 0, &sum);       sum = 0 + xs[0] + xs[1] + ...
 *     add_scan(pool, xs, n, 0, sums);         sums[i] = 0 + xs[0] + ... + xs[i]
 *     add_scan_exclusive(pool, xs, n, 0, sums);          ... + xs[i - 1]
 *
 * (+) is associative, and need not be commutative. If T is an integer or a pointer then it is taken
 * to be so to the last bit: the result is that of a serial loop, and on one worker a scan calls (+)
 * once for an element. Else elements are grouped by their number alone: the same bits come out on
 * any number of workers, but not always those of a serial loop, as with floating point; and a scan
 * calls (+) twice. FILCH_EXACT_REDUCER says of any T that (+) is associative to the last bit.
 *
 * Either operand may be an element or a sum of some: `return acc + f(x);` compiles, and is wrong
 * where x is a sum. For a sum of f(x) there is FILCH_MAP_REDUCE (map_reduce.h), for a sum of
 * another type than the elements FILCH_FOLD (fold.h). With FILCH_CHECK=1 in the environment when a
 * pool is opened, its reductions and scans of numbers combine their first three elements in both
 * ways, and the log (log.h) tells if there is more between them than rounding.
 *
 * A reduction may consume its operands, e.g. empty and free tables that elements point to: it gives
 * each element, and each sum, to (+) once, and the initial value; what is in the array of elements
 * after it is of no use then. If it fails, which of them were consumed is not known (a fold says).
 * A scan gives them to (+) several times. */
#ifndef FILCH_REDUCE_H
#define FILCH_REDUCE_H

#include <stdbool.h>
#include <stddef.h>

#include <filch/lane.h>
#include <filch/macros.h>
#include <filch/pool.h>
#include <filch/shape.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

/* How elements combine; static, made by FILCH_REDUCER. Totals that the library keeps are where a
 * type of element_bytes may lie, aligned to up to 64 bytes; so is what an order (order.h) is given.
 */
typedef struct filch_reducer {
    /* into = into (+) elements[0] (+) ... */
    void (*combine_block)(void *into, const void *elements, size_t n);
    /* out[i] = prefix (+) elements[0] (+) ... (+) elements[i], or without the last; and, if total
     * is not NULL, total = elements[0] (+) ... of all. n is at least 1; out may be elements. */
    void (*scan_block)(const void *prefix, const void *elements, size_t n, void *out, void *total);
    void (*scan_exclusive_block)(const void *prefix, const void *elements, size_t n, void *out,
                                 void *total);
    size_t element_bytes;
    const filch_function_info *info;
    bool exact; /* (+) is associative to the last bit */
} filch_reducer;

/* Effect: result = initial (+) elements[0] (+) elements[1] (+) ...
 * Errors: FILCH_EINVAL: a missing argument, element_bytes 0; FILCH_EOVERFLOW; FILCH_ENOMEM; the
 * others as filch_map() (loop.h). *result is untouched on error.
 * Threads: any. Blocks; may migrate when called from a task. */
FILCH_MUST_CHECK filch_status filch_reduce(filch_pool *pool, const filch_reducer *reducer,
                                           const void *elements, size_t n, const void *initial,
                                           void *result);

/* Effect: out[i] = initial (+) elements[0] (+) ... (+) elements[i]; exclusive: without elements[i].
 * out may be the same array as elements, but not overlap it otherwise.
 * Errors: as reduce; out is undefined then. */
FILCH_MUST_CHECK filch_status filch_scan(filch_pool *pool, const filch_reducer *reducer,
                                         const void *elements, size_t n, const void *initial,
                                         void *out);
FILCH_MUST_CHECK filch_status filch_scan_exclusive(filch_pool *pool, const filch_reducer *reducer,
                                                   const void *elements, size_t n,
                                                   const void *initial, void *out);

#ifdef __cplusplus
}
#endif

/* clang-format off */
/* FILCH_REDUCER(T, name, ["doc",] (T, a), (T, b)) { body }: defines how two become one. */
#define FILCH_REDUCER(T, ...) FILCH_SHAPED(FILCH_REDUCER, FILCH_REDUCER, T, __VA_ARGS__, ~)
#define FILCH_REDUCER_TAKES FILCH_TAKES_2
#define FILCH_REDUCER_RULE two parameters of the type that comes first: (type, a), (type, b)
#define FILCH_REDUCER_STUBS(T, name, ...)                                                          \
    FILCH_STUB(T, name)                                                                            \
    FILCH_STUB(filch_status, name##_reduce)                                                        \
    FILCH_STUB(filch_status, name##_scan)                                                          \
    FILCH_STUB(filch_status, name##_scan_exclusive)
#define FILCH_REDUCER_GENERATE(T, name, doc, first, second, end)                                   \
    FILCH_REDUCER_MADE(T, name, doc, first, second, FILCH_IS_INTEGRAL(T))
/* FILCH_EXACT_REDUCER: the same, of a (+) that is associative to the last bit. */
#define FILCH_EXACT_REDUCER(T, ...)                                                                \
    FILCH_SHAPED(FILCH_EXACT_REDUCER, FILCH_REDUCER, T, __VA_ARGS__, ~)
#define FILCH_EXACT_REDUCER_GENERATE(T, name, doc, first, second, end)                             \
    FILCH_REDUCER_MADE(T, name, doc, first, second, true)
/* Integers and pointers; not floating point (8 and more), nor what has members. */
#define FILCH_IS_INTEGRAL(T) (__builtin_classify_type(*(T *)NULL) < 8)
#define FILCH_REDUCER_MADE(T, name, doc, first, second, exact)                                     \
    FILCH_ASSERT_ALIGNED(T);                                                                       \
    static T name(FILCH_DECLARE first, FILCH_DECLARE second);                                      \
    FILCH_INFO_OF(name, doc, 2 * sizeof(T), FILCH_TYPE(T), FILCH_TYPE(T))                          \
    FILCH_UNUSED static void filch_of_combine_##name(void *filch_into, const void *filch_element)  \
    {                                                                                              \
        *(T *)filch_into = name(*(T const *)filch_into, *(T const *)filch_element);                \
    }                                                                                              \
    FILCH_UNUSED static void filch_of_combined_block_##name(void *filch_into,                      \
                                                            const void *filch_elements,            \
                                                            size_t filch_n)                        \
    {                                                                                              \
        T filch_total = *(T const *)filch_into;                                                    \
        filch_block_reduce(filch_of_combine_##name, &filch_total, filch_elements, filch_n,         \
                sizeof(T));                                                                        \
        *(T *)filch_into = filch_total;                                                            \
    }                                                                                              \
    FILCH_SCAN_BLOCK(T, name, scan_block, false)                                                   \
    FILCH_SCAN_BLOCK(T, name, scan_exclusive_block, true)                                          \
    FILCH_UNUSED static const filch_reducer name##_reducer = {                                     \
        filch_of_combined_block_##name, filch_of_scan_block_##name,                                \
                filch_of_scan_exclusive_block_##name, sizeof(T),                                   \
        &name##_info, exact};                                                                      \
    FILCH_CHECKED filch_status name##_reduce(filch_pool *filch_to,                                 \
                                             T const *filch_elements, size_t filch_n,              \
                                             T filch_initial, T *filch_result)                     \
    {                                                                                              \
        return filch_reduce(filch_to, &name##_reducer, filch_elements, filch_n, &filch_initial,    \
                            filch_result);                                                         \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_scan(filch_pool *filch_to,                                   \
                                           T const *filch_elements, size_t filch_n,                \
                                           T filch_initial, T *filch_out)                          \
    {                                                                                              \
        return filch_scan(filch_to, &name##_reducer, filch_elements, filch_n, &filch_initial,      \
                          filch_out);                                                              \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_scan_exclusive(                                              \
        filch_pool *filch_to, T const *filch_elements, size_t filch_n, T filch_initial,            \
        T *filch_out)                                                                              \
    {                                                                                              \
        return filch_scan_exclusive(filch_to, &name##_reducer, filch_elements, filch_n,            \
                                    &filch_initial, filch_out);                                    \
    }                                                                                              \
    FILCH_MENTION(name)                                                                            \
    static T name(FILCH_DECLARE first, FILCH_DECLARE second)

#define FILCH_SCAN_BLOCK(T, name, block, exclusive)                                                \
    FILCH_UNUSED static void filch_of_##block##_##name(const void *filch_prefix,                   \
                                                       const void *filch_elements, size_t filch_n, \
                                                       void *filch_out, void *filch_total)         \
    {                                                                                              \
        T filch_sum = *(T const *)filch_prefix;                                                    \
        T filch_element;                                                                           \
        T filch_all;                                                                               \
        if (!filch_total) {                                                                        \
            filch_block_scan(filch_of_combine_##name, &filch_sum, &filch_element, NULL,            \
                    filch_elements,                                                                \
                             filch_n, sizeof(T), exclusive, filch_out);                            \
            return;                                                                                \
        }                                                                                          \
        filch_block_scan(filch_of_combine_##name, &filch_sum, &filch_element, &filch_all,          \
                filch_elements,                                                                    \
                         filch_n, sizeof(T), exclusive, filch_out);                                \
        *(T *)filch_total = filch_all;                                                             \
    }
/* clang-format on */

#endif
