/* A token carries one item after the other through the stages. It is a task as long as it can go
 * on; where it must wait for its turn it lies in the stage's row until the item before it has left.
 * The source is the first serial stage: tokens without an item stand in line before it. */
#include <filch/pipeline.h>

#include <string.h>

#include "base/base.h"
#include "base/memory.h"
#include "os/os_modes.h"
#include "pool/default_pool.h"
#include "pool/fault.h"
#include "sched/cancel.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/region.h"
#include "sched/suspend.h"
#include "sched/unwound.h"
#include "work/work.h"

struct token {
    struct filch_detached task;
    struct line *line;
    struct token *next;        /* lock of the line: among those that wait for the source */
    size_t stage;              /* where it goes next; the number of stages: to the source */
    unsigned long long number; /* of its item, and one more: as a frame counts */
    unsigned char *item;       /* NULL: it was dropped */
    bool asks; /* the source is its own to ask: the token that had it before has seen to that */
};

/* A serial stage: whose turn it is, and which tokens wait. */
struct turn {
    struct filch_lock lock;
    size_t expected;    /* lock: the item that comes next */
    struct token **row; /* lock: tokens of them; by number */
};

/* The pipeline. */
struct line {
    filch_status (*source)(void *context, void *item);
    void *source_context;
    size_t item_bytes;
    const filch_stage *stages;
    size_t stage_count;
    const filch_pipeline_options *options;
    struct filch_pool *pool;
    struct filch_frame *frame; /* the caller's: errors go there */
    uint64_t modes;            /* the caller's */
    struct token *tokens;
    unsigned char *items;
    struct turn *turns; /* one per stage */
    struct token **rows;
    size_t token_count;

    struct filch_lock lock;
    bool reading;         /* lock: a token asks the source */
    bool ended;           /* lock: it is asked no more */
    filch_status answer;  /* lock: what it said last */
    size_t numbered;      /* lock: items so far */
    struct token *idle;   /* lock: tokens that wait for the source */
    _Atomic(size_t) busy; /* tokens that will do something still */
    _Atomic(bool) failed;
    struct filch_latch done;
};

/* ---- tokens come and go ---- */

static void send_token(struct token *token)
{
    filch_trace(FILCH_TRACE_SPAWN, 0, token->line->frame->info, filch_trace_name_of(token));
    filch_pool_continue(token->line->pool, &token->task);
}

static bool line_is_over(struct line *line)
{
    /* relaxed: a token may see it late */
    return atomic_load_explicit(&line->failed, memory_order_relaxed) ||
           filch_cancel_scope_is_cancelled(line->frame->scope) ||
           filch_pool_state(line->pool) == FILCH_POOL_TERMINATED;
}

static void fail(struct line *line)
{
    atomic_store_explicit(&line->failed, true, memory_order_relaxed); /* relaxed: as above */
}

static void retire(struct line *line)
{
    /* acq_rel: the last one has seen what all did, and so does the caller */
    if (atomic_fetch_sub_explicit(&line->busy, 1, memory_order_acq_rel) == 1) {
        filch_latch_open(&line->done); /* the line may be gone */
    }
}

/* User code, in a frame whose index is the item's number. False: it raised an error. Whether it was
 * this item or another is seen in a fault of its own. */
static bool visit(struct token *token, const filch_stage *stage)
{
    struct line *line = token->line;
    struct filch_fiber *fiber = filch_fiber_self();
    struct filch_frame frame;
    struct filch_fault fault;
    filch_fault_init(&fault);
    filch_frame_push(&frame, fiber, &fault, line->frame->info);
    frame.scope = line->frame->scope;
    frame.next = &token->number;
    filch_frame_seclude_as(&frame, fiber, line->modes);
    FILCH_UNWINDS(filch_must_return_end) struct filch_must_return must = filch_must_return_begin();
    if (stage) {
        stage->run(stage->context, token->item);
    } else {
        line->answer = line->source(line->source_context, token->item);
    }
    must.returned = true;
    filch_frame_pop(&frame, fiber);
    bool raised = filch_fault_result(&fault, NULL) != FILCH_OK; /* all that it forked is joined */
    if (raised) {
        filch_fault_pass_on(&fault, line->frame->fault);
        fail(line);
    }
    return !raised;
}

static void drop_item(struct token *token)
{
    const filch_pipeline_options *options = token->line->options;
    if (options && options->drop) {
        options->drop(options->drop_context, token->item);
    }
    token->item = NULL;
}

/* ---- the source ---- */

/* True: it is this token's to ask. False: it waits, or there is nothing to wait for. */
static bool take_source(struct token *token)
{
    struct line *line = token->line;
    if (token->asks) {
        return true;
    }
    filch_lock_acquire(&line->lock, FILCH_RANK_LINE);
    bool ours = !line->reading && !line->ended;
    bool retires = line->ended;
    if (ours) {
        line->reading = true;
    } else if (!retires) {
        token->next = line->idle;
        line->idle = token;
    }
    filch_lock_release(&line->lock);
    if (retires) {
        retire(line);
    }
    return ours;
}

static void retire_all(struct line *line, struct token *idle)
{
    while (idle) {
        struct token *next = idle->next;
        retire(line);
        idle = next;
    }
}

/* The next token may ask, or, when it has ended, none. */
static void leave_source(struct token *token, bool has_item)
{
    struct line *line = token->line;
    token->asks = false;
    filch_lock_acquire(&line->lock, FILCH_RANK_LINE);
    line->reading = false;
    line->ended = !has_item || line_is_over(line);
    struct token *idle = line->idle;
    line->numbered += has_item;
    if (line->ended) {
        line->idle = NULL;
    } else if (idle) {
        line->idle = idle->next;
        idle->asks = true;
        line->reading = true;
    }
    bool ended = line->ended;
    filch_lock_release(&line->lock);
    if (ended) {
        retire_all(line, idle);
    } else if (idle) {
        send_token(idle);
    }
}

static bool read_item(struct token *token)
{
    struct line *line = token->line;
    bool has_item = !line_is_over(line);
    if (has_item) {
        memset(token->item, 0, line->item_bytes);
        token->number = line->numbered + 1; /* ours alone to change now */
        visit(token, NULL);
        has_item = line->answer == FILCH_OK;
    }
    token->stage = 0;
    leave_source(token, has_item);
    if (!has_item) {
        retire(line);
    }
    return has_item;
}

/* ---- serial stages ---- */

/* True: it is this token's turn. False: it lies in the row, and will be sent. */
static bool take_turn(struct turn *turn, struct token *token)
{
    filch_lock_acquire(&turn->lock, FILCH_RANK_TURN);
    bool ours = turn->expected == token->number - 1;
    if (!ours) {
        turn->row[(token->number - 1) % token->line->token_count] = token;
    }
    filch_lock_release(&turn->lock);
    return ours;
}

static void leave_turn(struct turn *turn, struct token *token)
{
    filch_lock_acquire(&turn->lock, FILCH_RANK_TURN);
    turn->expected++;
    struct token **place = &turn->row[turn->expected % token->line->token_count];
    struct token *next = *place;
    *place = NULL;
    filch_lock_release(&turn->lock);
    if (next) {
        send_token(next);
    }
}

/* One stage. False: the token waits for its turn. An item that is dropped takes its turns, too, so
 * that those behind it go on. */
static bool pass_stage(struct token *token)
{
    struct line *line = token->line;
    const filch_stage *stage = &line->stages[token->stage];
    struct turn *turn = &line->turns[token->stage];
    if (stage->kind == FILCH_STAGE_SERIAL && !take_turn(turn, token)) {
        return false;
    }
    if (token->item && (line_is_over(line) || !visit(token, stage))) {
        drop_item(token);
    }
    token->stage++;
    if (stage->kind == FILCH_STAGE_SERIAL) {
        leave_turn(turn, token);
    }
    return true;
}

/* Go on until it must wait, or there is nothing more to do. */
static void advance_line(struct token *token)
{
    struct line *line = token->line;
    for (;;) {
        if (token->stage == line->stage_count) {
            token->item = line->items + (size_t)(token - line->tokens) * line->item_bytes;
            if (!take_source(token) || !read_item(token)) {
                return;
            }
        }
        while (token->stage < line->stage_count) {
            if (!pass_stage(token)) {
                return;
            }
        }
    }
}

static void run_token(struct filch_detached *task)
{
    struct token *token = FILCH_CONTAINER(task, struct token, task);
    struct line *line = token->line;
    struct filch_pool *pool = line->pool;
    enum filch_trace_type end =
        filch_core_trace_task(filch_core_picked(), line->frame->info, token);
    advance_line(token); /* the line may be gone */
    filch_trace(end, 0, NULL, filch_trace_name_of(line));
    filch_pool_task_ended(pool);
}

/* ---- the whole ---- */

static bool is_of_line(struct filch_detached *task, void *line)
{
    return task->run == run_token && FILCH_CONTAINER(task, struct token, task)->line == line;
}

static const struct filch_wait_kind stages_wait = {
    .what = "the stages of a pipeline", .enlist = filch_latch_enlist, .derived = true};

static void run_line(void *context)
{
    struct line *line = context;
    line->frame = filch_fiber_self()->frame;
    line->modes = filch_os_modes();
    if (!filch_pool_has_thread(line->pool)) {
        line->token_count = 1; /* the caller does it all */
    }
    atomic_init(&line->busy, line->token_count);
    for (size_t i = 0; i < line->token_count; i++) {
        struct token *token = &line->tokens[i];
        *token = (struct token){.task.run = run_token, .line = line, .stage = line->stage_count};
        token->next = i > 1 ? &line->tokens[i - 1] : NULL;
    }
    line->idle = line->token_count > 1 ? &line->tokens[line->token_count - 1] : NULL;
    advance_line(&line->tokens[0]);
    filch_core_run_tasks(line->pool, is_of_line, line);
    if (!filch_latch_is_open(&line->done)) {
        filch_suspend_join(&stages_wait, &line->done);
    }
    filch_trace(FILCH_TRACE_JOINED, 0, NULL, filch_trace_name_of(line));
}

static bool allocate(struct line *line)
{
    size_t items, rows, tokens;
    if (!filch_multiply(line->token_count, line->item_bytes, &items) ||
        !filch_multiply(line->token_count, sizeof *line->tokens, &tokens) ||
        !filch_multiply(line->token_count, line->stage_count, &rows)) {
        return false;
    }
    line->tokens = filch_malloc(tokens);
    line->items = filch_malloc_for(line->item_bytes, items);
    line->turns = filch_calloc(line->stage_count, sizeof *line->turns);
    line->rows = filch_calloc(rows, sizeof *line->rows);
    for (size_t s = 0; line->turns && s < line->stage_count; s++) {
        filch_lock_init(&line->turns[s].lock);
        line->turns[s].row = line->rows + s * line->token_count;
    }
    return line->tokens && line->items && line->turns && line->rows;
}

static bool stages_are_valid(const filch_stage *stages, size_t stage_count)
{
    bool valid = stages && stage_count;
    for (size_t s = 0; valid && s < stage_count; s++) {
        filch_stage_kind kind = stages[s].kind;
        valid = stages[s].run && (kind == FILCH_STAGE_PARALLEL || kind == FILCH_STAGE_SERIAL);
    }
    return valid;
}

static filch_status line_outcome(struct line *line, struct filch_fault *fault)
{
    filch_error *error = line->options ? line->options->error : NULL;
    filch_status status = filch_fault_result(fault, error);
    if (status == FILCH_OK && line->answer != FILCH_OK && line->answer != FILCH_END) {
        status = line->answer;
    } else if (status == FILCH_OK && line->answer == FILCH_OK) {
        status = filch_pool_ended_as(line->pool, FILCH_ECANCELED); /* it was stopped */
    }
    if (error) {
        error->status = status;
    }
    return status;
}

filch_status filch_pipeline(filch_pool *pool, filch_status (*source)(void *context, void *item),
                            void *source_context, size_t item_bytes, const filch_stage *stages,
                            size_t stage_count, const filch_pipeline_options *options)
{
    if (!source || !item_bytes || !stages_are_valid(stages, stage_count)) {
        return FILCH_EINVAL;
    }
    filch_status status = filch_pool_resolve(pool, &pool);
    if (status != FILCH_OK) {
        return status;
    }
    size_t wanted = options ? options->tokens : 0;
    struct line line = {.source = source,
                        .source_context = source_context,
                        .item_bytes = item_bytes,
                        .stages = stages,
                        .stage_count = stage_count,
                        .options = options,
                        .pool = pool,
                        .token_count = wanted ? wanted : 4 * (size_t)pool->config.workers};
    FILCH_INFO(pipeline, "", 0)
    struct filch_fault fault;
    filch_fault_init(&fault);
    filch_lock_init(&line.lock);
    filch_latch_init(&line.done);
    bool room = allocate(&line);
    status = room ? filch_region_call(pool, run_line, &line, &fault, &pipeline_info) : FILCH_ENOMEM;
    status = status == FILCH_OK ? line_outcome(&line, &fault) : status;
    filch_free(line.tokens);
    filch_free(line.items);
    filch_free(line.turns);
    filch_free(line.rows);
    return status;
}
