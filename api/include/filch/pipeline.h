/* filch/pipeline.h: items that go through stages, several at once.
 *
 *     static filch_status read_line(void *context, void *item) { ... return FILCH_END; }
 *     static void compress(void *context, void *item) { ... }
 *     static void write_line(void *context, void *item) { ... }
 *
 *     const filch_stage stages[] = {{FILCH_STAGE_PARALLEL, compress, NULL},
 *                                   {FILCH_STAGE_SERIAL, write_line, out}};
 *     filch_pipeline(pool, read_line, in, sizeof(struct line), stages, 2, NULL);
 *
 * An item is a block of memory, aligned for a type of its size to up to 64 bytes, that each stage
 * finds as the one before left it. A serial stage has one item at a time, in the order in which the
 * source made them; a parallel one any. The source is asked for one item at a time. No more items
 * are under way than there are tokens. */
#ifndef FILCH_PIPELINE_H
#define FILCH_PIPELINE_H

#include <stddef.h>

#include <filch/error.h>
#include <filch/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum filch_stage_kind { FILCH_STAGE_PARALLEL, FILCH_STAGE_SERIAL } filch_stage_kind;

typedef struct filch_stage {
    filch_stage_kind kind;
    void (*run)(void *context, void *item); /* may block; fails with filch_raise() */
    void *context;
} filch_stage;

/* Zero in a field means its default. */
typedef struct filch_pipeline_options {
    size_t tokens;      /* items under way at once. Default: four for each worker */
    filch_error *error; /* not NULL: told what was raised; its index is the item's number */
    /* NULL, or called once with each item that does not get through all stages, so that it can free
     * what it has: a stage that raises an error leaves its item as it is to this. */
    void (*drop)(void *context, void *item);
    void *drop_context;
} filch_pipeline_options;

/* Effect: asks the source for items until it answers FILCH_END, sends each through all stages, and
 * returns when all have come to the end. After an error the source is asked no more, and no other
 * stage of any item begins: those under way are dropped.
 * Args: source: fills in an item of item_bytes bytes, which are zero before; if it answers anything
 * but FILCH_OK, there is no item; stages: at least one.
 * Errors: FILCH_ERAISED: a stage, or the source, raised an error; what else the source answered but
 * FILCH_OK and FILCH_END; FILCH_ECANCELED: it was asked to stop, see filch_cancelled();
 * FILCH_EINVAL, FILCH_EOVERFLOW, FILCH_ENOMEM, FILCH_ECLOSED, FILCH_EFORKED, FILCH_EBROKEN: nothing
 * has run.
 * Threads: any. Blocks; may migrate when called from a task. */
FILCH_MUST_CHECK filch_status filch_pipeline(filch_pool *pool,
                                             filch_status (*source)(void *context, void *item),
                                             void *source_context, size_t item_bytes,
                                             const filch_stage *stages, size_t stage_count,
                                             const filch_pipeline_options *options);

#ifdef __cplusplus
}
#endif

#endif
