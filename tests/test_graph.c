/* Graphs of tasks that run again and again. */
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

enum { MANY = 300, MANY_NEEDS = 3 };

/* ---- nodes that keep account ---- */

struct account {
    atomic_int calls;
    int round; /* of the last call */
};

/* It comes after what it needs, in each round. */
FILCH_FUNCTION(void, visit, (struct account *, accounts), (int, node), (const int *, needs),
               (const int *, round))
{
    for (int k = 0; k < MANY_NEEDS; k++) {
        check_int_eq(needs[k] < 0 || accounts[needs[k]].round == *round, true);
    }
    atomic_fetch_add(&accounts[node].calls, 1);
    accounts[node].round = *round;
}

FILCH_FUNCTION(int, count, (atomic_int *, calls), (int, value))
{
    atomic_fetch_add(calls, 1);
    return value;
}

FILCH_FUNCTION(void, fails, (atomic_int *, calls), (const int *, code))
{
    atomic_fetch_add(calls, 1);
    if (*code) {
        filch_raise(*code, "code %d", *code);
    }
}

struct web {
    struct account accounts[MANY];
    int needs[MANY][MANY_NEEDS];
    int round;
};

/* Each needs some of those before it; they are added in that order, or from the last on. */
static filch_graph *web_graph(struct web *web)
{
    filch_graph *graph;
    filch_node *nodes[MANY];
    memset(web, 0, sizeof *web);
    ck_assert_int_eq(filch_graph_new(&graph), FILCH_OK);
    srand(1);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(visit_node(graph, web->accounts, i, web->needs[i], &web->round, &nodes[i]),
                         FILCH_OK);
        for (int k = 0; k < MANY_NEEDS; k++) {
            web->needs[i][k] = i && rand() % 3 ? rand() % i : -1;
            if (web->needs[i][k] >= 0) {
                ck_assert_int_eq(filch_node_needs(nodes[i], nodes[web->needs[i][k]]), FILCH_OK);
            }
        }
    }
    return graph;
}

static void all_called(struct web *web, int rounds)
{
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(atomic_load(&web->accounts[i].calls), rounds);
    }
}

static void graph_freed(filch_graph *graph)
{
    ck_assert_int_eq(filch_graph_free(graph), FILCH_OK);
}

START_TEST(each_node_is_called_once_after_all_that_it_needs_in_each_run)
{
    static struct web web;
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = (unsigned)_i});
    filch_graph *graph = web_graph(&web);
    for (web.round = 1; web.round <= 100; web.round++) {
        ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_OK);
    }
    all_called(&web, 100);
    graph_freed(graph);
    pool_closed(pool);
}
END_TEST

START_TEST(a_run_takes_no_memory_after_the_first)
{
    static struct web web;
    filch_pool *pool = pool_opened(_i);
    filch_graph *graph = web_graph(&web);
    web.round = 1;
    ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_OK);
    for (int k = 0; k < 100; k++) { /* the threads that it needs are made, too */
        ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_OK);
    }
    long before = calls_so_far();
    for (int k = 0; k < 1000; k++) {
        check_int_eq(filch_graph_run(pool, graph), FILCH_OK);
    }
    long taken = calls_so_far() - before;
    ck_assert_int_le(taken, workers_of(_i) == 1 ? 0 : 100); /* the pool's, for threads come late */
    all_called(&web, 1101);
    graph_freed(graph);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(long, next_of, (const long *, x))
{
    return *x + 1;
}

START_TEST(results_are_put_where_they_are_wanted_anew_in_each_run)
{
    filch_pool *pool = pool_opened(_i);
    filch_graph *graph;
    filch_node *nodes[3];
    long values[4] = {0};
    ck_assert_int_eq(filch_graph_new(&graph), FILCH_OK);
    for (int i = 0; i < 3; i++) {
        next_of_node(graph, &values[i], &values[i + 1], &nodes[i]);
    }
    next_of_node(graph, &values[0], NULL, NULL); /* no one asks */
    filch_node_needs(nodes[2], nodes[1]);
    filch_node_needs(nodes[1], nodes[0]);
    for (values[0] = 0; values[0] < 100; values[0]++) {
        ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_OK);
        ck_assert_int_eq(values[3], values[0] + 3);
    }
    graph_freed(graph);
    pool_closed(pool);
}
END_TEST

/* How it is drawn; to be freed. */
static char *drawing_of(filch_graph *graph)
{
    char *text;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    ck_assert_int_eq(filch_graph_dump(graph, stream), FILCH_OK);
    fclose(stream);
    return text;
}

START_TEST(a_graph_may_be_empty_and_grows_between_runs)
{
    filch_pool *pool = pool_opened(_i);
    filch_graph *graph;
    filch_node *first = NULL;
    filch_node *node;
    atomic_int calls = 0;
    ck_assert_int_eq(filch_graph_new(&graph), FILCH_OK);
    ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_OK);
    for (int i = 1; i <= 50; i++) {
        ck_assert_int_eq(count_node(graph, &calls, i, NULL, &node), FILCH_OK);
        first = first ? first : node;
        if (node != first) {
            filch_node_needs(first, node);
            filch_node_needs(first, node); /* twice is once */
        }
        ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_OK);
        ck_assert_int_eq(atomic_load(&calls), i * (i + 1) / 2);
    }
    char *text = drawing_of(graph);
    const char *edge = text;
    for (int i = 1; i < 50; i++) {
        edge = strstr(edge, "-> n0;");
        ck_assert_ptr_nonnull(edge++);
    }
    ck_assert_ptr_null(strstr(edge, "-> n0;"));
    free(text);
    graph_freed(graph);
    pool_closed(pool);
}
END_TEST

/* ---- errors ---- */

/* 0 and 1 fail, if they are to; 2 needs both, 3 needs 2; 4 needs none of them, 5 needs 4. */
struct failing_graph {
    filch_graph *graph;
    int codes[2];
    atomic_int failed, left_out, others;
};

static void make_failing(struct failing_graph *f)
{
    filch_node *nodes[6];
    memset(f, 0, sizeof *f);
    filch_graph_new(&f->graph);
    fails_node(f->graph, &f->failed, &f->codes[0], &nodes[0]);
    fails_node(f->graph, &f->failed, &f->codes[1], &nodes[1]);
    count_node(f->graph, &f->left_out, 2, NULL, &nodes[2]);
    count_node(f->graph, &f->left_out, 3, NULL, &nodes[3]);
    count_node(f->graph, &f->others, 4, NULL, &nodes[4]);
    count_node(f->graph, &f->others, 5, NULL, &nodes[5]);
    filch_node_needs(nodes[2], nodes[0]);
    filch_node_needs(nodes[2], nodes[1]);
    filch_node_needs(nodes[3], nodes[2]);
    filch_node_needs(nodes[5], nodes[4]);
}

START_TEST(an_error_leaves_out_what_needs_it_and_nothing_else)
{
    filch_pool *pool = pool_opened(_i);
    struct failing_graph f;
    filch_error error;
    make_failing(&f);
    for (int round = 1; round <= 100; round++) {
        f.codes[0] = round % 2 ? ERANGE : 0;
        f.codes[1] = EDOM;
        ck_assert_int_eq(filch_graph_run(FILCH_ON(pool, .error = &error), f.graph), FILCH_ERAISED);
        ck_assert_int_eq(error.status, FILCH_ERAISED); /* of the first, whichever came first */
        ck_assert_int_eq(error.code, round % 2 ? ERANGE : EDOM);
        ck_assert_uint_eq(error.index, round % 2 ? 0 : 1);
        ck_assert_str_eq(error.function, "fails");
        ck_assert_int_eq(atomic_load(&f.failed), 2 * round);
        ck_assert_int_eq(atomic_load(&f.others), 2 * round);
        ck_assert_int_eq(atomic_load(&f.left_out), 0);
    }
    f.codes[0] = f.codes[1] = 0; /* nothing is left of it */
    ck_assert_int_eq(filch_graph_run(FILCH_ON(pool, .error = &error), f.graph), FILCH_OK);
    ck_assert_int_eq(error.status, FILCH_OK);
    ck_assert_int_eq(atomic_load(&f.left_out), 2);
    graph_freed(f.graph);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(void, cancels, (filch_group *const *, group), (const bool *, wanted))
{
    if (*wanted) {
        ck_assert_int_eq(filch_group_cancel(*group), FILCH_OK);
        check_int_eq(filch_cancelled(), true);
        check_int_eq(filch_sleep(1000), FILCH_ECANCELED);
    }
}

START_TEST(a_run_stops_with_its_caller_and_the_next_is_whole_again)
{
    filch_pool *pool = pool_opened(_i);
    filch_graph *graph;
    filch_group *group = NULL;
    filch_node *nodes[3];
    filch_status status;
    filch_status run = FILCH_OK;
    bool wanted = true;
    atomic_int calls = 0;
    filch_graph_new(&graph);
    cancels_node(graph, &group, &wanted, &nodes[0]);
    count_node(graph, &calls, 1, NULL, &nodes[1]);
    count_node(graph, &calls, 2, NULL, &nodes[2]);
    filch_node_needs(nodes[1], nodes[0]);
    filch_node_needs(nodes[2], nodes[1]);
    for (int round = 0; round < 20; round++) {
        wanted = round % 2 == 0;
        atomic_store(&calls, 0);
        FILCH_WITH_GROUP(inside, pool, NULL, &status) {
            group = inside;
            run = filch_graph_run(pool, graph);
        }
        ck_assert_int_eq(run, wanted ? FILCH_ECANCELED : FILCH_OK);
        ck_assert_int_eq(status, wanted ? FILCH_ECANCELED : FILCH_OK);
        ck_assert_int_eq(atomic_load(&calls), wanted ? 0 : 2);
    }
    graph_freed(graph);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(void, sleeps, (atomic_int *, begun))
{
    atomic_fetch_add(begun, 1);
    check_int_eq(filch_sleep(1000), FILCH_ECANCELED);
}

FILCH_FUNCTION(void, wakes, (atomic_int *, begun), (int, wanted), (filch_group *const *, group))
{
    while (atomic_load(begun) < wanted) {
        filch_yield();
    }
    ck_assert_int_eq(filch_group_cancel(*group), FILCH_OK);
}

START_TEST(nodes_that_wait_are_asked_to_stop_on_whatever_thread)
{
    filch_pool *pool = pool_opened(_i);
    filch_graph *graph;
    filch_group *group = NULL;
    filch_status status;
    filch_status run = FILCH_OK;
    atomic_int begun = 0;
    filch_graph_new(&graph);
    wakes_node(graph, &begun, 4, &group, NULL);
    for (int i = 0; i < 4; i++) {
        sleeps_node(graph, &begun, NULL);
    }
    FILCH_WITH_GROUP(inside, pool, NULL, &status) {
        group = inside;
        run = filch_graph_run(pool, graph);
    }
    ck_assert_int_eq(run, FILCH_OK); /* each was called */
    ck_assert_int_eq(status, FILCH_ECANCELED);
    graph_freed(graph);
    pool_closed(pool);
}
END_TEST

/* ---- cycles ---- */

static char heard[700];
static int lines;

static void hear(void *context, filch_log_level level, const char *message)
{
    (void)context;
    ck_assert_int_eq(level, FILCH_LOG_WARNING);
    strncpy(heard, message, sizeof heard - 1);
    lines++;
}

FILCH_FUNCTION(void, dig, (atomic_int *, calls))
{
    atomic_fetch_add(calls, 1);
}
FILCH_FUNCTION(void, sow, (atomic_int *, calls))
{
    atomic_fetch_add(calls, 1);
}
FILCH_FUNCTION(void, reap, (atomic_int *, calls))
{
    atomic_fetch_add(calls, 1);
}

START_TEST(a_cycle_is_told_by_its_names_and_nothing_is_called)
{
    filch_pool *pool = pool_opened(1);
    filch_graph *graph;
    filch_node *nodes[5];
    atomic_int calls = 0;
    filch_graph_new(&graph);
    count_node(graph, &calls, 0, NULL, &nodes[0]); /* before the cycle */
    dig_node(graph, &calls, &nodes[1]);
    sow_node(graph, &calls, &nodes[2]);
    reap_node(graph, &calls, &nodes[3]);
    count_node(graph, &calls, 0, NULL, &nodes[4]); /* behind it */
    filch_node_needs(nodes[1], nodes[0]);
    filch_node_needs(nodes[2], nodes[1]);
    filch_node_needs(nodes[3], nodes[2]);
    filch_node_needs(nodes[4], nodes[3]);
    ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_OK);
    ck_assert_int_eq(atomic_exchange(&calls, 0), 5);
    filch_node_needs(nodes[1], nodes[3]);
    filch_log_to(hear, NULL);
    for (int round = 1; round <= 2; round++) {
        ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_EDEADLK);
        ck_assert_int_eq(lines, round);
        heard[strlen(heard) - 1] = ' '; /* the line's end */
        const char *cycle = strstr(heard, "cycle: ");
        ck_assert_ptr_nonnull(cycle);
        ck_assert_ptr_nonnull(
            strstr(" dig <- reap <- sow <- dig <- reap <- sow <- dig ", cycle + strlen("cycle:")));
        ck_assert_uint_eq(strlen(cycle),
                          strlen("cycle: dig <- reap <- sow <- dig ") + (cycle[7] == 'r'));
    }
    ck_assert_int_eq(atomic_load(&calls), 0);
    graph_freed(graph);
    filch_graph_new(&graph);
    dig_node(graph, &calls, &nodes[0]);
    filch_node_needs(nodes[0], nodes[0]);
    ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_EDEADLK);
    ck_assert_str_eq(heard, "filch_graph_run() is refused: the graph has a cycle: dig <- dig\n");
    graph_freed(graph);
    filch_graph_new(&graph); /* one that is longer than the line */
    filch_node *ring[200];
    for (int i = 0; i < 200; i++) {
        reap_node(graph, &calls, &ring[i]);
        filch_node_needs(ring[i], ring[i ? i - 1 : 0]);
    }
    filch_node_needs(ring[0], ring[199]);
    ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_EDEADLK);
    ck_assert_uint_lt(strlen(heard), sizeof heard - 1);
    filch_log_to(NULL, NULL);
    graph_freed(graph);
    pool_closed(pool);
}
END_TEST

/* ---- limits ---- */

struct gauge {
    atomic_int now, most, calls;
};

FILCH_FUNCTION(int, gauged, (struct gauge *, gauge), (int, code))
{
    int now = atomic_fetch_add(&gauge->now, 1) + 1;
    int most = atomic_load(&gauge->most);
    while (now > most && !atomic_compare_exchange_weak(&gauge->most, &most, now)) {
    }
    for (int i = 0; i < 5; i++) {
        filch_yield();
    }
    atomic_fetch_add(&gauge->calls, 1);
    atomic_fetch_sub(&gauge->now, 1);
    return code ? filch_raise(code, "%d", code) : 0;
}

START_TEST(no_more_nodes_of_a_limit_run_at_once_than_it_says)
{
    filch_pool *pool = pool_opened(_i);
    for (unsigned most = 1; most <= 3; most++) {
        enum { N = 60 };
        filch_graph *graph;
        filch_limit *limit;
        filch_node *nodes[N + 1];
        struct gauge gauge = {0};
        filch_graph_new(&graph);
        ck_assert_int_eq(filch_graph_limit(graph, most, &limit), FILCH_OK);
        for (int i = 0; i < N; i++) {
            gauged_node(graph, &gauge, i == 7 ? EIO : 0, NULL, &nodes[i]);
            ck_assert_int_eq(filch_node_limit(nodes[i], limit), FILCH_OK);
            if (i >= 40) { /* two of them are left out: no place is lost with them */
                filch_node_needs(nodes[i], nodes[i == 50 || i == 51 ? 7 : i - 40]);
                filch_node_needs(nodes[i], nodes[0]);
            }
        }
        filch_node_limit(nodes[N - 1], NULL);
        filch_node_limit(nodes[N - 1], limit);
        int left_out = 3; /* and what needs 7 by the rule above */
        for (int round = 1; round <= 20; round++) {
            ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_ERAISED);
            ck_assert_int_eq(atomic_load(&gauge.calls), round * (N - left_out));
            ck_assert_int_eq(atomic_load(&gauge.now), 0);
            ck_assert_int_le(atomic_load(&gauge.most), (int)most);
        }
        ck_assert_int_ge(atomic_load(&gauge.most), 1);
        graph_freed(graph);
    }
    pool_closed(pool);
}
END_TEST

/* ---- where a graph runs, and what nodes may do ---- */

FILCH_FUNCTION(void, meddles, (filch_graph *const *, graph), (filch_node *const *, node),
               (atomic_int *, calls))
{
    filch_node *made = *node;
    ck_assert_int_eq(filch_graph_run(NULL, *graph), FILCH_EBUSY);
    ck_assert_int_eq(dig_node(*graph, calls, &made), FILCH_EBUSY);
    ck_assert_ptr_null(made);
    ck_assert_int_eq(filch_node_needs(*node, *node), FILCH_EBUSY);
    ck_assert_int_eq(filch_node_limit(*node, NULL), FILCH_EBUSY);
    ck_assert_int_eq(filch_graph_dump(*graph, stdout), FILCH_EBUSY);
    ck_assert_int_eq(filch_graph_free(*graph), FILCH_EBUSY);
}

START_TEST(a_graph_that_runs_is_left_alone)
{
    filch_pool *pool = pool_opened(_i);
    filch_graph *graph;
    filch_node *node;
    atomic_int calls = 0;
    filch_graph_new(&graph);
    meddles_node(graph, &graph, &node, &calls, &node);
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_OK);
    }
    ck_assert_int_eq(atomic_load(&calls), 0);
    graph_freed(graph);
    pool_closed(pool);
}
END_TEST

FILCH_FORK_FUNCTION(long, fib, (int, n))
{
    if (n < 2) {
        return n;
    }
    FILCH_FORK(left, fib, n - 1);
    long right = FILCH_CALL(fib, n - 2);
    return FILCH_JOIN(left) + right;
}

FILCH_FUNCTION(int, same, (int, x))
{
    return x;
}

FILCH_FUNCTION(long, works, (filch_pool *, pool), (filch_graph *, other))
{
    long result = 0;
    int in[20] = {0};
    long status = fib_apply(pool, 10, &result);
    status += same_map(pool, in, 20, in);
    status += filch_sleep(1e-6);
    status += filch_graph_run(pool, other);
    return status * 1000 + result;
}

FILCH_FUNCTION(int, runs, (filch_pool *, pool), (filch_graph *, graph))
{
    return (int)filch_graph_run(pool, graph);
}

START_TEST(nodes_wait_fork_and_run_other_graphs_and_tasks_run_graphs)
{
    filch_pool *pool = pool_opened(_i);
    filch_graph *inner[4];
    filch_graph *outer;
    long results[4] = {0};
    atomic_int calls = 0;
    filch_graph_new(&outer);
    for (int i = 0; i < 4; i++) {
        filch_graph_new(&inner[i]);
        for (int k = 0; k < 5; k++) {
            count_node(inner[i], &calls, k, NULL, NULL);
        }
        works_node(outer, pool, inner[i], &results[i], NULL);
    }
    for (int round = 1; round <= 10; round++) {
        int status = -1;
        ck_assert_int_eq(runs_apply(pool, pool, outer, &status), FILCH_OK);
        ck_assert_int_eq(status, FILCH_OK);
        ck_assert_int_eq(atomic_load(&calls), 20 * round);
        for (int i = 0; i < 4; i++) {
            ck_assert_int_eq(results[i], 55);
        }
    }
    for (int i = 0; i < 4; i++) {
        graph_freed(inner[i]);
    }
    graph_freed(outer);
    pool_closed(pool);
}
END_TEST

START_TEST(without_threads_the_caller_does_it_all)
{
    static struct web web;
    refuse_threads(1000000);
    filch_pool *pool = pool_opened(2);
    filch_graph *graph = web_graph(&web);
    for (web.round = 1; web.round <= 10; web.round++) {
        ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_OK);
    }
    all_called(&web, 10);
    graph_freed(graph);
    refuse_threads(0);
    pool_closed(pool);
}
END_TEST

static int run_elsewhere(void *graph)
{
    return (int)filch_graph_run(NULL, graph);
}

START_TEST(any_thread_may_run_it_in_the_default_pool_one_after_the_other)
{
    static struct web web;
    filch_graph *graph = web_graph(&web);
    for (web.round = 1; web.round <= 10; web.round++) {
        thrd_t thread;
        int status = -1;
        ck_assert_int_eq(thrd_create(&thread, run_elsewhere, graph), thrd_success);
        ck_assert_int_eq(thrd_join(thread, &status), thrd_success);
        ck_assert_int_eq(status, FILCH_OK);
    }
    all_called(&web, 10);
    graph_freed(graph);
}
END_TEST

FILCH_FUNCTION(void, terminates, (filch_pool *const *, pool))
{
    ck_assert_int_eq(filch_pool_terminate(*pool), FILCH_OK);
}

START_TEST(a_pool_that_is_closed_or_terminated_runs_none)
{
    filch_pool *pool = pool_opened(_i);
    filch_graph *graph;
    filch_node *nodes[2];
    atomic_int calls = 0;
    filch_graph_new(&graph);
    terminates_node(graph, &pool, &nodes[0]);
    dig_node(graph, &calls, &nodes[1]);
    filch_node_needs(nodes[1], nodes[0]);
    ck_assert_int_eq(filch_graph_run(FILCH_ON(pool, .until = filch_in(0)), graph), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_graph_run(FILCH_ON(pool, .until = filch_in(3600)), graph),
                     FILCH_ECANCELED);
    ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_ECLOSED);
    ck_assert_int_eq(atomic_load(&calls), 0);
    graph_freed(graph);
    pool_closed(pool);
}
END_TEST

/* ---- bad input, and no memory ---- */

static atomic_int destroyed;

static void destroy_box(void *captures)
{
    (void)captures;
    atomic_fetch_add(&destroyed, 1);
}

START_TEST(closures_are_shared_and_given_back_with_the_graph)
{
    filch_pool *pool = pool_opened(1);
    filch_graph *graph;
    filch_closure closure;
    atomic_int calls = 0;
    filch_graph_new(&graph);
    ck_assert_int_eq(dig_capture_owned(&closure, &calls, destroy_box), FILCH_OK);
    ck_assert_int_eq(filch_graph_add(graph, &closure, NULL, NULL), FILCH_OK);
    ck_assert_int_eq(filch_graph_add(graph, &closure, NULL, NULL), FILCH_OK);
    filch_closure_release(&closure);
    ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_OK);
    ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_OK);
    ck_assert_int_eq(atomic_load(&calls), 4);
    ck_assert_int_eq(atomic_load(&destroyed), 0);
    graph_freed(graph);
    ck_assert_int_eq(atomic_load(&destroyed), 1);
    pool_closed(pool);
}
END_TEST

START_TEST(bad_input_is_refused_and_the_run_says_so)
{
    filch_pool *pool = pool_opened(1);
    filch_graph *graph;
    filch_graph *other;
    filch_node *node = NULL;
    filch_node *foreign;
    filch_limit *limit;
    filch_closure empty = {0};
    atomic_int calls = 0;
    filch_error error;
    ck_assert_int_eq(filch_graph_new(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_graph_run(FILCH_ON(pool, .error = &error), NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_graph_free(NULL), FILCH_OK);
    ck_assert_int_eq(filch_graph_dump(NULL, stdout), FILCH_EINVAL);
    ck_assert_int_eq(filch_node_needs(NULL, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_node_limit(NULL, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_graph_limit(NULL, 1, &limit), FILCH_EINVAL);
    ck_assert_ptr_null(limit);
    ck_assert_int_eq(dig_node(NULL, &calls, &node), FILCH_EINVAL);
    ck_assert_int_eq(filch_graph_add(NULL, &empty, NULL, &node), FILCH_EINVAL);
    ck_assert_ptr_null(node);
    filch_graph_new(&other);
    dig_node(other, &calls, &foreign);
#define IS_REFUSED(call)                                                                           \
    do {                                                                                           \
        filch_graph_new(&graph);                                                                   \
        dig_node(graph, &calls, &node);                                                            \
        ck_assert_int_eq(call, FILCH_EINVAL);                                                      \
        ck_assert_int_eq(filch_graph_run(FILCH_ON(pool, .error = &error), graph), FILCH_EINVAL);   \
        ck_assert_int_eq(error.status, FILCH_EINVAL);                                              \
        graph_freed(graph);                                                                        \
    } while (0)
    IS_REFUSED(filch_graph_add(graph, &empty, NULL, NULL));
    IS_REFUSED(filch_graph_add(graph, NULL, NULL, NULL));
    IS_REFUSED(filch_graph_add_captured(graph, NULL, NULL, NULL, NULL));
    IS_REFUSED(filch_graph_add_captured(graph, &dig_callable, NULL, NULL, NULL));
    IS_REFUSED(filch_node_needs(node, NULL));
    IS_REFUSED(filch_node_needs(NULL, node));
    IS_REFUSED(filch_node_needs(node, foreign));
    IS_REFUSED(filch_graph_limit(graph, 0, &limit));
    IS_REFUSED(filch_graph_limit(graph, 1, NULL));
    filch_graph_limit(other, 1, &limit);
    IS_REFUSED(filch_node_limit(node, limit));
    ck_assert_int_eq(filch_graph_dump(other, NULL), FILCH_EINVAL);
    ck_assert_int_eq(atomic_load(&calls), 0);
    graph_freed(other);
    pool_closed(pool);
}
END_TEST

/* Makes and runs one, and checks no call. */
static filch_status made_and_run(filch_pool *pool, atomic_int *calls)
{
    filch_graph *graph;
    filch_limit *limit;
    filch_node *nodes[20];
    filch_graph_new(&graph);
    filch_graph_limit(graph, 2, &limit);
    for (int i = 0; i < 20; i++) {
        count_node(graph, calls, i, NULL, &nodes[i]);
        filch_node_limit(nodes[i], limit);
        if (i) {
            filch_node_needs(nodes[i], nodes[i - 1]);
        }
    }
    filch_status status = filch_graph_run(pool, graph);
    filch_status again = graph ? filch_graph_run(pool, graph) : status;
    ck_assert_int_eq(filch_graph_free(graph), FILCH_OK);
    return status == FILCH_OK ? again : status;
}

START_TEST(each_request_for_memory_may_fail_and_the_run_says_so)
{
    filch_pool *pool = pool_opened(1);
    filch_status status = FILCH_ENOMEM;
    atomic_int calls = 0;
    ck_assert_int_eq(made_and_run(pool, &calls), FILCH_OK); /* the pool has its thread now */
    long before = allocations_alive();
    for (long failing = 1; failing < 100; failing++) {
        atomic_store(&calls, 0);
        fail_call(failing);
        status = made_and_run(pool, &calls);
        fail_call(0);
        if (status != FILCH_OK) { /* EINVAL: without a graph, its parts are refused */
            ck_assert(status == FILCH_ENOMEM || (status == FILCH_EINVAL && failing == 1));
            ck_assert_int_eq(atomic_load(&calls) % 20, 0);
        } else {
            ck_assert_int_eq(atomic_load(&calls), 40);
        }
        ck_assert_int_eq(allocations_alive(), before);
    }
    ck_assert_int_eq(status, FILCH_OK); /* there are fewer */
    pool_closed(pool);
}
END_TEST

START_TEST(it_can_be_drawn_with_what_the_last_run_came_to)
{
    filch_pool *pool = pool_opened(_i);
    struct failing_graph f;
    make_failing(&f);
    f.codes[1] = EDOM;
    ck_assert_int_eq(filch_graph_run(pool, f.graph), FILCH_ERAISED);
    char *text = drawing_of(f.graph);
    ck_assert_ptr_nonnull(strstr(text, "n0 [shape=doublecircle, label=\"fails\", tooltip=\""));
    ck_assert_ptr_nonnull(strstr(text, "n1 [shape=octagon, label=\"fails\""));
    ck_assert_ptr_nonnull(strstr(text, "n2 [shape=ellipse, label=\"count\""));
    ck_assert_ptr_nonnull(strstr(text, "n5 [shape=doublecircle, label=\"count\""));
    ck_assert_ptr_nonnull(strstr(text, "    n0 -> n2;\n    n1 -> n2;\n    n2 -> n3;\n"
                                       "    n4 -> n5;\n}\n"));
    free(text);
    graph_freed(f.graph);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph");
    TCase *tcase = tcase_create("graph");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, each_node_is_called_once_after_all_that_it_needs_in_each_run, 1, 9);
    tcase_add_loop_test(tcase, a_run_takes_no_memory_after_the_first, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, results_are_put_where_they_are_wanted_anew_in_each_run, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_graph_may_be_empty_and_grows_between_runs, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_error_leaves_out_what_needs_it_and_nothing_else, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_run_stops_with_its_caller_and_the_next_is_whole_again, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, nodes_that_wait_are_asked_to_stop_on_whatever_thread, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, a_cycle_is_told_by_its_names_and_nothing_is_called);
    tcase_add_loop_test(tcase, no_more_nodes_of_a_limit_run_at_once_than_it_says, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_graph_that_runs_is_left_alone, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, nodes_wait_fork_and_run_other_graphs_and_tasks_run_graphs, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, without_threads_the_caller_does_it_all);
    tcase_add_test(tcase, any_thread_may_run_it_in_the_default_pool_one_after_the_other);
    tcase_add_loop_test(tcase, a_pool_that_is_closed_or_terminated_runs_none, 0, WORKER_SWEEP);
    tcase_add_test(tcase, closures_are_shared_and_given_back_with_the_graph);
    tcase_add_test(tcase, bad_input_is_refused_and_the_run_says_so);
    tcase_add_test(tcase, each_request_for_memory_may_fail_and_the_run_says_so);
    tcase_add_loop_test(tcase, it_can_be_drawn_with_what_the_last_run_came_to, 0, WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
