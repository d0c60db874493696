/* filch/fold.h: accumulations: what elements leave behind is gathered in states, which are merged.
 *
 *     struct histogram { size_t count[256]; };
 *
 *     FILCH_FOLD(struct histogram, count, (unsigned char, c)) { into->count[c]++; }
 *
 *     static void add(struct histogram *into, struct histogram *from, void *context) { ... }
 *
 *     struct histogram all = {{0}};
 *     status = count_fold(pool, text, n, &(count_accumulator){.merge = add}, &all);
 *
 * The body finds `into`, a state that no other element uses at the same time, also if it waits: it
 * belongs to the elements that run one after the other, not to a worker, of which there may be
 * others meanwhile. So this is also what other libraries have thread-local storage for (combinable,
 * map_init): scratch memory that each participant prepares once is a state without `merge`.
 *
 * For what is a sum of values, f(x[0]) (+) f(x[1]) (+) ..., FILCH_MAP_REDUCE (map_reduce.h) is
 * simpler and faster: it keeps the sum in a register and needs no states. */
#ifndef FILCH_FOLD_H
#define FILCH_FOLD_H

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

/* Which elements share a state, and in which order states are merged. */
typedef enum filch_fold_order {
    FILCH_FOLD_FIXED, /* a state for each block of neighbours; blocks and merges depend on n alone:
                         the same bits on any number of workers. merge need not commute. Blocks are
                         those of filch_reduce(), at most 1,024, or of .chunksize elements, and
                         each is a start and a merge: with large states and few cheap elements, make
                         them longer. About ten states are alive for each worker. */
    FILCH_FOLD_FAST   /* a state for each participant, and for each element that waits; merged in
                         any order: merge must commute. The fewest states. */
} filch_fold_order;

/* What is done with states. Each is zero, then started, then takes in elements and other states; in
 * the end it is merged into another or the result, and finished: each of these once, whatever
 * elements do, and if the call fails it is finished without being merged. The result, which is the
 * caller's, is neither started nor finished. The functions are called by any worker, for different
 * states at the same time, and may wait. */
typedef struct filch_accumulator {
    /* NULL: zero is a good start. Anything but FILCH_OK ends the call, which answers that; finish
     * is not called then. */
    filch_status (*start)(void *state, void *context);
    /* Elements of `from` come after those of `into`, in the fixed order. It may take what it likes
     * out of *from, as long as finish can cope with what is left. NULL: nothing is merged, states
     * are scratch memory, and result is NULL, too. */
    void (*merge)(void *into, void *from, void *context);
    void (*finish)(void *state, void *context); /* NULL, or frees what the state owns */
    void *context;
    filch_fold_order order; /* default: fixed */
} filch_accumulator;

/* How elements are taken in; static, made by FILCH_FOLD. */
typedef struct filch_fold_step {
    /* Takes elements[i] for each i of `range` into the state, as block functions do (core.h). */
    void (*block)(const void *environment, const void *elements, filch_range *range, void *into);
    size_t state_bytes;   /* states are aligned to 64 bytes */
    size_t element_bytes; /* 0: there is no array, elements are numbers */
    const filch_function_info *info;
} filch_fold_step;

/* Effect: takes all elements into states, in parallel, and merges these into *result.
 * Args: environment: handed on, not copied; result: a started state of the caller's, to which is
 * added: it may hold something already. With an explicit chunksize (options.h) each chunk is a
 * block.
 * Errors: FILCH_ERAISED: an element, a merge or another function raised an error; all elements have
 * run, unless options say otherwise, and the states of those that ran are merged, also what an
 * element did before it raised. Any other: *result is untouched. FILCH_EINVAL: a missing argument,
 * state_bytes 0, an unknown order, Python's chunk size in the fixed order; what start() answered;
 * FILCH_ENOMEM: also if there is none for a state; the others as filch_map() (loop.h).
 * Threads: any. Blocks; may migrate when called from a task. */
FILCH_MUST_CHECK filch_status filch_fold(filch_pool *pool, const filch_fold_step *step,
                                         const void *environment, const void *elements, size_t n,
                                         const filch_accumulator *accumulator, void *result);

/* How generated code goes through elements (block.h): take_in(environment, elements, i, into) for
 * those of the range. */
FILCH_INLINE void filch_block_fold(filch_range *range,
                                   void (*take_in)(const void *environment, const void *elements,
                                                   size_t i, void *into),
                                   const void *environment, const void *elements, void *into)
{
    const size_t one = filch_block_one();
    for (size_t i = (size_t)range->next; i < range->stop; i++) {
        range->next = i + one;
        take_in(environment, elements, i, into);
    }
}

#ifdef __cplusplus
}
#endif

/* clang-format off */
/* FILCH_FOLD(A, name, ["doc",] (T, x), (U, shared), ...) { body }
 *
 * Defines how x is taken into `into`, an A *. Parameters behind x are the same for all elements.
 *     name_accumulator                       filch_accumulator with A in place of void
 *     name_fold(pool, xs, n, shared, ..., &accumulator, &result)
 *
 * FILCH_FOLD_LOOP(A, name, ["doc",] (size_t, i), (U, shared), ...) { body }: the same for i = 0 to
 * n - 1, of no array: name_fold(pool, n, shared, ..., &accumulator, &result). */
#define FILCH_FOLD(A, ...) FILCH_SHAPED(FILCH_FOLD, FILCH_FOLD, A, __VA_ARGS__, ~)
#define FILCH_FOLD_TAKES FILCH_TAKES_1_AND_UP_TO_8
#define FILCH_FOLD_RULE FILCH_RULE_ELEMENT_FIRST
#define FILCH_FOLD_STUBS(A, name, ...)                                                             \
    FILCH_STUB(void, name)                                                                         \
    typedef filch_accumulator name##_accumulator;                                                  \
    FILCH_STUB(filch_status, name##_fold)
#define FILCH_FOLD_GENERATE(A, name, doc, first, ...)                                              \
    typedef FILCH_TYPE_OF first name##_element;                                                    \
    FILCH_FOLD_STEP(A, name, doc, first, ((const name##_element *)filch_elements)[filch_i],        \
                    sizeof(name##_element), __VA_ARGS__)                                           \
    FILCH_FOLD_CALLS(A, name, (name##_element const *filch_elements, ), filch_elements,            \
                     __VA_ARGS__)                                                                  \
    FILCH_MENTION(name)                                                                            \
    static void name(A *into, FILCH_DECLARE first FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))

#define FILCH_FOLD_LOOP(A, ...) FILCH_SHAPED(FILCH_FOLD_LOOP, FILCH_FOLD_LOOP, A, __VA_ARGS__, ~)
#define FILCH_FOLD_LOOP_TAKES FILCH_TAKES_1_AND_UP_TO_8
#define FILCH_FOLD_LOOP_RULE FILCH_RULE_INDEX_FIRST
#define FILCH_FOLD_LOOP_STUBS FILCH_FOLD_STUBS
#define FILCH_FOLD_LOOP_GENERATE(A, name, doc, first, ...)                                         \
    FILCH_FOLD_STEP(A, name, doc, first, filch_i, 0, __VA_ARGS__)                                  \
    FILCH_FOLD_CALLS(A, name, (), NULL, __VA_ARGS__)                                               \
    FILCH_MENTION(name)                                                                            \
    static void name(A *into, FILCH_DECLARE first FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))

/* filch_block_fold() is inlined around the user's function, and that into it. */
#define FILCH_FOLD_STEP(A, name, doc, first, element, bytes, ...)                                  \
    static void name(A *into, FILCH_DECLARE first FILCH_MORE(FILCH_DECLARE, __VA_ARGS__));         \
    FILCH_ASSERT_ALIGNED(A);                                                                       \
    FILCH_ARGS_TYPE(name, __VA_ARGS__)                                                             \
    FILCH_INFO(name, doc, sizeof(name##_args))                                                     \
    FILCH_UNUSED static void filch_of_take_in_##name(const void *filch_environment,                \
                                            const void *filch_elements, size_t filch_i,            \
                                            void *filch_into)                                      \
    {                                                                                              \
        FILCH_UNUSED const name##_args *filch_args = (const name##_args *)filch_environment;       \
        (void)filch_elements;                                                                      \
        name((A *)filch_into, element FILCH_MORE(FILCH_OF_ARGS, __VA_ARGS__));                     \
    }                                                                                              \
    FILCH_UNUSED static void filch_of_fold_block_##name(const void *filch_environment,             \
                                               const void *filch_elements,                         \
                                               filch_range *filch_on, void *filch_into)            \
    {                                                                                              \
        const name##_args filch_copy = *(const name##_args *)filch_environment;                    \
        filch_block_fold(filch_on, filch_of_take_in_##name, &filch_copy, filch_elements,           \
                         filch_into);                                                              \
    }                                                                                              \
    FILCH_UNUSED static const filch_fold_step filch_of_step_##name = {                             \
        filch_of_fold_block_##name, sizeof(A), bytes, &name##_info};

#define FILCH_FOLD_CALLS(A, name, declared, elements, ...)                                         \
    typedef struct name##_accumulator {                                                            \
        filch_status (*start)(A *state, void *context);                                            \
        void (*merge)(A *into, A *from, void *context);                                            \
        void (*finish)(A *state, void *context);                                                   \
        void *context;                                                                             \
        filch_fold_order order;                                                                    \
    } name##_accumulator;                                                                          \
    FILCH_UNUSED static filch_status filch_of_start_state_##name(void *filch_state,                \
                                                                 void *filch_typed)                \
    {                                                                                              \
        const name##_accumulator *filch_how = (const name##_accumulator *)filch_typed;             \
        return filch_how->start((A *)filch_state, filch_how->context);                             \
    }                                                                                              \
    FILCH_UNUSED static void filch_of_merge_states_##name(void *filch_into, void *filch_from,      \
                                                 void *filch_typed)                                \
    {                                                                                              \
        const name##_accumulator *filch_how = (const name##_accumulator *)filch_typed;             \
        filch_how->merge((A *)filch_into, (A *)filch_from, filch_how->context);                    \
    }                                                                                              \
    FILCH_UNUSED static void filch_of_finish_state_##name(void *filch_state, void *filch_typed)    \
    {                                                                                              \
        const name##_accumulator *filch_how = (const name##_accumulator *)filch_typed;             \
        filch_how->finish((A *)filch_state, filch_how->context);                                   \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_fold(                                                        \
        filch_pool *filch_to, FILCH_UNGROUP declared size_t filch_n FILCH_MORE(FILCH_DECLARE,      \
                                                                             __VA_ARGS__),         \
        const name##_accumulator *filch_how, A *filch_result)                                      \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        if (!filch_how) {                                                                          \
            return FILCH_EINVAL;                                                                   \
        }                                                                                          \
        name##_accumulator filch_typed = *filch_how;                                               \
        const filch_accumulator filch_untyped = {                                                  \
            filch_typed.start ? filch_of_start_state_##name : NULL,                                \
            filch_typed.merge ? filch_of_merge_states_##name : NULL,                               \
            filch_typed.finish ? filch_of_finish_state_##name : NULL, &filch_typed,                \
            filch_typed.order};                                                                    \
        return filch_fold(filch_to, &filch_of_step_##name, filch_args, elements, filch_n,          \
                          &filch_untyped, filch_result);                                           \
    }
/* clang-format on */

#endif
