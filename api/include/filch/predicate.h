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

#include <filch/error.h>
#include <filch/loop.h>
#include <filch/macros.h>
#include <filch/pool.h>

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
filch_status filch_filter(filch_pool *pool, const filch_predicate *predicate,
                          const void *environment, const void *elements, size_t n, void *out,
                          size_t *count);

/* Effect: how many there are; whether there is one; whether all have it; which is the first. */
filch_status filch_count(filch_pool *pool, const filch_predicate *predicate,
                         const void *environment, const void *elements, size_t n, size_t *count);
filch_status filch_any(filch_pool *pool, const filch_predicate *predicate, const void *environment,
                       const void *elements, size_t n, bool *answer);
filch_status filch_all(filch_pool *pool, const filch_predicate *predicate, const void *environment,
                       const void *elements, size_t n, bool *answer);
filch_status filch_find(filch_pool *pool, const filch_predicate *predicate,
                        const void *environment, const void *elements, size_t n, size_t *index);

#ifdef __cplusplus
}
#endif

/* FILCH_PREDICATE(name, ["doc",] (T, x), (U, shared), ...) { body }: see above. */
#define FILCH_PREDICATE(...) FILCH_PREDICATE_I(__VA_ARGS__, ~)
#define FILCH_PREDICATE_I(name, ...)                                                               \
    FILCH_DOCUMENTED(FILCH_PREDICATE_GENERATE, bool, name, __VA_ARGS__)
#define FILCH_TYPE_OF(T, x) T
#define FILCH_PREDICATE_GENERATE(R, name, doc, first, ...)                                         \
    static bool name(FILCH_DECLARE first FILCH_MORE(FILCH_DECLARE, __VA_ARGS__));                  \
    typedef FILCH_TYPE_OF first name##_element;                                                    \
    FILCH_ASSERT_ALIGNED(name##_element);                                                          \
    FILCH_ARGS_TYPE(name, __VA_ARGS__)                                                             \
    FILCH_INFO(name, doc, sizeof(name##_args))                                                     \
    FILCH_UNUSED static size_t name##_count_block(                                                 \
        const void *filch_environment, const void *filch_elements, filch_range *filch_on,          \
        unsigned char *filch_flags)                                                                \
    {                                                                                              \
        const name##_element *filch_from = (const name##_element *)filch_elements;                 \
        const name##_args filch_copy = *(const name##_args *)filch_environment;                    \
        FILCH_UNUSED const name##_args *filch_args = &filch_copy;                                  \
        size_t filch_found = 0;                                                                    \
        for (size_t filch_i = (size_t)filch_on->next; filch_i < filch_on->stop; filch_i++) {       \
            filch_on->next = filch_i + 1;                                                          \
            const bool filch_has =                                                                 \
                name(filch_from[filch_i] FILCH_MORE(FILCH_OF_ARGS, __VA_ARGS__));                  \
            filch_found += filch_has;                                                              \
            if (filch_flags) {                                                                     \
                filch_flags[filch_i] = filch_has;                                                  \
            }                                                                                      \
        }                                                                                          \
        return filch_found;                                                                        \
    }                                                                                              \
    FILCH_UNUSED static size_t name##_filter_block(                                                \
        const void *filch_environment, const void *filch_elements, filch_range *filch_on,          \
        void *filch_out)                                                                           \
    {                                                                                              \
        const name##_element *filch_from = (const name##_element *)filch_elements;                 \
        name##_element *filch_to = (name##_element *)filch_out;                                    \
        const name##_args filch_copy = *(const name##_args *)filch_environment;                    \
        FILCH_UNUSED const name##_args *filch_args = &filch_copy;                                  \
        size_t filch_found = 0;                                                                    \
        for (size_t filch_i = (size_t)filch_on->next; filch_i < filch_on->stop; filch_i++) {       \
            filch_on->next = filch_i + 1;                                                          \
            if (name(filch_from[filch_i] FILCH_MORE(FILCH_OF_ARGS, __VA_ARGS__))) {                \
                filch_to[filch_found++] = filch_from[filch_i];                                     \
            }                                                                                      \
        }                                                                                          \
        return filch_found;                                                                        \
    }                                                                                              \
    FILCH_UNUSED static void name##_pack_block(                                                    \
        const void *filch_elements, const unsigned char *filch_flags, size_t filch_n,              \
        void *filch_out)                                                                           \
    {                                                                                              \
        const name##_element *filch_from = (const name##_element *)filch_elements;                 \
        name##_element *filch_to = (name##_element *)filch_out;                                    \
        for (size_t filch_i = 0; filch_i < filch_n; filch_i++) {                                   \
            if (filch_flags[filch_i]) {                                                            \
                *filch_to++ = filch_from[filch_i];                                                 \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
    FILCH_FIND_BLOCK(name, find, true, __VA_ARGS__)                                                \
    FILCH_FIND_BLOCK(name, find_not, false, __VA_ARGS__)                                           \
    FILCH_UNUSED static const filch_predicate name##_predicate = {                                 \
        name##_count_block,  name##_find_block,      name##_find_not_block, name##_pack_block,     \
        name##_filter_block, sizeof(name##_element), &name##_info};                                \
    FILCH_UNUSED static inline filch_status name##_filter(                                         \
        filch_pool *filch_in, name##_element const *filch_elements,                                \
        size_t filch_n FILCH_MORE(FILCH_DECLARE, __VA_ARGS__), name##_element *filch_out,          \
        size_t *filch_found)                                                                       \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_filter(filch_in, &name##_predicate, filch_args, filch_elements, filch_n,      \
                            filch_out, filch_found);                                               \
    }                                                                                              \
    FILCH_ASK(name, count, size_t, __VA_ARGS__)                                                    \
    FILCH_ASK(name, any, bool, __VA_ARGS__)                                                        \
    FILCH_ASK(name, all, bool, __VA_ARGS__)                                                        \
    FILCH_ASK(name, find, size_t, __VA_ARGS__)                                                     \
    static bool name(FILCH_DECLARE first FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))

#define FILCH_FIND_BLOCK(name, find, wanted, ...)                                                  \
    FILCH_UNUSED static size_t name##_##find##_block(                                              \
        const void *filch_environment, const void *filch_elements, filch_range *filch_on)          \
    {                                                                                              \
        const name##_element *filch_from = (const name##_element *)filch_elements;                 \
        const name##_args filch_copy = *(const name##_args *)filch_environment;                    \
        FILCH_UNUSED const name##_args *filch_args = &filch_copy;                                  \
        for (size_t filch_i = (size_t)filch_on->next; filch_i < filch_on->stop; filch_i++) {       \
            filch_on->next = filch_i + 1;                                                          \
            if (name(filch_from[filch_i] FILCH_MORE(FILCH_OF_ARGS, __VA_ARGS__)) == wanted) {      \
                return filch_i;                                                                    \
            }                                                                                      \
        }                                                                                          \
        return FILCH_NO_INDEX;                                                                     \
    }
#define FILCH_CAPTURED(name, ...)                                                                  \
    name##_args filch_captured;                                                                    \
    FILCH_UNUSED name##_args *filch_args = &filch_captured;                                        \
    memset(&filch_captured, 0, sizeof filch_captured);                                             \
    FILCH_EACH(FILCH_TO_ARGS, __VA_ARGS__)
#define FILCH_ASK(name, question, A, ...)                                                          \
    FILCH_UNUSED static inline filch_status name##_##question(                                     \
        filch_pool *filch_in, name##_element const *filch_elements,                                \
        size_t filch_n FILCH_MORE(FILCH_DECLARE, __VA_ARGS__), A *filch_answer)                    \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_##question(filch_in, &name##_predicate, filch_args, filch_elements, filch_n,  \
                                filch_answer);                                                     \
    }

#endif
