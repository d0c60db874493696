/* filch/imap.h: maps whose results come one by one, while others are still being computed.
 *
 *     filch_iterator *it;
 *     filch_status status;
 *     double y;
 *     status = root_imap(pool, xs, n, NULL, &it);
 *     while ((status = root_imap_next(it, &y)) != FILCH_END) {
 *         if (status == FILCH_OK) ... else filch_iterator_error(it, &error) ...    this one failed
 *     }
 *     filch_iterator_free(it);
 *
 * So it runs many jobs of which so many are to be under way at a time, each no longer than so long,
 * and tells of each when it is done:
 *
 *     const filch_imap_options options = {.at_once = 50, .item_seconds = 2};
 *     status = page_imap_unordered(pool, urls, n, &options, &it);
 *     while ((status = page_imap_next(it, &page)) != FILCH_END) {
 *         printf("%s: %s\n", urls[filch_iterator_index(it)], filch_strerror(status));
 *     }
 *
 * Arguments come from arrays or from a generator, of which no more are taken than may be at once:
 * an endless one is fine. The generator is called by the thread or task that creates the iterator
 * and asks it for the next item, one call at a time. Arguments own nothing: those of calls that
 * never run, because the iterator is freed or the pool is terminated, are forgotten. An
 * iterator is used by one thread or task at a time, and ends, or is freed, before its pool is
 * freed. */
#ifndef FILCH_IMAP_H
#define FILCH_IMAP_H

#include <stddef.h>

#include <filch/closure.h>
#include <filch/error.h>
#include <filch/macros.h>
#include <filch/pool.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

typedef struct filch_iterator filch_iterator;

/* Where arguments come from. */
typedef struct filch_source {
    /* Fills in the captures of one call, which are aligned for their size, to up to 64 bytes.
     * FILCH_END: there are no more; any other error ends the iteration with that status, behind
     * the items before it. */
    filch_status (*next)(void *state, void *captures);
    const void *state; /* copied, unless state_bytes is 0 */
    size_t state_bytes;
} filch_source;

/* Zero in a field means its default. */
typedef struct filch_imap_options {
    size_t at_once;      /* items that are under way or ready, taken from the source and not yet
                            returned; at least one chunk. Default: four chunks for each worker */
    size_t chunksize;    /* items that run as one task, in order. Default: 1 */
    double item_seconds; /* an item that has run for so long is asked to stop: filch_cancelled() is
                            true for it and its waits end, and it fails with FILCH_ECANCELED,
                            whatever it returns (FILCH_ETIMEDOUT in filch_iterator_error(), to
                            tell it from other cancellations); what it raises stands. Default:
                            as long as it takes */
} filch_imap_options;

/* Effect: begins to call `callable` with captures from `source`. filch_iterator_next() returns the
 * results in the order of their arguments; those of imap_unordered come as they are ready.
 * Args: options: NULL for defaults; copied. Of FILCH_ON (options.h), until: items that have not
 * begun by then never do, those that run are asked to stop.
 * Errors: FILCH_EINVAL, FILCH_ENOMEM, FILCH_EOVERFLOW, FILCH_ECLOSED, FILCH_EFORKED, FILCH_EBROKEN.
 * Threads: any. Does not block. */
FILCH_MUST_CHECK filch_status filch_imap(filch_pool *pool, const filch_callable *callable,
                                         const filch_source *source,
                                         const filch_imap_options *options,
                                         filch_iterator **iterator);
FILCH_MUST_CHECK filch_status filch_imap_unordered(filch_pool *pool, const filch_callable *callable,
                                                   const filch_source *source,
                                                   const filch_imap_options *options,
                                                   filch_iterator **iterator);

/* Effect: waits for the next item and copies its result of `bytes` bytes to `result`.
 * Errors: FILCH_END: there are no more, or the source's own error in its place; again and again.
 * FILCH_ERAISED, FILCH_ECANCELED, FILCH_EBROKEN: this item has failed, and the next call goes on
 * with the one after it; filch_iterator_error() says why. FILCH_EINVAL: bytes is not the size of a
 * result; nothing is lost.
 * Threads: one at a time. Blocks; may migrate. */
FILCH_MUST_CHECK filch_status filch_iterator_next(filch_iterator *iterator, void *result,
                                                  size_t bytes);

/* Effect: the same, until then; FILCH_ETIMEDOUT: the item comes with a later call. */
FILCH_MUST_CHECK filch_status filch_iterator_next_until(filch_iterator *iterator,
                                                        filch_deadline until, void *result,
                                                        size_t bytes);

/* Effect: the place in the source of the item that was returned last, from 0, whether it has failed
 * or not. FILCH_NO_INDEX: none was; iterator is NULL. */
size_t filch_iterator_index(const filch_iterator *iterator);

/* Effect: how the item that was returned last has ended; error->index is its place in the source.
 * Errors: FILCH_EINVAL. */
filch_status filch_iterator_error(const filch_iterator *iterator, filch_error *error);

/* Effect: abandons it: calls that have not begun never will. It does not wait for those that run.
 * NULL: no-op. */
void filch_iterator_free(filch_iterator *iterator);

#ifdef __cplusplus
}
#endif

/* The typed forms for a FILCH_FUNCTION with parameters; generated with it:
 *     name_imap(pool, xs, ..., n, &options, &iterator)       arguments from arrays, which must stay
 *     name_imap_from(pool, generator, context, &options, &iterator)
 *         filch_status generator(void *context, name_args *arguments) fills in arguments->x, ...
 *     name_imap_unordered(...), name_imap_unordered_from(...)
 *     name_imap_next(iterator, &result), name_imap_next_until(iterator, until, &result) */
#define FILCH_IMAP_OF(R, name, ...)                                                                \
    FILCH_CAT(FILCH_IMAP_OF_, FILCH_COUNT_9(__VA_ARGS__))(R, name, __VA_ARGS__)
#define FILCH_IMAP_OF_0(R, name, end)
#define FILCH_IMAP_OF_1(R, name, ...)                                                              \
    typedef filch_status name##_generator(void *filch_context, name##_args *filch_arguments);      \
    typedef struct filch_of_generating_##name {                                                    \
        name##_generator *filch_next;                                                              \
        void *filch_context;                                                                       \
    } filch_of_generating_##name;                                                                  \
    FILCH_UNUSED static filch_status filch_of_generate_##name(void *filch_state,                   \
                                                              void *filch_captures)                \
    {                                                                                              \
        const filch_of_generating_##name *filch_from =                                             \
            (const filch_of_generating_##name *)filch_state;                                       \
        return filch_from->filch_next(filch_from->filch_context, (name##_args *)filch_captures);   \
    }                                                                                              \
    FILCH_UNUSED static filch_status filch_of_walk_##name(void *filch_state, void *filch_captures) \
    {                                                                                              \
        name##_lazy_map *filch_map = (name##_lazy_map *)filch_state;                               \
        name##_args *filch_args = (name##_args *)filch_captures;                                   \
        const filch_of_arrays_##name *filch_arrays = &filch_map->filch_arrays;                     \
        const size_t filch_i = filch_map->filch_i;                                                 \
        if (filch_i >= filch_map->filch_n) {                                                       \
            return FILCH_END;                                                                      \
        }                                                                                          \
        FILCH_EACH(FILCH_ARRAY_TO_ARGS, __VA_ARGS__)                                               \
        filch_map->filch_i++;                                                                      \
        return FILCH_OK;                                                                           \
    }                                                                                              \
    FILCH_IMAPS(name, imap, filch_imap, __VA_ARGS__)                                               \
    FILCH_IMAPS(name, imap_unordered, filch_imap_unordered, __VA_ARGS__)                           \
    FILCH_CHECKED filch_status name##_imap_next_until(                                             \
        filch_iterator *filch_from,                                                                \
        filch_deadline filch_until FILCH_RESULT(FILCH_RESULT_POINTER_, R))                         \
    {                                                                                              \
        return filch_iterator_next_until(filch_from, filch_until,                                  \
                                         FILCH_RESULT(FILCH_RESULT_PASS_, R),                      \
                                         FILCH_RESULT(FILCH_RESULT_BYTES_, R));                    \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_imap_next(                                                   \
        filch_iterator *filch_from FILCH_RESULT(FILCH_RESULT_POINTER_, R))                         \
    {                                                                                              \
        return filch_iterator_next(filch_from, FILCH_RESULT(FILCH_RESULT_PASS_, R),                \
                                   FILCH_RESULT(FILCH_RESULT_BYTES_, R));                          \
    }

#define FILCH_IMAPS(name, imap, make, ...)                                                         \
    FILCH_CHECKED filch_status name##_##imap##_from(                                               \
        filch_pool *filch_to, name##_generator *filch_next, void *filch_context,                   \
        const filch_imap_options *filch_choices, filch_iterator **filch_out)                       \
    {                                                                                              \
        const filch_of_generating_##name filch_state = {filch_next, filch_context};                \
        const filch_source filch_from = {filch_next ? filch_of_generate_##name : NULL,             \
                                         &filch_state, sizeof filch_state};                        \
        return make(filch_to, &name##_callable, &filch_from, filch_choices, filch_out);            \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_##imap(                                                      \
        filch_pool *filch_to, FILCH_THEN(FILCH_ARRAY, __VA_ARGS__) size_t filch_n,                 \
        const filch_imap_options *filch_choices, filch_iterator **filch_out)                       \
    {                                                                                              \
        const name##_lazy_map filch_state =                                                        \
            name##_lazy(FILCH_THEN(FILCH_NAME, __VA_ARGS__) filch_n);                              \
        const bool filch_missing = FILCH_ARRAYS_MISSING(void, __VA_ARGS__);                        \
        const filch_source filch_from = {filch_missing ? NULL : filch_of_walk_##name,              \
                                         &filch_state, sizeof filch_state};                        \
        return make(filch_to, &name##_callable, &filch_from, filch_choices, filch_out);            \
    }
#define FILCH_ARRAY_TO_ARGS(T, x) filch_args->x = filch_arrays->x[filch_i];

#endif
