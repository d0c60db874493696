/* The way of the tokens through a pipeline. */
#include "loop/pipeline_line.h"

#include <string.h>

#include "base/base.h"
#include "os/os_modes.h"
#include "pool/fault.h"
#include "sched/cancel.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/region.h"
#include "sched/suspend.h"
#include "sched/threads.h"
#include "sched/unwound.h"
#include "work/work.h"

/* ---- tokens come and go ---- */

static void send_token(struct filch_token *token)
{
    filch_trace(FILCH_TRACE_SPAWN, 0, token->line->info, filch_trace_name_of(token));
    filch_pool_continue(token->line->pool, &token->task);
}

static bool line_is_stopped(struct filch_line *line)
{
    return filch_cancel_scope_is_cancelled(line->frame->scope) ||
           filch_pool_state(line->pool) == FILCH_POOL_TERMINATED;
}

static size_t cut_of_line(struct filch_line *line)
{
    /* relaxed: by the turn's lock the next in a turn sees it; others may be late */
    return atomic_load_explicit(&line->cut, memory_order_relaxed);
}

/* The item of that number has failed. */
static void cut_line(struct filch_line *line, size_t number)
{
    const filch_pipeline_options *options = line->options;
    size_t cut = cut_of_line(line);
    number = options && options->policy == FILCH_PIPELINE_DROP ? 0 : number;
    while (number < cut && /* relaxed, both: as above */
           !atomic_compare_exchange_weak_explicit(&line->cut, &cut, number, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}

static bool line_is_over(struct filch_line *line)
{
    return cut_of_line(line) != SIZE_MAX || line_is_stopped(line);
}

/* Does its item go no further? */
static bool is_cut(const struct filch_token *token)
{
    struct filch_line *line = token->line;
    if (token->number > cut_of_line(line)) {
        return true;
    }
    bool stopped = line_is_stopped(line);
    if (stopped) { /* relaxed: the caller reads it when all is done, see retire() */
        atomic_store_explicit(&line->stopped, true, memory_order_relaxed);
    }
    return stopped;
}

static void retire(struct filch_line *line)
{
    /* acq_rel: the last one has seen what all did, and so does the caller */
    if (atomic_fetch_sub_explicit(&line->busy, 1, memory_order_acq_rel) == 1) {
        filch_latch_open(&line->done); /* the line may be gone */
    }
}

/* User code, in a frame whose index is the item's number. False: it raised an error. Whether it was
 * this item or another is seen in a fault of its own. */
static bool visit(struct filch_token *token, const filch_stage *stage)
{
    struct filch_line *line = token->line;
    const filch_function_info *info = stage && stage->info ? stage->info : line->info;
    struct filch_fiber *fiber = filch_fiber_self();
    struct filch_frame frame;
    struct filch_fault fault;
    filch_fault_init(&fault);
    filch_frame_push(&frame, fiber, &fault, info);
    frame.scope = line->frame->scope;
    frame.next = &token->number;
    filch_frame_seclude_as(&frame, fiber, line->modes);
    FILCH_UNWINDS(filch_must_return_end) struct filch_must_return must = filch_must_return_begin();
    filch_trace(FILCH_TRACE_STAGE, 0, info, token->number - 1);
    if (!stage) {
        line->answer = line->source->next(line->captures, token->item);
    } else if (stage->type) {
        stage->type->pass(stage->captures, token->item, token->spare);
    } else {
        stage->run(stage->context, token->item);
    }
    filch_trace(FILCH_TRACE_STAGE_END, 0, info, token->number - 1);
    must.returned = true;
    filch_frame_pop(&frame, fiber);
    bool raised = filch_fault_result(&fault, NULL) != FILCH_OK; /* all that it forked is joined */
    if (raised) {
        filch_fault_pass_on(&fault, line->frame->fault);
        cut_line(line, (size_t)token->number - 1);
    }
    return !raised;
}

/* What the stage has made is the item now. */
static void move_on(struct filch_token *token, const filch_stage *stage)
{
    if (stage->type && stage->type->makes_bytes) {
        unsigned char *item = token->item;
        token->item = token->spare;
        token->spare = item;
    }
}

static void drop_item(struct filch_token *token)
{
    const filch_pipeline_options *options = token->line->options;
    if (options && options->drop) {
        options->drop(options->drop_context, token->stage, token->item);
    }
    token->item = NULL;
}

/* ---- the source ---- */

/* True: it is this token's to ask. False: it waits, or there is nothing to wait for. */
static bool take_source(struct filch_token *token)
{
    struct filch_line *line = token->line;
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

static void retire_all(struct filch_line *line, struct filch_token *idle)
{
    while (idle) {
        struct filch_token *next = idle->next;
        retire(line);
        idle = next;
    }
}

/* The next token may ask, or, when it has ended, none. */
static void leave_source(struct filch_token *token, bool has_item)
{
    struct filch_line *line = token->line;
    token->asks = false;
    filch_lock_acquire(&line->lock, FILCH_RANK_LINE);
    line->reading = false;
    line->ended = !has_item || line_is_over(line);
    struct filch_token *idle = line->idle;
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

static bool read_item(struct filch_token *token)
{
    struct filch_line *line = token->line;
    bool has_item = !line_is_over(line);
    if (has_item) {
        memset(token->item, 0, line->source->makes_bytes);
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
static bool take_turn(struct filch_turn *turn, struct filch_token *token)
{
    filch_lock_acquire(&turn->lock, FILCH_RANK_TURN);
    bool ours = turn->expected == token->number - 1;
    if (!ours) {
        turn->row[(token->number - 1) % token->line->token_count] = token;
    }
    filch_lock_release(&turn->lock);
    return ours;
}

static void leave_turn(struct filch_turn *turn, struct filch_token *token)
{
    filch_lock_acquire(&turn->lock, FILCH_RANK_TURN);
    turn->expected++;
    struct filch_token **place = &turn->row[turn->expected % token->line->token_count];
    struct filch_token *next = *place;
    *place = NULL;
    filch_lock_release(&turn->lock);
    if (next) {
        send_token(next);
    }
}

/* One stage. False: the token waits for its turn. An item that is dropped takes its turns, too, so
 * that those behind it go on. */
static bool pass_stage(struct filch_token *token)
{
    struct filch_line *line = token->line;
    const filch_stage *stage = &line->stages[token->stage];
    struct filch_turn *turn = &line->turns[token->stage];
    if (stage->kind == FILCH_STAGE_SERIAL && !take_turn(turn, token)) {
        return false;
    }
    if (token->item && (is_cut(token) || !visit(token, stage))) {
        drop_item(token);
    } else if (token->item) {
        move_on(token, stage);
    }
    token->stage++;
    if (stage->kind == FILCH_STAGE_SERIAL) {
        leave_turn(turn, token);
    }
    return true;
}

/* Room for an item. */
static void take_slot(struct filch_token *token)
{
    struct filch_line *line = token->line;
    size_t slot = (size_t)(token - line->tokens) * (line->moves ? 2 : 1);
    token->item = line->items + slot * line->slot_bytes;
    token->spare = line->moves ? token->item + line->slot_bytes : NULL;
}

/* Go on until it must wait, or there is nothing more to do. */
static void advance_line(struct filch_token *token)
{
    struct filch_line *line = token->line;
    for (;;) {
        if (token->stage == line->stage_count) {
            take_slot(token);
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
    struct filch_token *token = FILCH_CONTAINER(task, struct filch_token, task);
    struct filch_line *line = token->line;
    struct filch_pool *pool = line->pool;
    enum filch_trace_type end = filch_core_trace_task(filch_core_picked(), line->info, token);
    advance_line(token); /* the line may be gone */
    filch_trace(end, 0, NULL, filch_trace_name_of(line));
    filch_pool_task_ended(pool);
}

/* ---- the whole ---- */

static bool is_of_line(struct filch_detached *task, void *line)
{
    return task->run == run_token && FILCH_CONTAINER(task, struct filch_token, task)->line == line;
}

static const struct filch_wait_kind stages_wait = {
    .what = "the stages of a pipeline", .enlist = filch_latch_enlist, .derived = true};

void filch_line_run(void *context)
{
    struct filch_line *line = context;
    line->frame = filch_fiber_self()->frame;
    line->modes = filch_os_modes();
    if (!filch_pool_has_thread(line->pool)) {
        line->token_count = 1; /* the caller does it all */
    }
    atomic_init(&line->busy, line->token_count);
    for (size_t i = 0; i < line->token_count; i++) {
        struct filch_token *token = &line->tokens[i];
        *token =
            (struct filch_token){.task.run = run_token, .line = line, .stage = line->stage_count};
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
