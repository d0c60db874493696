/* A run of a graph: nodes begin when what they need has ended.
 *
 * A thread goes on with one of the nodes that it has made ready, and sends the others into the
 * pool; so along a chain nothing is queued. A node renews its own counters when it begins: all that
 * count it down have done so by then, in this run. What is left out is passed through in the same
 * way, so each run ends with all counters as they were. */
#include "graph/graph.h"

#include "base/assert.h"
#include "os/os_modes.h"
#include "pool/closure_private.h"
#include "sched/cancel.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/region.h"
#include "sched/suspend.h"
#include "sched/threads.h"
#include "sched/unwound.h"

static bool graph_is_stopped(struct filch_graph *graph)
{
    return filch_cancel_scope_is_cancelled(graph->frame->scope) ||
           filch_pool_state(graph->pool) == FILCH_POOL_TERMINATED;
}

/* ---- limits ---- */

/* False: it waits in line, and whoever leaves the limit has it go on. */
static bool take_place(struct filch_node *node)
{
    struct filch_limit *limit = node->limit;
    /* relaxed: what set it came before the node was ready */
    if (!limit || atomic_load_explicit(&node->skipped, memory_order_relaxed)) {
        return true;
    }
    filch_lock_acquire(&limit->lock, FILCH_RANK_LIMIT);
    node->limited = limit->free > 0;
    if (node->limited) {
        limit->free--;
    } else {
        *(limit->first ? &limit->last->next : &limit->first) = node;
        limit->last = node;
        node->next = NULL;
    }
    bool taken = node->limited;
    filch_lock_release(&limit->lock);
    return taken;
}

/* The next in line, which has the place now; or NULL. */
static struct filch_node *leave_place(struct filch_node *node)
{
    struct filch_limit *limit = node->limit;
    if (!node->limited) {
        return NULL;
    }
    node->limited = false;
    filch_lock_acquire(&limit->lock, FILCH_RANK_LIMIT);
    struct filch_node *next = limit->first;
    if (next) {
        limit->first = next->next;
        next->limited = true;
    } else {
        limit->free++;
    }
    filch_lock_release(&limit->lock);
    return next;
}

/* ---- a node ---- */

static void run_sent_node(struct filch_detached *task);

static void send_node(struct filch_node *node)
{
    node->task.run = run_sent_node;
    filch_trace(FILCH_TRACE_SPAWN, 0, filch_node_info(node), filch_trace_name_of(node));
    filch_pool_continue(node->graph->pool, &node->task);
}

/* One that is ready: the thread goes on with the first, and sends the others. */
static void go_on_with(struct filch_node *node, struct filch_node **next)
{
    struct filch_graph *graph = node->graph;
    if (!*next) {
        *next = node;
    } else if (graph->alone) {
        node->next = graph->line;
        graph->line = node;
    } else {
        send_node(node);
    }
}

static struct filch_node *take_from_line(struct filch_graph *graph)
{
    struct filch_node *node = graph->alone ? graph->line : NULL;
    if (node) {
        graph->line = node->next; /* no other thread has to do with it */
    }
    return node;
}

/* The program's code, in a frame whose index is the node's number. False: it raised an error. */
static bool call_node(struct filch_node *node)
{
    struct filch_graph *graph = node->graph;
    const unsigned long long number = (unsigned long long)node->number + 1; /* as a frame counts */
    struct filch_fiber *fiber = filch_fiber_self();
    struct filch_frame frame;
    struct filch_fault fault;
    filch_fault_init(&fault);
    filch_frame_push(&frame, fiber, &fault, filch_node_info(node));
    frame.scope = graph->frame->scope;
    frame.next = &number;
    filch_frame_seclude_as(&frame, fiber, graph->modes);
    filch_closure_invoke(&node->closure, node->result);
    filch_frame_pop(&frame, fiber);
    bool raised = filch_fault_result(&fault, NULL) != FILCH_OK; /* all that it forked is joined */
    if (raised) {
        filch_fault_pass_on(&fault, graph->frame->fault);
    }
    return !raised;
}

/* How it is recorded that it ends. */
static enum filch_trace_type trace_node(const struct filch_node *node, bool picked)
{
    if (!filch_trace_is_on()) {
        return FILCH_TRACE_END_OWN;
    }
    const struct filch_picked own = {.how = FILCH_TRACE_OWN};
    return filch_core_trace_task(picked ? filch_core_picked() : own, filch_node_info(node), node);
}

/* False: it has failed, or was left out. */
static bool carry_out_node(struct filch_node *node, bool picked)
{
    struct filch_graph *graph = node->graph;
    /* relaxed, all: what set it came before the node was ready; and those that count it down in the
     * next run come after this one */
    bool skipped = atomic_load_explicit(&node->skipped, memory_order_relaxed);
    atomic_store_explicit(&node->skipped, false, memory_order_relaxed);
    atomic_store_explicit(&node->undone, node->need_count, memory_order_relaxed);
    node->state = FILCH_DOT_PENDING;
    if (skipped) {
        return false;
    }
    if (graph_is_stopped(graph)) {
        /* relaxed: the caller reads it when all is done */
        atomic_store_explicit(&graph->stopped, true, memory_order_relaxed);
        return false;
    }
    enum filch_trace_type end = trace_node(node, picked);
    bool succeeded = call_node(node);
    filch_trace(end, 0, NULL, filch_trace_name_of(graph));
    node->state = succeeded ? FILCH_DOT_SUCCEEDED : FILCH_DOT_FAILED;
    return succeeded;
}

/* It has ended: what follows it is nearer to its begin. A node that is ready now, or NULL. */
static struct filch_node *end_node(struct filch_node *node, bool succeeded)
{
    struct filch_node *next = leave_place(node);
    for (size_t i = 0; i < node->follower_count; i++) {
        struct filch_node *follower = node->followers[i];
        if (!succeeded) {
            /* relaxed: the count below carries it */
            atomic_store_explicit(&follower->skipped, true, memory_order_relaxed);
        }
        /* acq_rel: the last sees what all needs have done */
        if (atomic_fetch_sub_explicit(&follower->undone, 1, memory_order_acq_rel) == 1 &&
            take_place(follower)) {
            go_on_with(follower, &next);
        }
    }
    return next;
}

/* The node, and what can be gone on with from there. The graph may be gone after this. */
static void run_from(struct filch_node *node, bool picked)
{
    struct filch_graph *graph = node->graph;
    size_t ended = 0;
    FILCH_UNWINDS(filch_must_return_end) struct filch_must_return must = filch_must_return_begin();
    while (node) {
        bool succeeded = carry_out_node(node, picked);
        node = end_node(node, succeeded);
        node = node ? node : take_from_line(graph);
        ended++;
        picked = false;
    }
    must.returned = true;
    /* acq_rel: the last one has seen what all did, and so does the caller */
    if (atomic_fetch_sub_explicit(&graph->undone, ended, memory_order_acq_rel) == ended) {
        filch_latch_open(&graph->done);
    }
}

static void run_sent_node(struct filch_detached *task)
{
    struct filch_node *node = FILCH_CONTAINER(task, struct filch_node, task);
    struct filch_pool *pool = node->graph->pool;
    run_from(node, true);
    filch_pool_task_ended(pool);
}

/* ---- the whole ---- */

static bool is_of_graph(struct filch_detached *task, void *graph)
{
    return task->run == run_sent_node &&
           FILCH_CONTAINER(task, struct filch_node, task)->graph == graph;
}

static void trace_needs_of_nodes(const struct filch_graph *graph)
{
    for (size_t i = 0; filch_trace_is_on() && i < graph->need_count; i++) {
        const struct filch_node *node = graph->nodes[graph->needs[i].node];
        const struct filch_node *need = graph->nodes[graph->needs[i].need];
        if (i == node->first_need) {
            filch_trace(FILCH_TRACE_NEEDS, FILCH_TRACE_NEEDS_ALL, filch_node_info(node),
                        filch_trace_name_of(node));
        }
        filch_trace(FILCH_TRACE_NEED, 0, filch_node_info(need), filch_trace_name_of(need));
    }
}

static const struct filch_wait_kind nodes_wait = {
    .what = "the nodes of a graph", .enlist = filch_latch_enlist, .derived = true};

void filch_graph_run_inside(void *context)
{
    struct filch_graph *graph = context;
    struct filch_node *next = NULL;
    graph->frame = filch_fiber_self()->frame;
    graph->modes = filch_os_modes();
    graph->alone = !filch_pool_has_thread(graph->pool);
    graph->line = NULL;
    trace_needs_of_nodes(graph);
    for (size_t i = graph->first_count; i-- > 0;) {
        struct filch_node *node = graph->first[i];
        if (take_place(node)) {
            go_on_with(node, &next);
        }
    }
    if (!next) {
        return; /* there are no nodes */
    }
    run_from(next, false);
    filch_core_run_tasks(graph->pool, is_of_graph, graph);
    if (!filch_latch_is_open(&graph->done)) {
        filch_suspend_join(&nodes_wait, &graph->done);
    }
    filch_trace(FILCH_TRACE_JOINED, 0, NULL, filch_trace_name_of(graph));
}
