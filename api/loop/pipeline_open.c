/* A pipeline: what it is given, and what comes of it. */
#include <filch/pipeline.h>

#include <stdio.h>

#include "base/base.h"
#include "base/memory.h"
#include "loop/pipeline_line.h"
#include "os/log.h"
#include "pool/call_options.h"
#include "pool/default_pool.h"
#include "pool/fault.h"
#include "pool/typed.h"
#include "sched/pool.h"
#include "sched/region.h"

/* ---- do the stages fit together? ---- */

static void tell_of_misfit(const filch_stage *stage, const struct filch_typed *flow)
{
    char message[512];
    const char *name = stage->info ? stage->info->name : "?";
    snprintf(message, sizeof message,
             "filch_pipeline: stage %.100s (%.100s:%d) takes %.80s (%zu bytes), but gets %.80s "
             "(%zu bytes)\n",
             name, stage->info ? stage->info->file : "", stage->info ? stage->info->line : 0,
             stage->type->takes.name, stage->type->takes_bytes,
             flow->type.name ? flow->type.name : "an item", flow->bytes);
    filch_log(FILCH_LOG_ERROR, message);
}

static bool is_valid_stage(const filch_stage *stage)
{
    return (stage->kind == FILCH_STAGE_PARALLEL || stage->kind == FILCH_STAGE_SERIAL) &&
           (stage->type ? stage->type->pass && stage->type->takes.name : stage->run != NULL);
}

static bool stage_fits(const filch_stage *stage, const struct filch_typed *flow)
{
    const filch_stage_type *type = stage->type;
    return !type || filch_typed_fits(*flow, filch_typed_of(type->takes_bytes, &type->takes));
}

static void note_slot(struct filch_line *line, size_t *alignment, size_t bytes)
{
    *alignment = filch_alignment_for_both(*alignment, bytes);
    line->slot_bytes = line->slot_bytes > bytes ? line->slot_bytes : bytes;
}

/* Look through the stages, and find out how large an item may become. */
static filch_status follow_items(struct filch_line *line)
{
    struct filch_typed flow = filch_typed_of(line->source->makes_bytes, &line->source->makes);
    size_t alignment = 1;
    note_slot(line, &alignment, flow.bytes);
    for (size_t s = 0; s < line->stage_count; s++) {
        const filch_stage *stage = &line->stages[s];
        if (!is_valid_stage(stage)) {
            return FILCH_EINVAL;
        }
        if (!stage_fits(stage, &flow)) {
            tell_of_misfit(stage, &flow);
            return FILCH_EINVAL;
        }
        if (stage->type && stage->type->makes_bytes) {
            flow = filch_typed_of(stage->type->makes_bytes, &stage->type->makes);
            note_slot(line, &alignment, flow.bytes);
            line->moves = true;
        }
    }
    if (line->slot_bytes > SIZE_MAX - alignment) {
        return FILCH_EOVERFLOW;
    }
    line->slot_bytes = filch_aligned_up(line->slot_bytes, line->moves ? alignment : 1);
    return FILCH_OK;
}

/* ---- memory ---- */

static bool allocate(struct filch_line *line)
{
    size_t slots, items, rows, tokens;
    if (!filch_multiply(line->token_count, line->moves ? 2 : 1, &slots) ||
        !filch_multiply(slots, line->slot_bytes, &items) ||
        !filch_multiply(line->token_count, sizeof *line->tokens, &tokens) ||
        !filch_multiply(line->token_count, line->stage_count, &rows)) {
        return false;
    }
    line->tokens = filch_malloc(tokens);
    line->items = filch_malloc_for(line->slot_bytes, items);
    line->turns = filch_calloc(line->stage_count, sizeof *line->turns);
    line->rows = filch_calloc(rows, sizeof *line->rows);
    for (size_t s = 0; line->turns && s < line->stage_count; s++) {
        filch_lock_init(&line->turns[s].lock);
        line->turns[s].row = line->rows + s * line->token_count;
    }
    return line->tokens && line->items && line->turns && line->rows;
}

static void free_line(struct filch_line *line)
{
    filch_free(line->tokens);
    filch_free(line->items);
    filch_free(line->turns);
    filch_free(line->rows);
}

/* ---- the call ---- */

static filch_status line_outcome(struct filch_line *line, const filch_options *how,
                                 struct filch_fault *fault)
{
    filch_status status = filch_fault_result(fault, filch_options_error(how));
    /* relaxed: all is done */
    bool stopped = atomic_load_explicit(&line->stopped, memory_order_relaxed);
    if (status == FILCH_OK && line->answer != FILCH_OK && line->answer != FILCH_END) {
        status = line->answer;
    } else if (status == FILCH_OK && (line->answer == FILCH_OK || stopped)) {
        status = filch_pool_ended_as(line->pool, FILCH_ECANCELED);
    }
    return status;
}

static filch_status carry_out_line(struct filch_line *line, const filch_options *how)
{
    struct filch_fault fault;
    filch_fault_init(&fault);
    filch_lock_init(&line->lock);
    filch_latch_init(&line->done);
    atomic_init(&line->cut, SIZE_MAX);
    atomic_init(&line->stopped, false);
    filch_status status = allocate(line) ? FILCH_OK : FILCH_ENOMEM;
    if (status == FILCH_OK) {
        filch_options_check(how, line->pool, FILCH_USES_IN_CALL, line->info);
        status = filch_call_with(line->pool, how, filch_line_run, line, &fault, line->info);
    }
    status = status == FILCH_OK ? line_outcome(line, how, &fault) : status;
    free_line(line);
    return filch_options_end(how, status);
}

static const filch_function_info unnamed = {.name = "pipeline", .doc = "", .file = ""};

static const filch_function_info *name_of_line(const filch_source_type *source,
                                               const filch_pipeline_options *options)
{
    const filch_function_info *given = options && options->info ? options->info : source->info;
    return given ? given : &unnamed;
}

filch_status filch_pipeline_of(filch_pool *pool, const filch_source_type *source,
                               const void *captures, const filch_stage *stages, size_t stage_count,
                               const filch_pipeline_options *options)
{
    if (!source || !source->next || !source->makes_bytes || !stages || !stage_count ||
        (options && (unsigned)options->policy > FILCH_PIPELINE_DROP)) {
        return filch_options_refuse(pool, FILCH_EINVAL);
    }
    struct filch_line line = {.source = source,
                              .captures = captures,
                              .stages = stages,
                              .stage_count = stage_count,
                              .options = options,
                              .info = name_of_line(source, options)};
    const filch_options *how = filch_options_of(pool);
    filch_status status = follow_items(&line);
    status = status == FILCH_OK ? filch_pool_resolve(pool, &line.pool) : status;
    if (status != FILCH_OK) {
        return filch_options_end(how, status);
    }
    size_t wanted = options ? options->tokens : 0;
    line.token_count = wanted ? wanted : 4 * (size_t)line.pool->config.workers;
    return carry_out_line(&line, how);
}

/* What a plain source captures. */
struct plain_source {
    filch_status (*next)(void *context, void *item);
    void *context;
};

static filch_status next_of_plain(const void *captures, void *item)
{
    const struct plain_source *plain = captures;
    return plain->next(plain->context, item);
}

filch_status filch_pipeline(filch_pool *pool, filch_status (*source)(void *context, void *item),
                            void *source_context, size_t item_bytes, const filch_stage *stages,
                            size_t stage_count, const filch_pipeline_options *options)
{
    const struct plain_source plain = {source, source_context};
    const filch_source_type type = {.next = source ? next_of_plain : NULL,
                                    .makes_bytes = item_bytes};
    return filch_pipeline_of(pool, &type, &plain, stages, stage_count, options);
}
