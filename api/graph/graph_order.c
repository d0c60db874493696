/* What a run needs to know of a graph: which nodes are first, which follow which, and that there is
 * an order. */
#include "graph/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "os/log.h"

/* ---- needs, each once ---- */

static int by_node_and_need(const void *a, const void *b)
{
    const struct filch_need_of_node *one = a;
    const struct filch_need_of_node *other = b;
    if (one->node != other->node) {
        return one->node < other->node ? -1 : 1;
    }
    return one->need < other->need ? -1 : one->need > other->need;
}

void filch_graph_sort_needs(struct filch_graph *graph)
{
    size_t kept = 0;
    if (graph->sorted || !graph->need_count) {
        return;
    }
    qsort(graph->needs, graph->need_count, sizeof *graph->needs, by_node_and_need);
    for (size_t i = 1; i < graph->need_count; i++) {
        if (by_node_and_need(&graph->needs[kept], &graph->needs[i]) != 0) {
            graph->needs[++kept] = graph->needs[i];
        }
    }
    graph->need_count = kept + 1;
    graph->sorted = true;
}

/* ---- a cycle ---- */

enum { CYCLE_TEXT = 500 };

/* A need of the node that is in no order either: there is one, of each that is left. */
static size_t need_left(const struct filch_graph *graph, const size_t *undone, size_t node)
{
    const struct filch_need_of_node *needs = &graph->needs[graph->nodes[node]->first_need];
    size_t i = 0;
    while (!undone[needs[i].need]) {
        i++;
    }
    return needs[i].need;
}

/* A node that is on a cycle: who goes back far enough from any that is left comes to one. */
static size_t node_on_cycle(const struct filch_graph *graph, const size_t *undone)
{
    size_t node = 0;
    while (!undone[node]) {
        node++;
    }
    for (size_t steps = 0; steps < graph->node_count; steps++) {
        node = need_left(graph, undone, node);
    }
    return node;
}

static void add_name(char text[CYCLE_TEXT], const struct filch_node *node)
{
    const filch_function_info *info = filch_node_info(node);
    size_t length = strlen(text);
    snprintf(text + length, CYCLE_TEXT - length, " <- %.60s", info ? info->name : "?");
}

static void tell_cycle(const struct filch_graph *graph, const size_t *undone)
{
    char text[CYCLE_TEXT] = "";
    char message[CYCLE_TEXT + 100];
    size_t start = node_on_cycle(graph, undone);
    size_t node = start;
    do {
        add_name(text, graph->nodes[node]);
        node = need_left(graph, undone, node);
    } while (node != start && strlen(text) < CYCLE_TEXT - 100);
    add_name(text, graph->nodes[node]);
    snprintf(message, sizeof message, "filch_graph_run() is refused: the graph has a cycle: %s%s\n",
             text + strlen(" <- "), node == start ? "" : " <- ...");
    filch_log(FILCH_LOG_WARNING, message);
}

/* ---- an order ---- */

/* Takes away nodes that need none of those that are left; how many that could be done with.
 * `undone` ends as zero for those, `order` is room for all. */
static size_t take_away(const struct filch_graph *graph, size_t *undone, struct filch_node **order)
{
    size_t taken = 0;
    size_t found = 0;
    for (; found < graph->first_count; found++) {
        order[found] = graph->first[found];
    }
    for (; taken < found; taken++) {
        const struct filch_node *node = order[taken];
        for (size_t i = 0; i < node->follower_count; i++) {
            struct filch_node *follower = node->followers[i];
            if (--undone[follower->number] == 0) {
                order[found++] = follower;
            }
        }
    }
    return taken;
}

static filch_status find_order(const struct filch_graph *graph)
{
    size_t *undone = filch_calloc(graph->node_count + 1, sizeof *undone);
    struct filch_node **order = filch_calloc(graph->node_count + 1, sizeof(struct filch_node *));
    filch_status status = undone && order ? FILCH_OK : FILCH_ENOMEM;
    if (status == FILCH_OK) {
        for (size_t i = 0; i < graph->node_count; i++) {
            undone[i] = graph->nodes[i]->need_count;
        }
        if (take_away(graph, undone, order) < graph->node_count) {
            tell_cycle(graph, undone);
            status = FILCH_EDEADLK;
        }
    }
    filch_free(undone);
    filch_free(order);
    return status;
}

/* ---- followers ---- */

static void count_needs(struct filch_graph *graph)
{
    for (size_t i = 0; i < graph->node_count; i++) {
        graph->nodes[i]->follower_count = graph->nodes[i]->need_count = 0;
    }
    for (size_t i = graph->need_count; i-- > 0;) {
        struct filch_node *node = graph->nodes[graph->needs[i].node];
        graph->nodes[graph->needs[i].need]->follower_count++;
        node->need_count++;
        node->first_need = i;
    }
}

/* Each gets its part of the list, which is filled then. */
static void list_followers(struct filch_graph *graph)
{
    struct filch_node **at = graph->followers;
    graph->first_count = 0;
    for (size_t i = 0; i < graph->node_count; i++) {
        struct filch_node *node = graph->nodes[i];
        node->followers = at;
        at += node->follower_count;
        node->follower_count = 0;
        /* relaxed, here and below: no run is under way */
        atomic_store_explicit(&node->undone, node->need_count, memory_order_relaxed);
        atomic_store_explicit(&node->skipped, false, memory_order_relaxed);
        if (node->need_count == 0) {
            graph->first[graph->first_count++] = node;
        }
    }
    for (size_t i = 0; i < graph->need_count; i++) {
        struct filch_node *need = graph->nodes[graph->needs[i].need];
        need->followers[need->follower_count++] = graph->nodes[graph->needs[i].node];
    }
}

/* Room for `count` nodes. */
static bool renew_list(struct filch_node ***list, size_t count)
{
    struct filch_node **renewed = filch_calloc(count + 1, sizeof(struct filch_node *));
    if (renewed) {
        filch_free(*list);
        *list = renewed;
    }
    return renewed != NULL;
}

filch_status filch_graph_prepare(struct filch_graph *graph)
{
    if (!renew_list(&graph->followers, graph->need_count) ||
        !renew_list(&graph->first, graph->node_count)) {
        return FILCH_ENOMEM;
    }
    filch_graph_sort_needs(graph);
    count_needs(graph);
    list_followers(graph);
    filch_status status = find_order(graph);
    graph->ready = status == FILCH_OK;
    return status;
}
