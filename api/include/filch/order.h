/* filch/order.h: sorting, and what comes first.
 *
 *     FILCH_ORDER(by_age, (struct person, a), (struct person, b)) { return a.age < b.age; }
 *
 *     by_age_sort(pool, people, n);                  stable: equals keep their order
 *     by_age_min(pool, people, n, &index);           the first of the least
 *     by_age_max(pool, people, n, &index);           the first of the greatest
 *
 * The order says whether a comes before b: with qsort()'s function, compare(&a, &b) < 0. One that
 * contradicts itself gives some order, and no more than that. */
#ifndef FILCH_ORDER_H
#define FILCH_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include <filch/block.h>
#include <filch/loop.h>
#include <filch/macros.h>
#include <filch/pool.h>
#include <filch/shape.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

/* An order of elements; static, made by FILCH_ORDER. */
typedef struct filch_order {
    /* Sort a few, stably, where they are. */
    void (*sort_few)(void *elements, size_t n);
    /* Merge two sorted arrays into a third; of equals those of a come first. */
    void (*merge)(const void *a, size_t n_a, const void *b, size_t n_b, void *out);
    /* Of sorted elements: how many come before *key; how many do not come after it. */
    size_t (*count_before)(const void *elements, size_t n, const void *key);
    size_t (*count_not_after)(const void *elements, size_t n, const void *key);
    /* The first of the least, or of the greatest; n is at least 1. */
    size_t (*first_least)(const void *elements, size_t n);
    size_t (*first_greatest)(const void *elements, size_t n);
    size_t element_bytes;
    const filch_function_info *info;
} filch_order;

/* Effect: sorts n elements, stably. Takes memory for n more while it runs.
 * Errors: FILCH_ENOMEM: nothing was changed; the others as filch_reduce() (reduce.h). If the order
 * raises an error or the caller is asked to stop, the elements are all there, in some order.
 * Threads: any. Blocks; may migrate when called from a task. */
FILCH_MUST_CHECK filch_status filch_sort(filch_pool *pool, const filch_order *order, void *elements,
                                         size_t n);

/* Effect: the index of the first of the least (greatest) elements.
 * Errors: FILCH_EINVAL also for n = 0; the others as filch_reduce(). *index is untouched then. */
FILCH_MUST_CHECK filch_status filch_min(filch_pool *pool, const filch_order *order,
                                        const void *elements, size_t n, size_t *index);
FILCH_MUST_CHECK filch_status filch_max(filch_pool *pool, const filch_order *order,
                                        const void *elements, size_t n, size_t *index);

#ifdef __cplusplus
}
#endif

/* clang-format off */
/* FILCH_ORDER(name, ["doc",] (T, a), (T, b)) { body }: see above. */
#define FILCH_ORDER(...) FILCH_SHAPED(FILCH_ORDER, FILCH_ORDER, bool, __VA_ARGS__, ~)
#define FILCH_ORDER_TAKES FILCH_TAKES_2
#define FILCH_ORDER_RULE two parameters, each in parentheses: (type, a), (type, b)
#define FILCH_ORDER_STUBS(R, name, ...)                                                            \
    FILCH_STUB(bool, name)                                                                         \
    FILCH_STUB(filch_status, name##_sort)                                                          \
    FILCH_STUB(filch_status, name##_min)                                                           \
    FILCH_STUB(filch_status, name##_max)
#define FILCH_ELEMENT_OF(T, x) T
#define FILCH_ORDER_GENERATE(R, name, doc, first, second, end)                                     \
    static bool name(FILCH_DECLARE first, FILCH_DECLARE second);                                   \
    typedef FILCH_ELEMENT_OF first name##_element;                                                 \
    FILCH_ASSERT_ALIGNED(name##_element);                                                          \
    FILCH_INFO(name, doc, 2 * sizeof(name##_element))                                              \
    FILCH_UNUSED static bool filch_of_before_##name(const void *filch_a, const void *filch_b)      \
    {                                                                                              \
        return name(*(const name##_element *)filch_a,                                              \
                *(const name##_element *)filch_b);                                                 \
    }                                                                                              \
    FILCH_UNUSED static void filch_of_sort_few_##name(void *filch_elements, size_t filch_n)        \
    {                                                                                              \
        name##_element filch_moved;                                                                \
        filch_block_sort_few(filch_of_before_##name, filch_elements, filch_n, sizeof filch_moved,  \
                             &filch_moved);                                                        \
    }                                                                                              \
    FILCH_UNUSED static void filch_of_merge_##name(const void *filch_a, size_t filch_n_a,          \
                                          const void *filch_b, size_t filch_n_b, void *filch_out)  \
    {                                                                                              \
        filch_block_merge(filch_of_before_##name, filch_a, filch_n_a, filch_b, filch_n_b,          \
                          sizeof(name##_element), filch_out);                                      \
    }                                                                                              \
    FILCH_ORDER_SEARCH(name, count_before)                                                         \
    FILCH_ORDER_SEARCH(name, count_not_after)                                                      \
    FILCH_ORDER_BEST(name, least)                                                                  \
    FILCH_ORDER_BEST(name, greatest)                                                               \
    FILCH_UNUSED static const filch_order name##_order = {                                         \
        filch_of_sort_few_##name,       filch_of_merge_##name,                                     \
                filch_of_count_before_##name,                                                      \
        filch_of_count_not_after_##name, filch_of_first_least_##name,                              \
                filch_of_first_greatest_##name,                                                    \
        sizeof(name##_element), &name##_info};                                                     \
    FILCH_CHECKED filch_status name##_sort(                                                        \
        filch_pool *filch_to, name##_element *filch_elements, size_t filch_n)                      \
    {                                                                                              \
        return filch_sort(filch_to, &name##_order, filch_elements, filch_n);                       \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_min(                                                         \
        filch_pool *filch_to, name##_element const *filch_elements, size_t filch_n,                \
        size_t *filch_index)                                                                       \
    {                                                                                              \
        return filch_min(filch_to, &name##_order, filch_elements, filch_n, filch_index);           \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_max(                                                         \
        filch_pool *filch_to, name##_element const *filch_elements, size_t filch_n,                \
        size_t *filch_index)                                                                       \
    {                                                                                              \
        return filch_max(filch_to, &name##_order, filch_elements, filch_n, filch_index);           \
    }                                                                                              \
    FILCH_MENTION(name)                                                                            \
    static bool name(FILCH_DECLARE first, FILCH_DECLARE second)

#define FILCH_ORDER_SEARCH(name, search)                                                           \
    FILCH_UNUSED static size_t filch_of_##search##_##name(const void *filch_elements,              \
                                                          size_t filch_n, const void *filch_key)   \
    {                                                                                              \
        return filch_block_##search(filch_of_before_##name, filch_elements, filch_n,               \
                                    sizeof(name##_element), filch_key);                            \
    }
#define FILCH_ORDER_BEST(name, best)                                                               \
    FILCH_UNUSED static size_t filch_of_first_##best##_##name(const void *filch_elements,          \
                                                              size_t filch_n)                      \
    {                                                                                              \
        return filch_block_##best(filch_of_before_##name, filch_elements, filch_n,                 \
                sizeof(name##_element));                                                           \
    }
/* clang-format on */

#endif
