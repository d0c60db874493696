/* filch/predicate.h: which elements have a property.
 *
 *     FILCH_PREDICATE(is_below, (int, x), (int, limit)) { return x < limit; }
 *
 *     is_below_filter(pool, xs, n, 10, kept, &count);    those that have it, in order; kept: room
 *                                                        for n
 *     is_below_count(pool, xs, n, 10, &count);
 *     is_below_any(pool, xs, n, 10, &answer);            bool; of no elements: false
 *     is_below_all(pool, xs, n, 10, &answer);            bool; of no elements: true
 *     is_below_find(pool, xs, n, 10, &index);            the first; FILCH_NO_INDEX: there is none
 *
 * The parameters behind the first are the same for all elements. any, all and find leave out what
 * cannot change the answer any more, as far as it has not begun. */
#ifndef FILCH_PREDICATE_H
#define FILCH_PREDICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <filch/block.h>
#include <filch/error.h>
#include <filch/loop.h>
#include <filch/macros.h>
#include <filch/pool.h>
#include <filch/shape.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

/* A property of elements; static, made by FILCH_PREDICATE. The functions look at the elements of
 * `range` as block functions do (loop.h). */
typedef struct filch_predicate {
    /* How many have it; flags, if not NULL: 1 or 0 for each, from flags[range->next] on. */
    size_t (*count)(const void *environment, const void *elements, filch_range *range,
                    unsigned char *flags);
    /* The first that has it, or has it not; FILCH_NO_INDEX: none. The elements behind it are left
     * out. */
    size_t (*find)(const void *environment, const void *elements, filch_range *range);
    size_t (*find_not)(const void *environment, const void *elements, filch_range *range);
    /* Copy those with flags[i] = 1, of `n`. */
    void (*pack)(const void *elements, const unsigned char *flags, size_t n, void *out);
    /* Copy those that have it, and count them; out may be behind elements in the same array. */
    size_t (*filter)(const void *environment, const void *elements, filch_range *range, void *out);
    size_t element_bytes;
    const filch_function_info *info;
} filch_predicate;

/* Effect: copies the elements that have the property to `out`, in their order.
 * Args: out: room for as many as there may be; not overlapping elements. count: how many those are.
 * Errors: as filch_reduce() (reduce.h); out and *count are undefined then.
 * Threads: any. Blocks; may migrate when called from a task. */
FILCH_MUST_CHECK filch_status filch_filter(filch_pool *pool, const filch_predicate *predicate,
                                           const void *environment, const void *elements, size_t n,
                                           void *out, size_t *count);

/* Effect: how many there are; whether there is one; whether all have it; which is the first. */
FILCH_MUST_CHECK filch_status filch_count(filch_pool *pool, const filch_predicate *predicate,
                                          const void *environment, const void *elements, size_t n,
                                          size_t *count);
FILCH_MUST_CHECK filch_status filch_any(filch_pool *pool, const filch_predicate *predicate,
                                        const void *environment, const void *elements, size_t n,
                                        bool *answer);
FILCH_MUST_CHECK filch_status filch_all(filch_pool *pool, const filch_predicate *predicate,
                                        const void *environment, const void *elements, size_t n,
                                        bool *answer);
FILCH_MUST_CHECK filch_status filch_find(filch_pool *pool, const filch_predicate *predicate,
                                         const void *environment, const void *elements, size_t n,
                                         size_t *index);

#ifdef __cplusplus
}
#endif

/* clang-format off */
/* FILCH_PREDICATE(name, ["doc",] (T, x), (U, shared), ...) { body }: see above. */
#define FILCH_PREDICATE(...) FILCH_SHAPED(FILCH_PREDICATE, FILCH_PREDICATE, bool, __VA_ARGS__, ~)
#define FILCH_PREDICATE_TAKES FILCH_TAKES_1_AND_UP_TO_8
#define FILCH_PREDICATE_RULE FILCH_RULE_ELEMENT_FIRST
#define FILCH_PREDICATE_STUBS(R, name, ...)                                                        \
    FILCH_STUB(bool, name)                                                                         \
    FILCH_STUB(filch_status, name##_filter)                                                        \
    FILCH_STUB(filch_status, name##_count)                                                         \
    FILCH_STUB(filch_status, name##_any)                                                           \
    FILCH_STUB(filch_status, name##_all)                                                           \
    FILCH_STUB(filch_status, name##_find)
#define FILCH_PREDICATE_GENERATE(R, name, doc, first, ...)                                         \
    static bool name(FILCH_DECLARE first FILCH_MORE(FILCH_DECLARE, __VA_ARGS__));                  \
    typedef FILCH_TYPE_OF first name##_element;                                                    \
    FILCH_ASSERT_ALIGNED(name##_element);                                                          \
    FILCH_ARGS_TYPE(name, __VA_ARGS__)                                                             \
    FILCH_INFO(name, doc, sizeof(name##_args))                                                     \
    FILCH_UNUSED static bool filch_of_test_##name(const void *filch_environment,                   \
                                                  const void *filch_at)                            \
    {                                                                                              \
        FILCH_UNUSED const name##_args *filch_args = (const name##_args *)filch_environment;       \
        return name(*(const name##_element *)filch_at FILCH_MORE(FILCH_OF_ARGS,                    \
                __VA_ARGS__));                                                                     \
    }                                                                                              \
    FILCH_UNUSED static size_t filch_of_count_block_##name(                                        \
        const void *filch_environment, const void *filch_elements, filch_range *filch_on,          \
        unsigned char *filch_flags)                                                                \
    {                                                                                              \
        const name##_args filch_copy = *(const name##_args *)filch_environment;                    \
        return filch_block_count(filch_on, filch_of_test_##name, &filch_copy, filch_elements,      \
                                 sizeof(name##_element), filch_flags);                             \
    }                                                                                              \
    FILCH_UNUSED static size_t filch_of_filter_block_##name(                                       \
        const void *filch_environment, const void *filch_elements, filch_range *filch_on,          \
        void *filch_out)                                                                           \
    {                                                                                              \
        const name##_args filch_copy = *(const name##_args *)filch_environment;                    \
        return filch_block_filter(filch_on, filch_of_test_##name, &filch_copy, filch_elements,     \
                                  sizeof(name##_element), filch_out);                              \
    }                                                                                              \
    FILCH_UNUSED static void filch_of_pack_block_##name(                                           \
        const void *filch_elements, const unsigned char *filch_flags, size_t filch_n,              \
        void *filch_out)                                                                           \
    {                                                                                              \
        filch_block_pack(filch_elements, filch_flags, filch_n, sizeof(name##_element),             \
                filch_out);                                                                        \
    }                                                                                              \
    FILCH_FIND_BLOCK(name, find, true)                                                             \
    FILCH_FIND_BLOCK(name, find_not, false)                                                        \
    FILCH_UNUSED static const filch_predicate name##_predicate = {                                 \
        filch_of_count_block_##name,  filch_of_find_block_##name,                                  \
                filch_of_find_not_block_##name, filch_of_pack_block_##name,                        \
        filch_of_filter_block_##name, sizeof(name##_element), &name##_info};                       \
    FILCH_CHECKED filch_status name##_filter(                                                      \
        filch_pool *filch_to, name##_element const *filch_elements,                                \
        size_t filch_n FILCH_MORE(FILCH_DECLARE, __VA_ARGS__),                                     \
                name##_element *filch_out,                                                         \
        size_t *filch_found)                                                                       \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_filter(filch_to, &name##_predicate, filch_args, filch_elements, filch_n,      \
                            filch_out, filch_found);                                               \
    }                                                                                              \
    FILCH_ASK(name, count, size_t, __VA_ARGS__)                                                    \
    FILCH_ASK(name, any, bool, __VA_ARGS__)                                                        \
    FILCH_ASK(name, all, bool, __VA_ARGS__)                                                        \
    FILCH_ASK(name, find, size_t, __VA_ARGS__)                                                     \
    FILCH_MENTION(name)                                                                            \
    static bool name(FILCH_DECLARE first FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))

#define FILCH_FIND_BLOCK(name, find, wanted)                                                       \
    FILCH_UNUSED static size_t filch_of_##find##_block_##name(                                     \
        const void *filch_environment, const void *filch_elements, filch_range *filch_on)          \
    {                                                                                              \
        const name##_args filch_copy = *(const name##_args *)filch_environment;                    \
        return filch_block_find(filch_on, filch_of_test_##name, &filch_copy, filch_elements,       \
                                sizeof(name##_element), wanted);                                   \
    }
#define FILCH_ASK(name, question, A, ...)                                                          \
    FILCH_CHECKED filch_status name##_##question(                                                  \
        filch_pool *filch_to, name##_element const *filch_elements,                                \
        size_t filch_n FILCH_MORE(FILCH_DECLARE, __VA_ARGS__), A *filch_answer)                    \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_##question(filch_to, &name##_predicate, filch_args, filch_elements, filch_n,  \
                                filch_answer);                                                     \
    }
/* clang-format on */

#endif
