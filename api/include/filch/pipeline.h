/* filch/pipeline.h: items that go through stages, several at once.
 *
 *     FILCH_SOURCE(struct line, read_line, (FILE *, in))           fills in *item
 *     {
 *         return fgets(item->text, sizeof item->text, in) ? FILCH_OK : FILCH_END;
 *     }
 *     FILCH_STAGE(struct code, compress, (struct line, line)) { ... return code; }
 *     FILCH_STAGE(void, write_code, (struct code, code), (FILE *, out)) { ... }
 *
 *     const filch_stage stages[] = {compress_parallel(), write_code_serial(out)};
 *     status = read_line_pipeline(pool, in, stages, 2, NULL);
 *
 * A serial stage has one item at a time, in the order in which the source made them; a parallel one
 * any. The source is asked for one item at a time. No more items are under way than there are
 * tokens. A stage may block. If one raises an error, what a plain loop would have done before it is
 * done nevertheless: see filch_pipeline_policy. What a source answers after it has raised one does
 * not matter: there is no item. */
#ifndef FILCH_PIPELINE_H
#define FILCH_PIPELINE_H

#include <stddef.h>
#include <string.h>

#include <filch/error.h>
#include <filch/macros.h>
#include <filch/pool.h>
#include <filch/shape.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

typedef enum filch_stage_kind { FILCH_STAGE_PARALLEL, FILCH_STAGE_SERIAL } filch_stage_kind;

/* What a FILCH_STAGE makes of what; static. Types are compared as those of futures are (then.h):
 * another name for a type is none other, and two structs of one size are told apart where both are
 * spelled with their tags. */
typedef struct filch_stage_type {
    void (*pass)(const void *captures, const void *taken, void *made);
    filch_type takes;
    size_t takes_bytes;
    filch_type makes;
    size_t makes_bytes; /* 0: void; what it takes goes on */
} filch_stage_type;

/* From name_parallel(), name_serial() or filch_stage_of(). */
typedef struct filch_stage {
    filch_stage_kind kind;
    /* A plain stage's: changes the item where it is. Both, and all below, may be NULL. */
    void (*run)(void *context, void *item);
    void *context;
    const filch_function_info *info; /* what errors, traces and dumps call it; static */
    const filch_stage_type *type;    /* not NULL: of a FILCH_STAGE */
    FILCH_ALIGNED(16) unsigned char captures[FILCH_INLINE_BYTES];
} filch_stage;

/* A plain stage: a function that changes the item where it is, whatever its type. */
static inline filch_stage filch_stage_of(filch_stage_kind kind,
                                         void (*run)(void *context, void *item), void *context)
{
    filch_stage stage;
    memset(&stage, 0, sizeof stage);
    stage.kind = kind;
    stage.run = run;
    stage.context = context;
    return stage;
}

/* What becomes of the others when an item raises an error. */
typedef enum filch_pipeline_policy {
    /* As if they had come one after the other: those before it go on to the end, in order, those
     * behind it are dropped, as far as they have not come through. From the first serial stage on
     * that is not before the one that failed, exactly those before it get through. If one of them
     * fails, too, that counts: the error is that of the first item that fails, in every run. */
    FILCH_PIPELINE_UP_TO_ERROR,
    FILCH_PIPELINE_DROP /* all are dropped, to be through soon */
} filch_pipeline_policy;

/* Zero in a field means its default. */
typedef struct filch_pipeline_options {
    size_t tokens; /* items under way at once. Default: four for each worker */
    /* NULL, or called once with each item that does not get through all stages, so that it can free
     * what it has; by several workers at once. stage: the first, from 0, that it did not get
     * through; the item is as that found it, or as a plain stage left it that raised the error. */
    void (*drop)(void *context, size_t stage, void *item);
    void *drop_context;
    filch_pipeline_policy policy;    /* default: FILCH_PIPELINE_UP_TO_ERROR */
    const filch_function_info *info; /* what traces and dumps call the whole; static. Default: what
                                        they call the source */
} filch_pipeline_options;

/* Effect: asks the source for items until it answers FILCH_END, sends each through all stages, and
 * returns when all have come to the end. After an error the source is asked no more.
 * Args: source: fills in an item of item_bytes bytes, which are zero before; if it answers anything
 * but FILCH_OK, there is no item, and those before it come to the end; stages: at least one.
 * Errors: FILCH_ERAISED: a stage, or the source, raised an error (FILCH_ON(pool, .error = &error):
 * which, and at which item); FILCH_ETIMEDOUT (options.h); what else the source answered but
 * FILCH_OK and FILCH_END; FILCH_ECANCELED: it was asked to stop, see filch_cancelled(), and all
 * items that were under way have been dropped;
 * FILCH_EINVAL: also, with a line in the log: a stage takes another type than it would get;
 * FILCH_EOVERFLOW, FILCH_ENOMEM, FILCH_ECLOSED, FILCH_EFORKED, FILCH_EBROKEN: nothing has run.
 * Threads: any. Blocks; may migrate when called from a task. */
FILCH_MUST_CHECK filch_status filch_pipeline(filch_pool *pool,
                                             filch_status (*source)(void *context, void *item),
                                             void *source_context, size_t item_bytes,
                                             const filch_stage *stages, size_t stage_count,
                                             const filch_pipeline_options *options);

/* What makes items; static, from FILCH_SOURCE. */
typedef struct filch_source_type {
    filch_status (*next)(const void *captures, void *item);
    filch_type makes;
    size_t makes_bytes;
    const filch_function_info *info;
} filch_source_type;

/* Effect: the same with a FILCH_SOURCE. captures: not copied. What generated code uses. */
FILCH_MUST_CHECK filch_status filch_pipeline_of(filch_pool *pool, const filch_source_type *source,
                                                const void *captures, const filch_stage *stages,
                                                size_t stage_count,
                                                const filch_pipeline_options *options);

#ifdef __cplusplus
}
#endif

/* clang-format off */
/* FILCH_SOURCE(T, name, ["doc",] (U, shared), ...) { body }: the body finds `item`, a T *, which is
 * zero; it fills it in and returns FILCH_OK, or returns FILCH_END. Gives the plain function
 * name(item, shared, ...), name_info, and
 *
 *     name_pipeline(pool, shared, ..., stages, n, &options)
 */
#define FILCH_SOURCE(T, ...) FILCH_SHAPED(FILCH_SOURCE, FILCH_SOURCE, T, __VA_ARGS__, ~)
#define FILCH_SOURCE_TAKES FILCH_TAKES_UP_TO_8
#define FILCH_SOURCE_RULE FILCH_RULE_UP_TO_8
#define FILCH_SOURCE_STUBS(T, name, ...)                                                           \
    FILCH_STUB(filch_status, name)                                                                 \
    FILCH_STUB(filch_status, name##_pipeline)
#define FILCH_SOURCE_GENERATE(T, name, doc, ...)                                                   \
    static filch_status name(FILCH_UNUSED T *item FILCH_MORE(FILCH_DECLARE, __VA_ARGS__));         \
    typedef T filch_of_item_##name;                                                                \
    FILCH_ASSERT_ALIGNED(filch_of_item_##name);                                                    \
    FILCH_ARGS_TYPE(name, __VA_ARGS__)                                                             \
    FILCH_INFO(name, doc, sizeof(name##_args))                                                     \
    FILCH_UNUSED static filch_status filch_of_next_##name(const void *filch_captures,              \
                                                          void *filch_result)                      \
    {                                                                                              \
        FILCH_UNUSED const name##_args *filch_args = (const name##_args *)filch_captures;          \
        return name((filch_of_item_##name *)filch_result FILCH_MORE(FILCH_OF_ARGS, __VA_ARGS__));  \
    }                                                                                              \
    FILCH_UNUSED static const filch_source_type filch_of_source_##name = {                         \
        filch_of_next_##name, FILCH_TYPE(T), sizeof(filch_of_item_##name), &name##_info};          \
    FILCH_CHECKED filch_status name##_pipeline(                                                    \
        filch_pool *filch_to FILCH_MORE(FILCH_DECLARE, __VA_ARGS__),                               \
        const filch_stage *filch_stages, size_t filch_n,                                           \
        const filch_pipeline_options *filch_choices)                                               \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_pipeline_of(filch_to, &filch_of_source_##name, filch_args, filch_stages,      \
                filch_n,                                                                           \
                                 filch_choices);                                                   \
    }                                                                                              \
    FILCH_MENTION(name)                                                                            \
    static filch_status name(FILCH_UNUSED T *item FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))

/* FILCH_STAGE(R, name, ["doc",] (T, x), (U, shared), ...) { body }: takes a T and returns what the
 * next stage takes; R void: the T goes on. Shared parameters take at most FILCH_INLINE_BYTES. Gives
 * the plain function name(x, shared, ...), name_info, and the stages
 *
 *     name_parallel(shared, ...), name_serial(shared, ...)
 */
#define FILCH_STAGE(R, ...) FILCH_SHAPED(FILCH_STAGE, FILCH_STAGE, R, __VA_ARGS__, ~)
#define FILCH_STAGE_TAKES FILCH_TAKES_1_AND_UP_TO_8
#define FILCH_STAGE_RULE                                                                           \
    the item (type, x), then at most eight shared parameters, each (type, name)
#define FILCH_STAGE_STUBS(R, name, ...)                                                            \
    FILCH_STUB(R, name)                                                                            \
    FILCH_STUB(filch_stage, name##_parallel)                                                       \
    FILCH_STUB(filch_stage, name##_serial)
#define FILCH_STAGE_GENERATE(R, name, doc, first, ...)                                             \
    static R name(FILCH_DECLARE first FILCH_MORE(FILCH_DECLARE, __VA_ARGS__));                     \
    typedef FILCH_TYPE_OF first filch_of_taken_##name;                                             \
    FILCH_ASSERT_ALIGNED(filch_of_taken_##name);                                                   \
    FILCH_RESULT(FILCH_RESULT_ALIGNED_, R)                                                         \
    FILCH_ARGS_TYPE(name, __VA_ARGS__)                                                             \
    FILCH_ASSERT_STATIC(sizeof(name##_args) <= FILCH_INLINE_BYTES,                                 \
                        "filch: what a stage shares takes at most FILCH_INLINE_BYTES");            \
    FILCH_INFO(name, doc, sizeof(name##_args))                                                     \
    FILCH_UNUSED static void filch_of_pass_##name(const void *filch_captures,                      \
                                                  const void *filch_taken, void *filch_result)     \
    {                                                                                              \
        name##_args filch_bound;                                                                   \
        FILCH_UNUSED const name##_args *filch_args = &filch_bound;                                 \
        memcpy(&filch_bound, filch_captures, sizeof filch_bound);                                  \
        FILCH_RESULT(FILCH_RESULT_STORE_, R)                                                       \
        name(*(const filch_of_taken_##name *)filch_taken FILCH_MORE(FILCH_OF_ARGS, __VA_ARGS__));  \
        (void)filch_result;                                                                        \
    }                                                                                              \
    FILCH_UNUSED static const filch_stage_type filch_of_type_##name = {                            \
        filch_of_pass_##name, FILCH_TYPE_IN first, sizeof(filch_of_taken_##name),                  \
        FILCH_RESULT_TYPE(R), FILCH_RESULT(FILCH_RESULT_BYTES_, R)};                               \
    FILCH_STAGE_MAKER(name, parallel, FILCH_STAGE_PARALLEL, __VA_ARGS__)                           \
    FILCH_STAGE_MAKER(name, serial, FILCH_STAGE_SERIAL, __VA_ARGS__)                               \
    FILCH_MENTION(name)                                                                            \
    static R name(FILCH_DECLARE first FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))
#define FILCH_STAGE_MAKER(name, word, filch_its_kind, ...)                                         \
    FILCH_UNUSED static inline filch_stage name##_##word(                                          \
        FILCH_LIST(FILCH_DECLARE, void, __VA_ARGS__))                                              \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        filch_stage filch_made = filch_stage_of(filch_its_kind, NULL, NULL);                       \
        filch_made.info = &name##_info;                                                            \
        filch_made.type = &filch_of_type_##name;                                                   \
        memcpy(filch_made.captures, filch_args, sizeof *filch_args);                               \
        return filch_made;                                                                         \
    }
/* clang-format on */

#endif
